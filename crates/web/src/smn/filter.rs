//! Filter policies of subscriptions; SMN spells them `filter_polices`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::filter::{FilterPolicies, FilterPolicy};
use carillon_model::{Field, Invalid, limits};
use carillon_service::Error;
use carillon_service::filter::FilterWish;
use serde_json::{Value, json};

use super::error::SmnError;
use super::{SmnCall, field, fields};
use crate::App;

/// Policies as SMN shows them.
pub(super) fn shown(policies: &FilterPolicies) -> Value {
    let one = |policy: &FilterPolicy| json!({ "name": policy.name, "string_equals": policy.values });
    policies.as_slice().iter().map(one).collect()
}

fn wrong(rule: &'static str) -> Invalid {
    Invalid::new(Field::FilterPolicy, rule)
}

fn policy(item: &Value) -> Result<FilterPolicy, Invalid> {
    let name = item.get("name").and_then(Value::as_str);
    let values = item.get("string_equals").and_then(field::texts);
    match (name, values) {
        (Some(name), Some(values)) => FilterPolicy::new(name, values),
        _ => Err(wrong("a policy needs a name and string_equals, a list of texts")),
    }
}

fn policies(item: &Value) -> Result<FilterPolicies, Invalid> {
    let list = item.get("filter_polices").and_then(Value::as_array).filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| wrong("filter_polices must be a list that is not empty"))?;
    FilterPolicies::new(list.iter().map(policy).collect::<Result<_, _>>()?)
}

type Wishes = Vec<(String, Result<FilterWish, Invalid>)>;

/// Reads `polices`. What is wrong with one subscription's policies is its own answer, not the whole call's.
fn read(call: &SmnCall, wish: fn(FilterPolicies) -> FilterWish) -> Result<Wishes, Invalid> {
    let body = call.0.object(Field::FilterPolicy)?;
    let list = bounded(body.get("polices"), "polices must be a list of 1 to 100 items")?;
    let read = |item: &Value| {
        let urn = item.get("subscription_urn").and_then(Value::as_str);
        let urn = urn.ok_or_else(|| wrong("each item needs a subscription_urn"))?;
        Ok((urn.to_owned(), policies(item).map(wish)))
    };
    list.iter().map(read).collect()
}

fn bounded<'v>(list: Option<&'v Value>, rule: &'static str) -> Result<&'v [Value], Invalid> {
    let list = list.and_then(Value::as_array).map(Vec::as_slice);
    list.filter(|list| (1..=limits::FILTER_POLICIES_BATCH_MAX).contains(&list.len()))
        .ok_or_else(|| wrong(rule))
}

/// `POST …/subscriptions/filter_polices`: adds policies.
pub(crate) async fn create(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    changed(&app, &call, read(&call, FilterWish::Create)).await
}

/// `PUT …/subscriptions/filter_polices`: puts policies in the place of those that are there.
pub(crate) async fn update(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    changed(&app, &call, read(&call, FilterWish::Update)).await
}

/// `DELETE …/subscriptions/filter_polices` with a body: removes all policies of subscriptions.
pub(crate) async fn remove(State(app): State<App>, call: SmnCall) -> Result<Response, SmnError> {
    let wishes = call.0.object(Field::FilterPolicy).and_then(|body| {
        let rule = "subscription_urns must be a list of 1 to 100 texts";
        bounded(body.get("subscription_urns"), rule)?
            .iter()
            .map(|urn| Ok((urn.as_str().ok_or_else(|| wrong(rule))?.to_owned(), Ok(FilterWish::Delete))))
            .collect()
    });
    changed(&app, &call, wishes).await
}

async fn changed(app: &App, call: &SmnCall, wishes: Result<Wishes, Invalid>) -> Result<Response, SmnError> {
    let wishes = wishes.map_err(|error| call.refuse(error))?;
    let urns: Vec<String> = wishes.iter().map(|(urn, _)| urn.clone()).collect();
    let answers = app.service.change_filters(&call.0.caller, wishes).await;
    let answers = answers.map_err(|error| call.refuse(error))?;
    let results: Vec<Value> =
        urns.into_iter().zip(answers).map(|(urn, answer)| result(&urn, answer)).collect();
    Ok(call.answer(StatusCode::OK, fields(json!({ "batch_result": results }))))
}

/// The calls of filter policies have a code of their own for a subscription that is not there or not named right.
fn result(urn: &str, answer: Result<(), Error>) -> Value {
    let (code, message) = match answer {
        Ok(()) => (None, None),
        Err(error) => {
            let malformed =
                matches!(&error, Error::Invalid(invalid) if invalid.field == Field::SubscriptionUrn);
            let nobody = malformed || matches!(error, Error::SubscriptionNotFound);
            let error = SmnError::from(error);
            (Some(if nobody { "SMN.00011027" } else { error.code }), Some(error.message))
        }
    };
    json!({ "code": code, "message": message, "subscription_urn": urn })
}
