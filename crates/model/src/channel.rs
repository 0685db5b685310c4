//! The channels: the kinds of way a message goes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of way a message goes. SMN's names of them (its *protocols*) live in `web`'s SMN folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A DingTalk group, by its robot's webhook or by the company's own robot.
    Dingtalk,
    /// One person on DingTalk, through the company's own robot.
    DingtalkPerson,
    /// A Lark or Feishu group, by its robot's webhook.
    Lark,
    /// A WeCom group, by its robot's webhook.
    Wecom,
    /// Somebody's own HTTP endpoint.
    Http,
    /// Somebody's own HTTPS endpoint.
    Https,
    /// People and chats that the company's own office app reaches.
    Office,
    /// A mailbox.
    Email,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 8] = [
        Self::Dingtalk,
        Self::DingtalkPerson,
        Self::Lark,
        Self::Wecom,
        Self::Http,
        Self::Https,
        Self::Email,
        Self::Office,
    ];

    /// The channel's name in Carillon's own API, in metrics and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dingtalk => "dingtalk",
            Self::DingtalkPerson => "dingtalk_person",
            Self::Lark => "lark",
            Self::Wecom => "wecom",
            Self::Http => "http",
            Self::Https => "https",
            Self::Office => "office",
            Self::Email => "email",
        }
    }

    /// Whether a subscription of it waits until the endpoint's owner has followed a link.
    #[must_use]
    pub fn needs_confirmation(self) -> bool {
        match self {
            Self::Dingtalk | Self::DingtalkPerson | Self::Lark | Self::Wecom | Self::Office => false,
            Self::Http | Self::Https | Self::Email => true,
        }
    }

    /// Whether every receiver of it can tell a message that comes twice, by a key that stays the same. DingTalk's
    /// webhooks can, its internal robot in the same channel cannot; an office app can on Lark and WeCom, not on DingTalk.
    #[must_use]
    pub fn knows_repeats(self) -> bool {
        match self {
            Self::Dingtalk | Self::DingtalkPerson | Self::Lark | Self::Wecom | Self::Email | Self::Office => {
                false
            }
            Self::Http | Self::Https => true,
        }
    }

    /// The channel of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
