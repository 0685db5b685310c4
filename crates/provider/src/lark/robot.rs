//! Custom bots by webhook ("custom bot guide").

use carillon_model::endpoint::lark_host;
use carillon_model::message::{Button, Color, Format, Mentions};
use carillon_model::outcome::Verdict;
use carillon_model::subscription::Target;
use carillon_model::{Clock, SecretText, Timestamp};

use super::code::TABLE;
use super::wire::{
    Body, ButtonElement, Card, CardMessage, Config, Element, Header, OpenUrl, Signature, Tagged, Text,
    TextMessage,
};
use crate::http::{Answer, Request, To};
use crate::listed::{Question, without_body};
use crate::parts::{Composed, Draft, Place, json, numbered, plain_id, with_fields, with_words};
use crate::render::{self, Dialect};
use crate::sign::hmac_base64;
use crate::wire::Fields;
use crate::{Context, Part, Post, clean};

/// The largest body, in bytes, with timestamp and signature.
const BODY_BYTES_MAX: usize = 20_000;
/// What timestamp and signature take of it.
const SIGNATURE_BYTES: usize =
    r#""timestamp":"17000000000","sign":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","#.len();

/// Renders a post.
pub(crate) fn render(target: &Target, post: &Post<'_>) -> Result<Vec<Part>, Verdict> {
    let mut draft = Draft::new(target, post);
    if draft.format == Format::Text {
        defuse(&mut draft);
    }
    let bytes_max = BODY_BYTES_MAX - SIGNATURE_BYTES;
    let composed =
        draft.parts(Dialect::LarkCard, render::json_bytes, bytes_max, |piece, place| match draft.format {
            Format::Text => text(&draft, piece, place),
            Format::Markdown => card(&draft, post.body.color, piece, place),
        })?;
    Ok(numbered(post, composed))
}

/// Takes the power from a publisher's own `<at ...>`, which would ping people, or everybody.
pub(crate) fn defuse(draft: &mut Draft<'_>) {
    draft.text = defused(&draft.text);
    draft.title = draft.title.as_deref().map(defused);
}

fn text(draft: &Draft<'_>, piece: &str, place: &Place) -> Composed {
    let text = whole_text(draft, piece, place);
    Composed::whole(&TextMessage { msg_type: "text", content: Text { text: &text } })
}

/// The content of an app's text message.
pub(crate) fn text_content(draft: &Draft<'_>, piece: &str, place: &Place) -> String {
    json(&Text { text: &whole_text(draft, piece, place) })
}

fn whole_text(draft: &Draft<'_>, piece: &str, place: &Place) -> String {
    let words = if place.last { text_mentions(draft.mentions) } else { Vec::new() };
    let text = with_words(piece, words);
    let text = match draft.heading(&place.label) {
        Some(heading) => format!("{heading}\n{text}"),
        None => text,
    };
    draft.with_keyword(text, &[])
}

fn card(draft: &Draft<'_>, color: Option<Color>, piece: &str, place: &Place) -> Composed {
    with_card(draft, color, &[], (piece, place), |card| {
        Composed::whole(&CardMessage { msg_type: "interactive", card })
    })
}

/// A card as JSON text; its buttons stand in the last part.
pub(crate) fn card_json(
    draft: &Draft<'_>,
    color: Option<Color>,
    buttons: &[Button],
    piece: &str,
    place: &Place,
) -> String {
    with_card(draft, color, buttons, (piece, place), |card| json(&card))
}

fn button(button: &Button, first: bool) -> Element<'_> {
    Element::Button(ButtonElement {
        tag: "button",
        text: Tagged { tag: "plain_text", content: &button.text },
        look: if first { "primary" } else { "default" },
        behaviors: [OpenUrl { kind: "open_url", default_url: &button.url }],
    })
}

