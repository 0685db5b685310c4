//! Subscriptions.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::endpoint::Endpoint;
use carillon_model::subscription::{AppCredentials, Extension};
use carillon_model::urn::SubscriptionUrn;
use carillon_model::{Channel, Field, Invalid, SecretText, limits};
use carillon_service::subscription::{NamedSubscription, Subscribe};
use carillon_service::{Error, SubscriptionFilter};
use serde_json::{Map, Value, json};

use super::error::SmnError;
use super::{SmnCall, field, fields, filter, protocol};
use crate::App;

/// A subscription as SMN shows it; the address is masked, and of the extension nothing comes back.
fn shown(named: &NamedSubscription) -> Value {
    let subscription = &named.subscription;
    json!({
        "topic_urn": named.urn.topic.to_string(),
        "protocol": subscription.protocol,
        "subscription_urn": named.urn.to_string(),
        "owner": subscription.project.as_str(),
        "endpoint": subscription.endpoint_masked,
        "remark": subscription.remark,
        "status": subscription.state.number(),
        "filter_polices": filter::shown(&subscription.filter_policies),
        "extension": { "verification_code_enabled": false },
    })
}

pub(crate) fn read(item: &Map<String, Value>) -> Result<Subscribe, Invalid> {
    let name = field::text(item, "protocol", Field::Protocol)?
        .ok_or_else(|| Invalid::new(Field::Protocol, "protocol is missing"))?;
    let endpoint = field::text(item, "endpoint", Field::Endpoint)?
        .ok_or_else(|| Invalid::new(Field::Endpoint, "endpoint is missing"))?;
    let extension = match item.get("extension") {
        None | Some(Value::Null) => Extension::default(),
        Some(Value::Object(extension)) => read_extension(extension)?,
        Some(_) => return Err(Invalid::new(Field::Extension, "extension must be an object")),
    };
    let remark = field::text(item, "remark", Field::Remark)?;
    let channel = protocol::channel(&name)?;
    // SMN's rule, not the platform's: a bot may demand both (SMN API reference, "Adding a Subscription").
    if channel == Channel::Lark && extension.keyword.is_some() && extension.sign_secret.is_some() {
        let rule = "a feishu subscription takes keyword or sign_secret, not both";
        return Err(Invalid::new(Field::Extension, rule));
    }
    Ok(Subscribe { channel, protocol: name, endpoint: endpoint.into(), extension, remark })
}

pub(super) fn read_extension(extension: &Map<String, Value>) -> Result<Extension, Invalid> {
    let secret =
        |name: &str| Ok::<_, Invalid>(field::text(extension, name, Field::Extension)?.map(SecretText::from));
    for name in ["client_id", "client_secret"] {
        if secret(name)?.is_some() {
            return Err(Invalid::new(
                Field::Extension,
                "client_id and client_secret are for welink, which is not offered",
            ));
        }
    }
    let app = match (secret("app_key")?, secret("app_secret")?, secret("robot_code")?) {
        (None, None, None) => None,
        (Some(app_key), Some(app_secret), Some(robot_code)) => {
            Some(AppCredentials { app_key, app_secret, robot_code })
        }
        _ => return Err(Invalid::new(Field::Extension, "app_key, app_secret and robot_code go together")),
    };
    let mut headers = Vec::new();
    match extension.get("header") {
        None | Some(Value::Null) => {}
        Some(Value::Object(pairs)) => {
            for (name, value) in pairs {
                let Value::String(value) = value else {
                    return Err(Invalid::new(Field::Extension, "header values must be texts"));
                };
                headers.push((name.clone(), SecretText::new(value.as_str())));
            }
        }
        Some(_) => return Err(Invalid::new(Field::Extension, "header must be an object of texts")),
    }
    Ok(Extension {
        keyword: secret("keyword")?,
        sign_secret: secret("sign_secret")?,
        app,
        headers,
        office: None,
    })
}

/// `POST …/subscriptions`: one subscription, or up to 50 in `subscriptions`. 201 when something is new, 200 when all
/// were there.
pub(crate) async fn add(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let body = call.0.object(Field::Extension).map_err(|error| call.refuse(error))?;
    match body.get("subscriptions") {
        None | Some(Value::Null) => add_one(&app, &call, &body).await,
        Some(Value::Array(items)) if items.is_empty() && body.contains_key("protocol") => {
            add_one(&app, &call, &body).await
        }
        Some(Value::Array(items)) => add_many(&app, &call, items).await,
        Some(_) => Err(call.refuse(Invalid::new(Field::Extension, "subscriptions must be a list"))),
    }
}

async fn add_one(app: &App, call: &SmnCall, item: &Map<String, Value>) -> Result<Response, SmnError> {
    let added = async {
        let subscribe = read(item)?;
        app.service.subscribe(&call.0.caller, call.0.path("topic_urn"), subscribe).await
    };
    let (urn, fresh) = added.await.map_err(|error| call.refuse(error))?;
    let status = if fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok(call.answer(status, fields(json!({ "subscription_urn": urn.to_string() }))))
}

