use serde_json::{Value, json};

use crate::wecom::{code, world};

fn text_notice() -> Value {
    json!({"card_type": "text_notice", "source": {"desc": "Ops", "desc_color": 2},
        "main_title": {"title": "Disk almost full", "desc": "db-1 /data"},
        "emphasis_content": {"title": "97 %", "desc": "used"},
        "sub_title_text": "Host db-1 is at 97 % on /data.",
        "horizontal_content_list": [{"keyname": "Host", "value": "db-1"}],
        "jump_list": [{"type": 1, "title": "Open", "url": "https://ops.example/i/7"}],
        "card_action": {"type": 1, "url": "https://ops.example/i/7"}})
}

fn news_notice() -> Value {
    json!({"card_type": "news_notice", "main_title": {"title": "Disk"},
        "card_image": {"url": "https://ops.example/g.png", "aspect_ratio": 1.3},
        "vertical_content_list": [{"title": "t", "desc": "d"}],
        "card_action": {"type": 2, "appid": "wx1"}})
}

fn message(card: &Value) -> Value {
    json!({"msgtype": "template_card", "template_card": card})
}

fn changed(mut card: Value, pointer: &str, value: Value) -> Value {
    *card.pointer_mut(pointer).unwrap() = value;
    card
}

#[tokio::test]
async fn both_cards_are_shown() {
    let world = world().await;
    assert_eq!(code(&world, &message(&text_notice())).await, "0");
    assert_eq!(code(&world, &message(&news_notice())).await, "0");
    let received = world.running.received();
    assert_eq!(received[0].title.as_deref(), Some("Disk almost full"));
    for part in ["97 %", "Host: db-1", "[Open](https://ops.example/i/7)"] {
        assert!(received[0].text.contains(part), "{}", received[0].text);
    }
    let without_title = changed(text_notice(), "/main_title", json!({}));
    assert_eq!(code(&world, &message(&without_title)).await, "0");
}

#[tokio::test]
async fn compulsory_fields() {
    let world = world().await;
    let untitled = changed(text_notice(), "/main_title", Value::Null);
    let many = |count: usize| json!(vec![json!({"keyname": "k", "value": "v"}); count]);
    for card in [
        json!({}),
        changed(text_notice(), "/card_type", json!("vote_interaction")),
        changed(untitled, "/sub_title_text", json!("")),
        changed(text_notice(), "/card_action", Value::Null),
        changed(text_notice(), "/card_action", json!({"type": 1})),
        changed(text_notice(), "/card_action", json!({"type": 2, "url": "https://a.example"})),
        changed(text_notice(), "/horizontal_content_list", many(7)),
        changed(text_notice(), "/horizontal_content_list", json!([{}])),
        changed(text_notice(), "/jump_list", json!([{"type": 1, "title": "x"}])),
        changed(
            text_notice(),
            "/jump_list",
            json!([{"title": "a"}, {"title": "b"}, {"title": "c"}, {"title": "d"}]),
        ),
        changed(news_notice(), "/main_title", json!({"desc": "x"})),
        changed(news_notice(), "/card_image", Value::Null),
        changed(news_notice(), "/card_image/aspect_ratio", json!(2.26)),
    ] {
        assert_eq!(code(&world, &message(&card)).await, "40058", "{card}");
    }
    assert_eq!(
        code(&world, &message(&changed(text_notice(), "/horizontal_content_list", many(6)))).await,
        "0"
    );
}
