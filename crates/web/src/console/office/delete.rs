//! Deleting a connection: says what goes with it, and wants its name.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::office::Connection;
use carillon_model::role::Right;

use super::found;
use crate::App;
use crate::console::frame::{Frame, Place};
use crate::console::problem::Problem;
use crate::console::visit::Visit;
use crate::console::{go, page};

#[derive(Template)]
#[template(path = "office/delete.html")]
struct DeletePage {
    f: Frame,
    it: Connection,
    wrong: &'static str,
}

/// Asks.
pub(crate) async fn ask(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = found(&app, &visit).await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &DeletePage { f: visit.frame(Place::Office), it, wrong: "" }))
}

/// Deletes, if the name was typed.
pub(crate) async fn delete(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = found(&app, &visit).await.map_err(|error| visit.problem(error))?;
    if visit.form.get("confirm").trim() != it.name {
        let wrong = visit.t().office.delete_wrong;
        let shown = DeletePage { f: visit.frame(Place::Office), it, wrong };
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown));
    }
    let deleted = app.service.disconnect(&visit.caller, it.id).await;
    deleted.map_err(|error| visit.problem(error))?;
    Ok(go("/console/office?done=deleted"))
}
