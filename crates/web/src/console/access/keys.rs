//! Access keys: listed, made, taken away.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::role::Right;
use carillon_service::credential::Wish;
use carillon_service::{Error, ListedCredential, Member};

use super::fresh::{Fresh, shown};
use super::{CHOICES, account_id, granted, owners, portion, role_text, wanted};
use crate::App;
use crate::console::form::{Form, Wrong};
use crate::console::frame::{Frame, Place};
use crate::console::problem::Problem;
use crate::console::show::{filled, quoted};
use crate::console::sure::Sure;
use crate::console::topics::ROWS;
use crate::console::visit::Visit;
use crate::console::{go, page};

#[derive(Template)]
#[template(path = "access/keys.html")]
struct KeysPage {
    f: Frame,
    tab: &'static str,
    keys: Vec<ListedCredential>,
    of: String,
    first: bool,
    next: Option<String>,
}

impl KeysPage {
    fn role(&self, key: &ListedCredential) -> &'static str {
        key.granted.as_ref().map_or("", |granted| role_text(granted.role, self.f.lang))
    }
}

#[derive(Template)]
#[template(path = "access/key_new.html")]
struct NewPage {
    f: Frame,
    form: Form,
    wrong: Wrong,
    members: Vec<Member>,
    chosen: String,
    for_account: bool,
}

/// The list.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let after = visit.query("after").map(str::to_owned);
    let first = after.is_none();
    let listed = async {
        let account = wanted(&visit)?;
        let found = app.service.list_keys(&visit.caller, account, after, ROWS + 1).await?;
        Ok::<_, Error>((account, portion("/console/keys", account, found)))
    };
    let (account, (keys, next)) = listed.await.map_err(|error| visit.problem(error))?;
    let of = account.map(|id| id.to_string()).unwrap_or_default();
    let (f, tab) = (visit.frame(Place::Access), "keys");
    Ok(page(StatusCode::OK, &KeysPage { f, tab, keys, of, first, next }))
}

async fn new_page(app: &App, visit: &Visit, wrong: Wrong) -> Result<NewPage, Problem> {
    let (chosen, members) = owners(app, visit).await.map_err(|error| visit.problem(error))?;
    let f = Frame { path: "/console/keys/new".to_owned(), ..visit.frame(Place::Access) };
    Ok(NewPage { f, form: visit.form.clone(), wrong, members, chosen, for_account: false })
}

/// The form of a new one.
pub(crate) async fn form(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Govern)?;
    Ok(page(StatusCode::OK, &new_page(&app, &visit, Wrong::default()).await?))
}

/// What was wished for.
pub(super) fn wish(form: &Form) -> Result<Wish, Error> {
    let account = form.maybe("account").map(account_id).transpose()?;
    Ok(Wish { account, note: form.get("note").trim().to_owned(), granted: granted(form)? })
}

/// Makes one, and shows its secret this once.
pub(crate) async fn create(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Govern)?;
    let made = async { app.service.create_key(&visit.caller, wish(&visit.form)?).await }.await;
    let t = &visit.t().access;
    match made {
        Ok(key) => Ok(shown(
            &visit,
            Fresh {
                title: t.key_made,
                id: key.access_key,
                id_name: t.key,
                secret: &key.secret,
                secret_name: t.secret,
                usage: t.key_usage,
                back: "/console/keys",
            },
        )),
        Err(error) => {
            let wrong = visit.wrong(error)?;
            Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &new_page(&app, &visit, wrong).await?))
        }
    }
}

/// Whether the visitor's project has it: nothing is asked about a stranger's.
async fn is_there(app: &App, visit: &Visit, key: &str) -> Result<(), Error> {
    let mut after = None;
    loop {
        let found = app.service.list_keys(&visit.caller, None, after, CHOICES).await?;
        if found.iter().any(|one| one.id == key) {
            return Ok(());
        }
        match found.last() {
            Some(last) => after = Some(last.id.clone()),
            None => return Err(Error::KeyNotFound),
        }
    }
}

/// Takes one away, at once, if the form says which; the list asks before.
pub(crate) async fn delete(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Govern)?;
    let (t, key) = (&visit.t().access, visit.path("access_key"));
    is_there(&app, &visit, key).await.map_err(|error| visit.problem(error))?;
    let sure = Sure {
        goes: vec![t.revoke_key_goes.to_owned()],
        button: Some(t.revoke_now),
        crumbs: vec![("/console/keys".to_owned(), t.keys.to_owned())],
        ..Sure::new(filled(t.revoke_key, key), key, format!("/console/keys/{}/delete", quoted(key)))
    };
    if !sure.is_meant(&visit) {
        return Ok(sure.again(&visit, Place::Access));
    }
    let deleted = app.service.delete_key(&visit.caller, key).await;
    deleted.map_err(|error| visit.problem(error))?;
    Ok(go("/console/keys?done=revoked"))
}
