//! A company's own app: its token, what its answers mean, and messages to members and to the app's own chats ("get the
//! access token", "send application messages", "send messages to a group chat").

use carillon_model::Clock;
use carillon_model::endpoint::{Endpoint, WECOM_HOST};
use carillon_model::message::{Format, Mentions};
use carillon_model::office::connection::WecomApp;
use carillon_model::office::{App, RecipientKind};
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::subscription::Target;
use serde::Serialize;
use serde_json::Value;

use super::card;
use super::code::APP;
use super::robot;
use super::wire::Content;
use crate::http::{Answer, Payload, Request, To};
use crate::listed::{Question, without_body};
use crate::office::call::{Ask, call, query, text};
use crate::office::{Fault, Wrong};
use crate::parts::{Composed, Draft, Place, numbered, plain_id, with_fields};
use crate::render::{self, Dialect};
use crate::token::{self, Token};
use crate::wire::Fields;
use crate::{Context, Part, Post};

/// The largest text and the largest markdown, in bytes; what is longer is cut by the platform.
const BYTES_MAX: usize = 2_048;
/// The span in which the platform drops what it was sent before, in seconds: the least and how much more.
const DUPLICATES: (u64, u64) = (1_800, 12_000);

/// A message; whom it is for is added when it is sent.
#[derive(Serialize)]
struct Message<'a> {
    msgtype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<Content<'a>>,
}

#[derive(Serialize)]
struct ToMember<'a> {
    touser: &'a str,
    agentid: u64,
    enable_duplicate_check: u8,
    duplicate_check_interval: u64,
}

#[derive(Serialize)]
struct ToChat<'a> {
    chatid: &'a str,
}

/// Renders a post: text, the markdown with the three colours, or a card where there are buttons and all fits into one.
/// People can be pinged in chats only.
pub(crate) fn render(target: &Target, post: &Post<'_>) -> Result<Vec<Part>, Verdict> {
    let nobody = Mentions::default();
    let to_chat = matches!(&target.endpoint, Endpoint::Office { kind: RecipientKind::Chat, .. });
    let linked = post.body.clone().with_links();
    let mut draft = Draft::new(target, &Post { body: &linked, ..*post });
    if !to_chat {
        draft.mentions = &nobody;
    }
    if let Some(card) = card::composed(target, post, to_chat) {
        return Ok(numbered(post, vec![card]));
    }
    let measure = render::raw_bytes;
    let composed = match draft.format {
        Format::Text => draft.parts(Dialect::Plain, measure, BYTES_MAX, |piece, place| {
            let content = with_pings(robot::text_content(&draft, piece, place), &draft, place);
            let text = Some(Content { content: &content });
            Composed::counted(&Message { msgtype: "text", text, markdown: None }, &content)
        })?,
        Format::Markdown => draft.parts(Dialect::WecomMarkdown, measure, BYTES_MAX, |piece, place| {
            let content = robot::markdown_content(&draft, post.body.color, piece, place);
            let markdown = Some(Content { content: &content });
            Composed::counted(&Message { msgtype: "markdown", text: None, markdown }, &content)
        })?,
    };
    Ok(numbered(post, composed))
}

/// A text with those behind it who are pinged.
fn with_pings(text: String, draft: &Draft<'_>, place: &Place) -> String {
    let people = draft.mentions.user_ids.iter().filter(|id| place.last && plain_id(id));
    let words: Vec<String> = people.map(|id| format!("<@{id}>")).collect();
    if words.is_empty() { text } else { format!("{text}\n{}", words.join(" ")) }
}

/// Sends a part. The platform drops a request that it has seen before, compared as a whole: the span that it is asked to
/// compare over comes from the part's key, so that two messages of the same words differ and two tries of one do not.
pub(crate) async fn send(
    context: &Context<'_>,
    app: &App,
    to: (RecipientKind, &str),
    part: &Part,
) -> Verdict {
    let App::Wecom(wecom) = app else {
        return Verdict::plain(Outcome::Misconfigured, Reason::Credentials);
    };
    let (kind, id) = to;
    let (path, body) = match kind {
        RecipientKind::Chat => ("/cgi-bin/appchat/send", with_fields(&ToChat { chatid: id }, &part.body)),
        RecipientKind::Member | RecipientKind::Department | RecipientKind::Group => {
            let address = ToMember {
                touser: id,
                agentid: wecom.agent_id,
                enable_duplicate_check: 1,
                duplicate_check_interval: span(&part.key.to_string()),
            };
            ("/cgi-bin/message/send", with_fields(&address, &part.body))
        }
    };
    match call(context, app, &Ask::post(path, WECOM_HOST, path, body)).await {
        Ok((answer, verdict)) => accepted(&answer, verdict),
        Err(verdict) => verdict,
    }
}

