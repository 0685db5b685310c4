//! A company's own app: its token, what its answers mean, and messages to people and chats ("send a message", "get the
//! tenant access token of a custom app").

use carillon_model::Clock;
use carillon_model::endpoint::{FEISHU_HOST, LARK_HOST};
use carillon_model::message::{Button, Format, Mentions};
use carillon_model::office::connection::LarkApp;
use carillon_model::office::{App, RecipientKind};
use carillon_model::outcome::{Reason, Verdict};
use carillon_model::subscription::Target;
use hyper::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::code::APP;
use super::robot;
use super::wire::{AppPost, PostBody, PostNode};
use crate::http::{Answer, Payload, Request, To};
use crate::listed::{Question, without_body};
use crate::office::call::{Ask, call, items, piece, query, text};
use crate::office::{Fault, Wrong};
use crate::parts::{Composed, Draft, Place, json, numbered, with_fields};
use crate::render::{self, Dialect};
use crate::token::{self, Token};
use crate::wire::Fields;
use crate::{Context, Part, Post};

/// The largest card, in bytes.
const CARD_BYTES_MAX: usize = 30_000;
/// The largest text that is sent as one, in bytes; the platform takes more, but nobody reads it in a bubble.
const TEXT_BYTES_MAX: usize = 30_000;
/// What the platform says of a card that it cannot draw; nothing was sent then.
const BAD_CARD: &str = "230099";
/// The longest idempotency key, in characters.
const UUID_CHARS_MAX: usize = 50;

/// What a token is asked for with.
#[derive(Serialize)]
struct Credentials<'a> {
    app_id: &'a str,
    app_secret: &'a str,
}

/// A message; whom it is for is added when it is sent.
#[derive(Serialize)]
struct Message<'a> {
    msg_type: &'static str,
    /// JSON text inside JSON.
    content: &'a str,
}

#[derive(Serialize)]
struct Address<'a> {
    receive_id: &'a str,
    uuid: &'a str,
}

/// Renders a post: a text, or a card of the second schema.
pub(crate) fn render(target: &Target, post: &Post<'_>) -> Result<Vec<Part>, Verdict> {
    let nobody = Mentions::default();
    let to_one = matches!(
        &target.endpoint,
        carillon_model::endpoint::Endpoint::Office { kind: RecipientKind::Member, .. }
    );
    let mut draft = Draft::new(target, post);
    if to_one {
        // A person alone in a chat with the bot is not to be pinged, and others are not there.
        draft.mentions = &nobody;
    }
    if draft.format == Format::Text {
        robot::defuse(&mut draft);
    }
    let composed = match draft.format {
        Format::Text => {
            draft.parts(Dialect::LarkCard, render::json_bytes, TEXT_BYTES_MAX, |piece, place| {
                let content = robot::text_content(&draft, piece, place);
                Composed::counted(&Message { msg_type: "text", content: &content }, &content)
            })?
        }
        Format::Markdown => {
            draft.parts(Dialect::LarkCard, render::json_bytes, CARD_BYTES_MAX, |piece, place| {
                let buttons = &post.body.buttons;
                let card = robot::card_json(&draft, post.body.color, buttons, piece, place);
                let plainer = post_json(&draft, buttons, piece, place);
                Composed::counted(&Message { msg_type: "interactive", content: &card }, &card)
                    .or_else(json(&Message { msg_type: "interactive", content: &older(&card) }))
                    .or_else(json(&Message { msg_type: "post", content: &plainer }))
            })?
        }
    };
    Ok(numbered(post, composed))
}

/// The same as a card of the first version, which clients of years ago draw, too.
fn older(card: &str) -> String {
    let card: Value = serde_json::from_str(card).unwrap_or_default();
    let (mut elements, mut actions) = (Vec::new(), Vec::new());
    for element in items(&card, "/body/elements") {
        if text(element, "/tag") == Some("button") {
            let url = text(element, "/behaviors/0/default_url");
            let of = |field: &str| element.get(field).cloned().unwrap_or_default();
            actions.push(json!({ "tag": "button", "text": of("text"), "type": of("type"), "url": url }));
        } else {
            elements.push(element.clone());
        }
    }
    if !actions.is_empty() {
        elements.push(json!({ "tag": "action", "actions": actions }));
    }
    let mut older =
        json!({ "config": { "wide_screen_mode": true, "update_multi": true }, "elements": elements });
    if let (Some(header), Some(fields)) = (card.get("header"), older.as_object_mut()) {
        fields.insert("header".to_owned(), header.clone());
    }
    older.to_string()
}

