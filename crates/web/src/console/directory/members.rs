//! The members that an app reaches, searched by name, id or department; those who are gone are struck out.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::office::{Connection, RecipientKind};
use carillon_service::{Error, Kept};

use super::{Names, called, reachable};
use crate::App;
use crate::console::frame::{Frame, Place};
use crate::console::office::found;
use crate::console::page;
use crate::console::problem::Problem;
use crate::console::show::quoted;
use crate::console::visit::Visit;

#[derive(Template)]
#[template(path = "directory/members.html")]
struct MembersPage {
    f: Frame,
    tab: &'static str,
    it: Connection,
    members: Vec<Kept>,
    names: Names,
    find: String,
    department: String,
    first: bool,
    next: Option<String>,
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let read = async {
        let it = found(&app, &visit).await?;
        let (members, more) = reachable(&app, &visit, &it, RecipientKind::Member).await?;
        let names = Names::of(&app, &visit, it.id).await?;
        Ok::<_, Error>((it, members, more, names))
    };
    let (it, members, more, names) = read.await.map_err(|error| visit.problem(error))?;
    let text = |name: &str| visit.query(name).unwrap_or_default().trim().to_owned();
    let (find, department) = (text("find"), text("department"));
    let next = members.last().filter(|_last| more).map(|last| {
        let (find, department) = (quoted(&find), quoted(&department));
        format!("/console/office/{}/members?find={find}&department={department}&after={}", it.id, last.id)
    });
    let first = visit.query("after").is_none();
    let f = visit.frame(Place::Office);
    let shown = MembersPage { f, tab: "members", it, members, names, find, department, first, next };
    Ok(page(StatusCode::OK, &shown))
}
