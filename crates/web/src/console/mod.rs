//! The console: pages for administrators and engineers on call, at `/console`.
//!
//! A page is one file: what it shows, its template, its handlers, its tests. Every action is a form that works without a
//! script, and asks the same functions of the service as the API does.
//!
//! | what | room |
//! | --- | --- |
//! | from a cookie and a form to a caller | `visit` |
//! | the frame around every page | `frame` |
//! | what was typed, and what is wrong with it | `form` |
//! | a refusal as a page or beside a field | `problem` |
//! | asking before something is deleted | `sure` |
//! | every text, in both languages | `text` |
//! | stylesheet, scripts, drawings | `asset` |
//! | charts | `chart` |
//! | telling open pages that something changed | `live` |

mod about;
mod access;
mod asset;
mod audit;
mod chart;
mod dead;
mod deed;
mod delivery;
mod directory;
mod endpoint;
mod form;
mod frame;
mod guide;
mod live;
mod message;
mod messages;
mod office;
mod overview;
mod problem;
mod prose;
mod publish;
mod show;
mod sign_in;
mod subscribe;
mod subscribe_office;
mod subscription;
mod sure;
mod templates;
mod text;
mod topic;
mod topics;
mod users;
mod visit;
mod words;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use crate::App;

pub(crate) use self::problem::not_found;

/// What the console needs to know of its server.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Whether browsers reach the server by https, so that cookies must not travel otherwise.
    pub secure: bool,
    /// The program's version.
    pub version: &'static str,
}

/// Where the pages begin.
pub(crate) const BASE: &str = "/console";

/// What a page may load and do: its own files, and nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Every path of the console.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/console", get(overview::show))
        .route("/console/live", get(live::show).layer(Extension(live::Places::default())))
        .route("/console/", get(|| async { Redirect::permanent(BASE) }))
        .route("/console/assets/{mark}/{name}", get(asset::show))
        .route("/console/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/console/sign-out", post(sign_in::sign_out))
        .route("/console/look", post(sign_in::look))
        .route("/console/topics", get(topics::show).post(topics::create))
        .route("/console/topics/new", get(topics::form))
        .route("/console/topics/{topic}", get(topic::show))
        .route("/console/topics/{topic}/reach", get(topic::reach::show))
        .route("/console/topics/{topic}/settings", get(topic::settings::show).post(topic::settings::save))
        .route("/console/topics/{topic}/tags", post(topic::extras::tags))
        .route("/console/topics/{topic}/log-tanks", post(topic::extras::tanks))
        .route("/console/topics/{topic}/delete", get(topic::delete::ask).post(topic::delete::delete))
        .route("/console/topics/{topic}/subscribe", get(subscribe::choose))
        .route(
            "/console/topics/{topic}/subscribe/office",
            get(subscribe_office::show).post(subscribe_office::submit),
        )
        .route("/console/topics/{topic}/subscribe/{way}", get(subscribe::show).post(subscribe::submit))
        .route("/console/topics/{topic}/publish", get(publish::show).post(publish::submit))
        .route(
            "/console/topics/{topic}/subscriptions/{subscription}",
            get(subscription::show).post(subscription::save),
        )
        .route(
            "/console/topics/{topic}/subscriptions/{subscription}/delete",
            get(subscription::ask).post(subscription::delete),
        )
        .route("/console/publish", get(publish::choose))
        .route("/console/messages", get(messages::show))
        .route("/console/dead-letters", get(dead::show).post(dead::submit))
        .route("/console/messages/{message_id}", get(message::show))
        .route("/console/messages/{message_id}/why", get(message::show).post(message::why))
        .route("/console/messages/{message_id}/resend", post(message::resend))
        .route("/console/messages/{message_id}/cancel", post(message::cancel))
        .route("/console/deliveries/{delivery_id}", get(delivery::show))
        .route("/console/deliveries/{delivery_id}/resend", post(delivery::resend))
        .route("/console/deliveries/{delivery_id}/cancel", post(delivery::cancel))
        .route("/console/endpoints", get(endpoint::list))
        .route("/console/endpoints/{endpoint_id}", get(endpoint::show))
        .route("/console/endpoints/{endpoint_id}/resume", post(endpoint::resume))
        .route("/console/templates", get(templates::list).post(templates::create))
        .route("/console/templates/new", get(templates::form))
        .route("/console/templates/{template}", get(templates::show).post(templates::save))
        .route("/console/templates/{template}/delete", get(templates::ask).post(templates::delete))
        .route("/console/users", get(users::list).post(users::create))
        .route("/console/users/new", get(users::new))
        .route("/console/users/{user_id}", get(users::show).post(users::save))
        .route("/console/users/{user_id}/delete", get(users::ask).post(users::delete))
        .route("/console/about", get(about::show))
        .merge(settings_routes())
}

