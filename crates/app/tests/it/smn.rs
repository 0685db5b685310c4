//! A topic's and its subscriptions' life over SMN's API, by token and by signature, with plain and encoded colons.

use serde_json::{Value, json};

use crate::chats;
use crate::client::{Answer, Api, Auth, smn, topic_urn};
use crate::harness::{PROJECT, Start, home};

/// How a client writes the URN into a path: Go, Node and Java leave the colons, Python encodes them.
type Piece = fn(&str) -> String;

fn plain(urn: &str) -> String {
    urn.to_owned()
}

fn encoded(urn: &str) -> String {
    urn.replace(':', "%3A")
}

/// Every answer names its request in the body and in the header alike.
#[track_caller]
fn named(answer: Answer, status: u16) -> Value {
    let answer = answer.expect(status);
    let id = answer.at("/request_id");
    assert_eq!(id, answer.header("x-request-id"));
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{id}");
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

async fn topic_life(api: &Api, piece: Piece) {
    let urn = topic_urn("ops_1-x");
    let body = json!({ "name": "ops_1-x", "display_name": "值班" });
    assert_eq!(named(api.post(&smn("topics"), &body).await, 201)["topic_urn"], urn.as_str());
    let again = json!({ "name": "ops_1-x", "display_name": "other" });
    assert_eq!(named(api.post(&smn("topics"), &again).await, 200)["topic_urn"], urn.as_str());

    let path = smn(&format!("topics/{}", piece(&urn)));
    let shown = named(api.get(&path).await, 200);
    assert_eq!(shown["display_name"], "值班", "the first one stays");
    assert_eq!((&shown["name"], &shown["push_policy"]), (&json!("ops_1-x"), &json!(0)));
    assert_eq!(shown["enterprise_project_id"], "0");
    let time = shown["create_time"].as_str().unwrap();
    assert!(time.len() == 20 && time.ends_with('Z'), "{time}");

    named(api.put(&path, &json!({ "display_name": "夜班" })).await, 200);
    assert_eq!(named(api.get(&path).await, 200)["display_name"], "夜班");
    named(api.delete(&path, None).await, 200);
    for answer in [api.get(&path).await, api.delete(&path, None).await] {
        let error = named(answer, 404);
        assert_eq!((&error["code"], &error["error_code"]), (&json!("SMN.0006"), &json!("SMN.0006")));
        assert_eq!(error["message"], error["error_msg"]);
    }
}

async fn topic_lists(api: &Api) {
    for number in 0..5 {
        let name = format!("list-{number}");
        let body =
            json!({ "name": name, "display_name": format!("清单 {number}%"), "enterprise_project_id": "ep" });
        named(api.post(&smn("topics"), &body).await, 201);
    }
    let names = async |query: &str| {
        let found = named(api.get(&smn(&format!("topics{query}"))).await, 200);
        let topics = found["topics"].as_array().unwrap().clone();
        let names: Vec<String> =
            topics.iter().map(|topic| topic["name"].as_str().unwrap().replace("list-", "")).collect();
        (found["topic_count"].as_u64().unwrap(), names.join(" "))
    };
    let expect = |count: u64, names: &str| (count, names.to_owned());
    assert_eq!(names("").await, expect(5, "4 3 2 1 0"), "newest first");
    assert_eq!(names("?offset=1&limit=2").await, expect(5, "3 2"));
    assert_eq!(names("?offset=4&limit=100").await, expect(5, "0"));
    assert_eq!(names("?limit=100&offset=100").await, expect(5, ""));
    assert_eq!(names("?name=list-3").await, expect(1, "3"));
    assert_eq!(names("?name=list").await, expect(0, ""));
    assert_eq!(names("?fuzzy_name=st-2").await, expect(1, "2"));
    assert_eq!(names("?fuzzy_name=_").await, expect(0, ""), "a sign of LIKE is no wildcard");
    assert_eq!(names("?fuzzy_display_name=%E6%B8%85%E5%8D%95%204%25").await, expect(1, "4"));
    assert_eq!(names("?enterprise_project_id=ep").await.0, 5);
    assert_eq!(names("?enterprise_project_id=none").await.0, 0);
    let one = named(api.get(&smn("topics?name=list-1")).await, 200)["topics"][0]["topic_id"].clone();
    assert_eq!(names(&format!("?topic_id={}", one.as_str().unwrap())).await, expect(1, "1"));
    for number in 0..5 {
        named(api.delete(&smn(&format!("topics/{}", topic_urn(&format!("list-{number}")))), None).await, 200);
    }
}

async fn subscriptions_life(api: &Api, piece: Piece) {
    let topic = api.create_topic("subscribed").await;
    let of_topic = smn(&format!("topics/{}/subscriptions", piece(&topic)));
    let mut urns = Vec::new();
    for (_, body) in chats::subscriptions() {
        let urn = named(api.post(&of_topic, &body).await, 201)["subscription_urn"].clone();
        let again = named(api.post(&of_topic, &body).await, 200)["subscription_urn"].clone();
        assert_eq!(urn, again, "the same address is the same subscription");
        urns.push(urn.as_str().unwrap().to_owned());
    }
    let listed = named(api.get(&of_topic).await, 200);
    assert_eq!(listed["subscription_count"], 4);
    assert_eq!(listed["subscriptions"], named(api.get(&smn("subscriptions")).await, 200)["subscriptions"]);
    for (shown, urn) in listed["subscriptions"].as_array().unwrap().iter().zip(&urns) {
        assert_eq!(shown["subscription_urn"], urn.as_str(), "oldest first");
        assert_eq!((&shown["topic_urn"], &shown["owner"]), (&json!(topic), &json!(PROJECT)));
        assert_eq!((&shown["status"], &shown["filter_polices"]), (&json!(1), &json!([])));
        assert_eq!(shown["extension"], json!({ "verification_code_enabled": false }));
    }
    let endpoints: Vec<&str> = listed["subscriptions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["endpoint"].as_str().unwrap())
        .collect();
    assert_eq!(
        endpoints,
        [
            "https://oapi.dingtalk.com/robot/send?access_token=****1a60",
            "****01==",
            "https://open.feishu.cn/open-apis/bot/v2/hook/****e150",
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=****0c0b",
        ]
    );
    filters(api).await;
    remarks(api, &of_topic, &urns, piece).await;
    batches(api, &topic, &urns, piece).await;
}

async fn filters(api: &Api) {
    let count = async |query: &str| {
        let found = named(api.get(&smn(&format!("subscriptions?{query}"))).await, 200);
        found["subscription_count"].as_u64().unwrap()
    };
    assert_eq!(count("protocol=dingding").await, 2);
    assert_eq!(count("protocol=feishu&status=1").await, 1);
    assert_eq!(count("status=0").await, 0);
    assert_eq!(count("fuzzy_remark=%E5%80%BC%E7%8F%AD").await, 1);
    let whole =
        chats::wecom_url(chats::WECOM_KEY).replace(':', "%3A").replace('?', "%3F").replace('=', "%3D");
    assert_eq!(count(&format!("protocol=wechat&endpoint={whole}")).await, 1);
    assert_eq!(count(&format!("endpoint={whole}")).await, 1);
}

async fn remarks(api: &Api, of_topic: &str, urns: &[String], piece: Piece) {
    let path = format!("{of_topic}/{}", piece(&urns[3]));
    let changed = named(api.put(&path, &json!({ "remark": "备注" })).await, 200);
    assert_eq!(changed["subscription_urn"], urns[3].as_str());
    let listed = named(api.get(&format!("{of_topic}?offset=3&limit=1")).await, 200);
    assert_eq!(
        (&listed["subscriptions"][0]["remark"], &listed["subscription_count"]),
        (&json!("备注"), &json!(4))
    );
}

async fn batches(api: &Api, topic: &str, urns: &[String], piece: Piece) {
    let of_topic = smn(&format!("topics/{}/subscriptions", piece(topic)));
    named(api.delete(&smn(&format!("subscriptions/{}", piece(&urns[0]))), None).await, 200);
    named(api.delete(&format!("{of_topic}/{}", piece(&urns[1])), None).await, 200);
    let gone = named(api.delete(&smn(&format!("subscriptions/{}", piece(&urns[0]))), None).await, 404);
    assert_eq!(gone["code"], "SMN.0013");

    let all: Vec<Value> = chats::subscriptions().into_iter().map(|(_, body)| body).collect();
    let mut with_bad = all.clone();
    with_bad.push(json!({ "protocol": "wechat", "endpoint": "https://example.com/" }));
    let added = named(api.post(&of_topic, &json!({ "subscriptions": with_bad })).await, 201);
    let results = added["subscriptions_result"].as_array().unwrap();
    let codes: Vec<i64> = results.iter().map(|one| one["http_code"].as_i64().unwrap()).collect();
    assert_eq!(codes, [201, 201, 200, 200, 400]);
    assert_eq!(results[4]["error_code"], "SMN.0012");
    assert_eq!(results[2]["subscription_urn"], urns[2].as_str());
    let again = named(api.post(&of_topic, &json!({ "subscriptions": all })).await, 200);
    assert_eq!(again["subscription_urn"], added["subscription_urn"]);

    let which = |urns: &[&str]| -> Value {
        let list: Vec<Value> = urns.iter().map(|urn| json!({ "subscription_urn": urn })).collect();
        json!({ "subscription_urns": list })
    };
    let first = added["subscription_urn"].as_str().unwrap();
    let second = results[1]["subscription_urn"].as_str().unwrap();
    let body = which(&[first, &urns[0], "urn:smn:bad"]);
    let deleted = named(api.delete(&smn("subscriptions"), Some(&body)).await, 200);
    let codes: Vec<i64> = deleted["subscriptions_result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["http_code"].as_i64().unwrap())
        .collect();
    assert_eq!(codes, [200, 404, 400]);
    let body = which(&[second, &urns[2], &urns[3]]);
    let deleted = named(api.delete(&of_topic, Some(&body)).await, 200);
    assert_eq!(deleted["subscriptions_result"].as_array().unwrap().len(), 3);
    assert_eq!(named(api.get(&of_topic).await, 200)["subscription_count"], 0);
    named(api.delete(&smn(&format!("topics/{}", piece(topic))), None).await, 200);
}

async fn everything(auth: Auth, piece: Piece) {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let api = server.api(auth);
    topic_life(&api, piece).await;
    topic_lists(&api).await;
    subscriptions_life(&api, piece).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_token_with_plain_colons() {
    Box::pin(everything(Auth::token(), plain)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_signature_with_encoded_colons() {
    Box::pin(everything(Auth::key(), encoded)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_signature_with_plain_colons() {
    Box::pin(everything(Auth::key(), plain)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_and_protocols() {
    let home = home();
    let server = Start::new().at(home.path()).await;
    let nobody = server.api(Auth::Nobody);
    assert_eq!(nobody.get("/").await.expect(200).json()["versions"][0]["id"], "v2");
    assert_eq!(nobody.get("/v2").await.expect(200).json()["version"]["status"], "CURRENT");
    nobody.get("/v2/notifications/protocols").await.expect(401);
    let protocols = named(server.user().get("/v2/notifications/protocols").await, 200);
    assert_eq!(
        protocols["protocols"],
        json!(["dingding", "dingTalkBot", "feishu", "wechat", "http", "https"])
    );
    // What was published stays visible after its topic has gone.
    let api = server.user();
    let topic = api.create_topic("short").await;
    let message = api.publish(&topic, &json!({ "message": "to nobody" })).await;
    api.delete(&smn(&format!("topics/{topic}")), None).await.expect(200);
    let shown = api.get(&format!("/api/v1/messages/{message}")).await.expect(200).json();
    assert_eq!((&shown["text"], &shown["deliveries"]), (&json!("to nobody"), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_sets_holds() {
    let home = home();
    let start =
        Start::new().flag("--topics-max", "1").flag("--subscriptions-max", "1").flag("--templates-max", "1");
    let start = start.flag("--publishes-per-minute", "1").flag("--public-url", "https://bells.example/smn");
    let server = start.at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("ops").await;
    let more = api.post(&smn("topics"), &json!({ "name": "more" })).await.expect(403);
    assert_eq!(more.at("/error_code"), "SMN.0004");
    let path = smn(&format!("topics/{topic}/subscriptions"));
    let robot = |key: &str| {
        let url = format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={key}");
        json!({ "protocol": "wechat", "endpoint": url })
    };
    api.post(&path, &robot("key-of-nobody-1")).await.expect(201);
    assert_eq!(api.post(&path, &robot("key-of-nobody-2")).await.expect(403).at("/error_code"), "SMN.0007");
    let template = |name: &str| json!({ "message_template_name": name, "content": "x" });
    api.post(&smn("message_template"), &template("a")).await.expect(201);
    let more = api.post(&smn("message_template"), &template("b")).await.expect(400);
    assert_eq!(more.at("/error_code"), "SMN.0044");
    api.publish(&topic, &json!({ "message": "x" })).await;
    let publish = smn(&format!("topics/{topic}/publish"));
    let fast = api.post(&publish, &json!({ "message": "x" })).await.expect(429);
    assert_eq!(fast.at("/error_code"), "APIG.0308");
    assert!((1..=60).contains(&fast.header("retry-after").parse::<u32>().unwrap()));
    let catalog = api.get("/v3/auth/catalog").await.expect(200);
    let url = format!("https://bells.example/smn/v2/{PROJECT}");
    assert_eq!(catalog.at("/catalog/0/endpoints/0/url"), url);
}
