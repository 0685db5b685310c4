//! What the chats show of what was published.

use carillon_simulator::{Received, Running};
use serde_json::{Value, json};

use crate::chats::{self, latest};
use crate::client::{Api, smn};
use crate::harness::{PATIENCE, Server, Start, home};

struct World {
    platforms: Running,
    server: Server,
    api: Api,
    topic: String,
    _home: tempfile::TempDir,
}

async fn world() -> World {
    let home = home();
    let platforms = chats::start().await;
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("ops").await;
    for (_, body) in chats::subscriptions() {
        api.subscribe(&topic, &body).await;
    }
    World { platforms, server, api, topic, _home: home }
}

impl World {
    /// Publishes and gives what the chats show once each delivery has ended well.
    async fn shown(&self, body: &Value) -> Vec<Received> {
        self.platforms.clear_received();
        let message = self.api.publish(&self.topic, body).await;
        assert!(message.len() == 32, "{message}");
        for delivery in self.api.settled(&message).await {
            assert_eq!(delivery["state"], "delivered", "{delivery:#}");
            let attempts = delivery["attempts"].as_array().unwrap();
            assert_eq!((attempts.len(), &attempts[0]["outcome"]), (1, &json!("accepted")), "{delivery:#}");
        }
        self.platforms.received_at_least(4, PATIENCE).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_message_is_shown_in_every_chat() {
    let world = world().await;
    let body = json!({ "subject": "磁盘告警", "message": "/data 使用率 97% <b>&amp;</b> *not bold*", "time_to_live": "60" });
    let received = world.shown(&body).await;
    assert_eq!(received.len(), 4);
    for chat in ["group", "internal", "lark", "wecom"] {
        let shown = latest(&received, chat);
        let whole = format!("{} {}", shown.title.unwrap_or_default(), shown.text);
        assert!(whole.contains("磁盘告警"), "{chat}: {whole}");
        assert!(whole.contains("/data 使用率 97% <b>&amp;</b> *not bold*"), "{chat}: {whole}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_structure_gives_each_protocol_its_own() {
    let world = world().await;
    let structure = json!({
        "default": "the default",
        "email": "for mail",
        "dingding": { "msgType": "markdown", "title": "钉钉", "content": "**粗** @13800000000",
                      "at": { "atMobiles": ["13800000000"], "isAtAll": false } },
        "feishu": { "msgType": "text", "content": "飞书 text" },
        "wechat": { "msgType": "markdown", "content": "**企业** `微信`" },
    });
    let received = world.shown(&json!({ "subject": "s", "message_structure": structure.to_string() })).await;
    let group = latest(&received, "group");
    assert_eq!((group.kind.as_str(), group.title.as_deref()), ("markdown", Some("钉钉")));
    assert!(group.text.contains("**粗**"), "{}", group.text);
    assert_eq!(group.mentions, ["13800000000"]);
    let lark = latest(&received, "lark");
    assert!(lark.text.contains("飞书 text") && !lark.text.contains("the default"), "{}", lark.text);
    let wecom = latest(&received, "wecom");
    assert!(wecom.kind.starts_with("markdown") && wecom.text.contains("**企业**"), "{wecom:?}");
    assert!(received.iter().all(|one| !one.text.contains("for mail")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_structure_may_be_an_object_and_its_chats_texts() {
    let world = world().await;
    let wechat = json!({ "msgType": "text", "text": { "content": "WeCom own" } }).to_string();
    let ding = json!({ "msgType": "text", "text": "all of you", "at": { "isAtAll": true } });
    let structure = json!({ "default": "the default", "wechat": wechat, "dingding": ding });
    let received = world.shown(&json!({ "message_structure": structure, "message": "loses" })).await;
    assert!(latest(&received, "wecom").text.contains("WeCom own"));
    assert!(latest(&received, "lark").text.contains("the default"));
    assert_eq!(latest(&received, "group").mentions, ["all"]);
    assert!(received.iter().all(|one| !one.text.contains("loses")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_of_type_protocol_picks_the_chats() {
    let world = world().await;
    let attributes = json!([{ "name": "smn_protocol", "type": "PROTOCOL", "value": ["wechat", "email"] }]);
    let body = json!({ "message": "only some", "message_attributes": attributes, "locale": "zh-cn" });
    let message = world.api.publish(&world.topic, &body).await;
    let deliveries = world.api.settled(&message).await;
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0]["channel"], "wecom");
    assert_eq!(world.platforms.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn carillons_own_api_tells_of_it() {
    let world = world().await;
    let body = json!({ "topic": "ops", "title": "Table", "priority": "urgent",
                       "markdown": "| a | b |\n| --- | --- |\n| 1 | 2 |\n\n- x\n- y" });
    let accepted = world.api.post("/api/v1/messages", &body).await.expect(201).json();
    assert_eq!(accepted["deliveries"], 4);
    let id = accepted["message_id"].as_str().unwrap();
    world.api.settled(id).await;
    let shown = world.api.get(&format!("/api/v1/messages/{id}")).await.expect(200).json();
    assert_eq!((&shown["priority"], &shown["format"]), (&json!("urgent"), &json!("markdown")));
    let page = world.api.get(&format!("/api/v1/messages/{id}/deliveries?limit=3")).await.expect(200).json();
    assert_eq!((page["deliveries"].as_array().unwrap().len(), &page["next"]), (3, &json!("3")));
    let rest =
        world.api.get(&format!("/api/v1/messages/{id}/deliveries?limit=3&after=3")).await.expect(200).json();
    assert_eq!((rest["deliveries"].as_array().unwrap().len(), &rest["next"]), (1, &json!(null)));
    let one = rest["deliveries"][0]["id"].as_str().unwrap();
    let found = world.api.get(&format!("/api/v1/deliveries/{one}")).await.expect(200).json();
    assert_eq!(found, rest["deliveries"][0]);
    let attempt = &found["attempts"][0];
    assert!(attempt["elapsed_ms"].is_u64() && attempt["advice"]["zh"].is_string());
    let listed = world.api.get("/api/v1/messages?limit=1&topic=ops").await.expect(200).json();
    assert_eq!(listed["messages"][0]["id"], id);
    let who = world.api.get("/api/v1/whoami").await.expect(200).json();
    assert_eq!((&who["account"], &who["region"]), (&json!("admin"), &json!("local")));
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_wait_are_cancelled_with_their_subscription() {
    let mut world = world().await;
    world.platforms.script(
        chats::WECOM_KEY,
        carillon_simulator::Act::Code { code: "-1".to_owned(), text: "busy".to_owned() },
        None,
    );
    let message = world.api.publish(&world.topic, &json!({ "message": "waits" })).await;
    world.api.attempted(&message).await;
    let listed = world.api.get(&smn("subscriptions?protocol=wechat")).await.expect(200).json();
    let urn = listed["subscriptions"][0]["subscription_urn"].as_str().unwrap();
    world.api.delete(&smn(&format!("subscriptions/{urn}")), None).await.expect(200);
    let deliveries = world.api.settled(&message).await;
    let states: Vec<&str> = deliveries.iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["delivered", "delivered", "delivered", "cancelled"]);
    assert!(world.server.terminate().await.success());
}
