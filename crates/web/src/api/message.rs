//! Messages and what became of them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::attachment::Attachment;
use carillon_model::delivery::EndCause;
use carillon_model::id::{DeliveryId, MessageId};
use carillon_model::message::{Body, Content, Format, Locale, Priority};
use carillon_model::outcome::Advice;
use carillon_model::{Field, Invalid};
use carillon_service::delivery::{NamedDelivery, NamedMessage};
use carillon_service::publish::Publish;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ApiError;
use super::{ApiCall, ok};
use crate::App;
use crate::call::mark_replayed;

/// A message to be published.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMessage {
    /// The topic, by URN or by name within the caller's project.
    topic: String,
    /// What the message is about, up to 512 bytes.
    #[serde(default)]
    title: Option<String>,
    /// The text as it stands; either this or `markdown`.
    #[serde(default)]
    text: Option<String>,
    /// The text as Markdown with tables; either this or `text`.
    #[serde(default)]
    markdown: Option<String>,
    /// `normal` or `urgent`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "normal")]
    priority: Priority,
    /// How many seconds the message may wait, 1 to 86400; an hour when not given.
    #[serde(default)]
    time_to_live: Option<u64>,
    /// The language of what the service adds, `en-us` or `zh-cn`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "en-us")]
    locale: Locale,
    /// The publisher's own key, 1 to 128 printable ASCII characters: the same key again within 24 hours is the same
    /// publish. The header `Idempotency-Key` does the same.
    #[serde(default)]
    idempotency_key: Option<String>,
}

impl NewMessage {
    /// The topic that it names.
    pub(super) fn topic(&self) -> &str {
        &self.topic
    }
}

/// What a body asks for, but for its key.
pub(super) fn wanted(new: NewMessage) -> Result<Publish, Invalid> {
    let body = match (new.text, new.markdown) {
        (Some(text), None) => Body::text(text),
        (None, Some(markdown)) => Body::markdown(markdown),
        _ => return Err(Invalid::new(Field::Message, "give either text or markdown")),
    };
    let subject = new.title.filter(|title| !title.is_empty());
    Ok(Publish {
        content: Content { subject, default: body, ..Content::default() },
        time_to_live: new.time_to_live,
        priority: new.priority,
        locale: new.locale,
        ..Publish::default()
    })
}

/// A message that was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// Its id.
    message_id: String,
    /// How many deliveries it was made into.
    deliveries: usize,
    /// The message that it says the same as, which is why it went to nobody; null when it was sent.
    equal_to: Option<String>,
}

/// An image or a file that follows a push's text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownAttachment {
    /// Its id.
    id: String,
    /// `image` or `file`.
    kind: &'static str,
    /// The name of the file.
    name: String,
    /// How many bytes it has.
    bytes: u64,
}

impl From<&Attachment> for ShownAttachment {
    fn from(attachment: &Attachment) -> Self {
        let Attachment { id, kind, name, bytes } = attachment;
        Self { id: id.to_string(), kind: kind.name(), name: name.clone(), bytes: *bytes }
    }
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownMessage {
    /// Its id.
    id: String,
    /// The topic it was published to.
    topic_urn: String,
    /// `published`, or `subscription_confirmation` and `unsubscribe_confirmation`, which the service writes itself.
    kind: &'static str,
    /// What it is about.
    title: Option<String>,
    /// `text` or `markdown`.
    format: &'static str,
    /// What channels without a form of their own were sent.
    text: String,
    /// The images and files of a push.
    attachments: Vec<ShownAttachment>,
    /// `normal` or `urgent`.
    priority: &'static str,
    /// How many deliveries it was made into.
    deliveries: u32,
    /// The message that it says the same as, which is why it went to nobody; null when it was sent.
    equal_to: Option<String>,
    /// How many messages went to nobody because they say the same as this one; null in lists.
    suppressed: Option<u64>,
    /// When it was accepted.
    created_at: String,
    /// When it is no longer sent.
    expires_at: String,
}

/// A page of messages, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessagePage {
    /// The messages.
    messages: Vec<ShownMessage>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<String>,
}

/// What to change, in two languages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownAdvice {
    /// English.
    en: String,
    /// Chinese.
    zh: String,
}

impl From<Advice> for ShownAdvice {
    fn from(Advice { en, zh }: Advice) -> Self {
        Self { en: en.into_owned(), zh: zh.into_owned() }
    }
}

/// One try of a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownAttempt {
    /// Its number, from 1.
    number: u32,
    /// `accepted`, `refused`, `misconfigured`, `later` or `unknown`.
    outcome: String,
    /// Why, as one of a closed list of words.
    reason: &'static str,
    /// The platform's own code.
    platform_code: Option<String>,
    /// The platform's own words, without secrets.
    platform_text: Option<String>,
    /// What to change.
    advice: ShownAdvice,
    /// When it began.
    started_at: String,
    /// How long it took, in milliseconds.
    elapsed_ms: u64,
    /// How many deliveries went in the same post: more than one in a digest.
    merged: u32,
}

