//! All connections, by platform.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::office::{Connection, Platform};

use super::{platform_mark, platform_text};
use crate::App;
use crate::console::frame::{Frame, Place};
use crate::console::page;
use crate::console::problem::Problem;
use crate::console::visit::Visit;

/// The connections of one platform.
struct Shelf {
    name: &'static str,
    mark: &'static str,
    connections: Vec<Connection>,
}

#[derive(Template)]
#[template(path = "office/connections.html")]
struct ListPage {
    f: Frame,
    shelves: Vec<Shelf>,
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let found = app.service.list_connections(&visit.caller).await;
    let mut found = found.map_err(|error| visit.problem(error))?;
    let shelves = Platform::ALL.map(|platform| {
        let here = found.extract_if(.., |connection| connection.platform == platform);
        Shelf {
            name: platform_text(platform, visit.look.lang),
            mark: platform_mark(platform),
            connections: here.collect(),
        }
    });
    let shelves = shelves.into_iter().filter(|shelf| !shelf.connections.is_empty()).collect();
    Ok(page(StatusCode::OK, &ListPage { f: visit.frame(Place::Office), shelves }))
}
