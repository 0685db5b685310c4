//! Office apps.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::id::ConnectionId;
use carillon_model::message::Locale;
use carillon_model::office::connection::TypedApp;
use carillon_model::office::{Connection, Recipient, RecipientKind};
use carillon_model::outcome::Advice;
use carillon_model::{Invalid, SecretText};
use carillon_service::connection::{Connect, platform};
use carillon_service::trial::Trial;
use carillon_service::{Error, Finding, Wanted};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ApiError;
use super::message::ShownAdvice;
use super::{ApiCall, ok};
use crate::App;

/// An office app to be connected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConnection {
    /// `lark`, `feishu`, `dingtalk` or `wecom`.
    platform: String,
    /// A name of yours, unique in the project.
    name: String,
    #[serde(flatten)]
    app: NewApp,
}

/// What proves an app. It is sealed and never shown again.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct NewApp {
    /// Lark's and Feishu's App ID, DingTalk's `AppKey`.
    app_id: Option<String>,
    /// The App Secret, `AppSecret` or secret.
    app_secret: Option<String>,
    /// The company's id (WeCom; optional for DingTalk).
    corp_id: Option<String>,
    /// The app's number (WeCom; optional for DingTalk), as a text or a number.
    #[schema(value_type = Option<String>)]
    agent_id: Option<serde_json::Value>,
    /// DingTalk's `RobotCode`; without it nothing can be sent.
    robot_code: Option<String>,
}

/// What is to be changed of a connection. Credentials are changed all together.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedConnection {
    /// The new name.
    #[serde(default)]
    name: Option<String>,
    #[serde(flatten)]
    app: NewApp,
}

impl NewApp {
    fn is_empty(&self) -> bool {
        let texts = [&self.app_id, &self.app_secret, &self.corp_id, &self.robot_code];
        texts.iter().all(|text| text.is_none()) && self.agent_id.is_none()
    }

    fn typed(self) -> TypedApp {
        let secret = |text: Option<String>| text.filter(|text| !text.is_empty()).map(SecretText::from);
        let agent_id = match self.agent_id {
            Some(serde_json::Value::Number(number)) => Some(number.to_string()),
            Some(serde_json::Value::String(text)) => Some(text).filter(|text| !text.is_empty()),
            _ => None,
        };
        TypedApp {
            app_id: secret(self.app_id),
            app_secret: secret(self.app_secret),
            corp_id: secret(self.corp_id),
            agent_id,
            robot_code: secret(self.robot_code),
        }
    }
}

/// The id of something made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Made {
    /// Its id.
    pub(super) id: String,
}

/// An office app. Of its credentials only the masked id is shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownConnection {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// `lark`, `feishu`, `dingtalk` or `wecom`.
    platform: &'static str,
    /// The app's id, masked.
    app_masked: String,
    /// When it was made.
    created_at: String,
    /// When its directory was last read to the end.
    updated_at: Option<String>,
    /// Whether the app saw the whole company then.
    sees_all: Option<bool>,
    /// How many members its directory has.
    members: u64,
    /// How many departments.
    departments: u64,
}

/// A page of connections.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionPage {
    /// The connections.
    connections: Vec<ShownConnection>,
    /// Always null: there are at most 100.
    next: Option<String>,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownFinding {
    /// Whether it is as it should be.
    ok: bool,
    /// What was looked at.
    what: &'static str,
    /// The permission, by the platform's exact name, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    /// Whether nothing works without it.
    needed: bool,
    /// What to change, and on which page.
    advice: ShownAdvice,
}

/// What came of a check.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Findings {
    /// One finding for each thing that an app needs.
    findings: Vec<ShownFinding>,
}

/// What a check is to do beside looking.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewCheck {
    /// A member, the administrator best, who gets a test message at the end: our id or one of the platform's.
    test_to: Option<String>,
    /// The language of the test message.
    #[schema(value_type = String)]
    locale: Locale,
}

fn shown(connection: Connection) -> ShownConnection {
    ShownConnection {
        id: connection.id.to_string(),
        name: connection.name,
        platform: connection.platform.name(),
        app_masked: connection.app_masked,
        created_at: connection.created_at.to_millis_text(),
        updated_at: connection.updated_at.map(|at| at.to_millis_text()),
        sees_all: connection.range.map(|range| range.all),
        members: connection.members,
        departments: connection.departments,
    }
}

fn shown_finding(finding: Finding) -> ShownFinding {
    ShownFinding {
        ok: finding.ok,
        what: finding.what,
        scope: finding.scope,
        needed: finding.wanted == Wanted::Needed,
        advice: finding.advice.into(),
    }
}

pub(super) fn connection_id(call: &ApiCall) -> Result<ConnectionId, Invalid> {
    ConnectionId::parse(call.0.path("connection_id"))
}

/// Connects a company's own app. Its credentials are proved at the platform first.
#[utoipa::path(post, path = "/api/v1/connections", tag = "office", request_body = NewConnection,
    responses((status = 201, body = Made), (status = 401), (status = 409),
              (status = 400, description = "a field breaks a rule, or the platform refuses it: code platform_refuses, \
               with the field that is wrong")))]
