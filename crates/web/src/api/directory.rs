//! The directories of office apps.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::id::{EndpointId, GroupId, RunId, SubscriptionId};
use carillon_model::office::recipient::check_member_id;
use carillon_model::office::{Department, RecipientKind};
use carillon_model::topic::TopicName;
use carillon_model::{Field, Invalid};
use carillon_service::{Error, Group, GroupPart, GroupPartKind, Kept, Missed, RecipientFilter, Run};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::connection::{Made, connection_id};
use super::error::ApiError;
use super::message::{ShownAdvice, page};
use super::{ApiCall, ok};
use crate::App;

/// A reading that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Begun {
    /// Its id.
    run_id: String,
}

/// A reading of a directory. The four changes count members.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownRun {
    /// Its id.
    id: String,
    /// `running`, `asks` (more than a fifth would go, or the range shrank: confirm or cancel), `done` or `failed`.
    state: &'static str,
    /// Departments read so far.
    departments: u64,
    /// Members read so far.
    members: u64,
    /// Members who are new, or back again.
    added: u64,
    /// Members with another name or id.
    changed: u64,
    /// Members in other departments.
    moved: u64,
    /// Members who are no longer there.
    gone: u64,
    /// The permissions that are missing, by their exact names.
    missing: Vec<String>,
    /// Who asked for it: an account's name, or `timer`.
    caused_by: String,
    /// How many calls it has made.
    calls: u64,
    /// When it began.
    started_at: String,
    /// When it ended.
    ended_at: Option<String>,
    /// Why it failed.
    error: Option<ShownAdvice>,
    /// Who and what it found gone although subscriptions or groups name it, at most 200.
    missed: Vec<ShownMissed>,
}

/// Somebody or something that is gone and still named.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownMissed {
    /// `member`, `department` or `chat`.
    kind: &'static str,
    /// The platform's id.
    id: String,
    /// Its name.
    name: String,
    /// The subscriptions that name it, alone or by a group.
    subscriptions: Vec<ShownNaming>,
    /// The groups that name it.
    groups: Vec<String>,
}

/// A subscription that names somebody.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownNaming {
    /// Its id.
    subscription_id: String,
    /// Its topic's name.
    topic: String,
}

/// A page of readings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunPage {
    /// The latest readings, newest first.
    updates: Vec<ShownRun>,
    /// Always null: only the latest are listed.
    next: Option<String>,
}

/// A member.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownMember {
    /// Our id of the member, good as a recipient's id.
    id: String,
    /// The platform's id, good as a recipient's id too.
    platform_user_id: String,
    /// The id that only this app knows the person by (Lark, Feishu).
    #[serde(skip_serializing_if = "Option::is_none")]
    open_id: Option<String>,
    /// The id that all apps of one developer know the person by.
    #[serde(skip_serializing_if = "Option::is_none")]
    union_id: Option<String>,
    /// The name; empty where the app may not read it.
    name: String,
    /// `active` or `gone`.
    state: &'static str,
    /// The departments the person is in directly.
    departments: Vec<String>,
    /// Since when the person is gone.
    gone_at: Option<String>,
}

/// A page of members.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberPage {
    /// The members.
    members: Vec<ShownMember>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<String>,
}

/// A department.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownDepartment {
    /// The platform's id.
    id: String,
    /// Its other id, where the platform has two (Lark, Feishu).
    #[serde(skip_serializing_if = "Option::is_none")]
    other_id: Option<String>,
    /// The department above it.
    parent: Option<String>,
    /// Its name.
    name: String,
    /// How many members are in it directly.
    members: u64,
}

/// A page of departments.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DepartmentPage {
    /// The departments.
    departments: Vec<ShownDepartment>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<String>,
}

/// A chat that the app's bot is in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownChat {
    /// Our id, good as a recipient's id.
    id: String,
    /// The platform's id, good as a recipient's id too.
    platform_chat_id: String,
    /// Its name.
    name: String,
    /// What it is for.
    description: String,
    /// `active` or `gone`.
    state: &'static str,
}

