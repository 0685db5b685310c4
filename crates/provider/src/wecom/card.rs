//! Cards of an app: a text card with one button, a template card with two or three ("send application messages"). Both have
//! room for little: what does not fit is sent as markdown with links.

use carillon_model::message::{Button, Color, Format};
use carillon_model::subscription::Target;
use serde_json::{Value, json};

use crate::Post;
use crate::parts::{Composed, Draft};
use crate::render::{self, Dialect};

/// The longest title of a text card, in bytes; the longest text, and the longest word of its button, in characters.
const TEXT_CARD: (usize, usize, usize) = (128, 512, 4);
/// What a template card shows whole: title, text and words of a button, in characters.
const TEMPLATE: (usize, usize, usize) = (36, 160, 18);
/// The most buttons of a template card.
const JUMPS_MAX: usize = 3;

/// The post as a card, if it fits into one. Chats take text cards only.
pub(super) fn composed(target: &Target, post: &Post<'_>, to_chat: bool) -> Option<Composed> {
    let buttons = post.body.buttons.as_slice();
    let draft = Draft::new(target, post);
    let title = draft.title.as_deref()?;
    if buttons.is_empty() || draft.format != Format::Markdown || !post.body.mentions.is_empty() {
        return None;
    }
    let text = plain(&draft)?;
    let message = match buttons {
        [button] => text_card(title, &text, button, post.body.color)?,
        _ if !to_chat && buttons.len() <= JUMPS_MAX => template_card(title, &text, buttons)?,
        _ => return None,
    };
    Some(Composed::whole(&message))
}

/// The text without marks, if it is one piece.
fn plain(draft: &Draft<'_>) -> Option<String> {
    let mut pieces = render::markdown(&draft.text, Dialect::Plain, render::raw_bytes, TEXT_CARD.1 * 4);
    let text = pieces.pop()?;
    (pieces.is_empty() && text.chars().count() <= TEXT_CARD.1).then_some(text)
}

fn text_card(title: &str, text: &str, button: &Button, color: Option<Color>) -> Option<Value> {
    let escaped = render::escape(text, Dialect::WecomMarkdown);
    let look = match color {
        Some(Color::Red | Color::Carmine | Color::Orange) => "highlight",
        Some(
            Color::Blue
            | Color::Wathet
            | Color::Turquoise
            | Color::Green
            | Color::Yellow
            | Color::Violet
            | Color::Purple
            | Color::Indigo
            | Color::Grey,
        )
        | None => "normal",
    };
    let description =
        format!("<div class=\"{look}\">{}</div>", if text.contains('<') { &escaped } else { text });
    if title.len() > TEXT_CARD.0 || description.chars().count() > TEXT_CARD.1 {
        return None;
    }
    let mut card = json!({ "title": title, "description": description, "url": button.url });
    if button.text.chars().count() <= TEXT_CARD.2 {
        card["btntxt"] = button.text.as_str().into();
    }
    Some(json!({ "msgtype": "textcard", "textcard": card }))
}

fn template_card(title: &str, text: &str, buttons: &[Button]) -> Option<Value> {
    let fits = |text: &str, most: usize| text.chars().count() <= most;
    let words = buttons.iter().all(|button| fits(&button.text, TEMPLATE.2));
    if !fits(title, TEMPLATE.0) || !fits(text, TEMPLATE.1) || !words {
        return None;
    }
    let jumps: Vec<Value> =
        buttons.iter().map(|button| json!({ "type": 1, "title": button.text, "url": button.url })).collect();
    let open = buttons.first().map(|button| button.url.as_str()).unwrap_or_default();
    Some(json!({ "msgtype": "template_card", "template_card": {
        "card_type": "text_notice", "main_title": { "title": title }, "sub_title_text": text,
        "jump_list": jumps, "card_action": { "type": 1, "url": open } } }))
}
