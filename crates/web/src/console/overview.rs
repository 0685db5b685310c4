//! The overview: what there is and what happened lately.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_service::delivery::NamedMessage;
use carillon_service::{Error, Page, SubscriptionFilter, TopicFilter};

use super::frame::{Frame, Place};
use super::page;
use super::problem::Problem;
use super::visit::Visit;
use crate::App;

/// How many of the latest messages are shown.
const RECENT: u64 = 8;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    f: Frame,
    topics: u64,
    subscriptions: u64,
    messages: Vec<NamedMessage>,
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let shown = async {
        let one = Page { offset: 0, limit: 1 };
        let caller = &visit.caller;
        let (topics, _) = app.service.list_topics(caller, TopicFilter::default(), one).await?;
        let filter = SubscriptionFilter::default();
        let (subscriptions, _) = app.service.list_subscriptions(caller, None, filter, one).await?;
        let messages = app.service.list_messages(caller, None, None, RECENT).await?;
        Ok::<_, Error>(OverviewPage { f: visit.frame(Place::Overview), topics, subscriptions, messages })
    };
    let template = shown.await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &template))
}
