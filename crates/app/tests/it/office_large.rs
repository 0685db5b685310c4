//! A large company: ten thousand members in three hundred departments, read twice.

use std::time::{Duration, Instant};

use carillon_simulator::Platform;

use crate::client::Auth;
use crate::harness::{Start, home};
use crate::office::{APP_ID, company, connect, start_with, update_within};

/// Lark lets an app make fifty calls a second, and a thousand a minute.
const WITHIN: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_members_in_three_hundred_departments_twice() {
    let (home, platforms) = (home(), start_with(company(Platform::Lark, 300, 10_000)).await);
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.api(Auth::token());
    let connection = connect(&api, Platform::Lark).await;
    for added in [10_000, 0] {
        platforms.clear_received();
        let began = Instant::now();
        let run = update_within(&api, &connection, WITHIN).await;
        let took = began.elapsed();
        let counts = ["members", "departments", "added", "changed", "moved", "gone"]
            .map(|name| run[name].as_u64().unwrap());
        assert_eq!((run["state"].as_str(), counts), (Some("done"), [10_000, 300, added, 0, 0, 0]), "{run}");
        let calls = platforms.calls().len();
        println!(
            "{added} added of 10000 members in 300 departments: {:.1} s, {calls} calls",
            took.as_secs_f64()
        );
        // The pages of fifty that there are, and little else.
        assert!(calls <= 330, "{calls}");
        assert!(platforms.calls().iter().all(|call| call.http_status < 400), "a call was refused");
    }

    // One department of three hundred is all that may still be seen: nobody is marked before somebody says so.
    platforms.change_office(APP_ID, |app| app.range = Some(vec!["105".to_owned()]));
    let run = update_within(&api, &connection, WITHIN).await;
    assert_eq!(run["state"], "asks", "{run}");
    assert!(run["gone"].as_u64() > Some(9_900), "{run}");
    let connection = api.get(&format!("/api/v1/connections/{connection}")).await.expect(200).json();
    assert_eq!(connection["members"], 10_000);
}