/// A page of chats.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChatPage {
    /// The chats.
    chats: Vec<ShownChat>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<String>,
}

/// A part of a group.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// `member`, `department` (with those below it) or `department_only`.
    kind: String,
    /// The platform's id.
    id: String,
}

/// A group to be made, or whose parts are to be replaced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGroup {
    /// Its name, unique in the connection.
    name: String,
    /// Its parts, at most 1000.
    parts: Vec<Part>,
}

/// A group of people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownGroup {
    /// Its id, good as a recipient's id; so is its name.
    id: String,
    /// Its name.
    name: String,
    /// Its parts.
    parts: Vec<Part>,
}

/// A page of groups.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroupPage {
    /// The groups, by name.
    groups: Vec<ShownGroup>,
    /// Always null.
    next: Option<String>,
}

fn shown_run(run: Run) -> ShownRun {
    ShownRun {
        id: run.id.to_string(),
        state: run.state.name(),
        departments: run.counts.departments,
        members: run.counts.members,
        added: run.counts.added,
        changed: run.counts.changed,
        moved: run.counts.moved,
        gone: run.counts.gone,
        missing: run.missing,
        caused_by: run.caused_by,
        calls: run.calls,
        started_at: run.started_at.to_millis_text(),
        ended_at: run.ended_at.map(|at| at.to_millis_text()),
        error: run.error.map(ShownAdvice::from),
        missed: run.missed.into_iter().map(shown_missed).collect(),
    }
}

fn shown_missed(missed: Missed) -> ShownMissed {
    let naming = |(id, topic): (SubscriptionId, TopicName)| ShownNaming {
        subscription_id: id.to_string(),
        topic: topic.to_string(),
    };
    ShownMissed {
        kind: missed.kind.name(),
        id: missed.id,
        name: missed.name,
        subscriptions: missed.subscriptions.into_iter().map(naming).collect(),
        groups: missed.groups,
    }
}

fn state(kept: &Kept) -> &'static str {
    if kept.is_there { "active" } else { "gone" }
}

pub(super) fn run_id(call: &ApiCall) -> Result<RunId, Invalid> {
    RunId::parse(call.0.path("run_id"))
}

/// Begins to read the directory again.
#[utoipa::path(post, path = "/api/v1/connections/{connection_id}/update", tag = "office",
    params(("connection_id" = String, Path)),
    responses((status = 202, body = Begun), (status = 401), (status = 404)))]
pub(crate) async fn update(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let begun = async { app.service.update_directory(&call.0.caller, connection_id(&call)?).await };
    let run = begun.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::ACCEPTED, &Begun { run_id: run.to_string() }))
}

/// Lists the latest readings, newest first.
#[utoipa::path(get, path = "/api/v1/connections/{connection_id}/updates", tag = "office",
    params(("connection_id" = String, Path),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given")),
    responses((status = 200, body = RunPage), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn list(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async {
        let (id, limit) = (connection_id(&call)?, call.limit()?);
        app.service.list_directory_runs(&call.0.caller, id, limit).await
    };
    let found = found.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &RunPage { updates: found.into_iter().map(shown_run).collect(), next: None }))
}

/// Shows how far a reading is.
#[utoipa::path(get, path = "/api/v1/connections/{connection_id}/updates/{run_id}", tag = "office",
    params(("connection_id" = String, Path), ("run_id" = String, Path)),
    responses((status = 200, body = ShownRun), (status = 401), (status = 404)))]
pub(crate) async fn show(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found =
        async { app.service.directory_run(&call.0.caller, connection_id(&call)?, run_id(&call)?).await };
    let found = found.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown_run(found)))
}

/// Says that what a reading would change is meant.
#[utoipa::path(post, path = "/api/v1/connections/{connection_id}/updates/{run_id}/confirm", tag = "office",
    params(("connection_id" = String, Path), ("run_id" = String, Path)),
    responses((status = 200, body = ShownRun), (status = 401), (status = 404),
              (status = 409, description = "it does not ask")))]
