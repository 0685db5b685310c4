//! The company's own robot, in groups and to persons ("batch send one-to-one messages by a robot", "send group
//! messages by a robot", "get the access token of an internal app").

use carillon_model::Clock;
use carillon_model::endpoint::{DINGTALK_API_HOST, Endpoint};
use carillon_model::message::{Button, Color, Format, Mentions};
use carillon_model::outcome::{Outcome, Reason, Scope, Verdict};
use carillon_model::scope;
use carillon_model::subscription::{AppCredentials, Target};
use hyper::Method;

use super::code::APP;
use super::wire::{AppAddress, AppMessage, Markdown, Text, TokenRequest};
use super::{markdown_text, text_content};
use crate::http::{Answer, Request, To};
use crate::listed::{Question, without_body};
use crate::parts::{Composed, Draft, json, numbered, with_fields};
use crate::render::{self, Dialect};
use crate::token::{self, TOKEN_LIFE, Token};
use crate::wire::Fields;
use crate::{Context, Part, Post, clean};

/// The largest `msgParam`, in bytes.
const PARAM_BYTES_MAX: usize = 15_000;

/// To whom the app's robot speaks.
#[derive(Clone, Copy)]
pub(crate) enum Whom<'a> {
    /// A group, by its `openConversationId`.
    Conversation(&'a str),
    /// A person, by its `userId`.
    Person(&'a str),
}

/// Renders a post. The interface pings nobody: people's names stand in the text as they are, and a call to all, which
/// nobody would hear, is left out.
pub(crate) fn render(target: &Target, post: &Post<'_>) -> Result<Vec<Part>, Verdict> {
    let people = Mentions { all: false, ..post.body.mentions.clone() };
    let mut draft = Draft { mentions: &people, ..Draft::new(target, post) };
    let of_office = matches!(target.endpoint, Endpoint::Office { .. });
    if let (true, Some(color), Some(title)) = (of_office, post.body.color, &draft.title) {
        draft.title = Some(format!("{} {title}", mark(color)));
    }
    let draft = draft;
    let composed =
        draft.parts(Dialect::DingtalkMarkdown, render::json_bytes, PARAM_BYTES_MAX, |piece, place| {
            let (msg_key, param) = match draft.format {
                Format::Text => ("sampleText", json(&Text { content: &text_content(&draft, piece, place) })),
                Format::Markdown => {
                    let text = markdown_text(&draft, piece, place);
                    let buttons = if place.last { post.body.buttons.as_slice() } else { &[] };
                    card(&draft.preview(&place.label), &text, buttons)
                }
            };
            Composed::counted(&AppMessage { msg_key, msg_param: &param }, &param)
        })?;
    Ok(numbered(post, composed))
}

/// Markdown, or a card when there are buttons: one, or two to five one below the other.
fn card(title: &str, text: &str, buttons: &[Button]) -> (&'static str, String) {
    let mut param = serde_json::Map::new();
    let mut put = |field: String, value: &str| drop(param.insert(field, value.into()));
    put("title".to_owned(), title);
    put("text".to_owned(), text);
    if let [button] = buttons {
        put("singleTitle".to_owned(), &button.text);
        put("singleURL".to_owned(), &button.url);
        return ("sampleActionCard", json(&param));
    }
    for (at, button) in buttons.iter().enumerate() {
        put(format!("actionTitle{}", at + 1), &button.text);
        put(format!("actionURL{}", at + 1), &button.url);
    }
    let keys = ["sampleActionCard2", "sampleActionCard3", "sampleActionCard4", "sampleActionCard5"];
    match buttons.len().checked_sub(2).and_then(|at| keys.get(at)) {
        Some(key) => (key, json(&param)),
        None => ("sampleMarkdown", json(&Markdown { title, text })),
    }
}

/// The mark of a severity before a heading, since this platform has no colours for it.
fn mark(color: Color) -> &'static str {
    match color {
        Color::Red | Color::Carmine => "🔴",
        Color::Orange | Color::Yellow => "🟠",
        Color::Green | Color::Turquoise => "🟢",
        Color::Blue | Color::Wathet | Color::Indigo => "🔵",
        Color::Violet | Color::Purple => "🟣",
        Color::Grey => "⚪",
    }
}

/// Sends a part; when the access token turns out to be dead, once more with a fresh one.
pub(crate) async fn send(context: &Context<'_>, to: Whom<'_>, target: &Target, part: &Part) -> Verdict {
    let Some(app) = &target.extension.app else {
        return Verdict::plain(Outcome::Misconfigured, Reason::Credentials);
    };
    let mut again = true;
    loop {
        let fetch = ask_token(context, app.app_key.reveal(), app.app_secret.reveal(), verdict);
        let token = match context.tokens.get(app, context.clock, fetch).await {
            Ok(token) => token,
            Err(verdict) => return verdict,
        };
        if let Some(meter) = context.meter {
            meter.called(&scope::credentials_name(app));
        }
        let verdict = clean::verdict(post(context, to, app, &token, part).await, &[token.text.reveal()]);
        if verdict.reason != Reason::AccessToken {
            return verdict;
        }
        context.tokens.forget(app, &token).await;
        if !std::mem::take(&mut again) {
            return verdict;
        }
    }
}