async fn add_many(app: &App, call: &SmnCall, items: &[Value]) -> Result<Response, SmnError> {
    if items.is_empty() || items.len() > limits::SUBSCRIPTIONS_BATCH_MAX {
        return Err(call.refuse(Invalid::new(Field::Extension, "subscriptions must hold 1 to 50 items")));
    }
    let topic_urn = call.0.path("topic_urn");
    app.service.known_topic(&call.0.caller, topic_urn).await.map_err(|error| call.refuse(error))?;
    let id = call.0.id.map(|id| id.to_string()).unwrap_or_default();
    let (mut first, mut any_new, mut results) = (None, false, Vec::new());
    for item in items {
        let answer = async {
            let item = item
                .as_object()
                .ok_or_else(|| Invalid::new(Field::Extension, "each item must be an object"))?;
            app.service.subscribe(&call.0.caller, topic_urn, read(item)?).await
        };
        let answer = answer.await;
        if let Ok((urn, fresh)) = &answer {
            any_new |= fresh;
            first.get_or_insert_with(|| urn.to_string());
        }
        results.push(added(&id, answer));
    }
    let status = if any_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(call.answer(status, fields(json!({ "subscription_urn": first, "subscriptions_result": results }))))
}

/// What became of one of many.
pub(super) fn added(id: &str, answer: Result<(SubscriptionUrn, bool), Error>) -> Value {
    match answer {
        Ok((urn, fresh)) => {
            let code = if fresh { StatusCode::CREATED } else { StatusCode::OK };
            json!({ "http_code": code.as_u16(), "request_id": id, "subscription_urn": urn.to_string() })
        }
        Err(error) => {
            let error = SmnError::from(error);
            json!({ "http_code": error.status.as_u16(), "request_id": id, "error_code": error.code,
                    "error_msg": error.message })
        }
    }
}

/// `GET …/notifications/subscriptions`: the project's, oldest first.
pub(crate) async fn list(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    listed(&app, &call, None).await
}

/// `GET …/topics/{topic_urn}/subscriptions`: the topic's, oldest first.
pub(crate) async fn list_of_topic(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    listed(&app, &call, Some(call.0.path("topic_urn"))).await
}

async fn listed(app: &App, call: &SmnCall, topic_urn: Option<&str>) -> Result<Response, SmnError> {
    let found = async {
        let page = field::page(&call.0)?;
        let filter = SubscriptionFilter {
            topic: None,
            protocol: call.0.query("protocol").map(str::to_owned),
            state: status(call)?,
            remark_part: call.0.query("fuzzy_remark").map(str::to_owned),
            endpoints: call
                .0
                .query("endpoint")
                .map(|text| endpoints(call.0.query("protocol"), text))
                .transpose()?,
        };
        app.service.list_subscriptions(&call.0.caller, topic_urn, filter, page).await
    };
    let (count, found) = found.await.map_err(|error| call.refuse(error))?;
    let found: Vec<Value> = found.iter().map(shown).collect();
    Ok(call.answer(StatusCode::OK, fields(json!({ "subscription_count": count, "subscriptions": found }))))
}

fn status(call: &SmnCall) -> Result<Option<i64>, Invalid> {
    let Some(text) = call.0.query("status") else { return Ok(None) };
    let number = text.parse::<i64>().ok().filter(|number| (0..=4).contains(number));
    number.map(Some).ok_or_else(|| Invalid::new(Field::Status, "status must be 0, 1, 2, 3 or 4"))
}

/// The addresses that a text can mean: on the protocol's channel if one is given, else on any. A text that is no
/// address means none, and nothing is found.
fn endpoints(protocol: Option<&str>, text: &str) -> Result<Vec<Endpoint>, Invalid> {
    let channels = match protocol {
        Some(name) => vec![protocol::channel(name)?],
        None => Channel::ALL.to_vec(),
    };
    Ok(channels.into_iter().filter_map(|channel| Endpoint::parse(channel, text).ok()).collect())
}

/// `PUT …/subscriptions/{subscription_urn}`: changes the remark.
pub(crate) async fn update(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let (topic_urn, urn) = (call.0.path("topic_urn"), call.0.path("subscription_urn"));
    let changed = async {
        let body = call.0.object(Field::Remark)?;
        let remark = field::text(&body, "remark", Field::Remark)?
            .ok_or_else(|| Invalid::new(Field::Remark, "remark is missing"))?;
        app.service.remark_subscription(&call.0.caller, Some(topic_urn), urn, remark).await
    };
    changed.await.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, fields(json!({ "subscription_urn": urn }))))
}

