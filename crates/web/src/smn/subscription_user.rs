//! Subscription users: people with several ways to be reached. Their calls name the domain in the path, not a project
//! (SMN API reference, "Subscription Users").

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::subscription::SubscriptionState;
use carillon_model::{Channel, Field, Invalid, limits};
use carillon_service::Error;
use carillon_service::subscription::Subscribe;
use carillon_service::subscription_user::{ChangedUser, NewUser, ShownUser, UserFilter};
use serde_json::{Map, Value, json};

use super::error::SmnError;
use super::{SmnCall, field, fields, iam, protocol, subscription};
use crate::App;

/// The contact ways by their names in these calls, with the protocols that they are.
const WAYS: [(&str, &str); 10] = [
    ("http", "http"),
    ("https", "https"),
    ("email", "email"),
    ("wechat", "wechat"),
    ("dingding", "dingding"),
    ("feishu", "feishu"),
    ("ding_talk_bot", "dingTalkBot"),
    ("sms", "sms"),
    ("callnotify", "callnotify"),
    ("welink", "welink"),
];

const STATUSES: [(&str, SubscriptionState); 3] = [
    ("UNCONFIRMED", SubscriptionState::Unconfirmed),
    ("CONFIRMED", SubscriptionState::Confirmed),
    ("CANCELLED", SubscriptionState::Cancelled),
];

/// Lets the caller in where the path names the one domain, or its own project: policies name projects as accounts.
fn check_domain(call: &SmnCall) -> Result<(), Error> {
    match call.0.path("domain_id") {
        iam::DOMAIN => Ok(()),
        project => call.0.caller.may_act_in(project),
    }
}

fn object(way: &str, value: &Value) -> Result<Subscribe, Invalid> {
    let (_, name) = WAYS.iter().find(|(known, _)| *known == way).copied().unwrap_or((way, way));
    let wrong = |rule: String| Invalid::new(Field::Extension, rule);
    let object = value.as_object().ok_or_else(|| wrong(format!("{way} must be an object")))?;
    let channel = protocol::channel(name)?;
    let endpoint = field::text(object, "endpoint", Field::Endpoint)?
        .ok_or_else(|| Invalid::new(Field::Endpoint, format!("{way} needs an endpoint")))?;
    let extension = subscription::read_extension(object)?;
    // The rule of these calls, stricter than that of subscriptions.
    let webhook = endpoint.starts_with("http://") || endpoint.starts_with("https://");
    let strict = channel == Channel::Lark || (channel == Channel::Dingtalk && webhook);
    if strict && extension.keyword.is_some() == extension.sign_secret.is_some() {
        return Err(wrong(format!("{way} needs either keyword or sign_secret")));
    }
    Ok(Subscribe { channel, protocol: name.to_owned(), endpoint: endpoint.into(), extension, remark: None })
}

/// The contact ways that a body names; null stands for none.
fn contacts(body: &Map<String, Value>) -> Result<Vec<(String, Option<Subscribe>)>, Invalid> {
    let mut found = Vec::new();
    for (way, name) in WAYS {
        match body.get(way) {
            None => {}
            Some(Value::Null) => found.push((name.to_owned(), None)),
            Some(value) => found.push((name.to_owned(), Some(object(way, value)?))),
        }
    }
    Ok(found)
}

fn shown(shown: &ShownUser) -> Value {
    let user = &shown.user;
    let mut object = fields(json!({
        "id": user.id.to_string(),
        "name": user.name,
        "group": user.group,
        "create_time": user.created_at.to_seconds_text(),
        "update_time": user.updated_at.to_seconds_text(),
    }));
    for (protocol, masked, state) in &shown.contacts {
        let way = WAYS.iter().find(|(_, name)| name == protocol).map_or(protocol.as_str(), |(way, _)| way);
        let status = STATUSES.iter().find(|(_, known)| known == state).map(|(name, _)| *name);
        object.insert(way.to_owned(), json!({ "endpoint": masked, "status": status }));
    }
    Value::Object(object)
}

