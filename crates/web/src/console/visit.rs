//! From a request to a visit: who looks, in which language and theme, and what a form said. A handler that is given a
//! [`Visit`] has a caller, and its form, if there is one, came from a page of ours.

use std::collections::HashMap;
use std::net::IpAddr;

use aws_lc_rs::{constant_time, hmac};
use axum::extract::{FromRequest, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::Response;
use carillon_model::SecretText;
use carillon_model::id::RequestId;
use carillon_model::role::Right;
use carillon_service::{Caller, Error};
use data_encoding::BASE64URL_NOPAD;

use super::form::{Form, Wrong};
use super::frame::{Frame, Place};
use super::problem::{Problem, Refusal};
use super::text::{Lang, Texts};
use crate::call::{query, read_body};
use crate::{App, layer};

/// The cookie of a session.
pub(super) const SESSION: &str = "carillon_session";
/// The cookie of a visitor who has not signed in yet.
pub(super) const VISITOR: &str = "carillon_visitor";
/// The cookie of the language chosen.
pub(super) const LANG: &str = "carillon_lang";
/// The cookie of the theme chosen.
pub(super) const THEME: &str = "carillon_theme";

/// Light, dark, or what the system prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Theme {
    /// As the system prefers.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The theme of a name.
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// What every page knows of the one who looks at it.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// The language.
    pub(crate) lang: Lang,
    /// The theme.
    pub(crate) theme: Theme,
    /// What a form of ours sends along.
    pub(crate) csrf: String,
    /// Path and query of this page.
    pub(crate) path: String,
    /// The request.
    pub(crate) id: Option<RequestId>,
}

impl Look {
    fn new(parts: &Parts, secret: Option<&SecretText>) -> Self {
        let chosen = cookie(&parts.headers, LANG).and_then(|name| Lang::from_tag(&name));
        let preferred = || {
            let accepted = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
            Lang::preferred(accepted.unwrap_or_default())
        };
        let path = parts.uri.path_and_query().map_or(parts.uri.path(), |path| path.as_str()).to_owned();
        Self {
            lang: chosen.unwrap_or_else(preferred),
            theme: cookie(&parts.headers, THEME).map(|name| Theme::from_name(&name)).unwrap_or_default(),
            csrf: secret.map(csrf).unwrap_or_default(),
            path,
            id: layer::request_id(&parts.extensions),
        }
    }

    /// The texts in the visitor's language.
    pub(crate) fn t(&self) -> &'static Texts {
        self.lang.texts()
    }
}

/// Somebody who may or may not have signed in; for the pages around signing in.
pub(crate) struct Guest {
    /// How pages look.
    pub(crate) look: Look,
    /// What a form said.
    pub(crate) form: Form,
    /// The session's or the visitor's secret, if the browser sent one.
    pub(crate) session: Option<SecretText>,
    /// A fresh secret, when the browser must be given one.
    pub(crate) fresh: Option<SecretText>,
    /// What the address says behind the path.
    pub(crate) query: HashMap<String, String>,
    /// Where the request comes from.
    pub(crate) client: IpAddr,
}

impl FromRequest<App> for Guest {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let session = cookie(&parts.headers, SESSION).map(SecretText::new);
        let visitor = session.clone().or_else(|| cookie(&parts.headers, VISITOR).map(SecretText::new));
        let fresh = visitor.is_none().then(|| app.service.visitor());
        let look = Look::new(&parts, visitor.as_ref().or(fresh.as_ref()));
        let form = match read_form(&parts, body, &look).await {
            Ok(form) => form,
            Err(refusal) => return Err(Problem::new(look, None, refusal)),
        };
        let query = query(parts.uri.query().unwrap_or_default());
        Ok(Self { look, form, session, fresh, query, client: layer::client(&parts.extensions) })
    }
}

