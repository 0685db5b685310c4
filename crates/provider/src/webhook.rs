//! Somebody's own HTTP or HTTPS endpoint (SMN user guide, "HTTP/HTTPS messages"): the status is the verdict.

use carillon_model::SecretText;
use carillon_model::message::Kind;
use carillon_model::outcome::{Reason, Scope, Verdict};
use carillon_model::subscription::Target;
use serde::Serialize;
use url::Url;

use crate::http::{Answer, Failure, Request, To};
use crate::listed::{ListedCode, Ruling, Wait, row};
use crate::parts::{json, key};
use crate::{Context, Part, Post, Probe, Seal};

const RETRY: Wait = Wait::Header("retry-after");

/// What the statuses mean. SMN tries again after 5xx only; 429 asks for it in as many words.
pub(crate) const TABLE: &[ListedCode] = &[
    row("2*", Ruling::Accepted, Reason::Ok),
    row("429", Ruling::Later(RETRY, Scope::Endpoint), Reason::RateLimited),
    row("5*", Ruling::Later(RETRY, Scope::Endpoint), Reason::Busy),
    row("*", Ruling::Refused, Reason::Status),
];

/// What tells our requests apart, as SMN names it.
const TYPE_HEADER: &str = "X-SMN-MESSAGE-TYPE";
/// The type of what was published.
const NOTIFICATION: &str = "Notification";
/// What a detection posts.
const DETECTION: &str = r#"{"type":"Detection","message":"Carillon asks whether this endpoint answers."}"#;

/// A body.
#[derive(Serialize)]
struct Message<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature_version: Option<&'static str>,
    topic_urn: &'a str,
    message_id: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscribe_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsubscribe_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_cert_url: Option<&'a str>,
    timestamp: &'a str,
}

impl Message<'_> {
    fn signed_by(&mut self, seal: &Seal<'_>) {
        let mut fields = vec![("message", self.message), ("message_id", self.message_id)];
        fields.extend(self.subject.map(|subject| ("subject", subject)));
        fields.extend(self.subscribe_url.map(|url| ("subscribe_url", url)));
        fields.extend([("timestamp", self.timestamp), ("topic_urn", self.topic_urn), ("type", self.r#type)]);
        self.signature = seal.signer.sign(&fields);
        self.signature_version = Some("v1");
    }
}

/// Renders a post; it is one part, however long, and the time is that of the message, at each attempt.
pub(crate) fn render(post: &Post<'_>) -> Vec<Part> {
    let message_id = post.message.to_string();
    let timestamp = post.created_at.to_seconds_text();
    let kind = match post.kind {
        Kind::Published => NOTIFICATION,
        Kind::SubscriptionConfirmation => "SubscriptionConfirmation",
        Kind::UnsubscribeConfirmation => "UnsubscribeConfirmation",
    };
    let origin = post.origin.as_ref();
    let seal = origin.and_then(|origin| origin.seal.as_ref());
    let url = |url: Option<&'_ SecretText>| url.map(|url| url.reveal().to_owned());
    let subscribe_url = url(origin.and_then(|origin| origin.subscribe_url));
    let unsubscribe_url = url(origin.and_then(|origin| origin.unsubscribe_url));
    let mut message = Message {
        r#type: kind,
        signature: None,
        signature_version: None,
        topic_urn: post.topic_urn,
        message_id: &message_id,
        message: &post.body.text,
        subject: post.subject.filter(|subject| !subject.is_empty() && post.kind.is_published()),
        subscribe_url: subscribe_url.as_deref(),
        unsubscribe_url: unsubscribe_url.as_deref(),
        signing_cert_url: seal.map(|seal| seal.signing_cert_url),
        timestamp: &timestamp,
    };
    if let Some(seal) = seal {
        message.signed_by(seal);
    }
    let body = json(&message).into();
    let secrets = [&subscribe_url, &unsubscribe_url].into_iter().flatten();
    let secrets = secrets.flat_map(|url| link_secrets(url)).map(SecretText::from).collect();
    let mut headers = vec![
        (TYPE_HEADER, kind.to_owned()),
        ("X-SMN-MESSAGE-ID", message_id),
        ("X-SMN-TOPIC-URN", post.topic_urn.to_owned()),
    ];
    if post.kind != Kind::SubscriptionConfirmation {
        headers.push(("X-SMN-SUBSCRIPTION-URN", post.subscription_urn.to_owned()));
    }
    vec![Part {
        body,
        headers,
        key: key(post, 0),
        secrets,
        fallbacks: Vec::new(),
        attachment: None,
        notice: false,
    }]
}

/// What of a link must not be seen: all of it, its token and its signature.
pub(crate) fn link_secrets(link: &str) -> Vec<String> {
    let mut secrets = vec![link.to_owned()];
    if let Ok(url) = Url::parse(link) {
        let kept = url.query_pairs().filter(|(name, _)| matches!(&**name, "token" | "signature"));
        secrets.extend(kept.map(|(_name, value)| value.into_owned()));
    }
    secrets
}

/// Sends a part. The subscriber's own headers go only with what was published, that is: after the confirmation.
pub(crate) async fn send(context: &Context<'_>, url: &SecretText, target: &Target, part: &Part) -> Verdict {
    let published = part.headers.iter().any(|(name, value)| *name == TYPE_HEADER && value == NOTIFICATION);
    let ours = part.headers.iter().map(|(name, value)| (*name, value.as_str()));
    let theirs = target.extension.headers.iter().filter(|_| published);
    let theirs = theirs.map(|(name, value)| (name.as_str(), value.reveal()));
    let headers: Vec<(&str, &str)> = theirs.chain(ours).collect();
    let to = To::Web { url: url.reveal() };
    match context.http.post(Request { to, headers: &headers, body: part.body.bytes().into() }).await {
        Ok(answer) => verdict(&answer, context),
        Err(failure) => failure.verdict(),
    }
}

/// Asks an endpoint whether it answers.
pub(crate) async fn probe(context: &Context<'_>, url: &SecretText, target: &Target) -> Probe {
    let theirs = target.extension.headers.iter().map(|(name, value)| (name.as_str(), value.reveal()));
    let headers: Vec<(&str, &str)> = theirs.chain([(TYPE_HEADER, "Detection")]).collect();
    let to = To::Web { url: url.reveal() };
    match context.http.post(Request { to, headers: &headers, body: DETECTION.to_owned().into() }).await {
        Ok(answer) => {
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            Probe::Answered { status: answer.status, text }
        }
        Err(Failure::Forbidden) => Probe::Forbidden,
        Err(
            Failure::Request
            | Failure::Resolve
            | Failure::Connect
            | Failure::Timeout
            | Failure::Broken
            | Failure::Large,
        ) => Probe::Silent,
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
