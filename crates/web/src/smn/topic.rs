//! Topics.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::{Field, Invalid};
use carillon_service::topic::{NamedTopic, NewTopic};
use carillon_service::{FullTopic, TopicFilter};
use serde_json::{Map, Value, json};

use super::error::SmnError;
use super::{SmnCall, attribute, field, fields, logtank, tag};
use crate::App;

/// A topic as SMN shows it.
fn shown(named: &NamedTopic) -> Map<String, Value> {
    fields(json!({
        "topic_urn": named.urn.to_string(),
        "name": named.topic.name.as_str(),
        "display_name": named.topic.display_name,
        "push_policy": 0,
        "enterprise_project_id": named.topic.enterprise_project_id,
        "topic_id": named.topic.id.to_string(),
        "create_time": named.topic.created_at.to_seconds_text(),
        "update_time": named.topic.updated_at.to_seconds_text(),
    }))
}

/// `POST …/topics`: 201 when it is new, 200 when one of that name is there.
pub(crate) async fn create(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let made = async {
        let body = call.0.object(Field::Name)?;
        let new = NewTopic {
            name: field::text(&body, "name", Field::Name)?
                .ok_or_else(|| Invalid::new(Field::Name, "name is missing"))?,
            display_name: field::text(&body, "display_name", Field::DisplayName)?.unwrap_or_default(),
            enterprise_project_id: enterprise_project(field::text(
                &body,
                "enterprise_project_id",
                Field::Name,
            )?)?,
        };
        app.service.create_topic(&call.0.caller, new).await
    };
    let (named, fresh) = made.await.map_err(|error| call.refuse(error))?;
    let status = if fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok(call.answer(status, fields(json!({ "topic_urn": named.urn.to_string() }))))
}

fn enterprise_project(id: Option<String>) -> Result<Option<String>, Invalid> {
    match id {
        Some(id) if id.len() > 64 || id.chars().any(char::is_control) => {
            Err(Invalid::new(Field::Name, "enterprise_project_id must be at most 64 bytes"))
        }
        Some(id) if id.is_empty() => Ok(None),
        other => Ok(other),
    }
}

/// `GET …/topics`: newest first.
pub(crate) async fn list(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let listed = async {
        let page = field::page(&call.0)?;
        app.service.list_topics(&call.0.caller, filter(&call), page).await
    };
    let (count, topics) = listed.await.map_err(|error| call.refuse(error))?;
    let topics: Vec<Value> = topics.iter().map(|named| Value::Object(shown(named))).collect();
    Ok(call.answer(StatusCode::OK, fields(json!({ "topic_count": count, "topics": topics }))))
}

fn filter(call: &SmnCall) -> TopicFilter {
    let query = |name: &str| call.0.query(name).map(str::to_owned);
    TopicFilter {
        name: query("name"),
        name_part: query("fuzzy_name"),
        id: query("topic_id"),
        display_name_part: query("fuzzy_display_name"),
        enterprise_project_id: query("enterprise_project_id"),
    }
}

/// `GET …/topics-with-associated-resources`: as the list of topics, each with tags, attributes and log tanks.
pub(crate) async fn list_associated(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let listed = async {
        let page = field::page(&call.0)?;
        app.service.list_full_topics(&call.0.caller, filter(&call), page).await
    };
    let (count, topics) = listed.await.map_err(|error| call.refuse(error))?;
    let one = |(named, full): &(NamedTopic, FullTopic)| {
        let mut topic = shown(named);
        topic.insert("tags".to_owned(), tag::shown(&full.tags));
        topic.insert("attributes".to_owned(), attribute::associated(&full.topic, &full.attributes));
        topic.insert("logtanks".to_owned(), full.logtanks.iter().map(logtank::shown).collect());
        Value::Object(topic)
    };
    let topics: Vec<Value> = topics.iter().map(one).collect();
    Ok(call.answer(StatusCode::OK, fields(json!({ "topic_count": count, "topics": topics }))))
}

/// `GET …/topics/{topic_urn}`.
pub(crate) async fn show(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let found = app.service.topic_detail(&call.0.caller, call.0.path("topic_urn")).await;
    let named = found.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, shown(&named)))
}

/// `PUT …/topics/{topic_urn}`: changes the display name.
pub(crate) async fn update(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let changed = async {
        let body = call.0.object(Field::DisplayName)?;
        let name = field::text(&body, "display_name", Field::DisplayName)?
            .ok_or_else(|| Invalid::new(Field::DisplayName, "display_name is missing"))?;
        app.service.rename_topic(&call.0.caller, call.0.path("topic_urn"), name).await
    };
    changed.await.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, Map::new()))
}

/// `DELETE …/topics/{topic_urn}`: with its subscriptions.
pub(crate) async fn remove(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let gone = app.service.delete_topic(&call.0.caller, call.0.path("topic_urn")).await;
    gone.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, Map::new()))
}
