//! WeCom's requests as they stand on the wire ("message push", the group robot's page).

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
    pub(crate) markdown_v2: Option<Markdown<'a>>,
}

/// Plain text; it alone can ping by mobile number and everybody.
#[derive(Debug, Serialize)]
pub(crate) struct Text<'a> {
    pub(crate) content: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) mentioned_list: &'a [&'a str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) mentioned_mobile_list: &'a [&'a str],
}

/// Markdown of either version.
#[derive(Debug, Serialize)]
pub(crate) struct Markdown<'a> {
    pub(crate) content: &'a str,
}

/// What an app's text or markdown says.
#[derive(Debug, Serialize)]
pub(crate) struct Content<'a> {
    pub(crate) content: &'a str,
}