/// The same as a card in the form of a post, which every client shows and which knows fewer ways to be wrong.
fn post_json(draft: &Draft<'_>, buttons: &[Button], piece: &str, place: &Place) -> String {
    let node = |tag, text, href| [PostNode { tag, text, href }];
    let mut content = vec![node("md", piece, None)];
    let links = buttons.iter().filter(|_| place.last);
    content.extend(links.map(|button| node("a", &button.text, Some(button.url.as_str()))));
    let title = draft.heading(&place.label);
    json(&AppPost { zh_cn: PostBody { title: title.as_deref(), content } })
}

/// Sends a part. The same key within an hour is sent once, however often it is tried.
pub(crate) async fn send(
    context: &Context<'_>,
    app: &App,
    to: (RecipientKind, &str),
    part: &Part,
) -> Verdict {
    let (kind, id) = to;
    let id_type = match kind {
        RecipientKind::Chat => "chat_id",
        RecipientKind::Member | RecipientKind::Department | RecipientKind::Group => id_type(id),
    };
    let uuid = idempotency_key(&part.key.to_string());
    let path = format!("/open-apis/im/v1/messages?{}", query(&[("receive_id_type", id_type)]));
    let post = async |content: &str| {
        let body = with_fields(&Address { receive_id: id, uuid: &uuid }, content);
        match call(context, app, &Ask::post("im/v1/messages", app.lark_host(), path.clone(), body)).await {
            Ok((answer, verdict)) => Verdict {
                platform_text: text(&answer, "/data/message_id").map(|id| format!("message_id {id}")),
                ..verdict
            },
            Err(verdict) => verdict,
        }
    };
    let mut verdict = post(&part.body).await;
    for plainer in &part.fallbacks {
        if verdict.platform_code.as_deref() != Some(BAD_CARD) {
            break;
        }
        verdict = post(plainer).await;
    }
    verdict
}

/// Puts another card in the place of one that was sent ("update the card of a message").
pub(crate) async fn replace(context: &Context<'_>, app: &App, id: &str, card: &Part) -> Verdict {
    let sent: Value = serde_json::from_str(&card.body).unwrap_or_default();
    let content = text(&sent, "/content").unwrap_or_default();
    let ask = Ask {
        interface: "im/v1/messages/replace",
        method: Method::PATCH,
        host: app.lark_host(),
        path: format!("/open-apis/im/v1/messages/{}", piece(id)),
        body: json!({ "content": content }).to_string().into(),
    };
    call(context, app, &ask).await.map_or_else(|refusal| refusal, |(_answer, verdict)| verdict)
}

/// Takes a message back.
pub(crate) async fn recall(context: &Context<'_>, app: &App, id: &str) -> Verdict {
    let ask = Ask {
        interface: "im/v1/messages/recall",
        method: Method::DELETE,
        host: app.lark_host(),
        path: format!("/open-apis/im/v1/messages/{}", piece(id)),
        body: Payload::default(),
    };
    call(context, app, &ask).await.map_or_else(|refusal| refusal, |(_answer, verdict)| verdict)
}

/// Which of a person's three ids this is.
pub(crate) fn id_type(id: &str) -> &'static str {
    if id.starts_with("ou_") {
        "open_id"
    } else if id.starts_with("on_") {
        "union_id"
    } else {
        "user_id"
    }
}

/// A key of at most fifty characters, the same for the same part.
fn idempotency_key(key: &str) -> String {
    if key.len() <= UUID_CHARS_MAX {
        return key.to_owned();
    }
    let digest = token::digest_of(&[key]);
    data_encoding::HEXLOWER.encode(digest.get(..16).unwrap_or(&digest))
}

/// Reads an answer of any of the app's interfaces. The permissions that a refusal names stand behind its words.
pub(crate) fn verdict(answer: &Answer, clock: &dyn Clock) -> Verdict {
    let Some(fields) = Fields::read(&answer.body).filter(|_| answer.cut.is_none()) else {
        return without_body(answer);
    };
    let Some(code) = fields.code("code") else { return without_body(answer) };
    Question { table: APP, code: &code, text: fields.text("msg"), answer, clock }.verdict()
}

