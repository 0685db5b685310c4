//! Deleting a topic: says what goes with it, and wants its name.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::role::Right;
use carillon_service::topic::NamedTopic;
use carillon_service::{Error, Page, SubscriptionFilter};

use super::named;
use crate::App;
use crate::console::frame::{Frame, Place};
use crate::console::problem::Problem;
use crate::console::visit::Visit;
use crate::console::{go, page};

#[derive(Template)]
#[template(path = "topic_delete.html")]
struct DeletePage {
    f: Frame,
    topic: NamedTopic,
    subscriptions: u64,
    wrong: &'static str,
}

async fn counted(app: &App, visit: &Visit) -> Result<(NamedTopic, u64), Error> {
    let topic = named(app, visit).await?;
    let urn = topic.urn.to_string();
    let none = Page { offset: 0, limit: 1 };
    let filter = SubscriptionFilter::default();
    let (count, _one) = app.service.list_subscriptions(&visit.caller, Some(&urn), filter, none).await?;
    Ok((topic, count))
}

/// Asks.
pub(crate) async fn ask(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let (topic, subscriptions) = counted(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let f = visit.frame(Place::Topics);
    Ok(page(StatusCode::OK, &DeletePage { f, topic, subscriptions, wrong: "" }))
}

/// Deletes, if the name was typed.
pub(crate) async fn delete(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let (topic, subscriptions) = counted(&app, &visit).await.map_err(|error| visit.problem(error))?;
    if visit.form.get("confirm").trim() != topic.topic.name.as_str() {
        let wrong = visit.t().topic.delete_wrong;
        let f = visit.frame(Place::Topics);
        let template = DeletePage { f, topic, subscriptions, wrong };
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &template));
    }
    let deleted = app.service.delete_topic(&visit.caller, &topic.urn.to_string()).await;
    deleted.map_err(|error| visit.problem(error))?;
    Ok(go("/console/topics?done=deleted"))
}
