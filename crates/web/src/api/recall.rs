//! Taking back what office apps sent.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::clock::Timestamp;
use carillon_model::id::{ConnectionId, DeliveryId, MessageId};
use carillon_model::{Field, Invalid};
use carillon_service::Error;
use carillon_service::recall::{Recall, Recalled};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ApiError;
use super::message::ShownAdvice;
use super::push::{NewCard, To, recipient};
use super::{ApiCall, ok};
use crate::App;

/// How many are taken back in one call: each is a call of a platform.
const PORTION: usize = 100;

/// What is to be taken back: what fits all that is given; `message_id` or `connection_id`.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewRecall {
    /// A message's deliveries.
    message_id: Option<String>,
    /// What went through this app.
    connection_id: Option<String>,
    /// What went to this member or chat of the app.
    to: Option<To>,
    /// What was accepted at this time or later, such as `2026-01-31T08:00:00Z`; a day ago when not given.
    since: Option<String>,
    /// What was accepted before this time.
    until: Option<String>,
    /// The `next` of the answer before, to go on.
    after: Option<String>,
    /// A card that stands in its place from now on, instead of nothing (Lark, Feishu).
    replace: Option<NewCard>,
}

/// What became of taking one delivery back.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownRecall {
    /// The delivery.
    delivery_id: String,
    /// The name of the person or chat.
    name: String,
    /// Whether it is gone from the chat, or the other card in its place.
    recalled: bool,
    /// How many deliveries went in the same post, and so with it.
    merged: u32,
    /// The platform's code, when it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    platform_code: Option<String>,
    /// The platform's words, when it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    platform_text: Option<String>,
    /// Why it is still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<ShownAdvice>,
}

/// What became of all.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RecallPage {
    /// How many are gone.
    recalled: usize,
    /// Each delivery, in the order of the messages; a hundred at most.
    recalls: Vec<ShownRecall>,
    /// What to give as `after` to go on; null when that was all.
    next: Option<String>,
}

fn read(new: NewRecall) -> Result<Recall, Invalid> {
    let time = |text: Option<String>, field| {
        let rule = "must be a time such as 2026-01-31T08:00:00Z";
        text.map(|text| Timestamp::from_text(&text).ok_or_else(|| Invalid::new(field, rule))).transpose()
    };
    let replace = new.replace.map(NewCard::content).transpose()?;
    Ok(Recall {
        replace,
        message: new.message_id.map(|id| MessageId::parse(&id)).transpose()?,
        connection: new.connection_id.map(|id| ConnectionId::parse(&id)).transpose()?,
        to: new.to.map(|to| recipient(&to)).transpose()?,
        since: time(new.since, Field::Since)?,
        until: time(new.until, Field::Until)?,
        after: new.after.map(|id| DeliveryId::parse(&id)).transpose()?,
    })
}

fn shown(one: Recalled) -> ShownRecall {
    ShownRecall {
        delivery_id: one.sent.delivery.to_string(),
        name: one.sent.name,
        recalled: one.done,
        merged: one.sent.merged,
        platform_code: one.code,
        platform_text: one.text,
        advice: one.advice.map(ShownAdvice::from),
    }
}

/// Takes back what office apps sent: by message, by person or chat, by time.
#[utoipa::path(post, path = "/api/v1/recalls", tag = "office", request_body = NewRecall,
    responses((status = 200, body = RecallPage), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn recall(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let done = async {
        let limit = u64::try_from(PORTION).unwrap_or(u64::MAX);
        app.service.recall(&call.0.caller, read(call.body()?)?, limit).await
    };
    let recalls: Vec<ShownRecall> =
        done.await.map_err(|error: Error| call.refuse(error))?.into_iter().map(shown).collect();
    let next = recalls.last().filter(|_last| recalls.len() == PORTION).map(|last| last.delivery_id.clone());
    let recalled = recalls.iter().filter(|one| one.recalled).count();
    Ok(ok(StatusCode::OK, &RecallPage { recalled, recalls, next }))
}