async fn post(
    context: &Context<'_>,
    to: Whom<'_>,
    app: &AppCredentials,
    token: &Token,
    part: &Part,
) -> Verdict {
    let robot_code = app.robot_code.reveal();
    let (path, address) = match to {
        Whom::Conversation(id) => {
            let address = AppAddress { robot_code, open_conversation_id: Some(id), user_ids: None };
            ("/v1.0/robot/groupMessages/send", address)
        }
        Whom::Person(id) => {
            let address = AppAddress { robot_code, open_conversation_id: None, user_ids: Some([id]) };
            ("/v1.0/robot/oToMessages/batchSend", address)
        }
    };
    let request = Request {
        to: To::Platform { host: DINGTALK_API_HOST, path },
        headers: &[("x-acs-dingtalk-access-token", token.text.reveal())],
        body: with_fields(&address, &part.body).into(),
    };
    match context.http.post(request).await {
        Ok(answer) => verdict(&answer, context.clock),
        Err(failure) => failure.verdict(),
    }
}

/// Asks for an app's token; `verdict` reads what is no token.
pub(super) async fn ask_token(
    context: &Context<'_>,
    app_key: &str,
    app_secret: &str,
    verdict: impl FnOnce(&Answer, &dyn Clock) -> Verdict + Send,
) -> Result<Token, Verdict> {
    let to = To::Platform { host: DINGTALK_API_HOST, path: "/v1.0/oauth2/accessToken" };
    let request = Request { to, headers: &[], body: json(&TokenRequest { app_key, app_secret }).into() };
    token::fetch(context, Method::POST, request, |answer| {
        given_token(answer).ok_or_else(|| verdict(answer, context.clock))
    })
    .await
}

fn given_token(answer: &Answer) -> Option<(String, u64)> {
    let fields = Fields::read(&answer.body).filter(|_| answer.cut.is_none() && answer.status == 200)?;
    let text = fields.text("accessToken").to_owned();
    (!text.is_empty()).then(|| (text, fields.number("expireIn").unwrap_or(TOKEN_LIFE)))
}

/// Reads an answer. Success is a 2xx with a `processQueryKey`, and even then the one person may have been left out.
pub(crate) fn verdict(answer: &Answer, clock: &dyn Clock) -> Verdict {
    let Some(fields) = Fields::read(&answer.body).filter(|_| answer.cut.is_none()) else {
        return without_body(answer);
    };
    if (200..300).contains(&answer.status) && !fields.text("processQueryKey").is_empty() {
        return accepted(&fields);
    }
    let (code, mut text) = match (fields.code("code"), fields.code("errcode"), fields.code("sub_code")) {
        (Some(code), _, _) => (code, fields.text("message").to_owned()),
        // 88 is only a wrapper.
        (None, Some(wrapper), Some(code)) if wrapper == "88" => (code, fields.text("sub_msg").to_owned()),
        (None, Some(code), _) if code != "0" => (code, fields.text("errmsg").to_owned()),
        (None, Some(_) | None, _) => return without_body(answer),
    };
    let scopes = fields.texts_anywhere("requiredScopes");
    if !scopes.is_empty() {
        text = format!("{text} (requiredScopes: {})", scopes.join(", "));
    }
    Question { table: APP, code: &code, text: &text, answer, clock }.verdict()
}

/// What a success of the robot's interface says of the one person or chat; nothing when it is no such answer.
pub(super) fn accepted_by_robot(answer: &serde_json::Value) -> Option<Verdict> {
    let answer = answer.to_string();
    let fields = Fields::read(answer.as_bytes())?;
    (!fields.text("processQueryKey").is_empty()).then(|| accepted(&fields))
}

fn accepted(fields: &Fields<'_>) -> Verdict {
    let left_out = |outcome, reason, list: &str| Verdict {
        platform_code: Some(list.to_owned()),
        ..Verdict::plain(outcome, reason)
    };
    for list in ["invalidStaffIdList", "filteredStaffIdList"] {
        if fields.has_entries(list) {
            return left_out(Outcome::Refused, Reason::Recipient, list);
        }
    }
    let list = "flowControlledStaffIdList";
    if fields.has_entries(list) {
        let outcome = Outcome::Later { wait: None, scope: Scope::Endpoint };
        return left_out(outcome, Reason::RateLimited, list);
    }
    Verdict {
        platform_code: Some("200".to_owned()),
        platform_text: Some(format!("processQueryKey {}", fields.text("processQueryKey"))),
        ..Verdict::plain(Outcome::Accepted, Reason::Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::Text;
    use crate::parts::json;

    /// The limit is on the inner text, before it is escaped again.
    #[test]
    fn a_param_has_the_documented_size() {
        for (text, bytes) in [(String::new(), 14), ("汉".repeat(4995), 14_999)] {
            assert_eq!(json(&Text { content: &text }).len(), bytes);
        }
    }
}
