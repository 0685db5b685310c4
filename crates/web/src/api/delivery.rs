//! What a person does about deliveries: send again, cancel, ask why.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::delivery::DeliveryState;
use carillon_model::id::{DeliveryId, MessageId};
use carillon_model::{Field, Invalid, SecretText};
use carillon_service::Error;
use carillon_service::explain::Explanation;
use carillon_service::explain_who::{Answer, Sought};
use carillon_service::resend::Meant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ApiError;
use super::message::{DeliveryPage, ShownAdvice, ShownDelivery, page, shown_delivery};
use super::{ApiCall, ok};
use crate::App;

/// How a delivery is sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResendOne {
    /// How many seconds it may wait at least, 1 to 86400; an hour when not given.
    #[serde(default)]
    time_to_live: Option<u64>,
}

/// Which deliveries are meant: those that fit all that is given, at least one of the first seven.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Filter {
    /// Those of this message.
    message_id: Option<String>,
    /// Those of messages to this topic, by URN or name.
    topic: Option<String>,
    /// Those for this subscription.
    subscription_urn: Option<String>,
    /// Those in this state: `failed`, `expired` or `cancelled` to resend, `pending` to cancel.
    state: Option<String>,
    /// Those whose latest attempt came back for this reason, such as `signature`.
    reason: Option<String>,
    /// Those of messages accepted at this time or later, such as `2026-01-31T08:00:00Z`.
    since: Option<String>,
    /// Those of messages accepted before this time.
    until: Option<String>,
    /// How many at most, 1 to 1000; 1000 when not given.
    limit: Option<u64>,
    /// The `next` of the answer before, to go on.
    after: Option<String>,
    /// To resend only: how many seconds they may wait at least, 1 to 86400; an hour when not given.
    time_to_live: Option<u64>,
}

impl Filter {
    fn meant(self) -> Meant {
        let Self { message_id, topic, subscription_urn, state, reason, since, until, limit, after, .. } =
            self;
        Meant { message_id, topic, subscription_urn, state, reason, since, until, limit, after }
    }
}

/// How many deliveries were sent again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Resent {
    /// How many.
    resent: u64,
    /// What to give as `after` to go on; null when that was all.
    next: Option<String>,
}

/// How many deliveries were cancelled.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Cancelled {
    /// How many.
    cancelled: u64,
    /// What to give as `after` to go on; null when that was all.
    next: Option<String>,
}

/// Why a subscription did or did not get a message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownExplanation {
    /// The subscription; null for a person whom the message never named.
    subscription_urn: Option<String>,
    /// `delivered`, `waiting`, `sending`, `failed`, `expired`, `cancelled` or `never_addressed`.
    verdict: &'static str,
    /// What lies behind it where no attempt tells: `subscribed_later`, `unconfirmed`, `unsubscribed`, `excluded`,
    /// `filtered`, `other_topic`, `no_subscription`, `subscription_deleted`, `dropped`, `suppressed`, and of a person `not_named` or `seen_later`; while it waits, `endpoint_paused`,
    /// `endpoint_open`, `endpoint_limited` or `endpoint_failing`, when that is how its address stands.
    cause: Option<&'static str>,
    /// The answer as a sentence.
    sentence: ShownAdvice,
    /// What to change, where something went wrong.
    advice: Option<ShownAdvice>,
    /// How many deliveries are before it in its lane, while it waits; 10000 may be more.
    before: Option<u64>,
    /// The delivery with its attempts, if there is one.
    delivery: Option<ShownDelivery>,
}

/// What became of a message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExplanationPage {
    /// The message.
    message_id: String,
    /// How many of its deliveries stand in each state.
    counts: BTreeMap<&'static str, u64>,
    /// One answer for each delivery, or for the subscription that was asked about.
    explanations: Vec<ShownExplanation>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<String>,
}

fn shown(explanation: Explanation) -> ShownExplanation {
    ShownExplanation {
        subscription_urn: explanation.subscription_urn.map(|urn| urn.to_string()),
        verdict: explanation.verdict.name(),
        cause: explanation.cause.as_ref().map(carillon_service::explain::Cause::name),
        sentence: explanation.sentence.into(),
        advice: explanation.advice.map(ShownAdvice::from),
        before: explanation.before,
        delivery: explanation.delivery.map(shown_delivery),
    }
}

