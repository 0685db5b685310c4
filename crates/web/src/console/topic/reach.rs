//! Whom a topic reaches: everybody once, and who would not get a message and why.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_service::Error;
use carillon_service::reach::TopicReach;
use carillon_service::topic::NamedTopic;

use super::named;
use crate::App;
use crate::console::frame::{Frame, Place};
use crate::console::page;
use crate::console::problem::Problem;
use crate::console::visit::Visit;

#[derive(Template)]
#[template(path = "topic_reach.html")]
struct ReachPage {
    f: Frame,
    topic: NamedTopic,
    it: TopicReach,
}

impl ReachPage {
    /// A reason in words.
    fn why(&self, reason: &str) -> &'static str {
        let t = &self.f.t.reach;
        match reason {
            "gone" => t.gone,
            "no_department" => t.no_department,
            "no_group" => t.no_group,
            "empty" => t.empty,
            "no_connection" => t.no_connection,
            "unconfirmed" => t.unconfirmed,
            _ => t.paused,
        }
    }
}

/// The page. It is counted anew each time.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let found = async {
        let topic = named(&app, &visit).await?;
        let it = app.service.topic_reach(&visit.caller, &topic.urn.to_string()).await?;
        Ok::<_, Error>((topic, it))
    };
    let (topic, it) = found.await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &ReachPage { f: visit.frame(Place::Topics), topic, it }))
}
