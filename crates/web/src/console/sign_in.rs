//! Signing in and out, and choosing language and theme.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::limits;
use carillon_service::Error;

use super::frame::{Frame, Place};
use super::problem::Problem;
use super::visit::{Guest, LANG, SESSION, THEME, Theme, VISITOR, set_cookie};
use super::{BASE, go, page, text, words};
use crate::App;

/// How long a browser remembers language and theme.
const LOOK_SECONDS: u64 = 365 * 24 * 60 * 60;
/// How long a visitor may take to sign in.
const VISITOR_SECONDS: u64 = 24 * 60 * 60;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    f: Frame,
    next: String,
    name: String,
    wrong: String,
}

/// A path of ours to go on to; anything else, such as another site's, becomes the overview.
fn onward(path: &str) -> &str {
    let ours = path == BASE || path.starts_with("/console/") || path.starts_with("/console?");
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if ours && plain { path } else { BASE }
}

fn shown(app: &App, guest: &Guest, status: StatusCode, next: &str, name: &str, wrong: String) -> Response {
    let f = Frame::new(&guest.look, None, Place::Nowhere);
    // Language and theme lead back here, and from here on.
    let notice = guest.query.get("done").filter(|done| *done == "password");
    let notice = notice.map(|_done| guest.look.t().access.password_again);
    let f = Frame { notice, path: format!("/console/sign-in?next={}", super::show::quoted(next)), ..f };
    let template = SignInPage { f, next: next.to_owned(), name: name.to_owned(), wrong };
    let mut response = page(status, &template);
    if let Some(fresh) = &guest.fresh {
        set_cookie(&mut response, app, VISITOR, fresh.reveal(), VISITOR_SECONDS);
    }
    response
}

/// The form.
pub(crate) async fn show(State(app): State<App>, guest: Guest) -> Response {
    let next = onward(guest.query.get("next").map_or("", String::as_str));
    if let Some(session) = &guest.session
        && app.service.caller_by_session(session).await.is_ok()
    {
        return go(next);
    }
    shown(&app, &guest, StatusCode::OK, next, "", String::new())
}

/// Signs in. A session is always a fresh one, never one that the browser brought.
pub(crate) async fn sign_in(State(app): State<App>, guest: Guest) -> Result<Response, Problem> {
    let (name, next) = (guest.form.get("name").trim(), onward(guest.form.get("next")));
    let password = guest.form.get("password").into();
    match app.service.open_session(name, guest.client, password).await {
        Ok(session) => {
            if let Some(old) = &guest.session
                && let Err(error) = app.service.close_session(old).await
            {
                return Err(Problem::new(guest.look, None, error.into()));
            }
            let mut response = go(next);
            set_cookie(&mut response, &app, SESSION, session.reveal(), limits::SESSION_LIFE.as_secs());
            set_cookie(&mut response, &app, VISITOR, "", 0);
            Ok(response)
        }
        Err(error @ Error::Unauthenticated(_)) => {
            let wrong = words::refusal(&error, guest.look.lang);
            Ok(shown(&app, &guest, StatusCode::UNAUTHORIZED, next, name, wrong))
        }
        Err(error) => Err(Problem::new(guest.look, None, error.into())),
    }
}

/// Signs out.
pub(crate) async fn sign_out(State(app): State<App>, guest: Guest) -> Result<Response, Problem> {
    if let Some(session) = &guest.session
        && let Err(error) = app.service.close_session(session).await
    {
        return Err(Problem::new(guest.look, None, error.into()));
    }
    let mut response = go("/console/sign-in");
    set_cookie(&mut response, &app, SESSION, "", 0);
    Ok(response)
}

/// Remembers language or theme.
pub(crate) async fn look(State(app): State<App>, guest: Guest) -> Response {
    let mut response = go(onward(guest.form.get("back")));
    if let Some(lang) = text::Lang::from_tag(guest.form.get("lang")) {
        set_cookie(&mut response, &app, LANG, lang.tag(), LOOK_SECONDS);
    }
    if let Some(theme) = guest.form.maybe("theme") {
        set_cookie(&mut response, &app, THEME, Theme::from_name(theme).name(), LOOK_SECONDS);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::onward;

    #[test]
    fn only_our_own_pages_are_gone_on_to() {
        assert_eq!(onward("/console/topics?after=2"), "/console/topics?after=2");
        assert_eq!(onward("/console"), "/console");
        for foreign in
            ["", "//evil.example", "https://evil.example", "/consolea", "/console/\\evil", "/console/a\r\nb"]
        {
            assert_eq!(onward(foreign), "/console");
        }
    }
}
