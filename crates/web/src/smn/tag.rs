//! Tags, in the form of the cloud's tag service. Only topics carry them; the other two resource types that SMN names
//! have no resources here.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use carillon_model::tag::{Tag, TagFilter, TagWish};
use carillon_model::{Field, Invalid, limits};
use carillon_service::tag::TopicKey;
use carillon_service::topic::NamedTopic;
use carillon_service::{Error, FullTopic, Page};
use serde_json::{Map, Value, json};

use super::error::SmnError;
use super::{SmnCall, field, fields};
use crate::App;

fn wrong(rule: &'static str) -> Invalid {
    Invalid::new(Field::Tag, rule)
}

/// Tags as SMN shows them.
pub(super) fn shown(tags: &[Tag]) -> Value {
    tags.iter().map(|tag| json!({ "key": tag.key, "value": tag.value })).collect()
}

/// Whether the path's resource type is the topics'.
fn of_topics(call: &SmnCall) -> Result<bool, Invalid> {
    match call.0.path("resource_type") {
        "smn_topic" => Ok(true),
        "smn_sms" | "smn_application" => Ok(false),
        _ => Err(Invalid::new(Field::ResourceType, "must be smn_topic, smn_sms or smn_application")),
    }
}

/// The topic that the path names: by name when `X-SMN-RESOURCEID-TYPE: name` says so, else by id.
fn topic(call: &SmnCall) -> Result<TopicKey<'_>, Error> {
    if !of_topics(call)? {
        return Err(Error::TopicNotFound);
    }
    let key = call.0.path("resource_id");
    let by_name =
        call.0.header("x-smn-resourceid-type").is_some_and(|kind| kind.eq_ignore_ascii_case("name"));
    Ok(if by_name { TopicKey::Name(key) } else { TopicKey::Id(key) })
}

/// A tag; without a value it is the empty one.
fn read(item: Option<&Value>) -> Result<Tag, Invalid> {
    let object =
        item.and_then(Value::as_object).ok_or_else(|| wrong("a tag is an object with key and value"))?;
    let key = field::text(object, "key", Field::Tag)?.ok_or_else(|| wrong("key is missing"))?;
    Tag::new(&key, &field::text(object, "value", Field::Tag)?.unwrap_or_default())
}

