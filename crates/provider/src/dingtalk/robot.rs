//! DingTalk group robots by webhook ("custom robot access", "custom robot security settings").

use carillon_model::endpoint::DINGTALK_ROBOT_HOST;
use carillon_model::message::{Format, Mentions};
use carillon_model::outcome::Verdict;
use carillon_model::subscription::Target;
use carillon_model::{Clock, SecretText, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::code::{ADDRESS_BANNED, ROBOT};
use super::wire::{At, Markdown, RobotMessage, Text};
use super::{markdown_text, text_content};
use crate::http::{Answer, Request, To};
use crate::listed::{Question, without_body};
use crate::parts::{Composed, Draft, key, numbered};
use crate::render::{self, Dialect};
use crate::sign::hmac_base64;
use crate::wire::Fields;
use crate::{Context, Part, Post, clean};

/// The largest body, in bytes.
const BODY_BYTES_MAX: usize = 20_000;
/// The most people pinged by one message.
const MENTIONS_MAX: usize = 50;

/// Renders a post.
pub(crate) fn render(target: &Target, post: &Post<'_>) -> Result<Vec<Part>, Verdict> {
    let draft = Draft::new(target, post);
    let composed =
        draft.parts(Dialect::DingtalkMarkdown, render::json_bytes, BODY_BYTES_MAX, |piece, place| {
            let at = if place.last { at(draft.mentions) } else { None };
            let key = key(post, place.index);
            match draft.format {
                Format::Text => {
                    let content = text_content(&draft, piece, place);
                    let text = Some(Text { content: &content });
                    let msgtype = "text";
                    Composed::whole(&RobotMessage { msgtype, text, markdown: None, at, msg_uuid: &key })
                }
                Format::Markdown => {
                    let text = markdown_text(&draft, piece, place);
                    let title = draft.preview(&place.label);
                    let markdown = Some(Markdown { title: &title, text: &text });
                    let msgtype = "markdown";
                    Composed::whole(&RobotMessage { msgtype, text: None, markdown, at, msg_uuid: &key })
                }
            }
        })?;
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
    let verdict = match context.http.post(Request { to, headers: &[], body: part.body.clone().into() }).await
    {
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
    use serde_json::Value;

    use super::{sign, signed_query};

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
