//! The overview: what there is and what happened lately.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::health::Standing;
use carillon_model::role::Right;
use carillon_service::delivery::NamedMessage;
use carillon_service::{Caller, Error, Page, SubscriptionFilter, TopicFilter};

use super::frame::{Frame, Place};
use super::page;
use super::problem::Problem;
use super::visit::Visit;
use crate::App;

/// How many of the latest messages are shown.
const RECENT: u64 = 8;

/// What is set up, in numbers.
struct SetUp {
    topics: u64,
    subscriptions: u64,
    /// How many addresses are not well, and how that looks.
    unwell: (u64, &'static str),
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    f: Frame,
    /// What is set up, for whom may see it.
    set_up: Option<SetUp>,
    messages: Vec<NamedMessage>,
}

/// How many addresses are not well: bad when one is given up or only probed, a warning otherwise.
fn trouble(standings: &[(Standing, u64)]) -> (u64, &'static str) {
    let count = standings.iter().map(|(_standing, count)| count).sum();
    let bad =
        standings.iter().any(|(standing, _count)| matches!(standing, Standing::Open | Standing::Paused));
    let tone = match (count, bad) {
        (0, _) => "ok",
        (_, true) => "bad",
        (_, false) => "warn",
    };
    (count, tone)
}

async fn set_up(app: &App, caller: &Caller) -> Result<SetUp, Error> {
    let one = Page { offset: 0, limit: 1 };
    let (topics, _) = app.service.list_topics(caller, TopicFilter::default(), one).await?;
    let filter = SubscriptionFilter::default();
    let (subscriptions, _) = app.service.list_subscriptions(caller, None, filter, one).await?;
    let unwell = trouble(&app.service.endpoint_standings(caller).await?);
    Ok(SetUp { topics, subscriptions, unwell })
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let shown = async {
        let messages = app.service.list_messages(&visit.caller, None, None, RECENT).await?;
        let set_up =
            if visit.caller.has(Right::Look) { Some(set_up(&app, &visit.caller).await?) } else { None };
        let f = visit.frame(Place::Overview);
        Ok::<_, Error>(OverviewPage { f, set_up, messages })
    };
    let template = shown.await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &template))
}