/// `DELETE …/notifications/subscriptions/{subscription_urn}`.
pub(crate) async fn remove(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    removed(&app, &call, None).await
}

/// `DELETE …/topics/{topic_urn}/subscriptions/{subscription_urn}`.
pub(crate) async fn remove_of_topic(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    removed(&app, &call, Some(call.0.path("topic_urn"))).await
}

async fn removed(app: &App, call: &SmnCall, topic_urn: Option<&str>) -> Result<Response, SmnError> {
    let urns = [call.0.path("subscription_urn").to_owned()];
    let answers = app.service.unsubscribe(&call.0.caller, topic_urn, &urns).await;
    for answer in answers.map_err(|error| call.refuse(error))? {
        answer.map_err(|error| call.refuse(error))?;
    }
    Ok(call.answer(StatusCode::OK, Map::new()))
}

/// `DELETE …/notifications/subscriptions` with a body: many at once, each with its own answer.
pub(crate) async fn remove_many(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    removed_many(&app, &call, None).await
}

/// `DELETE …/topics/{topic_urn}/subscriptions` with a body: many of one topic.
pub(crate) async fn remove_many_of_topic(
    State(app): State<App>,
    call: SmnCall,
) -> Result<Response, SmnError> {
    removed_many(&app, &call, Some(call.0.path("topic_urn"))).await
}

async fn removed_many(app: &App, call: &SmnCall, topic_urn: Option<&str>) -> Result<Response, SmnError> {
    let urns = urns(call).map_err(|error| call.refuse(error))?;
    if let Some(topic_urn) = topic_urn {
        app.service.known_topic(&call.0.caller, topic_urn).await.map_err(|error| call.refuse(error))?;
    }
    let answers = app.service.unsubscribe(&call.0.caller, topic_urn, &urns).await;
    let answers: Vec<Value> =
        answers.map_err(|error| call.refuse(error))?.into_iter().map(|a| one(call, a)).collect();
    Ok(call.answer(StatusCode::OK, fields(json!({ "subscriptions_result": answers }))))
}

fn urns(call: &SmnCall) -> Result<Vec<String>, Invalid> {
    let wrong = || {
        let rule = "subscription_urns must hold 1 to 100 objects with a subscription_urn each";
        Invalid::new(Field::SubscriptionUrn, rule)
    };
    let body = call.0.object(Field::SubscriptionUrn)?;
    let list = body.get("subscription_urns").and_then(Value::as_array).ok_or_else(wrong)?;
    if list.is_empty() || list.len() > 100 {
        return Err(wrong());
    }
    let urn = |item: &Value| item.get("subscription_urn").and_then(Value::as_str).map(str::to_owned);
    list.iter().map(|item| urn(item).ok_or_else(wrong)).collect()
}

fn one(call: &SmnCall, answer: Result<(), Error>) -> Value {
    let id = call.0.id.map(|id| id.to_string()).unwrap_or_default();
    match answer {
        Ok(()) => json!({ "request_id": id, "http_code": 200, "code": null, "message": null }),
        Err(error) => {
            let error = SmnError::from(error);
            json!({ "request_id": id, "http_code": error.status.as_u16(), "code": error.code, "message": error.message })
        }
    }
}

#[cfg(test)]
mod tests {
    use carillon_model::Field;
    use serde_json::{Value, json};

    use super::{endpoints, fields, read};

    const LARK: &str = "https://open.feishu.cn/open-apis/bot/v2/hook/0123456789";

    fn lark(extension: &Value) -> Value {
        json!({ "protocol": "feishu", "endpoint": LARK, "extension": extension })
    }

    #[test]
    fn feishu_takes_one_of_keyword_and_secret() {
        for extension in [json!({ "keyword": "ops" }), json!({ "sign_secret": "s" }), json!({})] {
            assert!(read(&fields(lark(&extension))).is_ok(), "{extension}");
        }
        let both = read(&fields(lark(&json!({ "keyword": "ops", "sign_secret": "s" }))));
        assert_eq!(both.unwrap_err().field, Field::Extension);
    }

    #[test]
    fn an_address_is_looked_for_on_every_channel() {
        let names = |protocol, text| {
            let found = endpoints(protocol, text).unwrap();
            found.iter().map(|endpoint| endpoint.channel().name()).collect::<Vec<_>>()
        };
        assert_eq!(names(None, "cidPretendGroup0001=="), ["dingtalk", "dingtalk_person"]);
        assert_eq!(names(None, "u001"), ["dingtalk_person"]);
        assert!(names(None, LARK).contains(&"lark"));
        assert_eq!(names(Some("dingTalkBot"), "u001"), ["dingtalk_person"]);
        assert!(names(None, "no address").is_empty());
        assert!(names(Some("feishu"), "u001").is_empty());
        assert_eq!(endpoints(Some("telex"), "u001").unwrap_err().field, Field::Protocol);
    }
}
