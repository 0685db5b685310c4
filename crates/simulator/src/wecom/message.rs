//! The message forms a group robot takes.

use data_encoding::BASE64;
use serde_json::Value;

use super::{Refusal, card};
use crate::md5;
use crate::verdict::{text_at, texts_at};

/// The largest text, in bytes.
const MOST_TEXT: usize = 2048;
/// The largest markdown of either kind, in bytes.
const MOST_MARKDOWN: usize = 4096;
/// The largest image before encoding, in bytes.
const MOST_IMAGE: usize = 2 * 1024 * 1024;
const MOST_ARTICLES: usize = 8;

/// A message whose form is right.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) title: Option<String>,
    pub(crate) text: String,
    pub(crate) mentions: Vec<String>,
    pub(crate) buttons: Vec<(String, String)>,
    /// A file that must have been uploaded before.
    pub(crate) media_id: Option<String>,
}

/// Reads a webhook body, or refuses it as the platform does.
pub(crate) fn read(kind: &str, body: &Value) -> Result<Message, Refusal> {
    let part = body.get(kind).unwrap_or(&Value::Null);
    match kind {
        "text" => {
            let text = bounded(part, kind, MOST_TEXT)?;
            let all = |id: &str| if id == "@all" { "all".to_owned() } else { id.to_owned() };
            let lists = [texts_at(part, "mentioned_list"), texts_at(part, "mentioned_mobile_list")];
            Ok(Message {
                text,
                mentions: lists.concat().into_iter().map(all).collect(),
                ..Message::default()
            })
        }
        "markdown" => {
            let text = bounded(part, kind, MOST_MARKDOWN)?;
            Ok(Message { mentions: named_in(&text), text, ..Message::default() })
        }
        "markdown_v2" => Ok(Message { text: bounded(part, kind, MOST_MARKDOWN)?, ..Message::default() }),
        "image" => read_image(part),
        "news" => read_news(part),
        "file" | "voice" => {
            let id = text_at(part, "media_id").ok_or_else(|| Refusal::new(40_007, "invalid media_id"))?;
            Ok(Message { media_id: Some(id.to_owned()), ..Message::default() })
        }
        "template_card" => card::read(part),
        _ => Err(Refusal::new(40_008, "invalid message type")),
    }
}

/// Takes the markup out that the chat does not show: colours, and the brackets of mentions.
pub(crate) fn readable(text: &str) -> String {
    let mut shown = String::new();
    for (index, part) in text.replace("</font>", "").split("<font ").enumerate() {
        let coloured = if index == 0 { None } else { part.split_once('>') };
        shown.push_str(coloured.map_or(part, |(_, inner)| inner));
    }
    for id in named_in(text) {
        shown = shown.replace(&format!("<@{id}>"), &format!("@{id}"));
    }
    shown
}

fn bounded(part: &Value, kind: &str, most: usize) -> Result<String, Refusal> {
    let text = text_at(part, "content").ok_or_else(|| Refusal::new(44_004, "content is empty"))?;
    if text.len() > most {
        return Err(Refusal::invalid(&format!("{kind}.content exceed max length {most}")));
    }
    Ok(text.to_owned())
}

/// Finds `<@userid>`.
pub(crate) fn named_in(text: &str) -> Vec<String> {
    let closed = |part: &str| part.split_once('>').map(|(id, _)| id.to_owned());
    let is_id = |id: &String| (1..=64).contains(&id.len()) && !id.contains(['<', ' ', '\n']);
    text.split("<@").skip(1).filter_map(closed).filter(is_id).collect()
}

fn read_image(part: &Value) -> Result<Message, Refusal> {
    let encoded = text_at(part, "base64").ok_or_else(|| Refusal::new(44_004, "content is empty"))?;
    let raw = BASE64
        .decode(encoded.as_bytes())
        .map_err(|error| Refusal::invalid(&format!("image.base64 decode fail ({error})")))?;
    if raw.len() > MOST_IMAGE {
        return Err(Refusal::new(40_009, "invalid image size"));
    }
    let is_image = raw.starts_with(b"\x89PNG\r\n\x1a\n") || raw.starts_with(b"\xff\xd8\xff");
    if !is_image {
        return Err(Refusal::new(40_005, "invalid file type"));
    }
    if text_at(part, "md5") != Some(md5::hex(&raw).as_str()) {
        return Err(Refusal::new(301_019, "file md5 not match"));
    }
    Ok(Message { text: format!("🖼 {} bytes", raw.len()), ..Message::default() })
}

fn read_news(part: &Value) -> Result<Message, Refusal> {
    let articles = part.get("articles").and_then(Value::as_array).filter(|articles| !articles.is_empty());
    let articles = articles.ok_or_else(|| Refusal::new(44_004, "content is empty"))?;
    if articles.len() > MOST_ARTICLES {
        return Err(Refusal::new(45_008, "article count out of limit"));
    }
    let mut message = Message::default();
    let mut lines = Vec::new();
    for article in articles {
        let title =
            text_at(article, "title").ok_or_else(|| Refusal::invalid("news.articles.title missing"))?;
        let url = text_at(article, "url").ok_or_else(|| Refusal::invalid("news.articles.url missing"))?;
        let title = cut(title, 128);
        lines.extend(text_at(article, "description").map(|description| cut(description, 512).to_owned()));
        message.title.get_or_insert_with(|| title.to_owned());
        message.buttons.push((title.to_owned(), url.to_owned()));
    }
    message.text = lines.join("\n");
    Ok(message)
}

/// Cuts to a number of bytes without breaking a character, as the platform does with news.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_taken_out() {
        let text = "<font color=\"warning\">full</font> <@u001> <@>";
        assert_eq!(readable(text), "full @u001 <@>");
        assert_eq!(named_in(text), ["u001"]);
    }

    #[test]
    fn cutting_keeps_characters_whole() {
        assert_eq!(cut("汉字", 5), "汉");
        assert_eq!(cut("ab", 5), "ab");
    }
}