/// What the text of a question is.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AskedAs {
    /// Whatever it fits.
    #[default]
    Anyone,
    /// A subscription's URN.
    Subscription,
    /// An address, whole or as it is shown, or a subscription's remark.
    Endpoint,
    /// A person's name, id, mail address or phone number.
    Person,
}

/// Whom a question is about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// The message.
    message_id: String,
    /// Whom: a subscription's URN, an address, a remark, a name, an id, a mail address or a phone number. It is compared
    /// only and comes back in no answer.
    #[schema(value_type = String)]
    to: SecretText,
    /// What `to` is; whatever it fits when not given.
    #[serde(default, rename = "as")]
    kind: AskedAs,
}

/// Why somebody did or did not get a message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownAnswer {
    /// Who the answer is about, as it may be shown.
    whom: ShownAdvice,
    /// What the subscription was when the message was accepted, and what of it was changed since.
    then: Option<ShownAdvice>,
    /// The answer.
    explanation: ShownExplanation,
}

/// Why somebody did or did not get a message, for everybody that the question fits.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnswerPage {
    /// The message.
    message_id: String,
    /// One for each delivery, subscription or person found, 20 at most; empty when nobody is known by that.
    answers: Vec<ShownAnswer>,
    /// Whether there are more.
    more: bool,
}

fn delivery_id(call: &ApiCall) -> Result<DeliveryId, Invalid> {
    DeliveryId::parse(call.0.path("delivery_id"))
}

/// Sends a delivery again that failed, expired or was cancelled.
#[utoipa::path(post, path = "/api/v1/deliveries/{delivery_id}/resend", tag = "deliveries",
    params(("delivery_id" = String, Path)), request_body = Option<ResendOne>,
    responses((status = 200, body = Resent), (status = 400), (status = 401), (status = 404),
              (status = 409, description = "it is pending, being sent or delivered, or its subscription is gone")))]
pub(crate) async fn resend_one(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let resent = async {
        let how: ResendOne = call.body()?;
        app.service.resend_delivery(&call.0.caller, delivery_id(&call)?, how.time_to_live).await
    };
    resent.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Resent { resent: 1, next: None }))
}

/// Lists the deliveries that ended without having arrived, newest first: dead letters.
#[utoipa::path(get, path = "/api/v1/deliveries", tag = "deliveries",
    params(("topic" = Option<String>, Query, description = "those of messages to this topic, by URN or name"),
           ("message_id" = Option<String>, Query), ("subscription_urn" = Option<String>, Query),
           ("state" = Option<String>, Query, description = "`failed`, `expired` or `cancelled`; failed and expired ones \
            when not given"),
           ("reason" = Option<String>, Query, description = "why the latest attempt came back, such as `signature`"),
           ("since" = Option<String>, Query), ("until" = Option<String>, Query),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = DeliveryPage), (status = 400), (status = 401)))]
pub(crate) async fn dead_letters(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let listed = async {
        let asked = |name: &str| call.0.query(name).map(str::to_owned);
        let meant = Meant {
            message_id: asked("message_id"),
            topic: asked("topic"),
            subscription_urn: asked("subscription_urn"),
            state: asked("state"),
            reason: asked("reason"),
            since: asked("since"),
            until: asked("until"),
            limit: None,
            after: asked("after"),
        };
        app.service.dead_letters(&call.0.caller, &meant, call.limit()?).await
    };
    let (found, next) = listed.await.map_err(|error: Error| call.refuse(error))?;
    let deliveries = found.into_iter().map(shown_delivery).collect();
    Ok(ok(StatusCode::OK, &DeliveryPage { deliveries, next }))
}

/// Sends the deliveries again that fit a filter; those whose subscription is gone are passed over.
#[utoipa::path(post, path = "/api/v1/deliveries/resend", tag = "deliveries", request_body = Filter,
    responses((status = 200, body = Resent), (status = 400), (status = 401)))]
pub(crate) async fn resend(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let resent = async {
        let filter: Filter = call.body()?;
        let life = filter.time_to_live;
        app.service.resend_deliveries(&call.0.caller, &filter.meant(), life).await
    };
    let resent = resent.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Resent { resent: resent.count, next: resent.next }))
}

