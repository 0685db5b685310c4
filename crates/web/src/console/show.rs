//! Small things that every page shows the same way: times, states, channels, ids.

use askama::filters::Safe;
use carillon_model::delivery::DeliveryState;
use carillon_model::health::Health;
use carillon_model::message::Body;
use carillon_model::outcome::Advice;
use carillon_model::subscription::SubscriptionState;
use carillon_model::{Channel, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::frame::Frame;
use super::text::Lang;
use super::{prose, words};
use crate::smn::protocol;

/// What stands in a path as it is; everything else is written in percent.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A text as a part of a path or a value of a query.
pub(crate) fn quoted(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

/// A text as it may stand in a page.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            sign => safe.push(sign),
        }
    }
    safe
}

/// How a state looks: its class in the stylesheet.
fn tone(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Pending => "warn",
        DeliveryState::Sending => "run",
        DeliveryState::Delivered => "ok",
        DeliveryState::Failed => "bad",
        DeliveryState::Expired | DeliveryState::Cancelled => "off",
    }
}

/// How an outcome looks.
fn outcome_tone(name: &str) -> &'static str {
    match name {
        "accepted" => "ok",
        "later" | "unknown" => "warn",
        _ => "bad",
    }
}

impl Frame {
    /// A large number, grouped.
    #[expect(clippy::unused_self, reason = "templates call it on the frame, which they all have")]
    pub(crate) fn number(&self, value: impl std::fmt::Display) -> String {
        grouped(value)
    }

    /// A text as a part of a path or a value of a query.
    #[expect(clippy::unused_self, reason = "templates call it on the frame, which they all have")]
    pub(crate) fn quoted(&self, text: &str) -> String {
        quoted(text)
    }

