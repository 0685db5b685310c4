//! One account: its role, another password for it, and taking it out of the project.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::role::Right;
use carillon_service::{Error, Member};

use super::{account_id, chosen, role_text};
use crate::App;
use crate::console::form::{Form, Wrong};
use crate::console::frame::{Frame, Place};
use crate::console::problem::Problem;
use crate::console::show::{filled, grouped};
use crate::console::sure::{Sure, Typed};
use crate::console::visit::Visit;
use crate::console::{go, page};

/// How many keys and tokens are counted before an account goes.
const COUNTED: u64 = 200;

#[derive(Template)]
#[template(path = "access/account.html")]
struct AccountPage {
    f: Frame,
    it: Member,
    is_me: bool,
    form: Form,
    wrong: Wrong,
    /// Which of the two forms was sent.
    sent: &'static str,
    for_account: bool,
}

impl AccountPage {
    fn role(&self) -> &'static str {
        role_text(self.it.granted.role, self.f.lang)
    }

    /// What is wrong with one of the two forms.
    fn of(&self, form: &str) -> Wrong {
        if self.sent == form { self.wrong.clone() } else { Wrong::default() }
    }
}

async fn found(app: &App, visit: &Visit) -> Result<Member, Error> {
    app.service.account(&visit.caller, account_id(visit.path("account_id"))?).await
}

/// The role as the form would say it.
fn typed(it: &Member) -> Form {
    let topics = it.granted.topics.as_slice().join("\n");
    Form::of(&[("role", it.granted.role.name()), ("topics", &topics)])
}

fn account_page(visit: &Visit, it: Member, form: Form, wrong: Wrong, sent: &'static str) -> AccountPage {
    let path = format!("/console/accounts/{}", it.account);
    let f = Frame { path, ..visit.frame(Place::Access) };
    let is_me = it.account == visit.caller.account;
    AccountPage { f, it, is_me, form, wrong, sent, for_account: true }
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let it = found(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let form = typed(&it);
    Ok(page(StatusCode::OK, &account_page(&visit, it, form, Wrong::default(), "")))
}

/// Gives it another role.
pub(crate) async fn role(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Govern)?;
    let it = found(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let changed =
        async { app.service.change_role(&visit.caller, it.account, chosen(&visit.form)?).await }.await;
    let Err(error) = changed else {
        return Ok(go(&format!("/console/accounts/{}?done=saved", it.account)));
    };
    let wrong = visit.wrong(error)?;
    let shown = account_page(&visit, it, visit.form.clone(), wrong, "role");
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown))
}

/// Gives it another password; one's own has a page of its own, which wants the present one.
pub(crate) async fn password(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Govern)?;
    let it = found(&app, &visit).await.map_err(|error| visit.problem(error))?;
    if it.account == visit.caller.account {
        return Ok(go("/console/password"));
    }
    let new = visit.form.get("password").into();
    let changed = app.service.change_password(&visit.caller, it.account, visit.client, None, new).await;
    let Err(error) = changed else {
        return Ok(go(&format!("/console/accounts/{}?done=password", it.account)));
    };
    let wrong = visit.wrong(error)?;
    let form = typed(&it);
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &account_page(&visit, it, form, wrong, "password")))
}

async fn sure(app: &App, visit: &Visit) -> Result<(Member, Sure), Error> {
    let it = found(app, visit).await?;
    let keys = app.service.list_keys(&visit.caller, Some(it.account), None, COUNTED).await?;
    let tokens = app.service.list_tokens(&visit.caller, Some(it.account), None, COUNTED).await?;
    let t = &visit.t().access;
    let here = format!("/console/accounts/{}", it.account);
    let sure = Sure {
        typed: Some(Typed { label: t.delete_type, wrong: t.delete_wrong }),
        goes: vec![
            filled(t.delete_keys, grouped(keys.len())),
            filled(t.delete_tokens, grouped(tokens.len())),
            t.delete_sessions.to_owned(),
        ],
        stays: t.delete_stays,
        button: Some(t.delete_button),
        crumbs: vec![
            ("/console/accounts".to_owned(), t.accounts.to_owned()),
            (here.clone(), it.name.clone()),
        ],
        ..Sure::new(filled(t.delete_title, &it.name), &it.name, format!("{here}/delete"))
    };
    Ok((it, sure))
}

/// Asks.
pub(crate) async fn ask(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Govern)?;
    let (_it, sure) = sure(&app, &visit).await.map_err(|error| visit.problem(error))?;
    Ok(sure.ask(&visit, Place::Access))
}

/// Takes it out of the project, if its name was typed.
pub(crate) async fn delete(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Govern)?;
    let (it, sure) = sure(&app, &visit).await.map_err(|error| visit.problem(error))?;
    if !sure.is_meant(&visit) {
        return Ok(sure.again(&visit, Place::Access));
    }
    let removed = app.service.remove_account(&visit.caller, it.account).await;
    removed.map_err(|error| visit.problem(error))?;
    Ok(go("/console/accounts?done=deleted"))
}
