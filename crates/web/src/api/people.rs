//! Members of office apps by what they are known by elsewhere, and members who are gone.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::SecretText;
use carillon_model::id::{ConnectionId, EndpointId};
use carillon_model::office::contact::{Contact, ContactKind};
use carillon_service::contact::{Binding, Typed};
use carillon_service::merge::Gone;
use carillon_service::{Error, Kept};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::connection::connection_id;
use super::error::ApiError;
use super::message::page;
use super::{ApiCall, Done, ok};
use crate::App;

/// Contacts to be bound to members.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewBindings {
    /// Mail addresses.
    emails: Vec<String>,
    /// Phone numbers; `+` and the country's code outside China.
    phones: Vec<String>,
}

/// What became of one contact.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownBinding {
    /// `email` or `phone`.
    kind: &'static str,
    /// Its place in the list of its kind, from zero.
    index: usize,
    /// The contact, masked.
    contact_masked: String,
    /// Our id of the member that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    member_id: Option<String>,
    /// The platform's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    platform_user_id: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Why it is not bound: `no_account`, `outside`, `gone`, `malformed`, `twice`, `unsupported` or `not_asked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// What became of all.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Bindings {
    /// How many were bound.
    bound: usize,
    /// Each contact: mail addresses first, then numbers, in the order given.
    bindings: Vec<ShownBinding>,
}

/// Somebody who a member who is gone may be now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Candidate {
    /// Our id.
    id: String,
    /// The platform's id.
    platform_user_id: String,
    /// The name.
    name: String,
    /// `contact` (the same address or number was bound to both), `union_id`, `name`.
    why: Vec<&'static str>,
}

/// A member who is gone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownGone {
    /// Our id.
    id: String,
    /// The platform's id.
    platform_user_id: String,
    /// The name.
    name: String,
    /// Since when.
    gone_at: Option<String>,
    /// The groups that name the member.
    groups: Vec<String>,
    /// The subscriptions that name the member.
    subscriptions: Vec<String>,
    /// Who the member is now, if somebody said so: our id.
    merged_into: Option<String>,
    /// Who the member may be now, the likeliest first: somebody who came when the member was gone.
    candidates: Vec<Candidate>,
}

/// A page of members who are gone.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GonePage {
    /// The members.
    gone: Vec<ShownGone>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<String>,
}

/// A member who is gone and is another one now.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMerge {
    /// The member who is gone: our id.
    from: String,
    /// Who it is now: our id.
    into: String,
}

fn shown_binding((kind, text): &Typed, index: usize, binding: Binding) -> ShownBinding {
    let masked = Contact::parse(*kind, text.reveal()).map(|contact| contact.masked());
    let (member, reason) = match binding {
        Ok(member) => (Some(member), None),
        Err(why) => (None, Some(why.name())),
    };
    ShownBinding {
        kind: kind.name(),
        index,
        contact_masked: masked.unwrap_or_else(|_invalid| "****".to_owned()),
        member_id: member.as_ref().map(|member| member.id.to_string()),
        platform_user_id: member.as_ref().map(|member| member.platform_id.clone()),
        name: member.map(|member| member.name),
        reason,
    }
}

/// Binds mail addresses and phone numbers to the members that the platform finds by them.
#[utoipa::path(post, path = "/api/v1/connections/{connection_id}/bindings", tag = "office",
    params(("connection_id" = String, Path)), request_body = NewBindings,
    responses((status = 200, body = Bindings), (status = 401), (status = 404),
              (status = 400, description = "none or more than 200, or the platform refuses the first call: code \
               platform_refuses, with the permission that is missing")))]
pub(crate) async fn bind(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let bound = async {
        let (id, new): (ConnectionId, NewBindings) = (connection_id(&call)?, call.body()?);
        let emails = new.emails.len();
        let typed = |kind| move |text: String| (kind, SecretText::from(text));
        let typed: Vec<Typed> = new
            .emails
            .into_iter()
            .map(typed(ContactKind::Email))
            .chain(new.phones.into_iter().map(typed(ContactKind::Phone)))
            .collect();
        let found = app.service.bind_contacts(&call.0.caller, id, typed.clone()).await?;
        let place = |at: usize| if at < emails { at } else { at - emails };
        let shown = typed.iter().zip(found).enumerate();
        Ok(shown.map(|(at, (typed, binding))| shown_binding(typed, place(at), binding)).collect::<Vec<_>>())
    };
    let bindings = bound.await.map_err(|error: Error| call.refuse(error))?;
    let bound = bindings.iter().filter(|one| one.reason.is_none()).count();
    Ok(ok(StatusCode::OK, &Bindings { bound, bindings }))
}

fn shown_gone(gone: Gone) -> ShownGone {
    let candidate = |(kept, why): (Kept, Vec<carillon_service::Alike>)| Candidate {
        id: kept.id.to_string(),
        platform_user_id: kept.platform_id,
        name: kept.name,
        why: why.into_iter().map(carillon_service::Alike::name).collect(),
    };
    ShownGone {
        id: gone.member.id.to_string(),
        platform_user_id: gone.member.platform_id,
        name: gone.member.name,
        gone_at: gone.member.gone_at.map(|at| at.to_millis_text()),
        groups: gone.groups,
        subscriptions: gone.subscriptions.iter().map(ToString::to_string).collect(),
        merged_into: gone.merged_into.map(|id| id.to_string()),
        candidates: gone.candidates.into_iter().map(candidate).collect(),
    }
}

/// Lists members who are gone: what still names them, and who they may be now.
#[utoipa::path(get, path = "/api/v1/connections/{connection_id}/gone", tag = "office",
    params(("connection_id" = String, Path),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = GonePage), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn gone(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async {
        let (id, limit) = (connection_id(&call)?, call.limit()?);
        let after = call.0.query("after").map(EndpointId::parse).transpose()?;
        let found = app.service.list_gone(&call.0.caller, id, after, limit + 1).await?;
        Ok(page(found, limit))
    };
    let (found, more) = found.await.map_err(|error: Error| call.refuse(error))?;
    let next = found.last().filter(|_last| more).map(|last| last.member.id.to_string());
    Ok(ok(StatusCode::OK, &GonePage { gone: found.into_iter().map(shown_gone).collect(), next }))
}

/// Says that a member who is gone is another one now: whatever names the first reaches the second.
#[utoipa::path(post, path = "/api/v1/connections/{connection_id}/merges", tag = "office",
    params(("connection_id" = String, Path)), request_body = NewMerge,
    responses((status = 200, body = Done), (status = 401), (status = 404),
              (status = 400, description = "the first is not gone, or the second is not there")))]
pub(crate) async fn merge(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let merged = async {
        let (id, new): (ConnectionId, NewMerge) = (connection_id(&call)?, call.body()?);
        let (from, into) = (EndpointId::parse(&new.from)?, EndpointId::parse(&new.into)?);
        app.service.merge_members(&call.0.caller, id, from, into).await
    };
    merged.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Done {}))
}

/// Takes a merge back.
#[utoipa::path(delete, path = "/api/v1/connections/{connection_id}/merges/{member_id}", tag = "office",
    params(("connection_id" = String, Path), ("member_id" = String, Path)),
    responses((status = 200, body = Done), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn unmerge(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let parted = async {
        let (id, from) = (connection_id(&call)?, EndpointId::parse(call.0.path("member_id"))?);
        app.service.unmerge_member(&call.0.caller, id, from).await
    };
    parted.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Done {}))
}