/// One message on its way to one endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownDelivery {
    /// Its id.
    id: String,
    /// The subscription it is for.
    subscription_urn: String,
    /// `dingtalk`, `dingtalk_person`, `lark`, `wecom`, `http`, `https` or `email`.
    channel: &'static str,
    /// `pending`, `sending`, `delivered`, `failed`, `expired` or `cancelled`.
    state: &'static str,
    /// `dropped`: too much waited for its address, and its subscription drops the oldest then.
    cause: Option<&'static str>,
    /// When it is tried next, while it is pending.
    due_at: Option<String>,
    /// Whether it may have arrived twice: it was accepted after an attempt whose outcome is unknown.
    may_be_double: bool,
    /// When it was taken back from the chat; told for a week.
    recalled_at: Option<String>,
    /// Its attempts, first to last.
    attempts: Vec<ShownAttempt>,
}

/// A page of deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryPage {
    /// The deliveries.
    pub(super) deliveries: Vec<ShownDelivery>,
    /// What to give as `after` for the next page; null on the last one.
    pub(super) next: Option<String>,
}

/// Who the caller is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhoAmI {
    /// The account's name.
    account: String,
    /// The project of the token or key.
    project_id: String,
    /// Its name.
    project_name: String,
    /// The region that stands in URNs.
    region: String,
    /// The account's id.
    account_id: String,
    /// `administrator`, `publisher` or `reader`.
    role: &'static str,
    /// The topics that a publisher may publish to, names and patterns; empty for other roles.
    topics: Vec<String>,
    /// Whether the caller may make projects.
    operator: bool,
}

fn shown_message(named: &NamedMessage) -> ShownMessage {
    let message = &named.summary.message.message;
    ShownMessage {
        id: message.id.to_string(),
        topic_urn: named.topic_urn.to_string(),
        kind: message.content.kind.name(),
        title: message.content.subject.clone(),
        format: match message.content.default.format {
            Format::Text => "text",
            Format::Markdown => "markdown",
        },
        text: message.content.default.text.clone(),
        attachments: message.content.default.attachments.iter().map(ShownAttachment::from).collect(),
        priority: match message.priority {
            Priority::Normal => "normal",
            Priority::Urgent => "urgent",
        },
        deliveries: named.summary.deliveries,
        equal_to: named.summary.equal_to.map(|first| first.to_string()),
        suppressed: None,
        created_at: message.created_at.to_millis_text(),
        expires_at: message.expires_at.to_millis_text(),
    }
}

pub(super) fn shown_delivery(named: NamedDelivery) -> ShownDelivery {
    let waiting = !named.record.state.is_final();
    let may_be_double = named.may_be_double();
    let attempts = named.attempts.into_iter().map(|(attempt, advice)| ShownAttempt {
        number: attempt.number,
        outcome: attempt.outcome,
        reason: attempt.reason.name(),
        platform_code: attempt.platform_code,
        platform_text: attempt.platform_text,
        advice: advice.into(),
        started_at: attempt.started_at.to_millis_text(),
        elapsed_ms: attempt.elapsed_ms,
        merged: attempt.merged,
    });
    ShownDelivery {
        id: named.record.id.to_string(),
        subscription_urn: named.subscription_urn.to_string(),
        channel: named.record.channel.name(),
        state: named.record.state.name(),
        cause: named.record.cause.map(EndCause::name),
        due_at: waiting.then(|| named.record.due_at.to_millis_text()),
        may_be_double,
        recalled_at: named.record.recalled_at.map(|at| at.to_millis_text()),
        attempts: attempts.collect(),
    }
}

/// A page of `limit` items from one more than that, and whether there are more.
pub(super) fn page<T>(mut found: Vec<T>, limit: u64) -> (Vec<T>, bool) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    (found, more)
}

fn message_id(call: &ApiCall) -> Result<MessageId, Invalid> {
    MessageId::parse(call.0.path("message_id"))
}

/// The key of header or body; both must say the same.
pub(super) fn idempotency_key(call: &ApiCall, of_body: Option<String>) -> Result<Option<String>, Invalid> {
    match (call.0.idempotency_key(), of_body) {
        (Some(header), Some(body)) if header != body => {
            Err(Invalid::new(Field::IdempotencyKey, "the header and the body give different keys"))
        }
        (Some(header), _) => Ok(Some(header.into_owned())),
        (None, body) => Ok(body),
    }
}

/// Publishes a message. The same key again within 24 hours answers 200 with the first answer and publishes nothing.
#[utoipa::path(post, path = "/api/v1/messages", tag = "messages", request_body = NewMessage,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 128 printable ASCII characters")),
    responses((status = 201, body = Accepted),
              (status = 200, body = Accepted, description = "accepted before under the same key; \
               the header Idempotent-Replayed is true"),
              (status = 400), (status = 401), (status = 404),
              (status = 422, description = "the key was used for another message"), (status = 503)))]
