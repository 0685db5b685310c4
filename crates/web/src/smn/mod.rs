//! SMN's v2 API as Huawei Cloud's official SDKs speak it. Its words (protocol, `message_structure`, …) and its codes
//! live in this folder and nowhere below; a second dialect would be a sibling folder.

mod absent;
mod attribute;
mod detection;
pub(crate) mod error;
mod field;
mod filter;
mod iam;
mod link;
mod logtank;
pub(crate) mod protocol;
mod publish;
mod statistics;
pub(crate) mod structure;
mod subscription;
mod subscription_user;
mod tag;
mod template;
mod topic;
mod version;

use axum::Router;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use carillon_model::link::{CERTIFICATE_PATH, SUBSCRIBE_PATH, UNSUBSCRIBE_PATH};
use serde_json::{Map, Value};

pub(crate) use self::subscription::read as read_subscribe;
pub(crate) use self::template::channel as template_channel;

use self::error::SmnError;
use crate::call::Call;
use crate::{App, layer};

/// Every path of the dialect.
pub(crate) fn routes() -> Router<App> {
    const TOPICS: &str = "/v2/{project_id}/notifications/topics";
    const TOPIC: &str = "/v2/{project_id}/notifications/topics/{topic_urn}";
    const SUBSCRIPTIONS: &str = "/v2/{project_id}/notifications/subscriptions";
    Router::new()
        .route("/", get(version::list))
        .route("/v2", get(version::show))
        .route("/v2/notifications/protocols", get(version::protocols))
        .merge(iam_routes())
        .route(TOPICS, post(topic::create).get(topic::list))
        .route(TOPIC, get(topic::show).put(topic::update).delete(topic::remove))
        .route(&format!("{TOPIC}/publish"), post(publish::publish))
        .route(
            &format!("{TOPIC}/subscriptions"),
            post(subscription::add)
                .get(subscription::list_of_topic)
                .delete(subscription::remove_many_of_topic),
        )
        .route(
            &format!("{TOPIC}/subscriptions/{{subscription_urn}}"),
            put(subscription::update).delete(subscription::remove_of_topic),
        )
        .route(&format!("{TOPIC}/attributes"), get(attribute::list).delete(attribute::remove_all))
        .route(&format!("{TOPIC}/attributes/{{name}}"), put(attribute::update).delete(attribute::remove))
        .route(&format!("{TOPIC}/statistics"), get(statistics::list))
        .route(
            &format!("{SUBSCRIPTIONS}/filter_polices"),
            post(filter::create).put(filter::update).delete(filter::remove),
        )
        .route(SUBSCRIPTIONS, get(subscription::list).delete(subscription::remove_many))
        .route(&format!("{SUBSCRIPTIONS}/{{subscription_urn}}"), delete(subscription::remove))
        .route(&format!("{TOPIC}/detection"), post(detection::begin))
        .route(&format!("{TOPIC}/detection/{{task_id}}"), get(detection::show))
        .merge(links())
        .route("/v2/{project_id}/notifications/topics-with-associated-resources", get(topic::list_associated))
        .merge(template_routes())
        .merge(user_routes(TOPIC))
        .route(&format!("{TOPIC}/logtanks"), post(logtank::create).get(logtank::list))
        .route(&format!("{TOPIC}/logtanks/{{logtank_id}}"), put(logtank::update).delete(logtank::remove))
        .merge(tag_routes())
        .merge(absent::routes("/v2/{project_id}", TOPIC))
}

/// The small IAM. OpenStack-style clients write some of its paths with a slash at the end.
fn iam_routes() -> Router<App> {
    Router::new()
        .route("/v3", get(iam::version))
        .route("/v3/", get(iam::version))
        .route("/v3/auth/tokens", post(iam::sign_in))
        .route("/v3/auth/catalog", get(iam::list_catalog))
        .route("/v3/auth/projects", get(iam::own_projects))
        .route("/v3/auth/domains", get(iam::domains))
        .route("/v3/projects", get(iam::projects))
}

