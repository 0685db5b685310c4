//! Group robots by webhook ("message push").

use carillon_model::endpoint::WECOM_HOST;
use carillon_model::message::{Color, Format, Mentions};
use carillon_model::outcome::Verdict;
use carillon_model::subscription::Target;
use carillon_model::text::shorten;
use carillon_model::{Clock, SecretText};

use super::code::TABLE;
use super::wire::{Markdown, RobotMessage, Text};
use crate::http::{Answer, Request, To};
use crate::listed::{Question, without_body};
use crate::parts::{Composed, Draft, Place, numbered, plain_id};
use crate::render::{self, Dialect};
use crate::wire::Fields;
use crate::{Context, Part, Post};

/// The largest text, in bytes.
const TEXT_BYTES_MAX: usize = 2048;
/// The largest markdown of either version, in bytes.
const MARKDOWN_BYTES_MAX: usize = 4096;
/// The longest text that only pings, in bytes.
const PING_BYTES_MAX: usize = 200;

/// Renders a post: text; the second markdown where it shows more and nobody is pinged, which it cannot; else the first.
pub(crate) fn render(target: &Target, post: &Post<'_>) -> Result<Vec<Part>, Verdict> {
    let draft = Draft::new(target, post);
    let compose_text = |piece: &str, place: &Place| text(&draft, piece, place);
    let compose_v1 = |piece: &str, place: &Place| markdown(&draft, post.body.color, piece, place);
    let compose_v2 = |piece: &str, place: &Place| markdown_v2(&draft, piece, place);
    let measure = render::raw_bytes;
    let mut composed = match draft.format {
        Format::Text => draft.parts(Dialect::Plain, measure, TEXT_BYTES_MAX, compose_text)?,
        Format::Markdown if draft.mentions.is_empty() && render::wants_wecom_v2(&draft.text) => {
            draft.parts(Dialect::WecomMarkdownV2, measure, MARKDOWN_BYTES_MAX, compose_v2)?
        }
        Format::Markdown => draft.parts(Dialect::WecomMarkdown, measure, MARKDOWN_BYTES_MAX, compose_v1)?,
    };
    if draft.format == Format::Markdown {
        composed.extend(ping(&draft));
    }
    Ok(numbered(post, composed))
}

/// The content of a text message.
pub(super) fn text_content(draft: &Draft<'_>, piece: &str, place: &Place) -> String {
    let content = match draft.heading(&place.label) {
        Some(heading) => format!("{heading}\n{piece}"),
        None => piece.to_owned(),
    };
    draft.with_keyword(content, &[])
}

fn text(draft: &Draft<'_>, piece: &str, place: &Place) -> Composed {
    let content = text_content(draft, piece, place);
    let (people, mobiles) = if place.last { lists(draft.mentions, true) } else { (Vec::new(), Vec::new()) };
    text_message(&content, &people, &mobiles)
}

fn text_message(content: &str, people: &[&str], mobiles: &[&str]) -> Composed {
    let text = Text { content, mentioned_list: people, mentioned_mobile_list: mobiles };
    let message = RobotMessage { msgtype: "text", text: Some(text), markdown: None, markdown_v2: None };
    Composed::counted(&message, content)
}

/// Who is pinged, by id and by mobile number; everybody is one of the ids.
fn lists(mentions: &Mentions, with_people: bool) -> (Vec<&str>, Vec<&str>) {
    let people = mentions.user_ids.iter().filter(|_| with_people).map(String::as_str);
    let people = people.chain(mentions.all.then_some("@all")).collect();
    (people, mentions.mobiles.iter().map(String::as_str).collect())
}

/// Markdown pings people by id only: a short text of its own pings the others.
fn ping(draft: &Draft<'_>) -> Option<Composed> {
    let (people, mobiles) = lists(draft.mentions, false);
    if people.is_empty() && mobiles.is_empty() {
        return None;
    }
    let content = shorten(draft.title.as_deref().unwrap_or(draft.nameless), PING_BYTES_MAX);
    let content = draft.with_keyword(content, &[]);
    Some(text_message(&content, &people, &mobiles))
}

/// The content of a message of the first markdown.
pub(super) fn markdown_content(
    draft: &Draft<'_>,
    color: Option<Color>,
    piece: &str,
    place: &Place,
) -> String {
    let mut content = match draft.heading(&place.label) {
        Some(heading) => {
            let heading = render::escape(&heading, Dialect::WecomMarkdown);
            let heading = match color.and_then(font) {
                Some(font) => format!("<font color=\"{font}\">{heading}</font>"),
                None => heading,
            };
            format!("### {heading}\n{piece}")
        }
        None => piece.to_owned(),
    };
    if place.last && !draft.mentions.user_ids.is_empty() {
        let words = draft.mentions.user_ids.iter().map(|id| {
            if plain_id(id) {
                format!("<@{id}>")
            } else {
                render::escape(&format!("@{id}"), Dialect::WecomMarkdown)
            }
        });
        content = format!("{content}\n\n{}", words.collect::<Vec<_>>().join(" "));
    }
    draft.with_keyword(content, &[])
}

fn markdown(draft: &Draft<'_>, color: Option<Color>, piece: &str, place: &Place) -> Composed {
    let content = markdown_content(draft, color, piece, place);
    let markdown = Some(Markdown { content: &content });
    let message = RobotMessage { msgtype: "markdown", text: None, markdown, markdown_v2: None };
    Composed::counted(&message, &content)
}

fn markdown_v2(draft: &Draft<'_>, piece: &str, place: &Place) -> Composed {
    let content = match draft.heading(&place.label) {
        Some(heading) => format!("### {}\n{piece}", render::escape(&heading, Dialect::WecomMarkdownV2)),
        None => piece.to_owned(),
    };
    let content = draft.with_keyword(content, &[]);
    let markdown_v2 = Some(Markdown { content: &content });
    let message = RobotMessage { msgtype: "markdown_v2", text: None, markdown: None, markdown_v2 };
    Composed::counted(&message, &content)
}

/// The nearest of the three colours that the first markdown has.
fn font(color: Color) -> Option<&'static str> {
    match color {
        Color::Orange | Color::Red | Color::Carmine => Some("warning"),
        Color::Turquoise | Color::Green => Some("info"),
        Color::Grey => Some("comment"),
        Color::Blue | Color::Wathet | Color::Yellow | Color::Violet | Color::Purple | Color::Indigo => None,
    }
}

/// Sends a part. The key is everything: there is no signature.
pub(crate) async fn send(context: &Context<'_>, key: &SecretText, part: &Part) -> Verdict {
    let path = ["/cgi-bin/webhook/send?key=", key.reveal()].concat();
    let to = To::Platform { host: WECOM_HOST, path: &path };
    match context.http.post(Request { to, headers: &[], body: part.body.bytes().into() }).await {
        Ok(answer) => verdict(&answer, context.clock),
        Err(failure) => failure.verdict(),
    }
}

/// Reads an answer.
pub(crate) fn verdict(answer: &Answer, clock: &dyn Clock) -> Verdict {
    let Some(fields) = Fields::read(&answer.body).filter(|_| answer.cut.is_none()) else {
        return without_body(answer);
    };
    match fields.code("errcode") {
        Some(code) => {
            Question { table: TABLE, code: &code, text: fields.text("errmsg"), answer, clock }.verdict()
        }
        None => without_body(answer),
    }
}
