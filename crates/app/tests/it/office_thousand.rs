//! A push to a thousand, some of whom cannot be reached: everyone has a delivery with its truth, and nobody gets it twice,
//! however often it is pushed under the same key and whatever happens to the server meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use carillon_simulator::{Act, Platform};
use serde_json::{Value, json};

use crate::client::Api;
use crate::harness::{Start, home, until_at_most};
use crate::office::{APP_ID, company, connect, start_with, update};

/// Lark takes fifty messages a second from an app.
const WITHIN: Duration = Duration::from_secs(150);

/// All deliveries of a message, page by page.
async fn everyone(api: &Api, message: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/messages/{message}/deliveries?limit=200{after}");
        let page = api.get(&path).await.expect(200).json();
        all.extend(page["deliveries"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { return all };
        after = format!("&after={next}");
    }
}

async fn ended(api: &Api, message: &str) -> Vec<Value> {
    let all = until_at_most(WITHIN, async || {
        let all = everyone(api, message).await;
        let waits = |one: &Value| one["state"] == "pending" || one["state"] == "sending";
        (!all.iter().any(waits)).then_some(all)
    });
    all.await.unwrap()
}

/// What became of everyone: how many deliveries ended in which state, by whose codes.
fn truth(deliveries: &[Value]) -> BTreeMap<(String, String), usize> {
    let mut truth = BTreeMap::new();
    for one in deliveries {
        let last = one["attempts"].as_array().unwrap().last().unwrap();
        let code = last["platform_code"].as_str().unwrap_or("none");
        *truth.entry((one["state"].as_str().unwrap().to_owned(), code.to_owned())).or_default() += 1;
    }
    truth
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_have_their_truth_and_nobody_gets_it_twice() {
    let (home, platforms) = (home(), start_with(company(Platform::Lark, 20, 980)).await);
    let start = Start::new().led_to(&platforms);
    let mut server = start.at(home.path()).await;
    let api = server.user();
    let connection = connect(&api, Platform::Lark).await;
    update(&api, &connection).await;
    // 150 are known to be gone, which also keeps the rest within what Lark takes in a minute. Later, unknown to us, twenty
    // resign and twenty leave what the app may see.
    platforms.change_office(APP_ID, |app| app.members.truncate(830));
    assert_eq!(update(&api, &connection).await["gone"], 150);
    platforms.change_office(APP_ID, |app| {
        app.departments.push(carillon_simulator::OfficeDepartment {
            id: "999".to_owned(),
            parent: "0".to_owned(),
            name: "Elsewhere".to_owned(),
        });
        app.range = Some((100..120).map(|id| id.to_string()).collect());
        app.members[..20].iter_mut().for_each(|member| member.left = true);
        app.members[20..40].iter_mut().for_each(|member| member.departments = vec!["999".to_owned()]);
    });
    for limited in 40..60 {
        let code = Act::Code {
            code: "230020".to_owned(),
            text: "This operation triggers the frequency limit.".to_owned(),
        };
        platforms.script(&format!("u{limited:05}"), code, Some(1));
    }
    let mut to: Vec<Value> =
        (0..980).map(|number| json!({ "kind": "member", "id": format!("u{number:05}") })).collect();
    to.extend((0..20).map(|number| json!({ "kind": "member", "id": format!("nobody{number}") })));
    let push = json!({ "connection_id": connection, "to": to, "title": "All hands", "markdown": "**Friday**, ten o'clock",
                       "idempotency_key": "all-hands-friday" });

    let pushed = api.post("/api/v1/pushes", &push).await.expect(202).json();
    assert_eq!(
        (pushed["heads"].as_u64(), pushed["unreachable"].as_array().unwrap().len()),
        (Some(850), 150),
        "{pushed}"
    );
    let message = pushed["message_id"].as_str().unwrap().to_owned();
    for enough in [150, 400] {
        platforms.received_at_least(enough, WITHIN).await;
        server.kill();
        server = start.at(home.path()).await;
        let again = server.user().post("/api/v1/pushes", &push).await.expect(200);
        assert_eq!(again.at("/message_id"), message);
        assert_eq!(again.header("idempotent-replayed"), "true");
    }
    let api = server.user();
    let deliveries = ended(&api, &message).await;
    let expected = [
        ("delivered", "0", 790),
        ("failed", "230029", 20),
        ("failed", "230013", 20),
        ("failed", "230034", 20),
        ("failed", "none", 150),
    ];
    let expected = expected.map(|(state, code, count)| ((state.to_owned(), code.to_owned()), count));
    assert_eq!(truth(&deliveries), BTreeMap::from(expected));

    let shown: Vec<String> = platforms.received().into_iter().map(|one| one.chat).collect();
    let wanted: BTreeSet<String> = (40..830).map(|number| format!("Member {number}")).collect();
    assert_eq!((shown.len(), shown.into_iter().collect::<BTreeSet<_>>()), (790, wanted));

    // The same key once more when all is over.
    let again = api.post("/api/v1/pushes", &push).await.expect(200);
    assert_eq!(again.at("/message_id"), message);
    assert_eq!(ended(&api, &message).await.len(), 1000);
    assert_eq!(platforms.received().len(), 790);
    let other = json!({ "connection_id": connection, "to": [{ "kind": "member", "id": "u00100" }], "markdown": "x",
                        "idempotency_key": "all-hands-friday" });
    api.post("/api/v1/pushes", &other).await.expect(422);
}