/// `POST …/{resource_type}/{resource_id}/tags`.
pub(crate) async fn create(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let made = async {
        let topic = topic(&call)?;
        let tag = read(call.0.object(Field::Tag)?.get("tag"))?;
        app.service.tag_topic(&call.0.caller, topic, vec![tag]).await
    };
    made.await.map_err(|error| call.refuse(error))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST …/{resource_type}/{resource_id}/tags/action`: adds or removes several. A tag to be removed is meant by its key
/// and, if it has one, its value.
pub(crate) async fn change(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let changed = async {
        let topic = topic(&call)?;
        let body = call.0.object(Field::Tag)?;
        let list = body.get("tags").and_then(Value::as_array).ok_or_else(|| wrong("tags must be a list"))?;
        let tags = list.iter().map(|item| read(Some(item))).collect::<Result<Vec<_>, _>>()?;
        match body.get("action").and_then(Value::as_str) {
            Some("create") => app.service.tag_topic(&call.0.caller, topic, tags).await,
            Some("delete") => {
                let gone = tags.into_iter().map(|tag| (tag.key, Some(tag.value).filter(|it| !it.is_empty())));
                app.service.untag_topic(&call.0.caller, topic, gone.collect()).await
            }
            _ => Err(Invalid::new(Field::Action, "must be create or delete").into()),
        }
    };
    changed.await.map_err(|error| call.refuse(error))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `DELETE …/{resource_type}/{resource_id}/tags/{key}`. The key `action` comes without the path's part of that name.
pub(crate) async fn remove(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let gone = async {
        let key = Some(call.0.path("key")).filter(|key| !key.is_empty()).unwrap_or("action");
        app.service.delete_tag(&call.0.caller, topic(&call)?, key).await
    };
    gone.await.map_err(|error| call.refuse(error))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET …/{resource_type}/{resource_id}/tags`.
pub(crate) async fn list(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let listed = async { app.service.list_tags(&call.0.caller, topic(&call)?).await };
    let tags = listed.await.map_err(|error| call.refuse(error))?;
    Ok(call.answer(StatusCode::OK, fields(json!({ "tags": shown(&tags) }))))
}

/// `GET …/{resource_type}/tags`: every key of the project with its values.
pub(crate) async fn list_all(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let listed = async {
        if of_topics(&call)? {
            app.service.list_all_tags(&call.0.caller).await
        } else {
            Ok(Default::default())
        }
    };
    let keys = listed.await.map_err(|error| call.refuse(error))?;
    let tags: Vec<Value> =
        keys.into_iter().map(|(key, values)| json!({ "key": key, "values": values })).collect();
    Ok(call.answer(StatusCode::OK, fields(json!({ "tags": tags }))))
}

/// `POST …/{resource_type}/resource_instances/action`: the topics that a filter means, or their number.
pub(crate) async fn instances(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let found = async {
        let topics = of_topics(&call)?;
        let body = call.0.object(Field::Tag)?;
        let count_only = match body.get("action").and_then(Value::as_str) {
            Some("filter") => false,
            Some("count") => true,
            _ => return Err(Invalid::new(Field::Action, "must be filter or count").into()),
        };
        let (filter, page) = (read_filter(&body)?, read_page(&body, count_only)?);
        if !topics {
            return Ok((count_only, 0, Vec::new()));
        }
        let (count, found) = app.service.list_tagged_topics(&call.0.caller, &filter, page).await?;
        Ok::<_, Error>((count_only, count, found))
    };
    let (count_only, count, found) = found.await.map_err(|error| call.refuse(error))?;
    let mut answer = fields(json!({ "total_count": count }));
    if !count_only {
        answer.insert("resources".to_owned(), found.iter().map(instance).collect());
    }
    Ok(call.answer(StatusCode::OK, answer))
}

fn instance((named, full): &(NamedTopic, FullTopic)) -> Value {
    json!({
        "resource_id": named.topic.id.to_string(),
        "resource_name": named.topic.name.as_str(),
        "resource_detail": {
            "enterprise_project_id": named.topic.enterprise_project_id,
            "detailId": named.topic.id.to_string(),
            "topic_urn": named.urn.to_string(),
            "display_name": named.topic.display_name,
        },
        "tags": shown(&full.tags),
    })
}

fn read_page(body: &Map<String, Value>, count_only: bool) -> Result<Page, Invalid> {
    if count_only {
        return Ok(Page { offset: 0, limit: 0 });
    }
    let offset = field::number(body, "offset", Field::Paging)?.unwrap_or(0);
    let limit = field::number(body, "limit", Field::Paging)?.unwrap_or(limits::TAG_PAGE_MAX);
    if (1..=limits::TAG_PAGE_MAX).contains(&limit) {
        Ok(Page { offset, limit })
    } else {
        Err(Invalid::new(Field::Paging, "limit must be 1 to 1000"))
    }
}

fn read_filter(body: &Map<String, Value>) -> Result<TagFilter, Invalid> {
    let untagged = match body.get("without_any_tag") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(untagged)) => *untagged,
        Some(_) => return Err(wrong("without_any_tag must be true or false")),
    };
    Ok(TagFilter {
        all: wishes(body, "tags")?,
        any: wishes(body, "tags_any")?,
        not_all: wishes(body, "not_tags")?,
        not_any: wishes(body, "not_tags_any")?,
        name: matched_name(body)?,
        untagged,
    })
}

fn list_of<'v>(body: &'v Map<String, Value>, name: &str) -> Result<&'v [Value], Invalid> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(Invalid::new(Field::Tag, format!("{name} must be a list of objects"))),
    }
}

fn wishes(body: &Map<String, Value>, name: &str) -> Result<Vec<TagWish>, Invalid> {
    let rule =
        || Invalid::new(Field::Tag, format!("each item of {name} has a key and values, a list of texts"));
    let wish = |item: &Value| {
        let key = item.get("key").and_then(Value::as_str).ok_or_else(rule)?;
        let values = match item.get("values") {
            None | Some(Value::Null) => Vec::new(),
            Some(values) => field::texts(values).ok_or_else(rule)?,
        };
        Ok(TagWish { key: key.to_owned(), values })
    };
    list_of(body, name)?.iter().map(wish).collect()
}

fn matched_name(body: &Map<String, Value>) -> Result<Option<String>, Invalid> {
    let rule = || wrong("matches takes one object with the key resource_name and a value");
    let item = match list_of(body, "matches")? {
        [] => return Ok(None),
        [item] => item,
        _ => return Err(rule()),
    };
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    match (text("key"), text("value")) {
        (Some("resource_name"), Some(name)) => Ok(Some(name.to_owned())),
        _ => Err(rule()),
    }
}