/// Takes a message back.
pub(crate) async fn recall(context: &Context<'_>, app: &App, id: &str) -> Verdict {
    let path = "/cgi-bin/message/recall";
    let body = serde_json::json!({ "msgid": id }).to_string();
    let called = call(context, app, &Ask::post(path, WECOM_HOST, path, body)).await;
    called.map_or_else(|refusal| refusal, |(_answer, verdict)| verdict)
}

fn span(key: &str) -> u64 {
    let digest = token::digest_of(&[key]);
    let number = digest.iter().take(4).fold(0_u64, |number, byte| number * 256 + u64::from(*byte));
    DUPLICATES.0 + number % DUPLICATES.1
}

/// A success may have left this one person out; the ids come back in small letters.
fn accepted(answer: &Value, verdict: Verdict) -> Verdict {
    for list in ["invaliduser", "invalidparty", "invalidtag", "unlicenseduser"] {
        if text(answer, &format!("/{list}")).is_some() {
            return Verdict {
                platform_code: Some(list.to_owned()),
                ..Verdict::plain(Outcome::Refused, Reason::Recipient)
            };
        }
    }
    Verdict { platform_text: text(answer, "/msgid").map(|id| format!("msgid {id}")), ..verdict }
}

/// Reads an answer of any of the app's interfaces.
pub(crate) fn verdict(answer: &Answer, clock: &dyn Clock) -> Verdict {
    let Some(fields) = Fields::read(&answer.body).filter(|_| answer.cut.is_none()) else {
        return without_body(answer);
    };
    match fields.code("errcode") {
        Some(code) => {
            Question { table: APP, code: &code, text: fields.text("errmsg"), answer, clock }.verdict()
        }
        // Some successes leave it out.
        None if (200..300).contains(&answer.status) => {
            Verdict { platform_code: Some("0".to_owned()), ..Verdict::plain(Outcome::Accepted, Reason::Ok) }
        }
        None => without_body(answer),
    }
}

/// Asks for a token. The secret stands in the query, as the platform wants it.
pub(crate) async fn fetch_token(context: &Context<'_>, app: &WecomApp) -> Result<Token, Verdict> {
    let pairs = [("corpid", app.corp_id.reveal()), ("corpsecret", app.secret.reveal())];
    let path = format!("/cgi-bin/gettoken?{}", query(&pairs));
    let request = Request {
        to: To::Platform { host: WECOM_HOST, path: &path },
        headers: &[],
        body: Payload::default(),
    };
    token::fetch(context, hyper::Method::GET, request, |answer| {
        token::in_field(answer, verdict(answer, context.clock), "access_token", "expires_in")
    })
    .await
}

/// Proves company and secret by a token, address and number by asking for the app's own description.
pub(crate) async fn prove(context: &Context<'_>, app: &App) -> Result<(), Fault> {
    let App::Wecom(wecom) = app else { return Ok(()) };
    match call(context, app, &about_app(wecom)).await.map_err(fault) {
        Ok(_) => Ok(()),
        Err(Fault { wrong: Wrong::Other | Wrong::Scopes(_) | Wrong::Range, .. }) => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// The call that describes the app: whom it may see.
pub(crate) fn about_app(wecom: &WecomApp) -> Ask {
    let agent = wecom.agent_id.to_string();
    Ask::get("agent/get", WECOM_HOST, format!("/cgi-bin/agent/get?{}", query(&[("agentid", &agent)])))
}

/// A fault of a call by its code.
pub(crate) fn fault(verdict: Verdict) -> Fault {
    let wrong = match verdict.platform_code.as_deref() {
        Some("40013") => Wrong::CorpId,
        Some("40001") => Wrong::AppSecret,
        Some("40056" | "301002") => Wrong::AgentId,
        Some("50003") => Wrong::Stopped,
        Some("60011" | "50002" | "86008" | "60003" | "60123") => Wrong::Range,
        Some("48002") => Wrong::Scopes(Vec::new()),
        _ => return Fault::plain(verdict),
    };
    Fault::new(wrong, verdict)
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn one_part_has_one_span() {
        assert_eq!(span("a-1"), span("a-1"));
        assert_ne!(span("a-1"), span("a-2"));
        assert!((1_800..14_400).contains(&span("x")));
    }
}