/// Somebody who has signed in.
pub(crate) struct Visit {
    /// Who.
    pub(crate) caller: Caller,
    /// How pages look.
    pub(crate) look: Look,
    /// What a form said.
    pub(crate) form: Form,
    /// Where the request comes from.
    pub(crate) client: IpAddr,
    named: Vec<(String, String)>,
    query: HashMap<String, String>,
}

impl FromRequest<App> for Visit {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let session = cookie(&parts.headers, SESSION).map(SecretText::new);
        let look = Look::new(&parts, session.as_ref());
        let Some(session) = session else { return Err(Problem::new(look, None, Refusal::SignIn)) };
        let caller = match app.service.caller_by_session(&session).await {
            Ok(caller) => caller,
            Err(Error::Unauthenticated(_)) => return Err(Problem::new(look, None, Refusal::SignIn)),
            Err(error) => return Err(Problem::new(look, None, error.into())),
        };
        match read_form(&parts, body, &look).await {
            Ok(form) => {
                let query = query(parts.uri.query().unwrap_or_default());
                let client = layer::client(&parts.extensions);
                Ok(Self { caller, look, form, client, named: named(&parts), query })
            }
            Err(refusal) => Err(Problem::new(look, Some(caller), refusal)),
        }
    }
}

impl Visit {
    /// A part of the path by its name in the route.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.named.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A parameter of the address, if it is there and not empty.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The frame of a page.
    pub(crate) fn frame(&self, place: Place) -> Frame {
        let notice = self.query("done").and_then(|done| self.look.t().done(done));
        Frame { notice, ..Frame::new(&self.look, Some(&self.caller), place) }
    }

    /// Refuses a page that is of no use without a right, as the service would refuse what it leads to.
    pub(crate) fn must(&self, right: Right) -> Result<(), Problem> {
        self.caller.may(right).map_err(|error| self.problem(error))
    }

    /// A refusal as a page.
    pub(crate) fn problem(&self, error: impl Into<Refusal>) -> Problem {
        Problem::new(self.look.clone(), Some(self.caller.clone()), error.into())
    }

    /// What a refusal says of the form; a refusal that no change of the form can mend is a page of its own.
    pub(crate) fn wrong(&self, error: Error) -> Result<Wrong, Problem> {
        Wrong::of(error, self.look.lang).map_err(|error| self.problem(error))
    }

    /// The texts in the visitor's language.
    pub(crate) fn t(&self) -> &'static Texts {
        self.look.t()
    }
}

fn named(parts: &Parts) -> Vec<(String, String)> {
    let Some(route) = parts.extensions.get::<MatchedPath>() else { return Vec::new() };
    let pairs = route.as_str().split('/').zip(parts.uri.path().split('/'));
    pairs
        .filter_map(|(name, value)| {
            let name = name.strip_prefix('{')?.strip_suffix('}')?;
            Some((name.to_owned(), crate::auth::sign::decode(value)))
        })
        .collect()
}

/// Reads a form and checks that it is one of ours: its hidden field must fit the cookie, which no other site can know.
async fn read_form(parts: &Parts, body: axum::body::Body, look: &Look) -> Result<Form, Refusal> {
    if parts.method == Method::GET || parts.method == Method::HEAD {
        return Ok(Form::default());
    }
    let bytes = read_body(body).await?;
    let form = Form::parse(&String::from_utf8_lossy(&bytes));
    let ours = !look.csrf.is_empty()
        && constant_time::verify_slices_are_equal(form.get("csrf").as_bytes(), look.csrf.as_bytes()).is_ok();
    if ours { Ok(form) } else { Err(Refusal::Forged) }
}

/// What a form sends along, made from the secret in the cookie.
pub(super) fn csrf(secret: &SecretText) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
    BASE64URL_NOPAD.encode(hmac::sign(&key, b"carillon console form").as_ref())
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value.to_owned())
}

/// Hands the browser a cookie that scripts cannot read and that other sites' forms do not send.
pub(super) fn set_cookie(response: &mut Response, app: &App, name: &str, value: &str, seconds: u64) {
    let secure = if app.console.secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/console; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}
