//! About this installation: version, store, ids for clients.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::frame::{Frame, Place};
use super::page;
use super::visit::Visit;
use crate::App;

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage {
    f: Frame,
    version: &'static str,
    region: String,
    project_id: String,
    healthy: bool,
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Response {
    let template = AboutPage {
        f: visit.frame(Place::About),
        version: app.console.version,
        region: app.service.region().to_owned(),
        project_id: visit.caller.project.to_string(),
        healthy: app.service.check().await.is_ok(),
    };
    page(StatusCode::OK, &template)
}