/// Who has access, and who changed what.
fn settings_routes() -> Router<App> {
    Router::new()
        .route("/console/accounts", get(access::accounts::show).post(access::accounts::add))
        .route("/console/accounts/new", get(access::accounts::form))
        .route("/console/accounts/{account_id}", get(access::account::show))
        .route("/console/accounts/{account_id}/role", post(access::account::role))
        .route("/console/accounts/{account_id}/password", post(access::account::password))
        .route(
            "/console/accounts/{account_id}/delete",
            get(access::account::ask).post(access::account::delete),
        )
        .route("/console/keys", get(access::keys::show).post(access::keys::create))
        .route("/console/keys/new", get(access::keys::form))
        .route("/console/keys/{access_key}/delete", post(access::keys::delete))
        .route("/console/tokens", get(access::tokens::show).post(access::tokens::create))
        .route("/console/tokens/new", get(access::tokens::form))
        .route("/console/tokens/{token_id}/delete", post(access::tokens::delete))
        .route("/console/password", get(access::password::show).post(access::password::save))
        .route("/console/audit", get(audit::show))
        .merge(office_routes())
}

/// Office apps.
fn office_routes() -> Router<App> {
    Router::new()
        .route("/console/office", get(office::connections::show))
        .route("/console/office/new", get(office::form::choose))
        .route("/console/office/new/{platform}", get(office::form::show).post(office::form::connect))
        .route("/console/office/{connection_id}", get(office::connection::show))
        .route(
            "/console/office/{connection_id}/settings",
            get(office::form::settings).post(office::form::save),
        )
        .route(
            "/console/office/{connection_id}/delete",
            get(office::delete::ask).post(office::delete::delete),
        )
        .route("/console/office/{connection_id}/check", get(office::doctor::show).post(office::doctor::check))
        .route("/console/office/{connection_id}/callback", post(office::care::callback))
        .route("/console/office/{connection_id}/chats/{chat_id}", post(directory::chats::change))
        .route("/console/office/{connection_id}/calls", post(office::care::limit))
        .route("/console/office/{connection_id}/notices", post(office::care::notices))
        .route("/console/office/{connection_id}/update", post(office::connection::update))
        .route("/console/office/{connection_id}/updates/{run_id}", get(office::run::show))
        .route("/console/office/{connection_id}/updates/{run_id}/confirm", post(office::run::confirm))
        .route("/console/office/{connection_id}/updates/{run_id}/cancel", post(office::run::cancel))
        .route("/console/office/{connection_id}/members", get(directory::members::show))
        .route("/console/office/{connection_id}/departments", get(directory::departments::show))
        .route("/console/office/{connection_id}/chats", get(directory::chats::show))
        .route(
            "/console/office/{connection_id}/groups",
            get(directory::groups::show).post(directory::groups::create),
        )
        .route(
            "/console/office/{connection_id}/groups/{group_id}",
            get(directory::group::show).post(directory::group::change),
        )
        .route("/console/office/{connection_id}/groups/{group_id}/reach", post(directory::group::reach))
        .route("/console/office/{connection_id}/groups/{group_id}/delete", post(directory::groups::delete))
        .route("/console/office/{connection_id}/gone", get(directory::gone::show))
        .route("/console/office/{connection_id}/gone/merge", post(directory::gone::merge))
        .route("/console/office/{connection_id}/gone/unmerge", post(directory::gone::unmerge))
        .route("/console/office/{connection_id}/bind", get(directory::bind::show).post(directory::bind::bind))
}

/// A page, with the headers that keep it safe.
fn page(status: StatusCode, template: &impl askama::Template) -> Response {
    match template.render() {
        Ok(html) => {
            guarded((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response())
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Sends the browser on after a change, so that reloading does not repeat it.
fn go(path: &str) -> Response {
    guarded(Redirect::to(path).into_response())
}

fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    response
}
