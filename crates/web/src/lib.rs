//! HTTP in, JSON and pages out. Every path is named in this file or in the `routes` function of the dialect's folder.
//!
//! | what | room |
//! | --- | --- |
//! | SMN's v2 API, its errors and its small IAM | `smn` |
//! | Carillon's own API and its OpenAPI document | [`api`] |
//! | the console's pages | [`console`] |
//! | from a token or a signature to a caller | `auth` |
//! | request ids, log lines, body limits | `layer` |
//! | is it alive, is it ready, numbers | `health` |
//! | accepting connections and letting them finish | [`serve`] |

pub mod api;
mod auth;
mod call;
mod callback;
pub mod console;
#[cfg(test)]
mod fuzz_tests;
mod health;
mod layer;
pub mod serve;
mod smn;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use carillon_service::Service;

/// Writes the numbers for the operator in the text form of `OpenMetrics`.
pub type WriteMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// What every handler can reach. A request is handed several copies of it on its way, so a copy is one count and no more.
#[derive(Clone)]
pub struct App(Arc<AppParts>);

/// What an [`App`] is made of.
pub struct AppParts {
    /// The service.
    pub service: Service,
    /// The operator's numbers.
    pub write_metrics: WriteMetrics,
    /// What the console needs to know.
    pub console: console::Settings,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: AppParts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

/// All paths. `GET /healthz`, `GET /readyz`, the version documents and the OpenAPI document are open, `POST
/// /v3/auth/tokens` and `POST /console/sign-in` take a password; the console's other pages want a session; every other
/// path wants a token or a signature.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .merge(smn::routes())
        .merge(api::routes())
        .route(&callback::path(), get(callback::hear).post(callback::hear))
        .merge(console::routes())
        .fallback(layer::not_found)
        .method_not_allowed_fallback(layer::method_not_allowed)
        .layer(axum::middleware::from_fn_with_state(app.clone(), layer::frame))
        .with_state(app)
}

/// The numbers alone, without a token, for a listener that only the operator's network reaches.
pub fn metrics_router(app: App) -> Router {
    Router::new().route("/metrics", get(health::open_metrics)).with_state(app)
}
