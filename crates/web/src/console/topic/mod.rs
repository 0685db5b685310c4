//! One topic: who gets its messages, and what was published lately.

pub(crate) mod delete;
pub(crate) mod extras;
pub(crate) mod reach;
pub(crate) mod settings;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::logtank::Logtank;
use carillon_model::tag::Tag;
use carillon_service::delivery::NamedMessage;
use carillon_service::subscription::NamedSubscription;
use carillon_service::tag::TopicKey;
use carillon_service::topic::NamedTopic;
use carillon_service::{Error, Page, SubscriptionFilter};

use super::frame::{Frame, Place};
use super::page;
use super::problem::Problem;
use super::show::quoted;
use super::topics::ROWS;
use super::visit::Visit;
use crate::App;

/// How many of the latest messages are shown.
const RECENT: u64 = 8;

#[derive(Template)]
#[template(path = "topic.html")]
struct TopicPage {
    f: Frame,
    topic: NamedTopic,
    introduction: String,
    policy: String,
    tags: Vec<Tag>,
    tanks: Vec<Logtank>,
    subscriptions: Vec<NamedSubscription>,
    count: u64,
    next: Option<String>,
    messages: Vec<NamedMessage>,
}

/// The topic that the path names.
pub(super) async fn named(app: &App, visit: &Visit) -> Result<NamedTopic, Error> {
    let urn = app.service.topic_urn(&visit.caller, visit.path("topic"))?;
    app.service.topic(&visit.caller, &urn).await
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let offset = visit.query("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let shown = async {
        let topic = named(&app, &visit).await?;
        let urn = topic.urn.to_string();
        let (_topic, attributes, _none) = app.service.topic_attributes(&visit.caller, &urn, None).await?;
        let page_of = Page { offset, limit: ROWS };
        let filter = SubscriptionFilter::default();
        let (count, subscriptions) =
            app.service.list_subscriptions(&visit.caller, Some(&urn), filter, page_of).await?;
        let messages = app.service.list_messages(&visit.caller, Some(&urn), None, RECENT).await?;
        let next = (offset + ROWS < count).then(|| {
            format!("/console/topics/{}?after={}", quoted(topic.topic.name.as_str()), offset + ROWS)
        });
        let key = TopicKey::Name(topic.topic.name.as_str());
        let tags = app.service.list_tags(&visit.caller, key).await?;
        let tanks = app.service.list_logtanks(&visit.caller, &urn).await?;
        let f = visit.frame(Place::Topics);
        let (introduction, policy) = (attributes.introduction, attributes.access_policy);
        Ok::<_, Error>(TopicPage {
            f,
            topic,
            introduction,
            policy,
            tags,
            tanks,
            subscriptions,
            count,
            next,
            messages,
        })
    };
    let template = shown.await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &template))
}
