use serde_json::{Value, json};

use crate::lark::{code, world};
use crate::support::World;

const PATH: &str = "/open-apis/bot/v2/hook/0f0e0d0c-0b0a-4908-8706-050403020100";

fn card_2(elements: &Value) -> Value {
    json!({"schema": "2.0", "config": {"update_multi": true},
        "header": {"title": {"tag": "plain_text", "content": "Disk"}, "template": "red"},
        "body": {"elements": elements}})
}

fn card_1(elements: &Value) -> Value {
    json!({"config": {"wide_screen_mode": true}, "anything": 1,
        "header": {"title": {"tag": "plain_text", "content": "Disk"}, "template": "blue"}, "elements": elements})
}

async fn send(world: &World, card: &Value) -> String {
    world.clock.advance(1000);
    code(world, &json!({"msg_type": "interactive", "card": card})).await
}

async fn refused(world: &World, card: &Value, sub_code: &str) {
    world.clock.advance(1000);
    let reply = world.post(PATH, &json!({"msg_type": "interactive", "card": card})).await;
    assert_eq!((reply.status, reply.code().as_str()), (200, "11246"), "{card}");
    assert!(reply.words().contains(&format!("ErrCode: {sub_code}")), "{}", reply.words());
}

#[tokio::test]
async fn schema_2_is_taken() {
    let world = world(|robot| robot).await;
    let elements = json!([
        {"tag": "markdown", "content": "Host **db-1** <font color='red'>full</font> <at id=ou_1></at><at id=all></at>"},
        {"tag": "hr"},
        {"tag": "img", "img_key": "img_1", "alt": {"tag": "plain_text", "content": "graph"}},
        {"tag": "column_set", "columns": [{"tag": "column", "elements": [{"tag": "markdown", "content": "in"}]}]},
        {"tag": "button", "text": {"tag": "plain_text", "content": "Open"},
            "behaviors": [{"type": "open_url", "default_url": "https://a.example/7"}]},
        {"tag": "table", "page_size": 5, "columns": [{"name": "m", "display_name": "Mount"}], "rows": [{"m": "/data"}]},
    ]);
    assert_eq!(send(&world, &card_2(&elements)).await, "0");
    let received = world.running.received().remove(0);
    assert_eq!((received.kind.as_str(), received.title.as_deref()), ("interactive", Some("Disk")));
    assert_eq!(received.mentions, ["ou_1", "all"]);
    for part in ["**db-1** full @ou_1@all", "\nin\n", "[Open](https://a.example/7)", "| /data |", "graph"] {
        assert!(received.text.contains(part), "{part} in {}", received.text);
    }
}

#[tokio::test]
async fn version_1_is_taken_and_laxer() {
    let world = world(|robot| robot).await;
    let elements = json!([
        {"tag": "div", "text": {"tag": "lark_md", "content": "full"}, "unknown": 1},
        {"tag": "note", "elements": [{"tag": "plain_text", "content": "small"}]},
        {"tag": "action", "actions": [{"tag": "button", "text": {"tag": "plain_text", "content": "Open"}, "url": "https://a.example"}]},
    ]);
    assert_eq!(send(&world, &card_1(&elements)).await, "0");
    assert_eq!(world.texts(), ["full\nsmall\n[Open](https://a.example)"]);
    refused(&world, &card_1(&json!([{"tag": "marquee"}])), "200621").await;
    refused(&world, &json!({"header": {"title": {"tag": "plain_text", "content": "t"}}}), "200621").await;
}

#[tokio::test]
async fn templates_are_taken() {
    let world = world(|robot| robot).await;
    let card = json!({"type": "template", "data": {"template_id": "AAq1", "template_variable": {"a": "b"}}});
    assert_eq!(send(&world, &card).await, "0");
    refused(&world, &json!({"type": "template", "data": {}}), "200621").await;
}

#[tokio::test]
async fn the_card_is_an_object_at_the_top() {
    let world = world(|robot| robot).await;
    let card = card_2(&json!([]));
    for body in [
        json!({"msg_type": "interactive", "content": {"card": card}}),
        json!({"msg_type": "interactive", "content": card}),
        json!({"msg_type": "interactive", "card": card.to_string()}),
    ] {
        assert_eq!(code(&world, &body).await, "9499", "{body}");
    }
}

#[tokio::test]
async fn schema_2_is_strict() {
    let world = world(|robot| robot).await;
    let mut unknown = card_2(&json!([]));
    unknown["elements"] = json!([]);
    refused(&world, &unknown, "200621").await;
    refused(&world, &json!({"schema": "3.0", "body": {"elements": []}}), "200621").await;
    refused(&world, &json!({"schema": "2.0"}), "200621").await;
    refused(&world, &json!({"schema": "2.0", "header": {}, "body": {"elements": []}}), "200621").await;
    for (element, sub_code) in [
        (json!({"tag": "note", "elements": []}), "200861"),
        (json!({"tag": "action", "actions": []}), "200861"),
        (json!({"tag": "marquee"}), "200861"),
        (
            json!({"tag": "column_set", "columns": [{"tag": "column", "elements": [{"tag": "note"}]}]}),
            "200861",
        ),
        (json!({"content": "x"}), "200621"),
        (json!({"tag": "markdown"}), "200621"),
        (json!({"tag": "img", "img_key": "https://a.example/x.png", "alt": {"content": ""}}), "200570"),
        (json!({"tag": "img", "img_key": "img_1"}), "200621"),
        (json!({"tag": "button"}), "200621"),
        (json!({"tag": "button", "text": {"content": "x"}, "behaviors": [{"type": "open_url"}]}), "200621"),
        (
            json!({"tag": "button", "text": {"content": "x"}, "behaviors": [{"type": "open_url", "default_url": "x y"}]}),
            "200621",
        ),
        (json!({"tag": "table", "columns": []}), "200914"),
        (json!({"tag": "table", "columns": [{"name": "a"}], "page_size": 11}), "200914"),
        (json!({"tag": "table", "columns": [{"name": "a"}], "rows": [{"b": 1}]}), "200915"),
        (json!({"tag": "form", "elements": [{"tag": "table", "columns": [{"name": "a"}]}]}), "200914"),
        (json!({"tag": "markdown", "content": "<at id=></at>"}), "100290"),
    ] {
        refused(&world, &card_2(&json!([element])), sub_code).await;
    }
}

#[tokio::test]
async fn counts_are_bounded() {
    let world = world(|robot| robot).await;
    let lines = |count: usize| card_2(&json!(vec![json!({"tag": "hr"}); count]));
    assert_eq!(send(&world, &lines(200)).await, "0");
    refused(&world, &lines(201), "11310").await;
    let tables =
        |count: usize| card_2(&json!(vec![json!({"tag": "table", "columns": [{"name": "a"}]}); count]));
    assert_eq!(send(&world, &tables(5)).await, "0");
    refused(&world, &tables(6), "200914").await;
    let mut deep = json!([]);
    for _ in 0..40 {
        deep = json!([{"tag": "form", "elements": deep}]);
    }
    refused(&world, &card_2(&deep), "200621").await;
}
