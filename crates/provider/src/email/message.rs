//! One post as a mail: headers, plain text and HTML.

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use carillon_model::endpoint::Endpoint;
use carillon_model::limits::MESSAGE_BYTES_MAX;
use carillon_model::message::{Format, Kind, Locale, Priority};
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::subscription::Target;
use carillon_model::text::shorten;
use carillon_model::{SecretText, Timestamp};
use data_encoding::HEXLOWER;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::Sender;
use crate::key::PartKey;
use crate::parts::{Draft, key};
use crate::render::{self, Dialect, raw_bytes};
use crate::{Part, Post, webhook};

/// The most text that one mail carries, in bytes of UTF-8: any message in one mail, and digests bounded. Relays take 10
/// MB and more.
const TEXT_BYTES_MAX: usize = 2 * MESSAGE_BYTES_MAX;
/// The longest subject and sender's name, in bytes: longer lines are cut by every mail program's list anyway.
const LINE_BYTES_MAX: usize = 512;

/// A link at the end of a mail, with the words around it.
struct Link<'a> {
    before: String,
    label: &'static str,
    url: &'a str,
}

/// Renders a post, in one mail unless a digest is too large for one.
pub(crate) fn render(from: &Sender, target: &Target, post: &Post<'_>) -> Result<Vec<Part>, Verdict> {
    let Endpoint::Mailbox { address } = &target.endpoint else { return Err(unsendable()) };
    let draft = Draft::new(target, post);
    let pieces = if draft.text.len() <= TEXT_BYTES_MAX {
        vec![draft.text.clone()]
    } else {
        render::plain(&draft.text, raw_bytes, TEXT_BYTES_MAX)
    };
    let link = link(post);
    let secrets = link.iter().flat_map(|link| webhook::link_secrets(link.url)).map(SecretText::from);
    let secrets: Vec<SecretText> = secrets.collect();
    let count = pieces.len();
    let part = |(index, piece): (usize, &String)| {
        let label = render::part_label(index, count);
        let subject = format!("{} {label}", subject(&draft, post)).trim_end().to_owned();
        let key = key(post, index);
        let mail = Mail { from, to: address, post, subject: &subject, key: &key, link: link.as_ref() };
        let body = mail.written(piece, draft.format).ok_or_else(unsendable)?;
        Ok(Part {
            body: body.into(),
            headers: Vec::new(),
            key,
            secrets: secrets.clone(),
            fallbacks: Vec::new(),
            attachment: None,
            notice: false,
        })
    };
    pieces.iter().enumerate().map(part).collect()
}

fn unsendable() -> Verdict {
    Verdict::plain(Outcome::Refused, Reason::Render)
}

/// One line: what looks like a line end or steers a terminal is a blank.
fn line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    shorten(&text.split_whitespace().collect::<Vec<_>>().join(" "), LINE_BYTES_MAX)
}

/// The last part of the topic's URN.
fn topic_name<'a>(post: &Post<'a>) -> &'a str {
    post.topic_urn.rsplit(':').next().unwrap_or_default()
}

fn subject(draft: &Draft<'_>, post: &Post<'_>) -> String {
    let topic = topic_name(post);
    match post.kind {
        Kind::Published => line(&draft.preview("")),
        Kind::SubscriptionConfirmation => format!("Confirm your subscription · 请确认订阅: {topic}"),
        Kind::UnsubscribeConfirmation => format!("You have unsubscribed · 已退订: {topic}"),
    }
}

fn link<'a>(post: &Post<'a>) -> Option<Link<'a>> {
    let origin = post.origin.as_ref()?;
    match post.kind {
        Kind::Published => {
            let topic = topic_name(post);
            let (before, label) = match post.locale {
                Locale::English => {
                    (format!("You get this because you subscribed to the topic {topic}."), "Unsubscribe")
                }
                Locale::Chinese => (format!("您收到此邮件是因为您订阅了主题 {topic}。"), "退订"),
            };
            origin.unsubscribe_url.map(|url| Link { before, label, url: url.reveal() })
        }
        Kind::SubscriptionConfirmation => {
            let label = "Confirm the subscription · 确认订阅";
            origin.subscribe_url.map(|url| Link { before: String::new(), label, url: url.reveal() })
        }
        Kind::UnsubscribeConfirmation => {
            let label = "Subscribe again · 重新订阅";
            origin.subscribe_url.map(|url| Link { before: String::new(), label, url: url.reveal() })
        }
    }
}

