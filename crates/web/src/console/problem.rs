//! A refusal as a page, once for all of them.

use askama::Template;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use carillon_model::Invalid;
use carillon_service::{Caller, Error};

use super::frame::{Frame, Place};
use super::visit::Look;
use super::{go, page, words};
use crate::call;

/// Why a page is not shown, or a change not made.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Nobody is signed in.
    SignIn,
    /// The form did not come from a page of ours, or from one that has grown old.
    Forged,
    /// There is no such page.
    NotFound,
    /// The form is too large.
    TooLarge,
    /// The form did not arrive.
    Broken,
    /// The service refused.
    Service(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Service(error)
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::Service(invalid.into())
    }
}

impl From<call::Refused> for Refusal {
    fn from(refused: call::Refused) -> Self {
        match refused {
            call::Refused::Service(error) => Self::Service(error),
            call::Refused::TooLarge => Self::TooLarge,
            call::Refused::Broken => Self::Broken,
        }
    }
}

/// A refusal with what its page needs.
#[derive(Debug)]
pub(crate) struct Problem(Box<(Look, Option<Caller>, Refusal)>);

impl Problem {
    /// Takes it all in.
    pub(crate) fn new(look: Look, caller: Option<Caller>, refusal: Refusal) -> Self {
        Self(Box::new((look, caller, refusal)))
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    f: Frame,
    title: &'static str,
    text: String,
    id: String,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (look, caller, refusal) = *self.0;
        let t = &look.t().problem;
        let (status, title, text) = match refusal {
            Refusal::SignIn => {
                let next =
                    percent_encoding::utf8_percent_encode(&look.path, percent_encoding::NON_ALPHANUMERIC);
                return go(&format!("/console/sign-in?next={next}"));
            }
            Refusal::Forged => (StatusCode::FORBIDDEN, t.forged_title, t.forged.to_owned()),
            Refusal::NotFound => (StatusCode::NOT_FOUND, t.not_found_title, t.not_found.to_owned()),
            Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, t.refused_title, t.too_large.to_owned()),
            Refusal::Broken => (StatusCode::BAD_REQUEST, t.refused_title, t.broken.to_owned()),
            Refusal::Service(error) => {
                let status = words::status(&error);
                if status.is_server_error() {
                    tracing::error!(%error, "a page was refused");
                }
                let title = match status {
                    StatusCode::NOT_FOUND => t.not_found_title,
                    StatusCode::SERVICE_UNAVAILABLE => t.unavailable_title,
                    _ => t.refused_title,
                };
                (status, title, words::refusal(&error, look.lang))
            }
        };
        let id = look.id.map(|id| id.to_string()).unwrap_or_default();
        let f = Frame::new(&look, caller.as_ref(), Place::Nowhere);
        page(status, &ProblemPage { f, title, text, id })
    }
}

/// Answers a path of the console that nobody serves.
pub(crate) async fn not_found(app: &crate::App, request: Request) -> Response {
    use axum::extract::FromRequest;
    match super::visit::Visit::from_request(request, app).await {
        Ok(visit) => visit.problem(Refusal::NotFound).into_response(),
        Err(problem) => problem.into_response(),
    }
}