/// The permissions that a refusal names, such as `contact:contact.base:readonly`.
pub(crate) fn scopes_in(words: &str) -> Vec<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '_');
    let scope = |word: &&str| {
        let parts: Vec<&str> = word.split(':').collect();
        parts.len() >= 2
            && parts.iter().all(|part| part.starts_with(|c: char| c.is_ascii_lowercase()))
            && ["contact", "im", "application", "cardkit"].contains(parts.first().unwrap_or(&""))
    };
    let mut scopes: Vec<String> = words
        .split(|c| !fits(c))
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter(scope)
        .map(str::to_owned)
        .collect();
    scopes.dedup();
    scopes
}

/// Asks for a token.
pub(crate) async fn fetch_token(
    context: &Context<'_>,
    host: &'static str,
    app: &LarkApp,
) -> Result<Token, Verdict> {
    ask_token(context, host, app.app_id.reveal(), app.app_secret.reveal()).await
}

async fn ask_token(
    context: &Context<'_>,
    host: &'static str,
    app_id: &str,
    app_secret: &str,
) -> Result<Token, Verdict> {
    let to = To::Platform { host, path: "/open-apis/auth/v3/tenant_access_token/internal" };
    let request = Request { to, headers: &[], body: json(&Credentials { app_id, app_secret }).into() };
    token::fetch(context, Method::POST, request, |answer| {
        token::in_field(answer, verdict(answer, context.clock), "tenant_access_token", "expire")
    })
    .await
}

/// Proves id, secret and cloud by a token, and our address by a call with it.
pub(crate) async fn prove(context: &Context<'_>, app: &App, lark: &LarkApp) -> Result<(), Fault> {
    if let Err(verdict) = fetch_token(context, app.lark_host(), lark).await {
        let wrong = match verdict.platform_code.as_deref() {
            Some("10015") => Wrong::AppSecret,
            Some("10014") => Wrong::Stopped,
            // The platform says so of an unknown id, and of one of the other cloud; which of them, the other one tells,
            // and it need not see the secret for that.
            Some("10003") if known_elsewhere(context, app, lark).await => Wrong::Domain,
            Some("10003") => Wrong::AppId,
            _ => return Err(Fault::plain(verdict)),
        };
        return Err(Fault::new(wrong, verdict));
    }
    match call(context, app, &Ask::get("bot/v3/info", app.lark_host(), "/open-apis/bot/v3/info")).await {
        Err(verdict) if verdict.reason == Reason::Address => Err(Fault::new(Wrong::Address, verdict)),
        // Whatever else this call says is the check's business.
        Ok(_) | Err(_) => Ok(()),
    }
}

async fn known_elsewhere(context: &Context<'_>, app: &App, lark: &LarkApp) -> bool {
    let other = if app.lark_host() == LARK_HOST { FEISHU_HOST } else { LARK_HOST };
    let asked = ask_token(context, other, lark.app_id.reveal(), "none").await;
    asked.is_err_and(|verdict| verdict.platform_code.as_deref() == Some("10015"))
}

/// A fault of a call by its code.
pub(crate) fn fault(verdict: Verdict) -> Fault {
    let words = verdict.platform_text.clone().unwrap_or_default();
    let wrong = match verdict.platform_code.as_deref() {
        Some("99991672" | "230027") => Wrong::Scopes(scopes_in(&words)),
        Some("40004" | "41050") => Wrong::Range,
        Some("99991662" | "230006" | "232025") => Wrong::Stopped,
        _ => return Fault::plain(verdict),
    };
    Fault::new(wrong, verdict)
}

/// The data of an answer.
pub(crate) fn data(answer: &Value) -> &Value {
    answer.get("data").unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use super::{id_type, idempotency_key, scopes_in};

    #[test]
    fn a_refusal_names_its_permissions() {
        let words = "Access denied. One of the following scopes is required: [contact:contact.base:readonly, \
                     contact:contact:readonly_as_app].应用尚未开通所需的应用身份权限：[im:chat]，点击链接申请";
        let scopes = scopes_in(words);
        assert_eq!(scopes, ["contact:contact.base:readonly", "contact:contact:readonly_as_app", "im:chat"]);
        assert!(scopes_in("see https://open.feishu.cn/app: no scope at 12:30").is_empty());
    }

    #[test]
    fn ids_tell_their_kind() {
        assert_eq!((id_type("ou_1"), id_type("on_1"), id_type("1a2b")), ("open_id", "union_id", "user_id"));
    }

    #[test]
    fn keys_fit() {
        assert_eq!(idempotency_key("a-1"), "a-1");
        let long = "x".repeat(51);
        assert_eq!(idempotency_key(&long).len(), 32);
        assert_eq!(idempotency_key(&long), idempotency_key(&long));
    }
}
