//! The tree of departments.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::office::Connection;
use carillon_service::Error;

use super::{Branch, DEPARTMENTS_MAX, tree};
use crate::App;
use crate::console::frame::{Frame, Place};
use crate::console::office::found;
use crate::console::page;
use crate::console::problem::Problem;
use crate::console::visit::Visit;

/// The deepest that the page indents.
const DEPTH_MAX: usize = 8;

#[derive(Template)]
#[template(path = "directory/departments.html")]
struct DepartmentsPage {
    f: Frame,
    tab: &'static str,
    it: Connection,
    branches: Vec<Branch>,
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let read = async {
        let it = found(&app, &visit).await?;
        let all = app.service.list_departments(&visit.caller, it.id, None, DEPARTMENTS_MAX).await?;
        Ok::<_, Error>((it, all))
    };
    let (it, all) = read.await.map_err(|error| visit.problem(error))?;
    let f = visit.frame(Place::Office);
    Ok(page(StatusCode::OK, &DepartmentsPage { f, tab: "departments", it, branches: tree(all) }))
}