pub(crate) async fn publish(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let published = async {
        let new: NewMessage = call.body()?;
        let idempotency_key = idempotency_key(&call, new.idempotency_key.clone())?;
        let urn = app.service.topic_urn(&call.0.caller, &new.topic)?;
        let publish = Publish { idempotency_key, ..wanted(new)? };
        app.service.publish(&call.0.caller, &urn, publish).await
    };
    let published = published.await.map_err(|error| call.refuse(error))?;
    let equal_to = published.equal_to.map(|first| first.to_string());
    let (message_id, deliveries) = (published.message.to_string(), published.deliveries);
    let accepted = Accepted { message_id, deliveries, equal_to };
    if !published.replayed {
        return Ok(ok(StatusCode::CREATED, &accepted));
    }
    let mut response = ok(StatusCode::OK, &accepted);
    mark_replayed(&mut response);
    Ok(response)
}

/// Lists messages, newest first.
#[utoipa::path(get, path = "/api/v1/messages", tag = "messages",
    params(("topic" = Option<String>, Query, description = "URN or name of a topic"),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = MessagePage), (status = 400), (status = 401)))]
pub(crate) async fn list(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let listed = async {
        let limit = call.limit()?;
        let before = call.0.query("after").map(MessageId::parse).transpose()?;
        let topic = call.0.query("topic");
        let found = app.service.list_messages(&call.0.caller, topic, before, limit + 1).await?;
        Ok::<_, carillon_service::Error>(page(found, limit))
    };
    let (found, more) = listed.await.map_err(|error| call.refuse(error))?;
    let messages: Vec<ShownMessage> = found.iter().map(shown_message).collect();
    let next = messages.last().filter(|_last| more).map(|last| last.id.clone());
    Ok(ok(StatusCode::OK, &MessagePage { messages, next }))
}

/// Shows one message.
#[utoipa::path(get, path = "/api/v1/messages/{message_id}", tag = "messages",
    params(("message_id" = String, Path)),
    responses((status = 200, body = ShownMessage), (status = 401), (status = 404)))]
pub(crate) async fn show(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async {
        let id = message_id(&call)?;
        let found = app.service.message(&call.0.caller, id).await?;
        Ok::<_, carillon_service::Error>((found, app.service.suppressed_count(&call.0.caller, id).await?))
    };
    let (found, suppressed) = found.await.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &ShownMessage { suppressed: Some(suppressed), ..shown_message(&found) }))
}

/// Lists a message's deliveries: who got it, who did not, and why.
#[utoipa::path(get, path = "/api/v1/messages/{message_id}/deliveries", tag = "deliveries",
    params(("message_id" = String, Path),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = DeliveryPage), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn deliveries(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let listed = async {
        let limit = call.limit()?;
        let after = call.after_number()?;
        let message = message_id(&call)?;
        let found = app.service.list_deliveries(&call.0.caller, message, after, limit + 1).await?;
        Ok::<_, carillon_service::Error>(page(found, limit))
    };
    let (found, more) = listed.await.map_err(|error| call.refuse(error))?;
    let next = found.last().filter(|_last| more).map(|last| last.record.id.number.to_string());
    Ok(ok(
        StatusCode::OK,
        &DeliveryPage { deliveries: found.into_iter().map(shown_delivery).collect(), next },
    ))
}

/// Shows one delivery.
#[utoipa::path(get, path = "/api/v1/deliveries/{delivery_id}", tag = "deliveries",
    params(("delivery_id" = String, Path)),
    responses((status = 200, body = ShownDelivery), (status = 401), (status = 404)))]
pub(crate) async fn delivery(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async {
        let id = DeliveryId::parse(call.0.path("delivery_id"))?;
        app.service.delivery(&call.0.caller, id).await
    };
    let found = found.await.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown_delivery(found)))
}

/// Tells who the caller is.
#[utoipa::path(get, path = "/api/v1/whoami", tag = "accounts", responses((status = 200, body = WhoAmI), (status = 401)))]
pub(crate) async fn who_am_i(State(app): State<App>, call: ApiCall) -> Response {
    let caller = call.0.caller;
    let who = WhoAmI {
        account: caller.account_name,
        project_id: caller.project.to_string(),
        project_name: caller.project_name,
        region: app.service.region().to_owned(),
        account_id: caller.account.to_string(),
        role: caller.standing.role().name(),
        topics: caller.standing.topics().to_vec(),
        operator: caller.operator,
    };
    ok(StatusCode::OK, &who)
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn there_is_more_only_when_there_is() {
        assert_eq!(page(vec![1, 2, 3], 2), (vec![1, 2], true));
        assert_eq!(page(vec![1, 2], 2), (vec![1, 2], false));
        assert_eq!(page(Vec::<u8>::new(), 2), (Vec::new(), false));
    }
}
