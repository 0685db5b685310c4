//! DingTalk's requests and answers as they stand on the wire ("custom robot access", "robot message types").

use serde::Serialize;

/// A robot's message.
#[derive(Debug, Serialize)]
pub(crate) struct RobotMessage<'a> {
    pub(crate) msgtype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) markdown: Option<Markdown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<At<'a>>,
}

/// What tells one robot's message from another: the platform drops one that it has shown.
#[derive(Debug, Serialize)]
pub(crate) struct Named<'a> {
    #[serde(rename = "msgUuid")]
    pub(crate) msg_uuid: &'a str,
}

/// Plain text.
#[derive(Debug, Serialize)]
pub(crate) struct Text<'a> {
    pub(crate) content: &'a str,
}

/// Markdown; the title shows only in the list of chats.
#[derive(Debug, Serialize)]
pub(crate) struct Markdown<'a> {
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
}

/// Who is pinged.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct At<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) at_mobiles: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) at_user_ids: &'a [String],
    pub(crate) is_at_all: bool,
}

/// The app's message; where it goes is added when it is sent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppMessage<'a> {
    pub(crate) msg_key: &'static str,
    /// JSON text inside JSON.
    pub(crate) msg_param: &'a str,
}

/// Where the app's message goes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppAddress<'a> {
    pub(crate) robot_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) open_conversation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_ids: Option<[&'a str; 1]>,
}

/// What an access token is asked for with.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenRequest<'a> {
    pub(crate) app_key: &'a str,
    pub(crate) app_secret: &'a str,
}