pub(crate) async fn confirm(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found =
        async { app.service.confirm_directory(&call.0.caller, connection_id(&call)?, run_id(&call)?).await };
    let found = found.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown_run(found)))
}

/// Ends a reading that runs or asks; the directory stays as it is.
#[utoipa::path(post, path = "/api/v1/connections/{connection_id}/updates/{run_id}/cancel", tag = "office",
    params(("connection_id" = String, Path), ("run_id" = String, Path)),
    responses((status = 200, body = ShownRun), (status = 401), (status = 404),
              (status = 409, description = "it has ended")))]
pub(crate) async fn cancel(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found =
        async { app.service.cancel_directory(&call.0.caller, connection_id(&call)?, run_id(&call)?).await };
    let found = found.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown_run(found)))
}

/// A page of members or chats, and where the next one begins.
async fn reachable(
    app: &App,
    call: &ApiCall,
    kind: RecipientKind,
) -> Result<(Vec<Kept>, Option<String>), Error> {
    let (id, limit) = (connection_id(call)?, call.limit()?);
    let after = call.0.query("after").map(EndpointId::parse).transpose()?;
    let text = |name: &str| call.0.query(name).map(str::to_owned);
    let filter = RecipientFilter { text: text("search"), department: text("department") };
    let found = app.service.list_reachable(&call.0.caller, id, kind, filter, after, limit + 1).await?;
    let (found, more) = page(found, limit);
    let next = found.last().filter(|_last| more).map(|last| last.id.to_string());
    Ok((found, next))
}

/// Lists members, those who are gone too.
#[utoipa::path(get, path = "/api/v1/connections/{connection_id}/members", tag = "office",
    params(("connection_id" = String, Path),
           ("search" = Option<String>, Query, description = "a part of a name or of the platform's id"),
           ("department" = Option<String>, Query, description = "those who are in this one directly, by the platform's id"),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = MemberPage), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn members(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = reachable(&app, &call, RecipientKind::Member).await;
    let (found, next) = found.map_err(|error| call.refuse(error))?;
    let members = found.into_iter().map(|kept| ShownMember {
        id: kept.id.to_string(),
        state: state(&kept),
        platform_user_id: kept.platform_id,
        open_id: kept.open_id,
        union_id: kept.union_id,
        name: kept.name,
        departments: kept.departments,
        gone_at: kept.gone_at.map(|at| at.to_millis_text()),
    });
    Ok(ok(StatusCode::OK, &MemberPage { members: members.collect(), next }))
}

/// Lists the chats that the app's bot is in.
#[utoipa::path(get, path = "/api/v1/connections/{connection_id}/chats", tag = "office",
    params(("connection_id" = String, Path),
           ("search" = Option<String>, Query, description = "a part of a name or of the platform's id"),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = ChatPage), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn chats(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = reachable(&app, &call, RecipientKind::Chat).await;
    let (found, next) = found.map_err(|error| call.refuse(error))?;
    let chats = found.into_iter().map(shown_chat).collect();
    Ok(ok(StatusCode::OK, &ChatPage { chats, next }))
}

fn shown_chat(kept: Kept) -> ShownChat {
    ShownChat {
        id: kept.id.to_string(),
        state: state(&kept),
        platform_chat_id: kept.platform_id,
        name: kept.name,
        description: kept.about,
    }
}

/// What is to be changed of a chat.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedChat {
    /// The new name, 1 to 60 characters.
    #[serde(default)]
    name: Option<String>,
    /// What the chat is for, 1 to 100 characters.
    #[serde(default)]
    description: Option<String>,
}

