//! Projects, for the installation's operator.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::id::ProjectId;
use carillon_service::{Error, Project};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::credential::{MadeKey, MadeToken};
use super::error::ApiError;
use super::message::page;
use super::{ApiCall, Done, ok};
use crate::App;

/// A project to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProject {
    /// Its name: letters, digits, hyphens and underscores, up to 64.
    name: String,
    /// Its id; made up when not given.
    #[serde(default)]
    id: Option<String>,
}

/// A fresh project.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeProject {
    /// Its id.
    id: String,
    /// A key pair of the caller's account for it.
    key: MadeKey,
    /// A token of the caller's account for it.
    token: MadeToken,
}

/// A project.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownProject {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// When it was made.
    created_at: String,
}

/// A page of projects.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProjectPage {
    /// The projects.
    projects: Vec<ShownProject>,
    /// What to give as `after` for the next page; null on the last one.
    next: Option<String>,
}

impl From<Project> for ShownProject {
    fn from(Project { id, name, created_at }: Project) -> Self {
        Self { id: id.into(), name, created_at: created_at.to_millis_text() }
    }
}

/// Lists projects: all for the operator, else those that the caller's account belongs to.
#[utoipa::path(get, path = "/api/v1/projects", tag = "projects",
    params(("limit" = Option<u64>, Query, description = "1 to 200, 50 when not given"),
           ("after" = Option<String>, Query, description = "the `next` of the page before")),
    responses((status = 200, body = ProjectPage), (status = 400), (status = 401)))]
pub(crate) async fn list(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let listed = async {
        let limit = call.limit()?;
        let after = call.0.query("after").map(ProjectId::parse).transpose()?;
        let found = app.service.list_projects(&call.0.caller, after, limit + 1).await?;
        Ok::<_, Error>(page(found, limit))
    };
    let (found, more) = listed.await.map_err(|error| call.refuse(error))?;
    let projects: Vec<ShownProject> = found.into_iter().map(ShownProject::from).collect();
    let next = projects.last().filter(|_last| more).map(|last| last.id.clone());
    Ok(ok(StatusCode::OK, &ProjectPage { projects, next }))
}

/// Makes a project with a key pair and a token for it, shown in this answer only.
#[utoipa::path(post, path = "/api/v1/projects", tag = "projects", request_body = NewProject,
    responses((status = 201, body = MadeProject), (status = 400), (status = 401),
              (status = 403, description = "the caller is not the operator"),
              (status = 409, description = "there is one of that id or name")))]
pub(crate) async fn create(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let made = async {
        let NewProject { name, id } = call.body()?;
        let id = id.as_deref().map(ProjectId::parse).transpose()?;
        app.service.create_project(&call.0.caller, name, id).await
    };
    let made = made.await.map_err(|error| call.refuse(error))?;
    let project = MadeProject {
        id: made.id.into(),
        key: MadeKey { access_key: made.key.access_key, secret_key: made.key.secret.reveal().to_owned() },
        token: MadeToken {
            id: made.token.id.to_string(),
            token: made.token.token.reveal().to_owned(),
            expires_at: None,
        },
    };
    Ok(ok(StatusCode::CREATED, &project))
}

/// Removes a project that holds nothing any more.
#[utoipa::path(delete, path = "/api/v1/projects/{project_id}", tag = "projects",
    params(("project_id" = String, Path)),
    responses((status = 200, body = Done), (status = 401), (status = 403), (status = 404),
              (status = 409, description = "something belongs to it")))]
pub(crate) async fn remove(State(app): State<App>, call: ApiCall) -> Result<Response, ApiError> {
    let removed = async {
        let id = ProjectId::parse(call.0.path("project_id")).map_err(|_rule| Error::ProjectNotFound)?;
        app.service.delete_project(&call.0.caller, &id).await
    };
    removed.await.map_err(|error| call.refuse(error))?;
    Ok(ok(StatusCode::OK, &Done {}))
}
