//! The chats that an app's bot is in.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::office::{Connection, RecipientKind};
use carillon_service::{Error, Kept};

use super::{called, reachable};
use crate::App;
use crate::console::frame::{Frame, Place};
use crate::console::office::found;
use crate::console::page;
use crate::console::problem::Problem;
use crate::console::show::quoted;
use crate::console::visit::Visit;

#[derive(Template)]
#[template(path = "directory/chats.html")]
struct ChatsPage {
    f: Frame,
    tab: &'static str,
    it: Connection,
    chats: Vec<Kept>,
    find: String,
    first: bool,
    next: Option<String>,
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let read = async {
        let it = found(&app, &visit).await?;
        let (chats, more) = reachable(&app, &visit, &it, RecipientKind::Chat).await?;
        Ok::<_, Error>((it, chats, more))
    };
    let (it, chats, more) = read.await.map_err(|error| visit.problem(error))?;
    let find = visit.query("find").unwrap_or_default().trim().to_owned();
    let next = chats.last().filter(|_last| more);
    let next =
        next.map(|last| format!("/console/office/{}/chats?find={}&after={}", it.id, quoted(&find), last.id));
    let first = visit.query("after").is_none();
    let f = visit.frame(Place::Office);
    Ok(page(StatusCode::OK, &ChatsPage { f, tab: "chats", it, chats, find, first, next }))
}
