//! An endpoint per channel: checked when it is typed, kept in one canonical form, masked for showing.
//!
//! Which hosts and paths a robot's webhook has, and which well-known other URLs people paste by mistake, is from
//! the platforms' own pages: DingTalk "custom robot", Feishu "custom bot guide", WeCom "message push".

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::channel::Channel;
use crate::error::{Field, Invalid};
use crate::id::ConnectionId;
use crate::limits;
use crate::mailbox;
use crate::office::{Recipient, RecipientKind};
use crate::secret::SecretText;

/// The host of DingTalk's robot webhooks and of its older API.
pub const DINGTALK_ROBOT_HOST: &str = "oapi.dingtalk.com";
/// The host of DingTalk's newer API.
pub const DINGTALK_API_HOST: &str = "api.dingtalk.com";
/// Feishu's host (mainland China).
pub const FEISHU_HOST: &str = "open.feishu.cn";
/// Lark's host (everywhere else).
pub const LARK_HOST: &str = "open.larksuite.com";
/// WeCom's host.
pub const WECOM_HOST: &str = "qyapi.weixin.qq.com";

const LARK_PATH: &str = "/open-apis/bot/v2/hook/";

/// The address inside a subscription.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// A DingTalk group robot's webhook (custom robots, and internal ones that were given a webhook).
    DingtalkRobot {
        /// The `access_token` of its URL.
        token: SecretText,
    },
    /// A DingTalk group that holds the company's internal robot.
    DingtalkConversation {
        /// The group's `openConversationId`.
        conversation: SecretText,
    },
    /// One person of the company on DingTalk.
    DingtalkPerson {
        /// The person's `userId`.
        user: SecretText,
    },
    /// A Lark or Feishu group robot's webhook.
    LarkRobot {
        /// Whether it is on Feishu's host; else on Lark's. The two clouds do not know each other's robots.
        feishu: bool,
        /// The token in the path of its URL.
        token: SecretText,
    },
    /// A WeCom group robot's webhook.
    WecomRobot {
        /// The `key` of its URL.
        key: SecretText,
    },
    /// Somebody's own HTTP or HTTPS endpoint.
    Web {
        /// The whole URL.
        url: SecretText,
    },
    /// Somebody, or a chat, that an office app reaches.
    Office {
        /// The app's connection.
        connection: ConnectionId,
        /// What it is.
        kind: RecipientKind,
        /// The platform's id.
        id: SecretText,
    },
    /// A mailbox.
    Mailbox {
        /// Its address, the domain in lower case and ASCII.
        address: SecretText,
    },
}

impl Endpoint {
    /// Reads the address of a subscription on `channel`.
    ///
    /// # Errors
    /// When it is no address of that channel; the sentence says what would be one, and names the mistake where it
    /// is a well-known one. It never repeats the address.
    pub fn parse(channel: Channel, text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.is_empty() {
            return Err(wrong("must not be empty"));
        }
        if text.len() > limits::ENDPOINT_BYTES_MAX {
            return Err(wrong("must be at most 2048 bytes"));
        }
        match channel {
            Channel::Dingtalk => parse_dingtalk(text),
            Channel::DingtalkPerson => parse_dingtalk_person(text),
            Channel::Lark => parse_lark(text),
            Channel::Wecom => parse_wecom(text),
            Channel::Http => parse_web(text, "http"),
            Channel::Https => parse_web(text, "https"),
            Channel::Office => {
                let (connection, to) = Recipient::parse_endpoint(text)?;
                Ok(Self::Office { connection, kind: to.kind, id: to.id.into() })
            }
            Channel::Email => parse_mailbox(text),
        }
    }

    /// Reads an address whose channel is told by its host, as `carillon send` is given one.
    ///
    /// # Errors
    /// When it is no robot's URL and no URL at all.
    pub fn recognise(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if let Some(address) = text.strip_prefix("mailto:") {
            return Self::parse(Channel::Email, address);
        }
        let url =
            Url::parse(text).map_err(|_parse| wrong("must be the robot's whole URL, from https:// on"))?;
        let host = url.host_str().unwrap_or_default();
        let channel = if host.ends_with("dingtalk.com") {
            Channel::Dingtalk
        } else if host.ends_with("feishu.cn")
            || host.ends_with("larksuite.com")
            || host.ends_with("larkoffice.com")
        {
            Channel::Lark
        } else if host.ends_with("weixin.qq.com") {
            Channel::Wecom
        } else if url.scheme() == "http" {
            Channel::Http
        } else {
            Channel::Https
        };
        Self::parse(channel, text)
    }

