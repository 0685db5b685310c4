//! The list of messages.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::id::MessageId;
use carillon_model::role::Right;
use carillon_service::delivery::NamedMessage;
use carillon_service::{Error, Page, TopicFilter};

use super::frame::{Frame, Place};
use super::page;
use super::problem::Problem;
use super::show::quoted;
use super::topics::ROWS;
use super::visit::Visit;
use crate::App;

/// How many topics the filter offers.
const TOPICS: u64 = 200;

#[derive(Template)]
#[template(path = "messages.html")]
struct MessagesPage {
    f: Frame,
    messages: Vec<NamedMessage>,
    topic: String,
    topics: Vec<String>,
    first: bool,
    next: Option<String>,
}

/// The topics that a filter offers, and the one that is chosen.
pub(super) async fn topics(app: &App, visit: &Visit, chosen: &str) -> Result<Vec<String>, Error> {
    let topics = if visit.caller.has(Right::Look) {
        let all = Page { offset: 0, limit: TOPICS };
        app.service.list_topics(&visit.caller, TopicFilter::default(), all).await?.1
    } else {
        app.service.list_topics_to_publish(&visit.caller).await?
    };
    let mut topics: Vec<String> = topics.into_iter().map(|it| it.topic.name.to_string()).collect();
    if !chosen.is_empty() && !topics.iter().any(|it| it == chosen) {
        topics.push(chosen.to_owned());
    }
    topics.sort();
    Ok(topics)
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let topic = visit.query("topic").unwrap_or_default().to_owned();
    let shown = async {
        let before = visit.query("after").map(MessageId::parse).transpose()?;
        let wanted = Some(topic.as_str()).filter(|topic| !topic.is_empty());
        let mut messages = app.service.list_messages(&visit.caller, wanted, before, ROWS + 1).await?;
        let rows = usize::try_from(ROWS).unwrap_or(usize::MAX);
        let more = messages.len() > rows;
        messages.truncate(rows);
        let next = messages.last().filter(|_last| more).map(|last| {
            let last = last.summary.message.message.id;
            format!("/console/messages?topic={}&after={last}", quoted(&topic))
        });
        let topics = topics(&app, &visit, &topic).await?;
        let f = visit.frame(Place::Messages);
        Ok::<_, Error>(MessagesPage { f, messages, topic, topics, first: before.is_none(), next })
    };
    let template = shown.await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &template))
}
