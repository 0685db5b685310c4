//! Somebody's own HTTP or HTTPS endpoint (SMN user guide, "HTTP/HTTPS messages"): the status is the verdict.

use carillon_model::SecretText;
use carillon_model::outcome::{Reason, Scope, Verdict};
use carillon_model::subscription::Target;
use serde::Serialize;
use url::Url;

use crate::http::{Answer, Request, To};
use crate::listed::{ListedCode, Ruling, Wait, row};
use crate::parts::{json, key};
use crate::{Context, Part, Post};

const RETRY: Wait = Wait::Header("retry-after");

/// What the statuses mean. SMN tries again after 5xx only; 429 asks for it in as many words.
pub(crate) const TABLE: &[ListedCode] = &[
    row("2*", Ruling::Accepted, Reason::Ok),
    row("429", Ruling::Later(RETRY, Scope::Endpoint), Reason::RateLimited),
    row("5*", Ruling::Later(RETRY, Scope::Endpoint), Reason::Busy),
    row("*", Ruling::Refused, Reason::Status),
];

/// A notification's body.
#[derive(Serialize)]
struct Notification<'a> {
    r#type: &'static str,
    topic_urn: &'a str,
    message_id: String,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    timestamp: String,
}

/// Renders a post; it is one part, however long, and the time is that of the message, at each attempt.
pub(crate) fn render(post: &Post<'_>) -> Vec<Part> {
    let message_id = post.message.to_string();
    let body = json(&Notification {
        r#type: "Notification",
        topic_urn: post.topic_urn,
        message_id: message_id.clone(),
        message: &post.body.text,
        subject: post.subject.filter(|subject| !subject.is_empty()),
        timestamp: post.created_at.to_seconds_text(),
    });
    let headers = vec![
        ("X-SMN-MESSAGE-TYPE", "Notification".to_owned()),
        ("X-SMN-MESSAGE-ID", message_id),
        ("X-SMN-TOPIC-URN", post.topic_urn.to_owned()),
        ("X-SMN-SUBSCRIPTION-URN", post.subscription_urn.to_owned()),
    ];
    vec![Part { body, headers, key: key(post, 0) }]
}

/// Sends a part.
pub(crate) async fn send(context: &Context<'_>, url: &SecretText, target: &Target, part: &Part) -> Verdict {
    let ours = part.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let theirs = target.extension.headers.iter().map(|(name, value)| (name.as_str(), value.reveal()));
    let headers: Vec<(&str, &str)> = theirs.chain(ours).collect();
    let to = To::Web { url: url.reveal() };
    match context.http.post(Request { to, headers: &headers, body: part.body.clone() }).await {
        Ok(answer) => verdict(&answer, context),
        Err(failure) => failure.verdict(),
    }
}

/// Reads the status; what the body says is kept only when it explains a refusal.
fn verdict(answer: &Answer, context: &Context<'_>) -> Verdict {
    let words = std::str::from_utf8(&answer.body).unwrap_or_default();
    let question = crate::listed::Question {
        table: TABLE,
        code: &answer.status.to_string(),
        text: words,
        answer,
        clock: context.clock,
    };
    question.verdict()
}

/// What of a URL must not be seen: all of it, and every part that may hold a token.
pub(crate) fn secrets(url: &str) -> Vec<String> {
    const SHORT: usize = 6;
    let mut secrets = vec![url.to_owned()];
    if let Ok(url) = Url::parse(url) {
        let path =
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        secrets.push(path);
        secrets.extend(url.query().map(str::to_owned));
        secrets.extend(url.path_segments().into_iter().flatten().map(str::to_owned));
        secrets.extend(url.query_pairs().map(|(_name, value)| value.into_owned()));
    }
    // Short words are no tokens, and without them nothing would be left to read.
    secrets.retain(|secret| secret.len() >= SHORT);
    secrets
}
