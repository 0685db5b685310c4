//! One connection: its directory in numbers, the update under way, the latest updates.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::office::Connection;
use carillon_service::Error;
use carillon_service::callback::Callbacks;

use super::care::ShownCalls;
use super::{ShownRun, found, id, platform_mark, platform_text};
use crate::App;
use crate::console::form::{Form, Wrong};
use crate::console::frame::{Frame, Place};
use crate::console::problem::Problem;
use crate::console::visit::Visit;
use crate::console::{go, page};

/// How many updates are listed.
const RUNS: u64 = 20;

#[derive(Template)]
#[template(path = "office/connection.html")]
struct ConnectionPage {
    f: Frame,
    tab: &'static str,
    it: Connection,
    platform: &'static str,
    mark: &'static str,
    /// The one that runs or asks.
    open: Option<ShownRun>,
    runs: Vec<ShownRun>,
    calls: ShownCalls,
    /// Who is told what concerns it.
    told: Option<String>,
    callbacks: Callbacks,
    /// Which of the forms was refused, why, and what was typed.
    at: &'static str,
    wrong: Wrong,
    typed: Form,
}

impl ConnectionPage {
    /// What is wrong with a form.
    fn wrong_at(&self, form: &str) -> &str {
        if self.at == form { self.wrong.text() } else { "" }
    }

    /// What stands in a field: what was typed, where its form was refused.
    fn filled(&self, form: &str, kept: impl Into<String>) -> String {
        if self.at == form { self.typed.get(form).to_owned() } else { kept.into() }
    }
}

/// The page. While an update runs, it asks for itself every second.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    shown(&app, &visit, "", Wrong::default()).await
}

/// The page with what is wrong beside one of its forms, `limit`, `notices` or `callback`.
pub(super) async fn refused(
    app: &App,
    visit: &Visit,
    form: &'static str,
    error: Error,
) -> Result<Response, Problem> {
    let wrong = visit.wrong(error)?;
    shown(app, visit, form, wrong).await
}

async fn shown(app: &App, visit: &Visit, at: &'static str, wrong: Wrong) -> Result<Response, Problem> {
    let read = async {
        let it = found(app, visit).await?;
        let runs = app.service.list_directory_runs(&visit.caller, it.id, RUNS).await?;
        let calls = app.service.calls(&visit.caller, &it.id.to_string()).await?;
        let told = app.service.connection_notices(&visit.caller, it.id).await?;
        let callbacks = app.service.callbacks(&visit.caller, it.id).await?;
        Ok::<_, Error>((it, runs, ShownCalls::new(calls, app.service.now()), told, callbacks))
    };
    let (it, runs, calls, told, callbacks) = read.await.map_err(|error| visit.problem(error))?;
    let mut runs: Vec<ShownRun> = runs.into_iter().map(|run| ShownRun::new(app, visit, &it, run)).collect();
    let open = if runs.first().is_some_and(ShownRun::is_open) { Some(runs.remove(0)) } else { None };
    let (platform, mark) = (platform_text(it.platform, visit.look.lang), platform_mark(it.platform));
    let mut f = visit.frame(Place::Office);
    let mut status = StatusCode::OK;
    if !at.is_empty() {
        f.path = format!("/console/office/{}", it.id);
        status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    let (tab, typed) = ("overview", visit.form.clone());
    let found =
        ConnectionPage { f, tab, it, platform, mark, open, runs, calls, told, callbacks, at, wrong, typed };
    Ok(page(status, &found))
}

/// Begins an update.
pub(crate) async fn update(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let begun = async {
        let connection = id(&visit)?;
        app.service.update_directory(&visit.caller, connection).await?;
        Ok::<_, Error>(connection)
    };
    let connection = begun.await.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("/console/office/{connection}")))
}
