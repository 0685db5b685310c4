//! The chats that an app's bot is in.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::office::{Connection, Platform, RecipientKind};
use carillon_service::{Error, Kept};

use super::{called, reachable};
use crate::App;
use crate::console::frame::{Frame, Place};
use crate::console::office::{found, id};
use crate::console::problem::Problem;
use crate::console::show::quoted;
use crate::console::visit::Visit;
use crate::console::{go, page};

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

impl ChatsPage {
    /// Whether chats can be changed: by this account, and on this platform.
    fn may_rename(&self) -> bool {
        self.f.may_change() && matches!(self.it.platform, Platform::Lark | Platform::Feishu)
    }
}

/// Changes a chat's name and what it is for, at the platform.
pub(crate) async fn change(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let changed = async {
        let connection = id(&visit)?;
        let chat = visit.path("chat_id").to_owned();
        let given = |field: &str| visit.form.maybe(field).map(str::to_owned);
        let (name, about) = (given("name"), given("description"));
        app.service.change_chat(&visit.caller, connection, &chat, name, about).await?;
        Ok::<_, Error>(connection)
    };
    let connection = changed.await.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("/console/office/{connection}/chats?done=saved")))
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
