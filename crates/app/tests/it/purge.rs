//! Once a subscription is deleted, nothing of it is in any file: not the address, not what it was sealed into, not its
//! hash.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use carillon_simulator::Act;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::canary::files;
use crate::chats;
use crate::client::{Api, smn};
use crate::harness::{Start, home};
use crate::load::open;

/// Every sealed value and every hash that is there for subscriptions, in whichever tables they stand. Lists of attempts under way
/// are neither: they hold places and times, and one is there only when an attempt took its time.
fn blobs(data_dir: &Path) -> Vec<Vec<u8>> {
    const OTHERS: [&str; 4] = ["key_check", "access_key", "token", "attempt_begun"];
    let database = open(data_dir);
    let names = |sql: &str| -> Vec<String> {
        let mut statement = database.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut found = Vec::new();
    for table in names("SELECT name FROM sqlite_master WHERE type = 'table'") {
        let columns = names(&format!("SELECT name FROM pragma_table_info('{table}')"));
        for column in columns.iter().filter(|_| !OTHERS.contains(&table.as_str())) {
            let sql = format!("SELECT {column} FROM {table} WHERE typeof({column}) = 'blob'");
            let mut statement = database.prepare(&sql).unwrap();
            let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
            found.extend(rows.map(Result::unwrap));
        }
    }
    found
}

/// What must be gone, cut into pieces of which none may be left.
fn traces(data_dir: &Path) -> Vec<Vec<u8>> {
    let pieces = blobs(data_dir);
    // The version and the key's id in front are the same for all that is sealed.
    let cut = |blob: &[u8]| -> Vec<Vec<u8>> {
        let skip = if blob.len() > 32 { 5 } else { 0 };
        blob[skip..].chunks_exact(16).map(<[u8]>::to_vec).collect()
    };
    let found: Vec<Vec<u8>> = pieces.iter().flat_map(|blob| cut(blob)).collect();
    assert!(found.len() > 8);
    let plain = [
        chats::DINGTALK_TOKEN,
        chats::DINGTALK_SECRET,
        chats::APP_KEY,
        chats::APP_SECRET,
        chats::ROBOT_CODE,
        chats::CONVERSATION,
        chats::LARK_TOKEN,
        chats::LARK_SECRET,
        chats::WECOM_KEY,
    ];
    found.into_iter().chain(plain.map(|text| text.as_bytes().to_vec())).collect()
}

fn left(data_dir: &Path, traces: &[Vec<u8>]) -> Vec<String> {
    // As hexadecimal digits, because texts are searched much faster than bytes.
    let traces: Vec<String> = traces.iter().map(|trace| HEXLOWER.encode(trace)).collect();
    let mut found = Vec::new();
    for path in files(data_dir) {
        let digits = HEXLOWER.encode(&std::fs::read(&path).unwrap());
        let count = traces.iter().filter(|trace| digits.contains(trace.as_str())).count();
        if count > 0 {
            found.push(format!("{count} of {} pieces in {}", traces.len(), path.display()));
        }
    }
    found
}

async fn busy(api: &Api, topic: &str) {
    let message = api.publish(topic, &json!({ "message": "message 0" })).await;
    for number in 1..4 {
        api.publish(topic, &json!({ "message": format!("message {number}") })).await;
    }
    api.attempted(&message).await;
}

#[derive(Debug, Clone, Copy)]
enum Way {
    OneByOne,
    Batch,
    Topic,
}

async fn delete(api: &Api, topic: &str, urns: &[String], way: Way) {
    match way {
        Way::OneByOne => {
            for urn in urns {
                api.delete(&smn(&format!("subscriptions/{urn}")), None).await.expect(200);
            }
        }
        Way::Batch => {
            let list: Vec<Value> = urns.iter().map(|urn| json!({ "subscription_urn": urn })).collect();
            let body = json!({ "subscription_urns": list });
            api.delete(&smn("subscriptions"), Some(&body)).await.expect(200);
        }
        Way::Topic => {
            api.delete(&smn(&format!("topics/{topic}")), None).await.expect(200);
        }
    }
}

async fn deleted(way: Way) {
    let home = home();
    let platforms = chats::start().await;
    let mut server = Start::new().led_to(&platforms).flag("--attempts-max", &2).at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("ops").await;
    let mut urns = Vec::new();
    for (_, body) in chats::subscriptions() {
        urns.push(api.subscribe(&topic, &body).await);
    }
    // One of them has something waiting when it goes.
    platforms.script(
        chats::LARK_TOKEN,
        Act::Code { code: "11232".to_owned(), text: "later".to_owned() },
        None,
    );
    busy(&api, &topic).await;
    let data_dir = server.data_dir();
    let traces = traces(&data_dir);
    assert!(!left(&data_dir, &traces).is_empty(), "the search finds what is there");
    delete(&api, &topic, &urns, way).await;
    let found = left(&data_dir, &traces);
    assert!(found.is_empty(), "{way:?}: {found:?}");
    // Nothing of it comes back by what the server does afterwards.
    server.kill();
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    assert_eq!(server.user().get(&smn("subscriptions")).await.expect(200).json()["subscription_count"], 0);
    let found = left(&data_dir, &traces);
    assert!(found.is_empty(), "{way:?} after a restart: {found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_one_by_one() {
    deleted(Way::OneByOne).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_in_a_batch() {
    deleted(Way::Batch).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_with_its_topic() {
    deleted(Way::Topic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_secret_is_gone_too() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("ops").await;
    let body = |secret: &str| json!({ "protocol": "feishu", "endpoint": chats::feishu_url(chats::LARK_TOKEN), "extension": { "sign_secret": secret } });
    api.subscribe(&topic, &body("the-old-secret-0001")).await;
    // The shorter ones are the hashes of the address, which stays.
    let sealed: Vec<Vec<u8>> =
        blobs(&server.data_dir()).into_iter().filter(|blob| blob.len() > 100).collect();
    let path = smn(&format!("topics/{topic}/subscriptions"));
    api.post(&path, &body("the-new-secret-0002")).await.expect(200);
    let pieces: Vec<Vec<u8>> =
        sealed.iter().flat_map(|blob| blob[5..].chunks_exact(16)).map(<[u8]>::to_vec).collect();
    assert!(pieces.len() > 4);
    let found = left(&server.data_dir(), &pieces);
    assert!(found.is_empty(), "{found:?}");
}

/// The write-ahead log too, which holds every message for a while.
#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_the_data_directory_is_open_to_others() {
    let home = home();
    let data_dir = home.path().join("data");
    // An operator made it beforehand, as packages and containers do.
    std::fs::create_dir(&data_dir).unwrap();
    std::fs::set_permissions(&data_dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = Start::new().at(home.path()).await;
    server.user().create_topic("ops").await;
    let open: Vec<String> = files(&server.data_dir())
        .into_iter()
        .filter(|path| {
            let file = std::fs::metadata(path).unwrap();
            file.len() > 0 && file.permissions().mode() & 0o077 != 0
        })
        .map(|path| path.display().to_string())
        .collect();
    assert!(open.is_empty(), "{open:?}");
}