fn with_card<T>(
    draft: &Draft<'_>,
    color: Option<Color>,
    buttons: &[Button],
    (piece, place): (&str, &Place),
    then: impl FnOnce(Card<'_>) -> T,
) -> T {
    // A coloured bar must say something.
    let title = draft.heading(&place.label).or_else(|| color.map(|_| draft.preview(&place.label)));
    let mut content = piece.to_owned();
    let words = if place.last { card_mentions(draft.mentions) } else { Vec::new() };
    if !words.is_empty() {
        content = format!("{content}\n\n{}", words.join(" "));
    }
    let content = draft.with_keyword(content, &[title.as_deref().unwrap_or_default()]);
    let header = title.as_deref().map(|title| Header {
        title: Tagged { tag: "plain_text", content: title },
        template: color.unwrap_or(Color::Blue).name(),
    });
    let mut elements = vec![Element::Text(Tagged { tag: "markdown", content: &content })];
    let shown = buttons.iter().filter(|_| place.last).enumerate();
    elements.extend(shown.map(|(at, one)| button(one, at == 0)));
    let body = Body { elements };
    then(Card { schema: "2.0", config: Config { update_multi: true }, header, body })
}

/// A text in which nothing pings anybody.
fn defused(text: &str) -> String {
    render::escape(text, Dialect::Plain)
}

/// Mentions as a text message has them; mobile numbers cannot be resolved here and stand as they are.
fn text_mentions(mentions: &Mentions) -> Vec<String> {
    let people = mentions.user_ids.iter().map(|id| {
        if plain_id(id) { format!("<at user_id=\"{id}\">{id}</at>") } else { defused(&format!("@{id}")) }
    });
    let mobiles = mentions.mobiles.iter().map(|mobile| defused(&format!("@{mobile}")));
    let all = mentions.all.then(|| "<at user_id=\"all\">all</at>".to_owned());
    people.chain(mobiles).chain(all).collect()
}

/// Mentions as a card's markdown has them.
fn card_mentions(mentions: &Mentions) -> Vec<String> {
    let plain = |text: &str| render::escape(&format!("@{text}"), Dialect::LarkCard);
    let people = mentions
        .user_ids
        .iter()
        .map(|id| if plain_id(id) { format!("<at id={id}></at>") } else { plain(id) });
    let mobiles = mentions.mobiles.iter().map(|mobile| plain(mobile));
    let all = mentions.all.then(|| "<at id=all></at>".to_owned());
    people.chain(mobiles).chain(all).collect()
}

/// Sends a part.
pub(crate) async fn send(
    context: &Context<'_>,
    (feishu, token): (bool, &SecretText),
    target: &Target,
    part: &Part,
) -> Verdict {
    let now = context.clock.now();
    let signature = target.extension.sign_secret.as_ref().map(|secret| signature(secret.reveal(), now));
    let body = match &signature {
        Some(signature) => with_fields(signature, &part.body).into(),
        None => part.body.bytes(),
    };
    let path = ["/open-apis/bot/v2/hook/", token.reveal()].concat();
    let to = To::Platform { host: lark_host(feishu), path: &path };
    let verdict = match context.http.post(Request { to, headers: &[], body: body.into() }).await {
        Ok(answer) => verdict(&answer, context.clock),
        Err(failure) => failure.verdict(),
    };
    clean::verdict(verdict, &[signature.map(|signature| signature.sign).as_deref().unwrap_or_default()])
}

/// HMAC over nothing at all, with time in seconds, line feed and secret as the key: not DingTalk's construction.
fn signature(secret: &str, now: Timestamp) -> Signature {
    let timestamp = now.seconds().to_string();
    let sign = hmac_base64(&format!("{timestamp}\n{secret}"), "");
    Signature { timestamp, sign }
}

/// Reads an answer; older ones have `StatusCode` in the place of `code`.
pub(crate) fn verdict(answer: &Answer, clock: &dyn Clock) -> Verdict {
    let Some(fields) = Fields::read(&answer.body).filter(|_| answer.cut.is_none()) else {
        return without_body(answer);
    };
    let (code, text) = match (fields.code("code"), fields.code("StatusCode")) {
        (Some(code), _) => (code, fields.text("msg")),
        (None, Some(code)) => (code, fields.text("StatusMessage")),
        (None, None) => return without_body(answer),
    };
    Question { table: TABLE, code: &code, text, answer, clock }.verdict()
}

#[cfg(test)]
mod tests {
    use carillon_model::Timestamp;
    use serde_json::Value;

    use super::{SIGNATURE_BYTES, Text, TextMessage, signature};
    use crate::parts::{json, with_fields};

    #[test]
    fn signs_as_the_platform_does() {
        let vectors: Value = serde_json::from_str(include_str!("../../tests/data/signatures.json")).unwrap();
        let vectors = vectors["lark"].as_array().unwrap();
        assert_eq!(vectors.len(), 4);
        for vector in vectors {
            let seconds: i64 = vector["timestamp_s"].as_str().unwrap().parse().unwrap();
            let signature = signature(vector["secret"].as_str().unwrap(), Timestamp(seconds * 1000 + 999));
            assert_eq!(serde_json::to_value(&signature).unwrap(), vector["body_fields"]);
            let signed = with_fields(&signature, "{\"a\":1}");
            assert!(signed.len() - "{\"a\":1}".len() <= SIGNATURE_BYTES);
            assert_eq!(serde_json::from_str::<Value>(&signed).unwrap()["sign"], vector["sign_base64"]);
        }
    }

    /// The platform counts timestamp and signature too.
    #[test]
    fn a_signed_text_has_the_documented_size() {
        let signature = signature("x", Timestamp(1_700_000_000_000));
        for (text, bytes) in [(String::new(), 120), ("a".repeat(19_880), 20_000), ("汉".repeat(6626), 19_998)]
        {
            let message = TextMessage { msg_type: "text", content: Text { text: &text } };
            assert_eq!(with_fields(&signature, &json(&message)).len(), bytes);
        }
    }
}