/// What one mail is made of, but for its text.
struct Mail<'a> {
    from: &'a Sender,
    to: &'a SecretText,
    post: &'a Post<'a>,
    subject: &'a str,
    key: &'a PartKey,
    link: Option<&'a Link<'a>>,
}

impl Mail<'_> {
    /// The whole mail as it travels, ASCII.
    fn written(&self, text: &str, format: Format) -> Option<String> {
        // A lone CR would travel as it is, and some relays take it for a line end.
        let text = render::clean(text);
        let (plain, html) = (self.plain(&text, format), self.html(&text, format));
        // Nobody can write a text that holds the boundary, which is a hash of it; and each try makes the same mail.
        let hash = digest(&SHA256, format!("{plain}\0{html}").as_bytes());
        let boundary = format!("=_{}", HEXLOWER.encode(hash.as_ref().get(..16)?));
        let bodies = MultiPart::alternative()
            .boundary(boundary)
            .singlepart(SinglePart::plain(plain))
            .singlepart(SinglePart::html(html));
        let name = self.post.origin.as_ref().and_then(|origin| origin.sender).map(line);
        let name = name.filter(|name| !name.is_empty()).or_else(|| self.from.name.as_deref().map(line));
        let from = Mailbox::new(name, self.from.address.parse().ok()?);
        let to = Mailbox::new(None, self.to.reveal().parse().ok()?);
        let mut builder = Message::builder()
            .date(system_time(self.post.created_at))
            .from(from)
            .to(to)
            .subject(self.subject)
            .message_id(Some(format!("<{}@{}>", self.key, self.from.domain())));
        for (name, value) in self.headers() {
            builder = builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value));
        }
        String::from_utf8(builder.multipart(bodies).ok()?.formatted()).ok()
    }

    /// What mail programs and out-of-office robots go by.
    fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("Auto-Submitted", "auto-generated".to_owned())];
        if self.post.kind == Kind::Published {
            if let Some(link) = self.link {
                headers.push(("List-Unsubscribe", format!("<{}>", link.url)));
                // One click is for https alone (RFC 8058, section 3.1).
                if link.url.starts_with("https:") {
                    headers.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
                }
            }
            if self.post.priority == Priority::Urgent {
                headers.push(("Importance", "high".to_owned()));
                headers.push(("X-Priority", "1".to_owned()));
            }
        }
        headers
    }

    fn plain(&self, text: &str, format: Format) -> String {
        let text = match format {
            Format::Text => text.to_owned(),
            Format::Markdown => render::markdown(text, Dialect::Plain, raw_bytes, usize::MAX).join("\n\n"),
        };
        match self.link {
            None => text,
            Some(Link { before, label, url }) if before.is_empty() => format!("{text}\n\n{label}:\n{url}\n"),
            Some(Link { before, label, url }) => format!("{text}\n\n-- \n{before}\n{label}: {url}\n"),
        }
    }

    fn html(&self, text: &str, format: Format) -> String {
        let text = match format {
            Format::Text => {
                format!("<div style=\"white-space:pre-wrap\">{}</div>\n", render::escape_html(text))
            }
            Format::Markdown => render::html(text),
        };
        let end = self.link.map_or_else(String::new, |Link { before, label, url }| {
            let (before, url) = (render::escape_html(before), render::escape_html(url));
            let (class, gap) = if before.is_empty() { ("ask", "") } else { ("end", " ") };
            format!("<p class=\"{class}\">{before}{gap}<a href=\"{url}\">{label}</a></p>\n")
        });
        let lang = match self.post.locale {
            Locale::English => "en",
            Locale::Chinese => "zh-CN",
        };
        format!(
            "<!doctype html>\n<html lang=\"{lang}\">\n<head><meta charset=\"utf-8\"><title>{}</title>\n<style>\n{STYLE}\
             </style></head>\n<body>\n{text}{end}</body>\n</html>\n",
            render::escape_html(self.subject)
        )
    }
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:44em;margin:1em auto;padding:0 1em}\n\
table{border-collapse:collapse}th,td{border:1px solid #bbb;padding:.25em .6em;text-align:left}\n\
pre{background:#f4f4f4;padding:.6em;overflow:auto}blockquote{margin-left:0;padding-left:1em;border-left:3px solid #bbb}\n\
.end{color:#666;font-size:13px;border-top:1px solid #ddd;margin-top:2em;padding-top:.6em}\n";

/// The time of the message, which is the service's clock's.
fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or(0))
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
