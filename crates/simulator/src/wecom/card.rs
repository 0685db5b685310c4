//! Template cards: `text_notice` and `news_notice`.

use serde_json::Value;

use super::Refusal;
use super::message::Message;
use crate::verdict::text_at;

const MOST_HORIZONTAL: usize = 6;
const MOST_VERTICAL: usize = 4;
const MOST_JUMPS: usize = 3;

/// Reads a template card; character counts are display advice only and refuse nothing.
pub(crate) fn read(part: &Value) -> Result<Message, Refusal> {
    let kind = text_at(part, "card_type").unwrap_or_default();
    let main = part.get("main_title").unwrap_or(&Value::Null);
    let (title, sub) = (text_at(main, "title"), text_at(part, "sub_title_text"));
    match kind {
        "text_notice" if title.is_none() && sub.is_none() => {
            return Err(missing("main_title.title or sub_title_text"));
        }
        "news_notice" if title.is_none() => return Err(missing("main_title.title")),
        "news_notice" => check_picture(part)?,
        "text_notice" => {}
        _ => return Err(Refusal::invalid("template_card.card_type invalid")),
    }
    let action = check_action(part)?;
    let mut message = Message { title: title.or(sub).map(str::to_owned), ..Message::default() };
    let emphasis = part.get("emphasis_content").unwrap_or(&Value::Null);
    let quote = part.get("quote_area").unwrap_or(&Value::Null);
    let single = [
        text_at(main, "desc"),
        text_at(emphasis, "title"),
        text_at(emphasis, "desc"),
        text_at(quote, "title"),
        text_at(quote, "quote_text"),
        sub,
    ];
    let mut lines: Vec<String> = single.into_iter().flatten().map(str::to_owned).collect();
    for row in bounded(part, "horizontal_content_list", MOST_HORIZONTAL)? {
        let name = text_at(row, "keyname").ok_or_else(|| missing("horizontal_content_list.keyname"))?;
        lines.push(format!("{name}: {}", text_at(row, "value").unwrap_or_default()));
    }
    for row in bounded(part, "vertical_content_list", MOST_VERTICAL)? {
        let name = text_at(row, "title").ok_or_else(|| missing("vertical_content_list.title"))?;
        lines.push(format!("{name}: {}", text_at(row, "desc").unwrap_or_default()));
    }
    for jump in bounded(part, "jump_list", MOST_JUMPS)? {
        let label = text_at(jump, "title").ok_or_else(|| missing("jump_list.title"))?;
        let url = text_at(jump, "url");
        if jump.get("type").and_then(Value::as_u64) == Some(1) && url.is_none() {
            return Err(missing("jump_list.url"));
        }
        message.buttons.push((label.to_owned(), url.unwrap_or_default().to_owned()));
    }
    if message.buttons.is_empty() {
        message.buttons.push((message.title.clone().unwrap_or_default(), action));
    }
    message.text = lines.join("\n");
    Ok(message)
}

fn check_picture(part: &Value) -> Result<(), Refusal> {
    let picture = part.get("card_image").unwrap_or(&Value::Null);
    let area = part.get("image_text_area").and_then(|area| text_at(area, "image_url"));
    if text_at(picture, "url").is_none() && area.is_none() {
        return Err(missing("card_image.url"));
    }
    let ratio = picture.get("aspect_ratio").and_then(Value::as_f64);
    if ratio.is_some_and(|ratio| !(1.3..=2.25).contains(&ratio)) {
        return Err(Refusal::invalid("template_card.card_image.aspect_ratio invalid"));
    }
    Ok(())
}

/// The whole card must lead somewhere: 1 an address, 2 a mini program.
fn check_action(part: &Value) -> Result<String, Refusal> {
    let action = part.get("card_action").ok_or_else(|| missing("card_action"))?;
    let field = match action.get("type").and_then(Value::as_u64) {
        Some(1) => "url",
        Some(2) => "appid",
        _ => return Err(Refusal::invalid("template_card.card_action.type invalid")),
    };
    text_at(action, field).map(str::to_owned).ok_or_else(|| missing(&format!("card_action.{field}")))
}

fn bounded<'a>(part: &'a Value, field: &str, most: usize) -> Result<&'a [Value], Refusal> {
    let list = part.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if list.len() > most {
        return Err(Refusal::invalid(&format!("template_card.{field} exceed max length {most}")));
    }
    Ok(list)
}

fn missing(field: &str) -> Refusal {
    Refusal::invalid(&format!("template_card.{field} missing"))
}