/// Cancels a pending delivery. When the call has answered, no attempt of it begins.
#[utoipa::path(post, path = "/api/v1/deliveries/{delivery_id}/cancel", tag = "deliveries",
    params(("delivery_id" = String, Path)),
    responses((status = 200, body = Cancelled), (status = 401), (status = 404),
              (status = 409, description = "it is being sent or has ended")))]
pub(crate) async fn cancel_one(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let cancelled = async { app.service.cancel_delivery(&call.0.caller, delivery_id(&call)?).await };
    cancelled.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Cancelled { cancelled: 1, next: None }))
}

/// Cancels the pending deliveries that fit a filter.
#[utoipa::path(post, path = "/api/v1/deliveries/cancel", tag = "deliveries", request_body = Filter,
    responses((status = 200, body = Cancelled), (status = 400), (status = 401)))]
pub(crate) async fn cancel(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let cancelled = async {
        let filter: Filter = call.body()?;
        if filter.time_to_live.is_some() {
            return Err(Invalid::new(Field::TimeToLive, "is for resending only").into());
        }
        app.service.cancel_deliveries(&call.0.caller, &filter.meant()).await
    };
    let cancelled = cancelled.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Cancelled { cancelled: cancelled.count, next: cancelled.next }))
}

/// Explains why subscriptions did or did not get a message.
#[utoipa::path(get, path = "/api/v1/explain", tag = "deliveries",
    params(("message_id" = String, Query),
           ("subscription_urn" = Option<String>, Query, description = "this subscription only, even if the \
            message was never addressed to it"),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = ExplanationPage), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn explain(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let explained = async {
        let id = call.0.query("message_id").unwrap_or_default();
        let id = MessageId::parse(id).map_err(|invalid| Invalid::new(Field::MessageId, invalid.rule))?;
        let (limit, after) = (call.limit()?, call.after_number()?);
        let urn = call.0.query("subscription_urn");
        let found = app.service.explain(&call.0.caller, id, urn, after, limit + 1).await?;
        Ok::<_, Error>((limit, found))
    };
    let (limit, found) = explained.await.map_err(|error| call.refuse(error))?;
    let (explanations, more) = page(found.explanations, limit);
    let last = explanations.last().and_then(|last| last.delivery.as_ref());
    let next = last.filter(|_last| more).map(|last| last.record.id.number.to_string());
    let mut counts: BTreeMap<_, _> = DeliveryState::ALL.into_iter().map(|state| (state.name(), 0)).collect();
    counts.extend(found.counts.into_iter().map(|(state, count)| (state.name(), count)));
    let answer = ExplanationPage {
        message_id: found.message.summary.message.message.id.to_string(),
        counts,
        explanations: explanations.into_iter().map(shown).collect(),
        next,
    };
    Ok(ok(StatusCode::OK, &answer))
}

/// Explains why somebody did or did not get a message, by whatever somebody is known by.
#[utoipa::path(post, path = "/api/v1/explain", tag = "deliveries", request_body = Question,
    responses((status = 200, body = AnswerPage), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn explain_who(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async {
        let Question { message_id, to, kind } = call.body()?;
        let id =
            MessageId::parse(&message_id).map_err(|invalid| Invalid::new(Field::MessageId, invalid.rule))?;
        let sought = match kind {
            AskedAs::Anyone => Sought::Anyone(to),
            AskedAs::Subscription => Sought::Subscription(to.reveal().to_owned()),
            AskedAs::Endpoint => Sought::Endpoint(to),
            AskedAs::Person => Sought::Person(to),
        };
        app.service.explain_who(&call.0.caller, id, sought).await
    };
    let found = found.await.map_err(|error: Error| call.refuse(error))?;
    let answer = |one: Answer| ShownAnswer {
        whom: one.whom.into(),
        then: one.then.map(ShownAdvice::from),
        explanation: shown(one.explanation),
    };
    let answer = AnswerPage {
        message_id: found.message.summary.message.message.id.to_string(),
        answers: found.answers.into_iter().map(answer).collect(),
        more: found.more,
    };
    Ok(ok(StatusCode::OK, &answer))
}
