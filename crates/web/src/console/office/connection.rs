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
}

/// The page. While an update runs, it asks for itself every second.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let read = async {
        let it = found(&app, &visit).await?;
        let runs = app.service.list_directory_runs(&visit.caller, it.id, RUNS).await?;
        let calls = app.service.calls(&visit.caller, &it.id.to_string()).await?;
        let told = app.service.connection_notices(&visit.caller, it.id).await?;
        let callbacks = app.service.callbacks(&visit.caller, it.id).await?;
        Ok::<_, Error>((it, runs, ShownCalls::new(calls, app.service.now()), told, callbacks))
    };
    let (it, runs, calls, told, callbacks) = read.await.map_err(|error| visit.problem(error))?;
    let mut runs: Vec<ShownRun> = runs.into_iter().map(|run| ShownRun::new(&app, &visit, &it, run)).collect();
    let open = if runs.first().is_some_and(ShownRun::is_open) { Some(runs.remove(0)) } else { None };
    let (platform, mark) = (platform_text(it.platform, visit.look.lang), platform_mark(it.platform));
    let f = visit.frame(Place::Office);
    let found = ConnectionPage { f, tab: "overview", it, platform, mark, open, runs, calls, told, callbacks };
    Ok(page(StatusCode::OK, &found))
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
