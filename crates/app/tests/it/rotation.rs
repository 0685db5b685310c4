//! Another master key under a server that goes on sending, cut short by kill -9 and finished by the same command.

use std::path::Path;

use serde_json::{Value, json};

use crate::chats;
use crate::cli::{good, told};
use crate::client::smn;
use crate::harness::{Server, Start, home};

const ROTATION: &str = "/api/v1/master-keys/rotation";

/// The files that hold anything which begins as what this key sealed does.
fn sealed_by(dir: &Path, key: &str) -> Vec<String> {
    let digits: Vec<u8> =
        key.bytes().map(|digit| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap()).collect();
    let head: Vec<u8> =
        std::iter::once(1).chain(digits.chunks(2).map(|pair| pair[0] * 16 + pair[1])).collect();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if bytes.windows(head.len()).any(|window| window == head) {
            found.push(path.display().to_string());
        }
    }
    found
}

async fn keys(server: &Server) -> Vec<Value> {
    let answer = server.user().get("/api/v1/master-keys").await.expect(200);
    answer.json()["keys"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_survives_a_kill_and_leaves_nothing_of_the_old_key() {
    let home = home();
    let platforms = chats::start().await;
    let start = Start::new().led_to(&platforms);
    let mut server = start.at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("ops").await;
    for (_chat, body) in chats::subscriptions() {
        api.subscribe(&topic, &body).await;
    }
    // More than a portion, in batches.
    let quiet = api.create_topic("quiet").await;
    for batch in 0..4 {
        let item = |n: u32| json!({ "protocol": "wechat", "endpoint": chats::wecom_url(&format!("key-{batch}-{n}-of-nobody")) });
        let items: Vec<Value> = (0..50).map(item).collect();
        api.post(&smn(&format!("topics/{quiet}/subscriptions")), &json!({ "subscriptions": items }))
            .await
            .expect(201);
    }
    let old = keys(&server).await[0]["id"].as_str().unwrap().to_owned();
    assert!(!sealed_by(&server.data_dir(), &old).is_empty(), "what is not found before proves nothing");

    assert_eq!(api.post(ROTATION, &Value::Null).await.expect(200).json()["fresh"], true);
    let step = api.post(&format!("{ROTATION}/step"), &Value::Null).await.expect(200).json();
    assert!(step["sealed"].as_u64().unwrap() > 0 && step["next"].is_string(), "{step}");
    server.kill();
    let mut server = start.at(home.path()).await;
    let message = server.user().publish(&topic, &json!({ "message": "sealed by two keys" })).await;
    let arrived = server.user().settled(&message).await;
    assert!(arrived.iter().all(|it| it["state"] == "delivered") && arrived.len() == 4, "{arrived:?}");
    let early = told(&server, &["key", "retire"]).await;
    assert!(early.code == 1 && early.err.contains("are sealed by old keys still"), "{early:?}");

    let said = told(&server, &["key", "rotate"]).await;
    assert!(good(&said).starts_with("a rotation that was cut short goes on\ndone: "), "{said:?}");
    assert_eq!(sealed_by(&server.data_dir(), &old), Vec::<String>::new());
    let listed = told(&server, &["key", "list"]).await;
    assert!(good(&listed).contains(&format!("{old}  opens  0 values")), "{listed:?}");
    assert_eq!(good(&told(&server, &["key", "retire"]).await), format!("retired key {old}"));
    assert_eq!(good(&told(&server, &["key", "retire"]).await), "there is no old key");
    let file = std::fs::read_to_string(server.data_dir().join("master.key")).unwrap();
    assert!(!file.contains(&old) && file.contains("carillon-lookup-v1"));

    server.terminate().await;
    let server = start.at(home.path()).await;
    let message = server.user().publish(&topic, &json!({ "message": "sealed by the new key" })).await;
    let arrived = server.user().settled(&message).await;
    assert!(arrived.iter().all(|it| it["state"] == "delivered") && arrived.len() == 4, "{arrived:?}");
    let log = server.user().get("/api/v1/audit?limit=200").await.expect(200).text();
    assert!(log.contains("master_key.rotate") && log.contains("master_key.retire"), "{log}");

    // A key that was prepared is the one that is taken.
    let added = told(&server, &["key", "add", "--data-dir", "data"]).await;
    let prepared = good(&added).split([' ', ':']).nth(2).unwrap().to_owned();
    assert!(good(&told(&server, &["key", "rotate"]).await).starts_with("a new key seals\ndone: "));
    let active = keys(&server).await.into_iter().find(|key| key["active"] == true).unwrap();
    assert_eq!(active["id"], prepared.as_str());
    server.user().get(&smn("topics")).await.expect(200);
}