/// `POST /v2/{domain_id}/subscription-users`.
pub(crate) async fn create(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let made = async {
        check_domain(&call)?;
        let body = call.0.object(Field::Extension)?;
        let name = field::text(&body, "name", Field::Name)?.unwrap_or_default();
        let group = field::text(&body, "group", Field::Name)?.unwrap_or_default();
        let contacts = contacts(&body)?.into_iter().filter_map(|(_, contact)| contact).collect();
        app.service.create_subscription_user(&call.0.caller, NewUser { name, group, contacts }).await
    };
    let id = made.await.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::CREATED, fields(json!({ "id": id.to_string() }))))
}

/// `GET /v2/{domain_id}/subscription-users`: oldest first.
pub(crate) async fn list(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let found = async {
        check_domain(&call)?;
        let text = |name: &str| call.0.query(name).map(str::to_owned);
        let protocol = text("protocol").map(|given| {
            WAYS.iter().find(|(way, _)| *way == given).map_or(given.clone(), |(_, name)| (*name).to_owned())
        });
        let filter = UserFilter {
            name: text("name"),
            group: text("group"),
            protocol,
            status: status(&call)?,
            text: None,
        };
        app.service.list_subscription_users(&call.0.caller, filter, field::page(&call.0)?).await
    };
    let (count, users) = found.await.map_err(|error| call.refuse(error))?;
    let users: Vec<Value> = users.iter().map(shown).collect();
    Ok(call.answer(StatusCode::OK, fields(json!({ "count": count, "subscription_users": users }))))
}

fn status(call: &SmnCall) -> Result<Option<SubscriptionState>, Invalid> {
    let Some(text) = call.0.query("status") else { return Ok(None) };
    let found = STATUSES.iter().find(|(name, _)| *name == text).map(|(_, state)| *state);
    let wrong = || Invalid::new(Field::Status, "status must be UNCONFIRMED, CONFIRMED or CANCELLED");
    found.map(Some).ok_or_else(wrong)
}

/// `PUT /v2/{domain_id}/subscription-users/{id}`: what the body names is changed, a contact way that is null is taken
/// away, everything else stays: addresses come back masked, so nobody could send them all again.
pub(crate) async fn update(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let id = call.0.path("id");
    let changed = async {
        check_domain(&call)?;
        let body = call.0.object(Field::Extension)?;
        let name = field::text(&body, "name", Field::Name)?;
        let group = field::text(&body, "group", Field::Name)?;
        let wanted = ChangedUser { name, group, contacts: contacts(&body)? };
        app.service.change_subscription_user(&call.0.caller, id, wanted).await
    };
    changed.await.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, fields(json!({ "id": id }))))
}

/// `DELETE /v2/{domain_id}/subscription-users/{id}`.
pub(crate) async fn remove(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let removed = async {
        check_domain(&call)?;
        app.service.delete_subscription_user(&call.0.caller, call.0.path("id")).await
    };
    removed.await.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, Map::new()))
}

/// `POST …/topics/{topic_urn}/subscriptions/from-subscription-users`: every contact way of every user, each with its
/// own answer. 201 when something is new, else 200.
pub(crate) async fn subscribe(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let subscribed = async {
        let body = call.0.object(Field::Extension)?;
        let ids = body.get("ids").and_then(field::texts);
        let ids = ids.filter(|ids| (1..=limits::SUBSCRIPTIONS_BATCH_MAX).contains(&ids.len()));
        let ids = ids.ok_or_else(|| Invalid::new(Field::Extension, "ids must be a list of 1 to 50 texts"))?;
        app.service.subscribe_users(&call.0.caller, call.0.path("topic_urn"), &ids).await
    };
    let answers = subscribed.await.map_err(|error| call.refuse(error))?;
    let any_new = answers.iter().any(|answer| matches!(answer, Ok((_, true))));
    let id = call.0.id.map(|id| id.to_string()).unwrap_or_default();
    let results = answers.into_iter().map(|answer| subscription::added(&id, answer)).collect::<Vec<_>>();
    let status = if any_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(call.answer(status, fields(json!({ "subscriptions_result": results }))))
}
