//! DingTalk group robots by webhook ("custom robot access", "custom robot security settings").

use carillon_model::endpoint::DINGTALK_ROBOT_HOST;
use carillon_model::message::{Format, Mentions};
use carillon_model::outcome::Verdict;
use carillon_model::subscription::Target;
use carillon_model::{Clock, SecretText, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::code::{ADDRESS_BANNED, ROBOT};
use super::wire::{At, Markdown, Named, RobotMessage, Text};
use super::{markdown_text, text_content};
use crate::http::{Answer, Request, To};
use crate::listed::{Question, without_body};
use crate::parts::{Composed, Draft, numbered, with_fields};
use crate::render::{self, Dialect};
use crate::sign::hmac_base64;
use crate::wire::Fields;
use crate::{Context, Part, Post, clean};

/// The largest body, in bytes.
const BODY_BYTES_MAX: usize = 20_000;
/// What a part's name takes of it at most: a message's id, three numbers, what is between, the field's own name.
const NAME_BYTES: usize = 32 + 3 * 20 + 3 + r#""msgUuid":"","#.len();
/// The most people pinged by one message.
const MENTIONS_MAX: usize = 50;

/// Renders a post.
pub(crate) fn render(target: &Target, post: &Post<'_>) -> Result<Vec<Part>, Verdict> {
    let draft = Draft::new(target, post);
    let composed = draft.parts(
        Dialect::DingtalkMarkdown,
        render::json_bytes,
        BODY_BYTES_MAX - NAME_BYTES,
        |piece, place| {
            let at = if place.last { at(draft.mentions) } else { None };
            match draft.format {
                Format::Text => {
                    let content = text_content(&draft, piece, place);
                    let text = Some(Text { content: &content });
                    let msgtype = "text";
                    Composed::whole(&RobotMessage { msgtype, text, markdown: None, at })
                }
                Format::Markdown => {
                    let text = markdown_text(&draft, piece, place);
                    let title = draft.preview(&place.label);
                    let markdown = Some(Markdown { title: &title, text: &text });
                    let msgtype = "markdown";
                    Composed::whole(&RobotMessage { msgtype, text: None, markdown, at })
                }
            }
        },
    )?;
    Ok(numbered(post, composed))
}

fn at(mentions: &Mentions) -> Option<At<'_>> {
    let mobiles = mentions.mobiles.get(..MENTIONS_MAX).unwrap_or(&mentions.mobiles);
    let rest = MENTIONS_MAX - mobiles.len();
    let user_ids = mentions.user_ids.get(..rest).unwrap_or(&mentions.user_ids);
    (!mentions.is_empty()).then_some(At {
        at_mobiles: mobiles,
        at_user_ids: user_ids,
        is_at_all: mentions.all,
    })
}

/// Sends a part.
pub(crate) async fn send(context: &Context<'_>, token: &SecretText, target: &Target, part: &Part) -> Verdict {
    let now = context.clock.now();
    let sign =
        target.extension.sign_secret.as_ref().map(|secret| sign(secret.reveal(), now)).unwrap_or_default();
    let path = format!("/robot/send?access_token={}{}", token.reveal(), signed_query(&sign, now));
    let to = To::Platform { host: DINGTALK_ROBOT_HOST, path: &path };
    // Its name is not in what was rendered, which other robots get, too.
    let body = with_fields(&Named { msg_uuid: &part.key.to_string() }, &part.body);
    let verdict = match context.http.post(Request { to, headers: &[], body: body.into() }).await {
        Ok(answer) => verdict(&answer, context.clock),
        Err(failure) => failure.verdict(),
    };
    clean::verdict(verdict, &[&sign])
}

/// HMAC over time in milliseconds, line feed and secret, with the secret as the key too.
fn sign(secret: &str, now: Timestamp) -> String {
    hmac_base64(secret, &format!("{}\n{secret}", now.0))
}

/// `&timestamp=..&sign=..`, percent-encoded once; nothing without a signature.
fn signed_query(sign: &str, now: Timestamp) -> String {
    if sign.is_empty() {
        return String::new();
    }
    format!("&timestamp={}&sign={}", now.0, utf8_percent_encode(sign, NON_ALPHANUMERIC))
}

/// Reads an answer.
pub(crate) fn verdict(answer: &Answer, clock: &dyn Clock) -> Verdict {
    let Some(fields) = Fields::read(&answer.body).filter(|_| answer.cut.is_none()) else {
        return without_body(answer);
    };
    let ask = |code: &str, text: &str| Question { table: ROBOT, code, text, answer, clock }.verdict();
    // The refusal of our address comes without an errcode, or merged with that of one robot; it reaches further.
    if fields.code("status").as_deref() == Some(ADDRESS_BANNED) || fields.text("punish") == "deny" {
        return ask(ADDRESS_BANNED, fields.text("errmsg"));
    }
    match fields.code("errcode") {
        Some(code) => ask(&code, fields.text("errmsg")),
        None => without_body(answer),
    }
}

#[cfg(test)]
mod tests {
    use carillon_model::Timestamp;
    use carillon_model::id::{DeliveryId, MessageId};
    use serde_json::Value;

    use super::{NAME_BYTES, Named, sign, signed_query};
    use crate::PostKey;
    use crate::key::PartKey;
    use crate::parts::with_fields;

    #[test]
    fn the_longest_name_has_its_room() {
        let id = DeliveryId::new(MessageId::from_bytes([0xff; 16]), u32::MAX);
        let key = PartKey { post: PostKey::Digest(id, i64::MAX), index: 99_999 }.to_string();
        let body = r#"{"msgtype":"text"}"#;
        assert!(with_fields(&Named { msg_uuid: &key }, body).len() <= body.len() + NAME_BYTES);
    }

    #[test]
    fn signs_as_the_platform_does() {
        let vectors: Value = serde_json::from_str(include_str!("../../tests/data/signatures.json")).unwrap();
        let vectors = vectors["dingtalk"].as_array().unwrap();
        assert_eq!(vectors.len(), 5);
        for vector in vectors {
            let now = Timestamp(vector["timestamp_ms"].as_str().unwrap().parse().unwrap());
            let query = signed_query(&sign(vector["secret"].as_str().unwrap(), now), now);
            assert_eq!(query, vector["query_suffix"].as_str().unwrap());
        }
    }
}
