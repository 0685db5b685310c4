//! A key or token that was just made: its secret is shown this once, and is nowhere in the console afterwards.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::SecretText;

use crate::console::frame::{Frame, Place};
use crate::console::page;
use crate::console::visit::Visit;

#[derive(Template)]
#[template(path = "access/fresh.html")]
struct FreshPage<'a> {
    f: Frame,
    title: &'static str,
    /// The access key, or the token's id.
    id: String,
    id_name: &'static str,
    secret: &'a str,
    secret_name: &'static str,
    /// How a client uses it.
    usage: &'static str,
    back: &'static str,
}

/// What is shown of it.
pub(super) struct Fresh<'a> {
    /// What was made.
    pub(super) title: &'static str,
    /// Its id.
    pub(super) id: String,
    /// What the id is.
    pub(super) id_name: &'static str,
    /// What nobody can look up again.
    pub(super) secret: &'a SecretText,
    /// What that is.
    pub(super) secret_name: &'static str,
    /// How a client uses it.
    pub(super) usage: &'static str,
    /// The list that it is in.
    pub(super) back: &'static str,
}

/// The page. It answers the form itself, so that what it shows has no address to come back to.
pub(super) fn shown(visit: &Visit, fresh: Fresh<'_>) -> Response {
    let Fresh { title, id, id_name, secret, secret_name, usage, back } = fresh;
    let f = Frame { path: back.to_owned(), ..visit.frame(Place::Access) };
    let secret = secret.reveal();
    page(StatusCode::CREATED, &FreshPage { f, title, id, id_name, secret, secret_name, usage, back })
}
