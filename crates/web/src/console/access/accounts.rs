//! The accounts of the project, and a new one.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Field;
use carillon_model::role::Right;
use carillon_service::account::NewAccount;
use carillon_service::{Error, Member};

use super::{chosen, role_text};
use crate::App;
use crate::console::form::{Form, Wrong};
use crate::console::frame::{Frame, Place};
use crate::console::problem::Problem;
use crate::console::show::quoted;
use crate::console::topics::ROWS;
use crate::console::visit::Visit;
use crate::console::{go, page};

#[derive(Template)]
#[template(path = "access/accounts.html")]
struct AccountsPage {
    f: Frame,
    tab: &'static str,
    members: Vec<Member>,
    me: String,
    first: bool,
    next: Option<String>,
}

impl AccountsPage {
    fn role(&self, member: &Member) -> &'static str {
        role_text(member.granted.role, self.f.lang)
    }
}

#[derive(Template)]
#[template(path = "access/account_new.html")]
struct NewPage {
    f: Frame,
    form: Form,
    wrong: Wrong,
    operator: bool,
    for_account: bool,
}

/// The list, by name.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let after = visit.query("after").map(str::to_owned);
    let first = after.is_none();
    let listed = app.service.list_accounts(&visit.caller, after, ROWS + 1).await;
    let mut members = listed.map_err(|error| visit.problem(error))?;
    let rows = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = members.len() > rows;
    members.truncate(rows);
    let next = members.last().filter(|_last| more);
    let next = next.map(|last| format!("/console/accounts?after={}", quoted(&last.name)));
    let (f, tab) = (visit.frame(Place::Access), "accounts");
    let me = visit.caller.account_name.clone();
    Ok(page(StatusCode::OK, &AccountsPage { f, tab, members, me, first, next }))
}

fn new_page(visit: Visit, wrong: Wrong) -> NewPage {
    let f = Frame { path: "/console/accounts/new".to_owned(), ..visit.frame(Place::Access) };
    let (operator, form) = (visit.caller.operator, visit.form);
    NewPage { f, form, wrong, operator, for_account: true }
}

/// The form of a new one.
pub(crate) async fn form(visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Govern)?;
    Ok(page(StatusCode::OK, &new_page(visit, Wrong::default())))
}

/// Adds one. The operator adds one that is there already by leaving the password out.
pub(crate) async fn add(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Govern)?;
    let added = async {
        let granted = chosen(&visit.form)?;
        let name = visit.form.get("name").trim().to_owned();
        let password = visit.form.secret("password");
        app.service.add_account(&visit.caller, NewAccount { name, password, granted }).await
    };
    let wrong = match added.await {
        Ok(id) => return Ok(go(&format!("/console/accounts/{id}?done=created"))),
        Err(Error::AccountExists) => Wrong::beside(Field::AccountName, visit.t().access.exists),
        Err(error) => visit.wrong(error)?,
    };
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &new_page(visit, wrong)))
}