/// Changes a chat's name, its description, or both, where the platform lets the app: Lark and Feishu.
#[utoipa::path(put, path = "/api/v1/connections/{connection_id}/chats/{chat_id}", tag = "office",
    params(("connection_id" = String, Path), ("chat_id" = String, Path)), request_body = ChangedChat,
    responses((status = 200, body = ShownChat), (status = 401), (status = 404),
              (status = 400, description = "a text breaks its rule, or the platform refuses: code platform_refuses, with \
               the permission that is missing")))]
pub(crate) async fn change_chat(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let changed = async {
        let (id, new): (_, ChangedChat) = (connection_id(&call)?, call.body()?);
        let chat = call.0.path("chat_id").to_owned();
        app.service.change_chat(&call.0.caller, id, &chat, new.name, new.description).await
    };
    let changed = changed.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown_chat(changed)))
}

/// Lists departments.
#[utoipa::path(get, path = "/api/v1/connections/{connection_id}/departments", tag = "office",
    params(("connection_id" = String, Path),
           ("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = DepartmentPage), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn departments(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async {
        let (id, limit) = (connection_id(&call)?, call.limit()?);
        let after = call.0.query("after").map(str::to_owned);
        let found = app.service.list_departments(&call.0.caller, id, after, limit + 1).await?;
        Ok::<_, Error>(page(found, limit))
    };
    let (found, more) = found.await.map_err(|error| call.refuse(error))?;
    let next = found.last().filter(|_last| more).map(|(last, _)| last.id.clone());
    let shown = |(department, members): (Department, u64)| ShownDepartment {
        id: department.id,
        other_id: department.other_id,
        parent: department.parent,
        name: department.name,
        members,
    };
    Ok(ok(StatusCode::OK, &DepartmentPage { departments: found.into_iter().map(shown).collect(), next }))
}

/// Lists a connection's groups of people.
#[utoipa::path(get, path = "/api/v1/connections/{connection_id}/groups", tag = "office",
    params(("connection_id" = String, Path)),
    responses((status = 200, body = GroupPage), (status = 401), (status = 404)))]
pub(crate) async fn groups(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async { app.service.list_groups(&call.0.caller, connection_id(&call)?).await };
    let found = found.await.map_err(|error: Error| call.refuse(error))?;
    let part = |part: GroupPart| Part { kind: part.kind.name().to_owned(), id: part.id };
    let shown = |group: Group| ShownGroup {
        id: group.id.to_string(),
        name: group.name,
        parts: group.parts.into_iter().map(part).collect(),
    };
    Ok(ok(StatusCode::OK, &GroupPage { groups: found.into_iter().map(shown).collect(), next: None }))
}

/// Makes a group of people, or replaces the parts of the one of that name.
#[utoipa::path(post, path = "/api/v1/connections/{connection_id}/groups", tag = "office",
    params(("connection_id" = String, Path)), request_body = NewGroup,
    responses((status = 201, body = Made), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn put_group(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let made = async {
        let new: NewGroup = call.body()?;
        let parts = new.parts.into_iter().map(read_part).collect::<Result<Vec<_>, _>>()?;
        app.service.put_group(&call.0.caller, connection_id(&call)?, new.name, parts).await
    };
    let id = made.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::CREATED, &Made { id: id.to_string() }))
}

fn read_part(part: Part) -> Result<GroupPart, Invalid> {
    let rule = "a part's kind must be member, department or department_only";
    let kind = GroupPartKind::from_name(&part.kind).ok_or_else(|| Invalid::new(Field::To, rule))?;
    check_member_id(&part.id)?;
    Ok(GroupPart { kind, id: part.id })
}

/// Removes a group of people.
#[utoipa::path(delete, path = "/api/v1/connections/{connection_id}/groups/{group_id}", tag = "office",
    params(("connection_id" = String, Path), ("group_id" = String, Path)),
    responses((status = 200), (status = 401), (status = 404)))]
pub(crate) async fn remove_group(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let removed = async {
        let group = GroupId::parse(call.0.path("group_id"))?;
        app.service.remove_group(&call.0.caller, connection_id(&call)?, group).await
    };
    removed.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &serde_json::Map::new()))
}
