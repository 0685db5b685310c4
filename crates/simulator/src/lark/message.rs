//! The message forms a custom bot takes.

use serde_json::Value;

use super::{bad_request, card};
use crate::record::{Look, Shown};
use crate::verdict::{Verdict, text_at};

/// A message whose form is right.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) kind: String,
    pub(crate) title: Option<String>,
    pub(crate) text: String,
    pub(crate) mentions: Vec<String>,
    pub(crate) tone: Option<String>,
    pub(crate) buttons: Vec<(String, String)>,
}

impl Message {
    pub(crate) fn into_shown(self, chat: String, token_masked: String, raw: Value) -> Shown {
        let Self { kind, title, text, mentions, tone, buttons } = self;
        let markup = text.clone();
        let mut text = without_fonts(&text);
        for (label, address) in &buttons {
            text.push_str(&format!("\n[{label}]({address})"));
        }
        Shown { chat, token_masked, kind, title, text, mentions, raw, look: Look { markup, tone, buttons } }
    }
}

/// Reads a webhook body, or refuses it as the platform does.
pub(crate) fn read(body: &Value) -> Result<Message, Verdict> {
    let kind =
        text_at(body, "msg_type").ok_or_else(|| Verdict::lark(200, 19_002, "params error, msg_type need"))?;
    let content = body.get("content").unwrap_or(&Value::Null);
    let message = match kind {
        "text" => read_text(text_at(content, "text").ok_or_else(bad_request)?),
        "post" => read_post(content.get("post").ok_or_else(bad_request)?)?,
        "image" => read_key(content, "image_key", "img_", "🖼")?,
        "share_chat" => read_key(content, "share_chat_id", "oc_", "👥")?,
        "interactive" => {
            card::read(body.get("card").filter(|card| card.is_object()).ok_or_else(bad_request)?)?
        }
        _ => return Err(Verdict::lark(200, 19_002, "params error, msg_type not support")),
    };
    Ok(Message { kind: kind.to_owned(), ..message })
}

/// Collects the texts a keyword is looked for in: values of `text` and `title`, never addresses.
pub(crate) fn words<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    if let Some(list) = value.as_array() {
        list.iter().for_each(|element| words(element, found));
    }
    for (field, inner) in value.as_object().into_iter().flatten() {
        let holds_words = field == "text" || field == "title";
        // In cards, text and title are objects with the words in `content`.
        let written = inner.as_str().or_else(|| inner.get("content").and_then(Value::as_str));
        found.extend(written.filter(|_| holds_words));
        words(inner, found);
    }
}

fn read_text(text: &str) -> Message {
    let (text, mentions) = resolve_mentions(text);
    Message { text, mentions, ..Message::default() }
}

fn read_key(content: &Value, field: &str, prefix: &str, sign: &str) -> Result<Message, Verdict> {
    let key = text_at(content, field).filter(|key| key.starts_with(prefix)).ok_or_else(bad_request)?;
    Ok(Message { text: format!("{sign} {key}"), ..Message::default() })
}

/// The first language stands for all; every language must be right.
fn read_post(post: &Value) -> Result<Message, Verdict> {
    let languages = post.as_object().filter(|languages| !languages.is_empty()).ok_or_else(bad_request)?;
    let mut messages = languages.values().map(read_post_language).collect::<Result<Vec<_>, Verdict>>()?;
    Ok(messages.swap_remove(0))
}

fn read_post_language(post: &Value) -> Result<Message, Verdict> {
    let mut message = Message { title: text_at(post, "title").map(str::to_owned), ..Message::default() };
    let lines = post.get("content").and_then(Value::as_array).ok_or_else(bad_request)?;
    let mut shown = Vec::new();
    for line in lines {
        let mut text = String::new();
        for node in line.as_array().ok_or_else(bad_request)? {
            text.push_str(&read_node(node, &mut message.mentions)?);
        }
        shown.push(text);
    }
    message.text = shown.join("\n");
    Ok(message)
}

fn read_node(node: &Value, mentions: &mut Vec<String>) -> Result<String, Verdict> {
    let field = |name| node.get(name).and_then(Value::as_str);
    match field("tag").unwrap_or_default() {
        "text" => Ok(field("text").ok_or_else(bad_request)?.to_owned()),
        "a" => {
            // One illegal address fails the whole message.
            let href = field("href").filter(|href| is_address(href)).ok_or_else(bad_request)?;
            Ok(format!("[{}]({href})", field("text").ok_or_else(bad_request)?))
        }
        "at" => {
            let user = text_at(node, "user_id").ok_or_else(bad_request)?;
            mentions.push(user.to_owned());
            Ok(format!("@{}", field("user_name").unwrap_or(user)))
        }
        "img" => {
            let key = field("image_key").filter(|key| key.starts_with("img_")).ok_or_else(bad_request)?;
            Ok(format!("🖼 {key}"))
        }
        _ => Err(bad_request()),
    }
}

/// Says whether a link could be opened: a scheme, a host, no blanks.
pub(crate) fn is_address(text: &str) -> bool {
    let after = ["https://", "http://", "lark://", "feishu://", "mailto:"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    after.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

/// Replaces `<at user_id="…">Name</at>` and `<at id=…></at>` by `@Name` and names who was meant.
pub(crate) fn resolve_mentions(text: &str) -> (String, Vec<String>) {
    let (mut shown, mut mentions, mut rest) = (String::new(), Vec::new(), text);
    while let Some((before, tag)) = rest.split_once("<at ") {
        shown.push_str(before);
        let Some((attributes, after)) = tag.split_once('>') else {
            rest = "";
            shown.push_str("<at ");
            shown.push_str(tag);
            break;
        };
        let (name, after) = after.split_once("</at>").unwrap_or(("", after));
        let id = attribute(attributes);
        shown.push('@');
        shown.push_str(if name.trim().is_empty() { id } else { name });
        mentions.push(id.to_owned());
        rest = after;
    }
    shown.push_str(rest);
    (shown, mentions)
}

fn attribute(attributes: &str) -> &str {
    let value = attributes.split_once('=').map_or("", |(_, value)| value);
    value.trim().trim_end_matches('/').trim_matches(['"', '\'', ' '])
}

/// Takes `<font …>` and `</font>` out, leaving what they colour.
pub(crate) fn without_fonts(text: &str) -> String {
    let mut shown = String::new();
    for (index, part) in text.replace("</font>", "").split("<font ").enumerate() {
        let coloured = if index == 0 { None } else { part.split_once('>') };
        shown.push_str(coloured.map_or(part, |(_, inner)| inner));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_are_written_out() {
        let (text, mentions) = resolve_mentions(
            "<at user_id=\"ou_1\">Li</at> <at user_id=\"all\">all</at> and <at id=ou_2></at><at id=ou_3/>!",
        );
        assert_eq!(text, "@Li @all and @ou_2@ou_3!");
        assert_eq!(mentions, ["ou_1", "all", "ou_2", "ou_3"]);
        assert_eq!(resolve_mentions("a <at b").0, "a <at b");
    }

    #[test]
    fn fonts_are_taken_out() {
        assert_eq!(without_fonts("a <font color=\"red\">b</font> c"), "a b c");
    }
}