    /// How a state looks.
    #[expect(clippy::unused_self, reason = "templates call it on the frame, which they all have")]
    pub(crate) fn tone(&self, state: &DeliveryState) -> &'static str {
        tone(*state)
    }

    /// How an outcome looks.
    #[expect(clippy::unused_self, reason = "templates call it on the frame, which they all have")]
    pub(crate) fn outcome_tone(&self, name: &str) -> &'static str {
        outcome_tone(name)
    }

    /// The words of an outcome.
    pub(crate) fn outcome(&self, name: &str) -> &'static str {
        words::outcome(name, self.lang)
    }

    /// The words of a state.
    pub(crate) fn state_name(&self, state: &DeliveryState) -> &'static str {
        words::state(*state, self.lang)
    }

    /// The words of a channel.
    pub(crate) fn channel_text(&self, channel: &Channel) -> &'static str {
        words::channel(*channel, self.lang)
    }

    /// Whether the page is in English.
    pub(crate) fn is_english(&self) -> bool {
        self.lang == Lang::English
    }

    /// The first letter of the account's name.
    pub(crate) fn initial(&self) -> String {
        self.account.iter().flat_map(|name| name.chars()).take(1).collect()
    }

    /// A drawing of the sheet.
    #[expect(clippy::unused_self, reason = "templates call it on the frame, which they all have")]
    pub(crate) fn icon(&self, name: &str) -> Safe<String> {
        Safe(format!(r##"<svg class="i" aria-hidden="true"><use href="#i-{}"/></svg>"##, escaped(name)))
    }

    /// A moment: in UTC until the script writes it in the reader's zone; exact on hover.
    #[expect(clippy::unused_self, reason = "templates call it on the frame, which they all have")]
    pub(crate) fn when(&self, at: &Timestamp) -> Safe<String> {
        let exact = at.to_millis_text();
        let day: String = exact.chars().take(10).collect();
        let hour: String = exact.chars().skip(11).take(8).collect();
        let utc = format!("{day} {hour} UTC");
        Safe(format!(r#"<time datetime="{exact}" data-utc="{utc}" title="{exact}">{utc}</time>"#))
    }

    /// An hour and minute: in UTC until the script writes it in the reader's zone; with the day on hover.
    #[expect(clippy::unused_self, reason = "templates call it on the frame, which they all have")]
    pub(crate) fn hour(&self, at: &Timestamp) -> Safe<String> {
        let exact = at.to_millis_text();
        let hour: String = exact.chars().skip(11).take(5).collect();
        Safe(format!(r#"<time datetime="{exact}" data-utc="{hour} UTC" data-short>{hour}</time>"#))
    }

    /// A state of a delivery.
    pub(crate) fn state(&self, state: &DeliveryState) -> Safe<String> {
        let text = words::state(*state, self.lang);
        Safe(format!(r#"<span class="chip {}">{text}</span>"#, tone(*state)))
    }

    /// A state of a subscription.
    pub(crate) fn standing(&self, state: &SubscriptionState) -> Safe<String> {
        let (tone, text) = words::standing(*state, self.lang);
        Safe(format!(r#"<span class="chip {tone}">{text}</span>"#))
    }

    /// How an endpoint fares.
    pub(crate) fn wellness(&self, health: &Option<Health>) -> Safe<String> {
        let (tone, text) = words::wellness(health.map(|health| health.standing), self.lang);
        Safe(format!(r#"<span class="chip {tone}">{text}</span>"#))
    }

    /// What to change, in the page's language.
    pub(crate) fn said<'a>(&self, advice: &'a Advice) -> &'a str {
        match self.lang {
            Lang::English => &advice.en,
            Lang::Chinese => &advice.zh,
        }
    }

    /// How a message begins.
    #[expect(clippy::unused_self, reason = "templates call it on the frame, which they all have")]
    pub(crate) fn excerpt(&self, body: &Body) -> String {
        prose::excerpt(body)
    }

    /// A sentence in the page's language, its times as every page shows them.
    pub(crate) fn told(&self, advice: &Advice) -> Safe<String> {
        let mut html = String::new();
        let of_time = |sign: char| sign.is_ascii_digit() || matches!(sign, '-' | 'T' | ':' | '.' | 'Z');
        for part in self.said(advice).split_inclusive(|sign| !of_time(sign)) {
            let rest = part.trim_start_matches(of_time);
            let run = part.strip_suffix(rest).unwrap_or(part);
            let time = run.strip_suffix('.').unwrap_or(run);
            match Timestamp::from_text(time) {
                Some(at) => {
                    html.push_str(&self.when(&at).0);
                    html.push_str(&escaped(part.strip_prefix(time).unwrap_or_default()));
                }
                None => html.push_str(&escaped(part)),
            }
        }
        Safe(html)
    }

    /// A channel with its mark.
    pub(crate) fn channel(&self, channel: &Channel) -> Safe<String> {
        let (mark, text) = (words::mark(*channel), words::channel(*channel, self.lang));
        let mark = format!(r##"<svg class="logo tiny" aria-hidden="true"><use href="#c-{mark}"/></svg>"##);
        Safe(format!(r#"<span class="channel">{mark}{text}</span>"#))
    }

    /// A channel's mark with how many are reached over it.
    pub(crate) fn way(&self, channel: &Channel, count: &u64) -> Safe<String> {
        let (mark, text) = (words::mark(*channel), words::channel(*channel, self.lang));
        let count = number(&count.to_string());
        Safe(format!(
            r##"<span class="via" title="{text}"><svg class="logo tiny" aria-hidden="true"><use href="#c-{mark}"/></svg><span class="vh">{text}</span>{count}</span>"##
        ))
    }

    /// The channel that a protocol of SMN means, with its mark.
    pub(crate) fn channel_of(&self, protocol: &str) -> Safe<String> {
        match protocol::channel(protocol) {
            Ok(channel) => self.channel(&channel),
            Err(_unknown) => Safe(escaped(protocol)),
        }
    }

    /// The name of the channel that a protocol of SMN means.
    pub(crate) fn channel_name(&self, protocol: &str) -> String {
        protocol::channel(protocol).map_or_else(
            |_unknown| protocol.to_owned(),
            |channel| words::channel(channel, self.lang).to_owned(),
        )
    }

    /// A platform's mark alone.
    #[expect(clippy::unused_self, reason = "templates call it on the frame, which they all have")]
    pub(crate) fn logo(&self, mark: &str) -> Safe<String> {
        let mark = escaped(mark);
        Safe(format!(r##"<svg class="logo" aria-hidden="true"><use href="#c-{mark}"/></svg>"##))
    }

    /// A platform's mark, small.
    #[expect(clippy::unused_self, reason = "templates call it on the frame, which they all have")]
    pub(crate) fn small_logo(&self, mark: &str) -> Safe<String> {
        let mark = escaped(mark);
        Safe(format!(r##"<svg class="logo tiny" aria-hidden="true"><use href="#c-{mark}"/></svg>"##))
    }

    /// A channel's mark, large.
    pub(crate) fn channel_logo(&self, channel: &Channel) -> Safe<String> {
        self.logo(words::mark(*channel))
    }

    /// HTML of our own making.
    #[expect(clippy::unused_self, reason = "templates call it on the frame, which they all have")]
    pub(crate) fn made<'h>(&self, html: &'h str) -> Safe<&'h str> {
        Safe(html)
    }

    /// A long id: monospace, with a button that copies it where there is a script.
    pub(crate) fn id(&self, id: &str) -> Safe<String> {
        let (id, copy, copied) = (escaped(id), self.t.common.copy, self.t.common.copied);
        let icon = self.icon("copy").0;
        Safe(format!(
            r#"<span class="id"><code>{id}</code><button type="button" class="copy" data-copy="{id}" data-copied="{copied}" title="{copy}" aria-label="{copy}">{icon}</button></span>"#
        ))
    }

    /// What is wrong with a field; nothing when `text` is empty.
    pub(crate) fn error(&self, id: &str, text: &str) -> Safe<String> {
        if text.is_empty() {
            return Safe(String::new());
        }
        let icon = self.icon("alert").0;
        Safe(format!(r#"<p class="error" id="{id}-error" role="alert">{icon}{}</p>"#, escaped(text)))
    }

    /// A text with a value in the place of its braces, and the form of the words behind it that fits.
    #[expect(clippy::unused_self, reason = "templates call it on the frame, which they all have")]
    pub(crate) fn say(&self, text: impl AsRef<str>, value: impl std::fmt::Display) -> String {
        filled(text, value)
    }
}

/// A text with a value in the place of its first braces. Of the forms in brackets that follow, `[topic|topics]`, the first
/// stands for one, the second for any other number.
pub(crate) fn filled(text: impl AsRef<str>, value: impl std::fmt::Display) -> String {
    let (text, value) = (text.as_ref(), value.to_string());
    let Some((before, behind)) = text.split_once("{}") else { return text.to_owned() };
    // Forms behind the next braces belong to the next value.
    let (own, rest) = match behind.split_once("{}") {
        Some((own, rest)) => (own, format!("{{}}{rest}")),
        None => (behind, String::new()),
    };
    let forms = own.split_once('[').and_then(|(head, tail)| Some((head, tail.split_once(']')?)));
    let Some((head, (forms, tail))) = forms else { return format!("{before}{value}{own}{rest}") };
    let (one, many) = forms.split_once('|').unwrap_or((forms, forms));
    let form = if value == "1" { one } else { many };
    format!("{before}{value}{head}{form}{tail}{rest}")
}

/// A large number, grouped.
pub(crate) fn grouped(value: impl std::fmt::Display) -> String {
    number(&value.to_string())
}

fn number(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::{escaped, filled, number, quoted};

    #[test]
    fn texts_are_escaped_and_quoted() {
        assert_eq!(escaped("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
        assert_eq!(quoted("a/b?c=ü"), "a%2Fb%3Fc%3D%C3%BC");
    }

    #[test]
    fn words_follow_their_number() {
        let text = "{} [member|members] in {} [department|departments]";
        assert_eq!(filled(filled(text, "1"), "2"), "1 member in 2 departments");
        assert_eq!(filled(filled(text, "0"), "1"), "0 members in 1 department");
        assert_eq!(filled("In {} directly", "[a|b]"), "In [a|b] directly", "a value is no form");
        assert_eq!([filled("{} 名成员", "1"), filled("none", "1")], ["1 名成员", "none"]);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(["0", "999", "1000", "1234567"].map(number), ["0", "999", "1,000", "1,234,567"]);
    }
}
