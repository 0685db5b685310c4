//! Lark's and Feishu's messages of an app: to a person or to a chat that the bot is in.

use serde_json::{Value, json};

use super::lark::{fault, find_member, require};
use super::{Office, OfficeApp};
use crate::lark::{Message, app_message};
use crate::limit::Rate;
use crate::registry::masked;
use crate::verdict::{Asked, Verdict, text_at};

/// The largest text and the largest card or post, in bytes of the content.
const TEXT_MAX: usize = 150_000;
const CARD_MAX: usize = 30_000;
/// How long a key is remembered, in milliseconds.
const KEY_MS: i64 = 3_600_000;
/// To one person or chat.
const RATES: &[Rate] = &[Rate { most: 5, span_ms: 1000 }];

pub(super) fn send(office: &mut Office, app: &OfficeApp, asked: &Asked<'_>) -> Result<Verdict, Verdict> {
    require(app, &["im:message", "im:message:send_as_bot", "im:message:send"])?;
    if app.bot_off {
        return Err(fault(400, 230_006, "Bot ability is not activated."));
    }
    let wrong = |what: &str| fault(400, 99_992_402, &format!("field validation failed: {what}"));
    let body = asked.json_object().ok_or_else(|| wrong("body"))?;
    let id_type = asked.query("receive_id_type").ok_or_else(|| wrong("receive_id_type"))?;
    let id = text_at(&body, "receive_id").ok_or_else(|| wrong("receive_id"))?;
    let kind = text_at(&body, "msg_type").ok_or_else(|| wrong("msg_type"))?;
    let content = text_at(&body, "content").ok_or_else(|| wrong("content must be a text"))?;
    let uuid = text_at(&body, "uuid");
    if uuid.is_some_and(|uuid| uuid.chars().count() > 50) {
        return Err(wrong("uuid"));
    }
    if content.len() > if kind == "text" { TEXT_MAX } else { CARD_MAX } {
        return Err(fault(400, 230_025, "The length of the message content reaches its limit."));
    }
    let chat = receiver(app, id_type, id)?;
    let parsed: Value = serde_json::from_str(content).map_err(|_json| {
        fault(
            400,
            230_001,
            "Your request contains an invalid request parameter, ext=content is not a string in json format.",
        )
    })?;
    let message = match kind {
        "image" | "file" => uploaded(office, app, kind, &parsed, asked.now_ms)?,
        _ => app_message(kind, &parsed)?,
    };
    let key = uuid.map(|uuid| format!("{} {uuid}", app.app_id));
    if let Some(before) = key.as_ref().and_then(|key| office.sent_before(key, asked.now_ms)) {
        return Ok(answer(&before));
    }
    if !office.take(format!("{} to {id}", app.app_id), RATES, asked.now_ms) {
        return Err(fault(400, 230_020, "This operation triggers the frequency limit."));
    }
    let message_id = office.next_id("om_");
    if let Some(key) = key {
        office.remember(key, message_id.clone(), asked.now_ms + KEY_MS);
    }
    office.note_shown(&message_id, &app.app_id, &chat, asked.now_ms);
    Ok(answer(&message_id).showing(message.into_shown(chat, masked(&app.app_id), body)))
}

/// What an image or a file shows: only what the bot has uploaded itself.
fn uploaded(
    office: &Office,
    app: &OfficeApp,
    kind: &str,
    content: &Value,
    now_ms: i64,
) -> Result<Message, Verdict> {
    let field = if kind == "image" { "image_key" } else { "file_key" };
    let id = text_at(content, field).ok_or_else(|| {
        fault(400, 230_001, "Your request contains an invalid request parameter, ext=invalid key.")
    })?;
    let upload = office.uploaded(&app.app_id, id, now_ms);
    let upload = upload.ok_or_else(|| fault(400, 230_017, "Bot is NOT the owner of the resource."))?;
    if upload.kind != kind {
        return Err(fault(400, 230_055, "The type of file upload does not match the type of message."));
    }
    Ok(Message { kind: kind.to_owned(), text: upload.name.clone(), ..Message::default() })
}

/// Puts another card in the place of one that was sent.
pub(super) fn replace(
    office: &Office,
    app: &OfficeApp,
    id: &str,
    asked: &Asked<'_>,
) -> Result<Verdict, Verdict> {
    let body = asked.json_object().unwrap_or_default();
    let content = text_at(&body, "content")
        .ok_or_else(|| fault(400, 99_992_402, "field validation failed: content"))?;
    if content.len() > CARD_MAX {
        return Err(fault(400, 230_025, "The length of the message content reaches its limit."));
    }
    let chat = office.chat_of(id, &app.app_id, asked.now_ms);
    let chat = chat.ok_or_else(|| fault(400, 230_011, "The message was withdrawn."))?;
    let card: Value = serde_json::from_str(content).unwrap_or_default();
    if card.pointer("/config/update_multi") != Some(&Value::Bool(true)) {
        return Err(fault(400, 230_099, "Failed to create card content, ext=update_multi must be true"));
    }
    let mut shown = app_message("interactive", &card)?.into_shown(chat, masked(&app.app_id), body);
    shown.kind = "replaced".to_owned();
    Ok(Verdict::accepted("0", json!({ "code": 0, "msg": "success", "data": {} })).showing(shown))
}

fn answer(message_id: &str) -> Verdict {
    Verdict::accepted("0", json!({ "code": 0, "msg": "success", "data": { "message_id": message_id } }))
}

/// The name of whom it is for, or why that one cannot be reached.
fn receiver(app: &OfficeApp, id_type: &str, id: &str) -> Result<String, Verdict> {
    if id_type == "chat_id" {
        let chat = app.chats.iter().find(|(chat, _)| chat == id);
        return chat
            .map(|(_, name)| name.clone())
            .ok_or_else(|| fault(400, 230_002, "The bot can not be outside the group."));
    }
    let fits = match id_type {
        "open_id" => id.starts_with("ou_"),
        "union_id" => id.starts_with("on_"),
        "user_id" => !id.starts_with("ou_") && !id.starts_with("on_"),
        _ => return Err(fault(400, 99_992_402, "field validation failed: receive_id_type")),
    };
    let member = find_member(app, id).filter(|_member| fits);
    let Some(member) = member else {
        return Err(match id_type {
            "open_id" => fault(400, 99_992_351, "The open_id is not exist."),
            _ => fault(400, 230_034, "The receive_id is invalid."),
        });
    };
    if member.left {
        return Err(fault(400, 230_029, "The user has resigned."));
    }
    if !app.sees(member) {
        return Err(fault(400, 230_013, "Bot has NO availability to this user."));
    }
    Ok(member.name.clone())
}