    /// The channel it belongs to.
    #[must_use]
    pub fn channel(&self) -> Channel {
        match self {
            Self::DingtalkRobot { .. } | Self::DingtalkConversation { .. } => Channel::Dingtalk,
            Self::DingtalkPerson { .. } => Channel::DingtalkPerson,
            Self::LarkRobot { .. } => Channel::Lark,
            Self::WecomRobot { .. } => Channel::Wecom,
            Self::Web { url } if url.reveal().starts_with("http:") => Channel::Http,
            Self::Web { .. } => Channel::Https,
            Self::Office { .. } => Channel::Office,
            Self::Mailbox { .. } => Channel::Email,
        }
    }

    /// The address in the one form it is kept and compared in: no pasted signature, no stray query, no trailing
    /// slash.
    #[must_use]
    pub fn canonical(&self) -> SecretText {
        match self {
            Self::DingtalkRobot { token } => {
                format!("https://{DINGTALK_ROBOT_HOST}/robot/send?access_token={}", token.reveal()).into()
            }
            Self::DingtalkConversation { conversation: text } | Self::DingtalkPerson { user: text } => {
                text.clone()
            }
            Self::LarkRobot { feishu, token } => {
                format!("https://{}{LARK_PATH}{}", lark_host(*feishu), token.reveal()).into()
            }
            Self::WecomRobot { key } => {
                format!("https://{WECOM_HOST}/cgi-bin/webhook/send?key={}", key.reveal()).into()
            }
            Self::Web { url: text } | Self::Mailbox { address: text } => text.clone(),
            Self::Office { connection, kind, id } => {
                format!("office:{connection}:{}:{}", kind.name(), id.reveal()).into()
            }
        }
    }

    /// The address as it may be shown: the host and the last four characters of what is secret.
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::DingtalkRobot { token } => {
                format!("https://{DINGTALK_ROBOT_HOST}/robot/send?access_token={}", mask(token.reveal()))
            }
            Self::DingtalkConversation { conversation: text } | Self::DingtalkPerson { user: text } => {
                mask(text.reveal())
            }
            Self::LarkRobot { feishu, token } => {
                format!("https://{}{LARK_PATH}{}", lark_host(*feishu), mask(token.reveal()))
            }
            Self::WecomRobot { key } => {
                format!("https://{WECOM_HOST}/cgi-bin/webhook/send?key={}", mask(key.reveal()))
            }
            Self::Web { url } => mask_url(url.reveal()),
            Self::Office { connection, kind, id } => {
                format!("office:{connection}:{}:{}", kind.name(), mask(id.reveal()))
            }
            Self::Mailbox { address } => mailbox::mask(address.reveal()),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// The host of a Lark or Feishu endpoint.
#[must_use]
pub fn lark_host(feishu: bool) -> &'static str {
    if feishu { FEISHU_HOST } else { LARK_HOST }
}

/// `****` and the last four characters; only stars when there are fewer than twelve.
pub(crate) fn mask(secret: &str) -> String {
    let chars: Vec<char> = secret.chars().collect();
    if chars.len() < 12 {
        return "****".to_owned();
    }
    format!("****{}", chars.iter().skip(chars.len() - 4).collect::<String>())
}

