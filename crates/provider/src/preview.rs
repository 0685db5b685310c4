//! What a chat would show: the parts that would really be posted, read back from their bodies.

use carillon_model::Channel;
use carillon_model::endpoint::Endpoint;
use carillon_model::message::Format;
use carillon_model::outcome::Verdict;
use carillon_model::subscription::{Extension, Target};
use serde_json::Value;

use crate::{Post, Providers};

/// One part as a chat shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The heading, where it stands apart from the text.
    pub title: Option<String>,
    /// The text, in the platform's own dialect.
    pub text: String,
    /// Whether the platform reads the text as Markdown.
    pub markdown: bool,
}

/// An address of each channel that nobody has.
fn nobody(channel: Channel) -> &'static str {
    match channel {
        Channel::Dingtalk => {
            "https://oapi.dingtalk.com/robot/send?access_token=0000000000000000000000000000000000000000000000000000000000000000"
        }
        Channel::DingtalkPerson => "preview",
        Channel::Lark => "https://open.feishu.cn/open-apis/bot/v2/hook/00000000-0000-4000-8000-000000000000",
        Channel::Wecom => {
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-000000000000"
        }
        Channel::Http => "http://preview.example/",
        Channel::Https => "https://preview.example/",
        Channel::Email => "preview@preview.example",
        Channel::Office => "office:00000000000000000000000000000000:member:preview",
    }
}

impl Providers {
    /// Renders a body for a channel and tells what would be seen, part by part. Nothing is sent.
    ///
    /// # Errors
    /// A verdict when the body cannot be brought into the channel's form and limits.
    pub fn preview(&self, channel: Channel, post: &Post<'_>) -> Result<Vec<Shown>, Verdict> {
        let endpoint = Endpoint::parse(channel, nobody(channel)).expect("the sample addresses are valid");
        if (channel == Channel::Email && self.offers(channel)) || channel == Channel::Office {
            // A mail is one part with the text in two forms; a reader sees what was written. Which platform an office app
            // is on, the channel does not tell.
            let title = post.body.title.as_deref().or(post.subject).map(str::to_owned);
            let markdown = post.body.format == Format::Markdown;
            return Ok(vec![Shown { title, text: post.body.text.clone(), markdown }]);
        }
        let parts = self.render(&Target { endpoint, extension: Extension::default() }, post)?;
        Ok(parts.iter().map(|part| shown(&part.body)).collect())
    }
}

fn shown(body: &str) -> Shown {
    let value: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    // The internal robot's message is JSON text inside JSON.
    if let Some(param) = text("/msgParam") {
        let param: Value = serde_json::from_str(&param).unwrap_or_default();
        let text = |pointer: &str| param.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        return match text("/text") {
            Some(content) => Shown { title: None, text: content, markdown: true },
            None => Shown { title: None, text: text("/content").unwrap_or_default(), markdown: false },
        };
    }
    let markdown =
        ["/markdown/text", "/markdown/content", "/markdown_v2/content", "/card/body/elements/0/content"];
    if let Some(content) = markdown.iter().find_map(|pointer| text(pointer)) {
        return Shown { title: text("/card/header/title/content"), text: content, markdown: true };
    }
    if let Some(content) = ["/text/content", "/content/text"].iter().find_map(|pointer| text(pointer)) {
        return Shown { title: None, text: content, markdown: false };
    }
    let pretty = serde_json::to_string_pretty(&value).unwrap_or_default();
    Shown { title: None, text: pretty, markdown: false }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use carillon_model::clock::{TestClock, Timestamp};
    use carillon_model::id::MessageId;
    use carillon_model::message::{Body, Kind, Locale, Priority};
    use carillon_model::{Channel, chance::SeededChance};

    use crate::{Post, PostKey, ProviderSettings, Providers};

    #[test]
    fn every_channel_shows_what_it_would_be_sent() {
        let now = Timestamp(1_750_000_000_000);
        let providers = Providers::new(ProviderSettings::default(), Arc::new(TestClock::at(now)));
        for body in [Body::text("the text"), Body::markdown("**the text**")] {
            let post = Post {
                body: &body,
                key: PostKey::Named("preview"),
                kind: Kind::Published,
                message: MessageId::new(now, &SeededChance::new(1)),
                subject: Some("the title"),
                topic_urn: "urn",
                subscription_urn: "urn",
                created_at: now,
                locale: Locale::English,
                priority: Priority::Normal,
                origin: None,
            };
            for channel in Channel::ALL.into_iter().filter(|channel| providers.offers(*channel)) {
                let shown = providers.preview(channel, &post).unwrap();
                assert_eq!(shown.len(), 1, "{channel:?}");
                let part = &shown[0];
                let whole = format!("{}{}", part.title.as_deref().unwrap_or_default(), part.text);
                assert!(whole.contains("the text") && whole.contains("the title"), "{channel:?}: {whole}");
            }
        }
        let long = Body::text("line\n".repeat(2_000));
        let post = Post {
            body: &long,
            key: PostKey::Named("preview"),
            kind: Kind::Published,
            message: MessageId::new(now, &SeededChance::new(1)),
            subject: None,
            topic_urn: "urn",
            subscription_urn: "urn",
            created_at: now,
            locale: Locale::English,
            priority: Priority::Normal,
            origin: None,
        };
        assert!(providers.preview(Channel::Wecom, &post).unwrap().len() > 1, "it is split as it would be");
    }
}
