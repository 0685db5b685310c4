//! About this installation: version, store, health, servers, master keys, ids for clients.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::role::Right;
use carillon_service::installation::{Installation, Quota};
use carillon_service::{Error, KeyUse};

use super::frame::{Frame, Place};
use super::page;
use super::problem::Problem;
use super::visit::Visit;
use crate::App;

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage {
    f: Frame,
    version: &'static str,
    region: String,
    project_id: String,
    public_url: String,
    installation: Option<Installation>,
    keys: Vec<KeyUse>,
    quotas: Vec<Quota>,
}

impl AboutPage {
    /// What a quota is of; one that has no words stands by its name.
    fn quota<'q>(&self, quota: &'q Quota) -> &'q str {
        let t = &self.f.t.about;
        match quota.name {
            "topics" => t.quota_topics,
            "templates" => t.quota_templates,
            "subscription_users" => t.quota_users,
            "subscriptions_per_topic" => t.quota_subscriptions,
            "publishes_per_minute" => t.quota_publishes,
            name => name,
        }
    }

    /// How full it is, of 1000.
    fn share(&self, quota: &Quota) -> Option<u64> {
        let (used, limit) = (quota.used?, quota.limit?);
        Some((used.saturating_mul(1000) / limit.max(1)).min(1000))
    }
}

/// The page. What a publisher may not see is left out, and so are the keys for all but the operator.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let caller = &visit.caller;
    let read = async {
        let looks = caller.may(Right::Look).is_ok();
        let installation = if looks { Some(app.service.installation(caller).await?) } else { None };
        let keys = if caller.operator { app.service.master_keys(caller).await? } else { Vec::new() };
        let quotas = if looks { app.service.list_quotas(caller).await? } else { Vec::new() };
        Ok::<_, Error>((installation, keys, quotas))
    };
    let (installation, keys, quotas) = read.await.map_err(|error| visit.problem(error))?;
    let template = AboutPage {
        f: visit.frame(Place::About),
        version: app.console.version,
        region: app.service.region().to_owned(),
        project_id: caller.project.to_string(),
        public_url: app.service.public_url().map(|links| links.base().to_owned()).unwrap_or_default(),
        installation,
        keys,
        quotas,
    };
    Ok(page(StatusCode::OK, &template))
}