fn mask_url(text: &str) -> String {
    Url::parse(text).map_or_else(
        |_parse| "****".to_owned(),
        |url| {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{}{port}/****", url.scheme(), url.host_str().unwrap_or("****"))
        },
    )
}

fn wrong(rule: &'static str) -> Invalid {
    Invalid::new(Field::Endpoint, rule)
}

/// A platform's URL: https, its host and nothing that could lead elsewhere.
fn platform_url(text: &str, hosts: &[&str], rule: &'static str) -> Result<Url, Invalid> {
    let url = Url::parse(text).map_err(|_parse| wrong(rule))?;
    let plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    if url.scheme() != "https" || !plain || !url.host_str().is_some_and(|host| hosts.contains(&host)) {
        return Err(wrong(rule));
    }
    Ok(url)
}

fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A token that can stand in a URL as it is: letters, digits, `-` and `_`.
fn token(text: &str) -> Option<SecretText> {
    let fits = (8..=256).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    fits.then(|| SecretText::new(text))
}

fn parse_dingtalk(text: &str) -> Result<Endpoint, Invalid> {
    const RULE: &str = "must be a DingTalk robot's webhook, https://oapi.dingtalk.com/robot/send?access_token=…, \
                        or the openConversationId of a group with the internal robot";
    if !text.contains("://") {
        let fits = (8..=256).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'<' | b'>' | b':'));
        return if fits {
            Ok(Endpoint::DingtalkConversation { conversation: text.into() })
        } else {
            Err(wrong(RULE))
        };
    }
    let url = platform_url(text, &[DINGTALK_ROBOT_HOST, DINGTALK_API_HOST], RULE)?;
    if url.path() == "/robot/sendBySession" {
        return Err(wrong(
            "is the short-lived reply address of one conversation (sendBySession); copy the robot's own webhook, \
             https://oapi.dingtalk.com/robot/send?access_token=…",
        ));
    }
    if url.host_str() == Some(DINGTALK_API_HOST) {
        return Err(wrong(
            "is an address of DingTalk's API, not a robot's webhook; copy the webhook from the robot's settings, \
             https://oapi.dingtalk.com/robot/send?access_token=…",
        ));
    }
    if url.path() != "/robot/send" {
        return Err(wrong(RULE));
    }
    let token = query(&url, "access_token").as_deref().and_then(token).ok_or_else(|| {
        wrong("lacks its access_token; copy the whole webhook, https://oapi.dingtalk.com/robot/send?access_token=…")
    })?;
    Ok(Endpoint::DingtalkRobot { token })
}

fn parse_dingtalk_person(text: &str) -> Result<Endpoint, Invalid> {
    let fits = text.len() <= 64
        && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '/' | ':'));
    if fits {
        Ok(Endpoint::DingtalkPerson { user: text.into() })
    } else {
        Err(wrong("must be a person's DingTalk userId, up to 64 letters, digits and signs"))
    }
}

fn parse_lark(text: &str) -> Result<Endpoint, Invalid> {
    const RULE: &str = "must be a Feishu or Lark robot's webhook, https://open.feishu.cn/open-apis/bot/v2/hook/… or \
                        https://open.larksuite.com/open-apis/bot/v2/hook/…";
    let hosts = [FEISHU_HOST, LARK_HOST, "www.feishu.cn", "www.larksuite.com", "open.larkoffice.com"];
    let url = platform_url(text, &hosts, RULE)?;
    if url.path().starts_with("/flow/api/trigger-webhook/") {
        return Err(wrong(
            "is the trigger of a Feishu workflow, not a robot's webhook; add a custom bot to the group and copy its \
             address, https://open.feishu.cn/open-apis/bot/v2/hook/…",
        ));
    }
    if url.path().starts_with("/open-apis/bot/hook/") {
        return Err(wrong(
            "is the webhook of a bot of the first version, which takes other messages; add a new custom bot and \
             copy its address, https://open.feishu.cn/open-apis/bot/v2/hook/…",
        ));
    }
    let feishu = match url.host_str() {
        Some(FEISHU_HOST) => true,
        Some(LARK_HOST) => false,
        _ => return Err(wrong(RULE)),
    };
    let rest = url.path().strip_prefix(LARK_PATH).ok_or_else(|| wrong(RULE))?;
    let token = token(rest.trim_end_matches('/')).ok_or_else(|| {
        wrong("lacks the token at its end; copy the whole webhook address of the custom bot")
    })?;
    Ok(Endpoint::LarkRobot { feishu, token })
}

fn parse_wecom(text: &str) -> Result<Endpoint, Invalid> {
    const RULE: &str =
        "must be a WeCom group robot's webhook, https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…";
    let url = platform_url(text, &[WECOM_HOST], RULE)?;
    if url.path() == "/cgi-bin/webhook/upload_media" {
        return Err(wrong(
            "is the robot's upload address; copy its webhook, https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…",
        ));
    }
    if url.path() != "/cgi-bin/webhook/send" {
        return Err(wrong(RULE));
    }
    let key = query(&url, "key")
        .as_deref()
        .and_then(token)
        .ok_or_else(|| wrong("lacks its key; copy the whole webhook"))?;
    Ok(Endpoint::WecomRobot { key })
}

fn parse_web(text: &str, scheme: &'static str) -> Result<Endpoint, Invalid> {
    let rule = if scheme == "https" {
        "must be a URL that begins with https:// and names a host"
    } else {
        "must be a URL that begins with http:// and names a host"
    };
    let url = Url::parse(text).map_err(|_parse| wrong(rule))?;
    if url.scheme() != scheme || url.host_str().is_none_or(str::is_empty) {
        return Err(wrong(rule));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "must not hold a user name or password; put credentials into the extension's header",
        ));
    }
    Ok(Endpoint::Web { url: url.as_str().into() })
}

fn parse_mailbox(text: &str) -> Result<Endpoint, Invalid> {
    let rule =
        "must be one mail address such as ops@example.com, up to 64 characters before the @ and 254 in all";
    mailbox::parse(text).map(|address| Endpoint::Mailbox { address }).ok_or_else(|| wrong(rule))
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