/// What end users follow, without signing in: each link carries its own right. Of each there is an older twin.
fn links() -> Router<App> {
    let subscribe = || get(link::subscribe).post(link::subscribe);
    let unsubscribe = || get(link::unsubscribe).post(link::unsubscribe);
    Router::new()
        .route(SUBSCRIBE_PATH, subscribe())
        .route("/rest/v2/notifications/subscription/confirm", subscribe())
        .route(UNSUBSCRIBE_PATH, unsubscribe())
        .route("/rest/v2/notifications/subscription/unsubscribe", unsubscribe())
        .route(&format!("{CERTIFICATE_PATH}{{certificate_id}}"), get(link::certificate))
        .route("/v2/notifications/certifications/download/{certificate_id}", get(link::certificate))
}

fn user_routes(topic: &str) -> Router<App> {
    const USERS: &str = "/v2/{domain_id}/subscription-users";
    Router::new()
        .route(USERS, post(subscription_user::create).get(subscription_user::list))
        .route(&format!("{USERS}/{{id}}"), put(subscription_user::update).delete(subscription_user::remove))
        .route(&format!("{topic}/subscriptions/from-subscription-users"), post(subscription_user::subscribe))
}

fn template_routes() -> Router<App> {
    const TEMPLATES: &str = "/v2/{project_id}/notifications/message_template";
    Router::new().route(TEMPLATES, post(template::create).get(template::list)).route(
        &format!("{TEMPLATES}/{{message_template_id}}"),
        get(template::show).put(template::update).delete(template::remove),
    )
}

fn tag_routes() -> Router<App> {
    const RESOURCE: &str = "/v2/{project_id}/{resource_type}/{resource_id}";
    Router::new()
        .route(&format!("{RESOURCE}/tags"), post(tag::create).get(tag::list))
        .route(&format!("{RESOURCE}/tags/action"), post(tag::change).delete(tag::remove))
        .route(&format!("{RESOURCE}/tags/{{key}}"), delete(tag::remove))
        .route("/v2/{project_id}/{resource_type}/tags", get(tag::list_all))
        .route("/v2/{project_id}/{resource_type}/resource_instances/action", post(tag::instances))
}

/// A request of this dialect whose caller is known, in the project that its path names, if it names one.
#[derive(Debug)]
pub(crate) struct SmnCall(pub(crate) Call);

impl FromRequest<App> for SmnCall {
    type Rejection = SmnError;

    async fn from_request(request: Request, app: &App) -> Result<Self, SmnError> {
        let id = layer::request_id(request.extensions());
        let call =
            Call::read(request, &app.service).await.map_err(|refused| SmnError::from(refused).with(id))?;
        let project = call.path("project_id");
        if !project.is_empty() {
            call.caller.may_act_in(project).map_err(|error| SmnError::from(error).with(id))?;
        }
        Ok(Self(call))
    }
}

impl SmnCall {
    /// The address that the caller reached this server at: the operator's, else the one that the request names.
    fn base(&self, app: &App) -> String {
        base(app, self.0.header(header::HOST.as_str()))
    }

    /// An answer: the given fields and the request's id.
    fn answer(&self, status: StatusCode, mut fields: Map<String, Value>) -> Response {
        let id = self.0.id.map(|id| id.to_string()).unwrap_or_default();
        fields.insert("request_id".to_owned(), Value::String(id));
        layer::json(status, &Value::Object(fields))
    }

    /// Names the request in an error.
    fn refuse(&self, error: impl Into<SmnError>) -> SmnError {
        error.into().with(self.0.id)
    }
}

/// The address at which the server is reached, without a slash at its end.
fn base(app: &App, host: Option<&str>) -> String {
    match app.service.public_url() {
        Some(links) => links.base().to_owned(),
        None => format!("http://{}", host.unwrap_or_default()),
    }
}

/// The fields of a JSON object literal.
fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}
