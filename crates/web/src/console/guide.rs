//! How one obtains an address on each platform: steps, with drawings of our own.

use carillon_model::Channel;

use super::text::Texts;

/// A drawing beside a step. Its words come from the texts, so that it speaks both languages.
pub(crate) struct Drawing {
    /// What is drawn inside the window: a part of `drawing.html`.
    pub(crate) kind: &'static str,
    /// What stands in the window's bar.
    pub(crate) title: &'static str,
    /// The words in it, from top to bottom; the marked one is `hot`.
    pub(crate) words: Vec<&'static str>,
    /// Which of the words is marked, from 0.
    pub(crate) hot: usize,
}

/// One step.
pub(crate) struct Step {
    /// What to do.
    pub(crate) text: &'static str,
    /// How it looks.
    pub(crate) drawing: Option<Drawing>,
}

impl Step {
    /// A step in words alone.
    pub(crate) fn said(text: &'static str) -> Self {
        Self { text, drawing: None }
    }

    /// A step with a window; the last of its words is the marked one.
    pub(crate) fn drawn(
        text: &'static str,
        kind: &'static str,
        title: &'static str,
        words: Vec<&'static str>,
    ) -> Self {
        let hot = words.len().saturating_sub(1);
        Self { text, drawing: Some(Drawing { kind, title, words, hot }) }
    }
}

/// A way to be reached that one can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A DingTalk group's custom robot.
    Dingtalk,
    /// The company's own DingTalk robot.
    DingtalkApp,
    /// A Lark or Feishu group's custom bot.
    Lark,
    /// A WeCom group's robot.
    Wecom,
    /// An HTTP or HTTPS endpoint.
    Web,
    /// A mailbox.
    Email,
}

impl Way {
    /// All, in the order in which they are offered.
    pub(crate) const ALL: [Self; 6] =
        [Self::Lark, Self::Dingtalk, Self::Wecom, Self::DingtalkApp, Self::Web, Self::Email];

    /// Its word in paths.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dingtalk => "dingtalk",
            Self::DingtalkApp => "dingtalk-app",
            Self::Lark => "lark",
            Self::Wecom => "wecom",
            Self::Web => "web",
            Self::Email => "email",
        }
    }

    /// The way of a word.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }

    /// Its mark.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Dingtalk | Self::DingtalkApp => "dingtalk",
            Self::Lark => "lark",
            Self::Wecom => "wecom",
            Self::Web => "web",
            Self::Email => "email",
        }
    }

    /// The channel that an address of this way is for.
    pub(crate) fn channel(self, address: &str) -> Channel {
        match self {
            Self::Dingtalk => Channel::Dingtalk,
            // A group's id of the internal robot begins so; persons have short names of their own.
            Self::DingtalkApp if address.trim().starts_with("cid") => Channel::Dingtalk,
            Self::DingtalkApp => Channel::DingtalkPerson,
            Self::Lark => Channel::Lark,
            Self::Wecom => Channel::Wecom,
            Self::Web if address.trim().starts_with("http:") => Channel::Http,
            Self::Web => Channel::Https,
            Self::Email => Channel::Email,
        }
    }

    /// Its name and what it is for.
    pub(crate) fn words(self, t: &Texts) -> (&'static str, &'static str) {
        let g = &t.guide;
        match self {
            Self::Dingtalk => (t.channel.dingtalk, g.dingtalk_for),
            Self::DingtalkApp => (t.channel.dingtalk_person, g.dingtalk_app_for),
            Self::Lark => (t.channel.lark, g.lark_for),
            Self::Wecom => (t.channel.wecom, g.wecom_for),
            Self::Web => (g.web, g.web_for),
            Self::Email => (t.channel.email, g.email_for),
        }
    }

    /// What the address is called, and what one looks like.
    pub(crate) fn address(self, t: &Texts) -> (&'static str, &'static str) {
        let g = &t.guide;
        match self {
            Self::Dingtalk => (g.webhook, "https://oapi.dingtalk.com/robot/send?access_token=…"),
            Self::DingtalkApp => (g.user_or_group, "manager4220, cidY3tB…"),
            Self::Lark => (g.webhook, "https://open.feishu.cn/open-apis/bot/v2/hook/…"),
            Self::Wecom => (g.webhook, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…"),
            Self::Web => (g.url, "https://hooks.example.com/carillon"),
            Self::Email => (g.mailbox, "name@example.com"),
        }
    }

    /// Whether its robots may demand a signature or a keyword.
    pub(crate) fn has_secret(self) -> bool {
        matches!(self, Self::Dingtalk | Self::Lark)
    }

    /// The steps to its address.
    pub(crate) fn steps(self, t: &Texts) -> Vec<Step> {
        let g = &t.guide;
        let (drawn, said) = (Step::drawn, Step::said);
        match self {
            Self::Lark => vec![
                drawn(g.lark_1, "menu", g.d_group, vec![g.d_settings, g.d_members, g.d_bots]),
                drawn(g.lark_2, "choose", g.d_bots, vec![g.d_custom_bot, g.d_add]),
                drawn(g.lark_3, "copy", g.d_bots, vec![g.webhook, "https://open.feishu.cn/…", g.d_copy]),
                drawn(g.lark_4, "security", g.d_security, vec![g.d_keywords, g.d_signature, "a1B2c3D4e5F6…"]),
            ],
            Self::Dingtalk => vec![
                drawn(g.dingtalk_1, "menu", g.d_group, vec![g.d_settings, g.d_members, g.d_robots]),
                drawn(g.dingtalk_2, "choose", g.d_robots, vec![g.d_custom, g.d_add]),
                drawn(
                    g.dingtalk_3,
                    "security",
                    g.d_security,
                    vec![g.d_keywords, g.d_sign, "SEC0a1b2c3d4e5f6…"],
                ),
                drawn(
                    g.dingtalk_4,
                    "copy",
                    g.d_robots,
                    vec![g.webhook, "https://oapi.dingtalk.com/…", g.d_copy],
                ),
            ],
            Self::Wecom => vec![
                drawn(g.wecom_1, "menu", g.d_group, vec![g.d_members, g.d_settings, g.d_push]),
                drawn(g.wecom_2, "choose", g.d_push, vec![g.d_push, g.d_add]),
                drawn(
                    g.wecom_3,
                    "copy",
                    g.d_push,
                    vec![g.webhook, "https://qyapi.weixin.qq.com/…", g.d_copy],
                ),
            ],
            Self::DingtalkApp => vec![
                drawn(g.dingtalk_app_1, "choose", g.d_features, vec![g.d_robots, g.d_add]),
                drawn(
                    g.dingtalk_app_2,
                    "fields",
                    g.d_credentials,
                    vec!["Client ID", "ding0123456789ab", "Client Secret"],
                ),
                drawn(g.dingtalk_app_3, "person", g.d_directory, vec![g.d_person, "manager4220"]),
                drawn(
                    g.dingtalk_app_4,
                    "copy",
                    g.d_group,
                    vec!["openConversationId", "cid0123456789…", g.d_copy],
                ),
            ],
            Self::Email => {
                vec![
                    drawn(g.email_1, "mail", g.mailbox, vec![g.d_please_confirm, g.d_confirm]),
                    said(g.email_2),
                ]
            }
            Self::Web => {
                vec![said(g.web_1), drawn(g.web_2, "post", "POST /carillon", vec![g.d_open]), said(g.web_3)]
            }
        }
    }
}