pub(crate) async fn add(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let made = async {
        let new: NewConnection = call.body()?;
        let connect = Connect { platform: platform(&new.platform)?, name: new.name, app: new.app.typed() };
        app.service.connect(&call.0.caller, connect).await
    };
    let id = made.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::CREATED, &Made { id: id.to_string() }))
}

/// Lists the project's connections, oldest first.
#[utoipa::path(get, path = "/api/v1/connections", tag = "office",
    responses((status = 200, body = ConnectionPage), (status = 401)))]
pub(crate) async fn list(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = app.service.list_connections(&call.0.caller).await.map_err(|error| call.refuse(error))?;
    let connections = found.into_iter().map(shown).collect();
    Ok(ok(StatusCode::OK, &ConnectionPage { connections, next: None }))
}

/// Shows one connection.
#[utoipa::path(get, path = "/api/v1/connections/{connection_id}", tag = "office",
    params(("connection_id" = String, Path)),
    responses((status = 200, body = ShownConnection), (status = 401), (status = 404)))]
pub(crate) async fn show(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async { app.service.connection(&call.0.caller, connection_id(&call)?).await };
    let found = found.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown(found)))
}

/// Changes a connection's name, or its credentials, which are proved first.
#[utoipa::path(put, path = "/api/v1/connections/{connection_id}", tag = "office",
    params(("connection_id" = String, Path)), request_body = ChangedConnection,
    responses((status = 200, body = ShownConnection), (status = 400), (status = 401), (status = 404), (status = 409)))]
pub(crate) async fn change(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let changed = async {
        let id = connection_id(&call)?;
        let change: ChangedConnection = call.body()?;
        let typed = (!change.app.is_empty()).then(|| change.app.typed());
        app.service.change_connection(&call.0.caller, id, change.name, typed).await?;
        app.service.connection(&call.0.caller, id).await
    };
    let changed = changed.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &shown(changed)))
}

/// Removes a connection for good, with its credentials and directory.
#[utoipa::path(delete, path = "/api/v1/connections/{connection_id}", tag = "office",
    params(("connection_id" = String, Path)), responses((status = 200), (status = 401), (status = 404)))]
pub(crate) async fn remove(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let removed = async { app.service.disconnect(&call.0.caller, connection_id(&call)?).await };
    removed.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &serde_json::Map::new()))
}

/// Who is told what concerns a connection.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Notices {
    /// A subscription's URN, or a topic's URN or name, all whose subscribers are told; null for nobody.
    notices: Option<String>,
}

/// Shows who is told what concerns a connection: calls per month that come near their limit, people who are gone.
#[utoipa::path(get, path = "/api/v1/connections/{connection_id}/notices", tag = "office",
    params(("connection_id" = String, Path)),
    responses((status = 200, body = Notices), (status = 401), (status = 404)))]
pub(crate) async fn notices(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async { app.service.connection_notices(&call.0.caller, connection_id(&call)?).await };
    let notices = found.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Notices { notices }))
}

/// Chooses who is told what concerns a connection.
#[utoipa::path(put, path = "/api/v1/connections/{connection_id}/notices", tag = "office",
    params(("connection_id" = String, Path)), request_body = Notices,
    responses((status = 200, body = Notices), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn set_notices(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let set = async {
        let (id, new): (_, Notices) = (connection_id(&call)?, call.body()?);
        app.service.set_connection_notices(&call.0.caller, id, new.notices.as_deref()).await?;
        app.service.connection_notices(&call.0.caller, id).await
    };
    let notices = set.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Notices { notices }))
}

/// What came of the test message. The platform's own words stand behind the advice.
fn tested(trial: Trial) -> ShownFinding {
    let said = [trial.code, trial.text].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let with = |text: &str| if said.is_empty() { text.to_owned() } else { format!("{text} ({said})") };
    let Advice { en, zh } = trial.advice;
    ShownFinding {
        ok: trial.arrived,
        what: "test message",
        scope: None,
        needed: true,
        advice: Advice { en: with(&en).into(), zh: with(&zh).into() }.into(),
    }
}

/// Tries everything that the app needs at its platform, and says of each thing where it is granted; at the end sends a
/// test message, if it is told to whom.
#[utoipa::path(post, path = "/api/v1/connections/{connection_id}/check", tag = "office",
    params(("connection_id" = String, Path)), request_body = NewCheck,
    responses((status = 200, body = Findings), (status = 400), (status = 401), (status = 404)))]
pub(crate) async fn check(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let found = async {
        let (id, new): (_, NewCheck) = (connection_id(&call)?, call.body()?);
        let to = new.test_to.map(|to| Recipient::parse(RecipientKind::Member, &to)).transpose()?;
        let found = app.service.check_connection(&call.0.caller, id).await?;
        let mut findings: Vec<ShownFinding> = found.into_iter().map(shown_finding).collect();
        if let Some(to) = to {
            findings.push(tested(app.service.try_connection(&call.0.caller, id, to, new.locale).await?));
        }
        Ok(findings)
    };
    let findings = found.await.map_err(|error: Error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Findings { findings }))
}
