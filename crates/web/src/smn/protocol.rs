//! SMN's protocols and the channels they mean.

use carillon_model::{Channel, Field, Invalid};

/// Every protocol that subscriptions can be made of, with its channel.
pub(crate) const PROTOCOLS: [(&str, Channel); 8] = [
    ("dingding", Channel::Dingtalk),
    ("dingTalkBot", Channel::DingtalkPerson),
    ("feishu", Channel::Lark),
    ("wechat", Channel::Wecom),
    ("http", Channel::Http),
    ("https", Channel::Https),
    ("email", Channel::Email),
    // Not SMN's own: people and chats of a company's own app, `office:{connection}:{kind}:{id}`.
    ("office", Channel::Office),
];

/// Keys of a message structure that SMN knows and this service has no subscribers for.
pub(crate) const OTHERS: [&str; 10] = [
    "sms",
    "functiongraph",
    "functionstage",
    "callnotify",
    "welink",
    "welinkRed",
    "dms",
    "HMS",
    "APNS",
    "APNS_SANDBOX",
];

/// The channel of a protocol.
pub(crate) fn channel(protocol: &str) -> Result<Channel, Invalid> {
    let found = PROTOCOLS.iter().find(|(name, _)| *name == protocol).map(|(_, channel)| *channel);
    found.ok_or_else(|| {
        let rule = match protocol {
            "sms" | "callnotify" | "functionstage" | "functiongraph" | "welink" => {
                "this protocol is not offered; reach its service through an https subscription of your own"
            }
            _ => "must be one of dingding, dingTalkBot, feishu, wechat, http, https, email, office",
        };
        Invalid::new(Field::Protocol, rule)
    })
}

/// Whether a channel's content in a message structure is a chat object with a `msgType`.
pub(crate) fn is_chat(channel: Channel) -> bool {
    match channel {
        Channel::Dingtalk | Channel::DingtalkPerson | Channel::Lark | Channel::Wecom | Channel::Office => {
            true
        }
        Channel::Http | Channel::Https | Channel::Email => false,
    }
}
