//! Tokens: listed, made with an end and a role, ended.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::id::TokenId;
use carillon_model::role::Right;
use carillon_model::{Field, Invalid};
use carillon_service::{Error, ListedCredential, Member};

use super::fresh::{Fresh, shown};
use super::keys::wish;
use super::{CHOICES, owners, portion, role_text, wanted};
use crate::App;
use crate::console::form::{Form, Wrong};
use crate::console::frame::{Frame, Place};
use crate::console::problem::Problem;
use crate::console::show::{filled, quoted};
use crate::console::sure::Sure;
use crate::console::topics::ROWS;
use crate::console::visit::Visit;
use crate::console::{go, page};

/// How many seconds a day has.
const DAY_SECONDS: u64 = 86_400;

#[derive(Template)]
#[template(path = "access/tokens.html")]
struct TokensPage {
    f: Frame,
    tab: &'static str,
    tokens: Vec<ListedCredential>,
    of: String,
    me: String,
    first: bool,
    next: Option<String>,
}

impl TokensPage {
    fn role(&self, token: &ListedCredential) -> &'static str {
        token.granted.as_ref().map_or("", |granted| role_text(granted.role, self.f.lang))
    }

    /// Everybody may end what is their own.
    fn may_end(&self, token: &ListedCredential) -> bool {
        self.f.may_govern() || token.account_name == self.me
    }
}

#[derive(Template)]
#[template(path = "access/token_new.html")]
struct NewPage {
    f: Frame,
    form: Form,
    wrong: Wrong,
    members: Vec<Member>,
    chosen: String,
    days: String,
    for_account: bool,
}

/// The list of those that are still good.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let first = visit.query("after").is_none();
    let listed = async {
        let after = visit.query("after").map(TokenId::parse).transpose()?;
        let account = wanted(&visit)?;
        let found = app.service.list_tokens(&visit.caller, account, after, ROWS + 1).await?;
        Ok::<_, Error>((account, portion("/console/tokens", account, found)))
    };
    let (account, (tokens, next)) = listed.await.map_err(|error| visit.problem(error))?;
    let of = account.map(|id| id.to_string()).unwrap_or_default();
    let (f, tab) = (visit.frame(Place::Access), "tokens");
    let me = visit.caller.account_name.clone();
    Ok(page(StatusCode::OK, &TokensPage { f, tab, tokens, of, me, first, next }))
}

async fn new_page(app: &App, visit: &Visit, wrong: Wrong) -> Result<NewPage, Problem> {
    let (chosen, members) = owners(app, visit).await.map_err(|error| visit.problem(error))?;
    let f = Frame { path: "/console/tokens/new".to_owned(), ..visit.frame(Place::Access) };
    let days = visit.form.maybe("days").unwrap_or("90").to_owned();
    Ok(NewPage { f, form: visit.form.clone(), wrong, members, chosen, days, for_account: false })
}

/// The form of a new one.
pub(crate) async fn form(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Govern)?;
    Ok(page(StatusCode::OK, &new_page(&app, &visit, Wrong::default()).await?))
}

/// How long it is to be good; nothing for ever.
fn seconds(form: &Form) -> Result<Option<u64>, Invalid> {
    let wrong = || Invalid::new(Field::TokenLife, "must be a number of days, or without an end");
    match form.get("days") {
        "ever" => Ok(None),
        days => {
            let days: u64 = days.parse().map_err(|_number| wrong())?;
            days.checked_mul(DAY_SECONDS).map(Some).ok_or_else(wrong)
        }
    }
}

/// Makes one, and shows it this once.
pub(crate) async fn create(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Govern)?;
    let made = async {
        let seconds = seconds(&visit.form)?;
        app.service.create_token(&visit.caller, wish(&visit.form)?, seconds).await
    };
    let t = &visit.t().access;
    match made.await {
        Ok(token) => Ok(shown(
            &visit,
            Fresh {
                title: t.token_made,
                id: token.id.to_string(),
                id_name: t.token_id,
                secret: &token.token,
                secret_name: t.token,
                usage: t.token_usage,
                back: "/console/tokens",
            },
        )),
        Err(error) => {
            let wrong = visit.wrong(error)?;
            Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &new_page(&app, &visit, wrong).await?))
        }
    }
}

/// Whether the visitor may know of it: nothing is asked about a stranger's.
async fn is_there(app: &App, visit: &Visit, token: &str) -> Result<(), Error> {
    let mut after = None;
    loop {
        let found = app.service.list_tokens(&visit.caller, None, after, CHOICES).await?;
        if found.iter().any(|one| one.id == token) {
            return Ok(());
        }
        match found.last() {
            Some(last) => after = Some(TokenId::parse(&last.id)?),
            None => return Err(Error::TokenNotFound),
        }
    }
}

/// Ends one, at once, if the form says which; the list asks before.
pub(crate) async fn delete(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Own)?;
    let (t, token) = (&visit.t().access, visit.path("token_id"));
    is_there(&app, &visit, token).await.map_err(|error| visit.problem(error))?;
    let sure = Sure {
        goes: vec![t.revoke_token_goes.to_owned()],
        button: Some(t.revoke_now),
        crumbs: vec![("/console/tokens".to_owned(), t.tokens.to_owned())],
        ..Sure::new(filled(t.revoke_token, token), token, format!("/console/tokens/{}/delete", quoted(token)))
    };
    if !sure.is_meant(&visit) {
        return Ok(sure.again(&visit, Place::Access));
    }
    let deleted = async {
        let id = TokenId::parse(visit.path("token_id")).map_err(|_malformed| Error::TokenNotFound)?;
        app.service.delete_token(&visit.caller, id).await
    };
    deleted.await.map_err(|error| visit.problem(error))?;
    Ok(go("/console/tokens?done=revoked"))
}

#[cfg(test)]
mod tests {
    use super::seconds;
    use crate::console::form::Form;

    #[test]
    fn a_life_is_days_or_for_ever() {
        let of = |text: &str| seconds(&Form::parse(&format!("days={text}")));
        assert_eq!(of("1"), Ok(Some(86_400)));
        assert_eq!(of("ever"), Ok(None));
        for bad in ["", "-1", "x", "999999999999999999"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
