//! The four pretend chats, and what a subscriber must know of them.

use std::net::SocketAddr;

use carillon_simulator::{DingtalkApp, Received, Robot, Running, Simulator};
use serde_json::{Value, json};

pub(crate) const DINGTALK_TOKEN: &str = "1111111122222222333333334444444455555555666666667777777788881a60";
pub(crate) const DINGTALK_SECRET: &str =
    "SEC00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
pub(crate) const APP_KEY: &str = "dingtestapp000001";
pub(crate) const APP_SECRET: &str = "test-app-secret-000001";
pub(crate) const ROBOT_CODE: &str = "dingtestrobot00001";
pub(crate) const CONVERSATION: &str = "cidTestGroup00001==";
pub(crate) const LARK_TOKEN: &str = "00000000-0000-4000-8000-0000000fe150";
pub(crate) const LARK_SECRET: &str = "test-lark-secret-0001";
pub(crate) const WECOM_KEY: &str = "00000000-0000-4000-8000-000000000c0b";

pub(crate) const LOOPBACK: SocketAddr =
    SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0));

pub(crate) async fn start() -> Running {
    start_with(Simulator::new()).await
}

/// Four chats beside whatever was put into `simulator`.
pub(crate) async fn start_with(simulator: Simulator) -> Running {
    let app = DingtalkApp {
        app_key: APP_KEY.to_owned(),
        app_secret: APP_SECRET.to_owned(),
        robot_code: ROBOT_CODE.to_owned(),
        conversations: vec![(CONVERSATION.to_owned(), "internal".to_owned())],
        users: vec![("u001".to_owned(), "Li Lei".to_owned())],
    };
    let simulator = simulator
        .robot(Robot::dingtalk(DINGTALK_TOKEN, "group").with_secret(DINGTALK_SECRET))
        .robot(Robot::feishu(LARK_TOKEN, "lark").with_secret(LARK_SECRET))
        .robot(Robot::wecom(WECOM_KEY, "wecom"))
        .app(app);
    simulator.start(LOOPBACK).await.unwrap()
}

pub(crate) fn dingtalk_url(token: &str) -> String {
    format!("https://oapi.dingtalk.com/robot/send?access_token={token}")
}

pub(crate) fn feishu_url(token: &str) -> String {
    format!("https://open.feishu.cn/open-apis/bot/v2/hook/{token}")
}

pub(crate) fn wecom_url(key: &str) -> String {
    format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={key}")
}

pub(crate) fn app_extension() -> Value {
    json!({ "app_key": APP_KEY, "app_secret": APP_SECRET, "robot_code": ROBOT_CODE })
}

/// The bodies that subscribe them, each with its chat.
pub(crate) fn subscriptions() -> [(&'static str, Value); 4] {
    [
        (
            "group",
            json!({ "protocol": "dingding", "endpoint": dingtalk_url(DINGTALK_TOKEN), "remark": "值班群",
                    "extension": { "sign_secret": DINGTALK_SECRET } }),
        ),
        (
            "internal",
            json!({ "protocol": "dingding", "endpoint": CONVERSATION, "extension": app_extension() }),
        ),
        (
            "lark",
            json!({ "protocol": "feishu", "endpoint": feishu_url(LARK_TOKEN),
                    "extension": { "sign_secret": LARK_SECRET } }),
        ),
        ("wecom", json!({ "protocol": "wechat", "endpoint": wecom_url(WECOM_KEY) })),
    ]
}

/// The latest message of a chat.
pub(crate) fn latest(received: &[Received], chat: &str) -> Received {
    let found = received.iter().rev().find(|one| one.chat == chat);
    found.unwrap_or_else(|| panic!("nothing arrived in {chat}")).clone()
}
