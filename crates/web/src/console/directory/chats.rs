//! The chats that an app's bot is in.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::office::{Connection, Platform, RecipientKind};
use carillon_model::role::Right;
use carillon_service::{Error, Kept};

use super::{called, reachable};
use crate::App;
use crate::console::form::{Form, Wrong};
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
    /// The chat whose change was refused, why, and what was typed.
    at: String,
    wrong: Wrong,
    typed: Form,
}

impl ChatsPage {
    /// Whether chats can be changed: by this account, and on this platform.
    fn may_rename(&self) -> bool {
        self.f.may_change() && matches!(self.it.platform, Platform::Lark | Platform::Feishu)
    }

    fn is_refused(&self, chat: &Kept) -> bool {
        self.at == chat.id.to_string()
    }

    /// What is said of a chat that does not stand on this page.
    fn refused_elsewhere(&self) -> Option<&str> {
        let is_here = self.at.is_empty() || self.chats.iter().any(|chat| self.is_refused(chat));
        (!is_here).then(|| self.wrong.text())
    }

    /// What stands in a field of a chat's form.
    fn text<'a>(&'a self, chat: &Kept, field: &str, kept: &'a str) -> &'a str {
        if self.is_refused(chat) { self.typed.get(field) } else { kept }
    }
}

/// Changes a chat's name and what it is for, at the platform.
pub(crate) async fn change(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let changed = async {
        let connection = id(&visit)?;
        let chat = visit.path("chat_id").to_owned();
        let given = |field: &str| visit.form.maybe(field).map(str::to_owned);
        let (name, about) = (given("name"), given("description"));
        app.service.change_chat(&visit.caller, connection, &chat, name, about).await?;
        Ok::<_, Error>(connection)
    };
    match changed.await {
        Ok(connection) => Ok(go(&format!("/console/office/{connection}/chats?done=saved"))),
        Err(error) => {
            let at = visit.path("chat_id");
            let wrong = visit.wrong(error)?;
            shown(&app, &visit, at, wrong).await
        }
    }
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    shown(&app, &visit, "", Wrong::default()).await
}

async fn shown(app: &App, visit: &Visit, at: &str, wrong: Wrong) -> Result<Response, Problem> {
    let read = async {
        let it = found(app, visit).await?;
        let (chats, more) = reachable(app, visit, &it, RecipientKind::Chat).await?;
        Ok::<_, Error>((it, chats, more))
    };
    let (it, chats, more) = read.await.map_err(|error| visit.problem(error))?;
    let find = visit.query("find").unwrap_or_default().trim().to_owned();
    let next = chats.last().filter(|_last| more);
    let next =
        next.map(|last| format!("/console/office/{}/chats?find={}&after={}", it.id, quoted(&find), last.id));
    let first = visit.query("after").is_none();
    let mut f = visit.frame(Place::Office);
    let mut status = StatusCode::OK;
    if !at.is_empty() {
        f.path = format!("/console/office/{}/chats", it.id);
        status = StatusCode::UNPROCESSABLE_ENTITY;
    }
    let (tab, at, typed) = ("chats", at.to_owned(), visit.form.clone());
    Ok(page(status, &ChatsPage { f, tab, it, chats, find, first, next, at, wrong, typed }))
}
