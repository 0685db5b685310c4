//! Every part of every form replaced by something else: whatever comes, there is an answer in JSON.

use carillon_simulator::{DingtalkApp, Robot, Simulator};
use serde_json::{Value, json};

use crate::support::{World, start};

/// Lists the pointers of all values within a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
        pointers(inner, &format!("{at}/{index}"), found);
    }
    for (field, inner) in value.as_object().into_iter().flatten() {
        pointers(inner, &format!("{at}/{field}"), found);
    }
}

async fn survives(world: &World, path: &str, headers: &str, body: &Value) {
    let mut places = Vec::new();
    pointers(body, "", &mut places);
    for place in places {
        for other in
            [Value::Null, json!(-1), json!(""), json!("汉"), json!([]), json!([[]]), json!({}), json!(true)]
        {
            let mut mutant = body.clone();
            *mutant.pointer_mut(&place).unwrap() = other;
            world.clock.advance(700_000);
            let reply = world.post_with(path, headers, mutant.to_string().as_bytes()).await;
            assert!(reply.json().is_object(), "{mutant}");
        }
    }
}

#[tokio::test]
async fn robots_answer_to_anything() {
    let robots = [
        Robot::dingtalk("t", "a").with_keyword("k"),
        Robot::lark("t", "b").with_keyword("k").with_secret("x"),
        Robot::lark("open", "b"),
        Robot::wecom("t", "c"),
    ];
    let world = start(robots.into_iter().fold(Simulator::new(), Simulator::robot)).await;
    let at = json!({"atMobiles": ["1"], "atUserIds": ["u"], "isAtAll": true});
    let dingtalk = [
        json!({"msgtype": "text", "text": {"content": "k"}, "at": at, "msgUuid": "m"}),
        json!({"msgtype": "actionCard", "actionCard": {"title": "k", "text": "x", "btns": [{"title": "b", "actionURL": "u"}]}}),
        json!({"msgtype": "feedCard", "feedCard": {"links": [{"title": "k", "messageURL": "m", "picURL": "p"}]}}),
    ];
    for body in &dingtalk {
        survives(&world, "/robot/send?access_token=t", "", body).await;
    }
    let lark = [
        json!({"msg_type": "text", "content": {"text": "k"}, "timestamp": "1", "sign": "x"}),
        json!({"msg_type": "post", "content": {"post": {"zh_cn": {"title": "k", "content": [[{"tag": "at", "user_id": "u"}]]}}}}),
        json!({"msg_type": "interactive", "card": {"schema": "2.0", "config": {}, "header": {"title": {"content": "k"}, "template": "red"},
            "body": {"elements": [{"tag": "button", "text": {"content": "b"}, "behaviors": [{"type": "open_url", "default_url": "https://a.example"}]},
                {"tag": "table", "page_size": 1, "columns": [{"name": "n"}], "rows": [{"n": 1}]}]}}}),
    ];
    for body in &lark {
        survives(&world, "/open-apis/bot/v2/hook/t", "", body).await;
        survives(&world, "/open-apis/bot/v2/hook/open", "", body).await;
    }
    let wecom = [
        json!({"msgtype": "text", "text": {"content": "x", "mentioned_list": ["u"]}}),
        json!({"msgtype": "image", "image": {"base64": "AAAA", "md5": "x"}}),
        json!({"msgtype": "news", "news": {"articles": [{"title": "t", "description": "d", "url": "u"}]}}),
        json!({"msgtype": "template_card", "template_card": {"card_type": "news_notice", "main_title": {"title": "t"},
            "card_image": {"url": "u", "aspect_ratio": 2}, "jump_list": [{"type": 1, "title": "t", "url": "u"}],
            "card_action": {"type": 1, "url": "u"}}}),
    ];
    for body in &wecom {
        survives(&world, "/cgi-bin/webhook/send?key=t", "", body).await;
    }
    assert!(world.get("/").await.text().ends_with("</html>"));
}

#[tokio::test]
async fn apps_answer_to_anything() {
    let app = DingtalkApp {
        app_key: "k".to_owned(),
        app_secret: "s".to_owned(),
        robot_code: "r".to_owned(),
        conversations: vec![("c".to_owned(), "Ops".to_owned())],
        users: vec![("u".to_owned(), "Name".to_owned())],
    };
    let world = start(Simulator::new().app(app)).await;
    survives(&world, "/v1.0/oauth2/accessToken", "", &json!({"appKey": "k", "appSecret": "s"})).await;
    let client = json!({"client_id": "k", "client_secret": "s", "grant_type": "client_credentials"});
    survives(&world, "/v1.0/oauth2/c/token", "", &client).await;
    let body = json!({"robotCode": "r", "openConversationId": "c", "userIds": ["u"], "msgKey": "sampleText",
        "msgParam": "{\"content\":\"x\"}"});
    for path in ["/v1.0/robot/groupMessages/send", "/v1.0/robot/oToMessages/batchSend"] {
        // The clock moves past a token's life while this runs, so each form is first sent with a living token.
        let token = world.post("/v1.0/oauth2/accessToken", &json!({"appKey": "k", "appSecret": "s"})).await;
        let token = token.json()["accessToken"].as_str().unwrap().to_owned();
        let headers = format!("x-acs-dingtalk-access-token: {token}\r\n");
        for field in body.as_object().unwrap().keys() {
            for other in [Value::Null, json!(-1), json!(""), json!("汉"), json!([]), json!([[]]), json!({})]
            {
                let mut mutant = body.clone();
                mutant[field] = other;
                world.clock.advance(1000);
                let reply = world.post_with(path, &headers, mutant.to_string().as_bytes()).await;
                assert!(reply.json().is_object(), "{mutant}");
            }
        }
    }
}
