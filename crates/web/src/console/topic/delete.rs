//! Deleting a topic: says what goes with it, and wants its name.

use axum::extract::State;
use axum::response::Response;
use carillon_model::role::Right;
use carillon_service::topic::NamedTopic;
use carillon_service::{Error, Page, SubscriptionFilter};

use super::named;
use crate::App;
use crate::console::frame::Place;
use crate::console::go;
use crate::console::problem::Problem;
use crate::console::show::{filled, grouped, quoted};
use crate::console::sure::{Sure, Typed};
use crate::console::visit::Visit;

async fn sure(app: &App, visit: &Visit) -> Result<(NamedTopic, Sure), Error> {
    let topic = named(app, visit).await?;
    let urn = topic.urn.to_string();
    let none = Page { offset: 0, limit: 1 };
    let filter = SubscriptionFilter::default();
    let (count, _one) = app.service.list_subscriptions(&visit.caller, Some(&urn), filter, none).await?;
    let (t, name) = (&visit.t().topic, topic.topic.name.as_str());
    let here = format!("/console/topics/{}", quoted(name));
    let asked = Sure {
        typed: Some(Typed { label: t.delete_type, wrong: t.delete_wrong }),
        about: Some(topic.topic.display_name.clone()).filter(|text| !text.is_empty()).into_iter().collect(),
        goes: vec![filled(t.delete_subscriptions, grouped(count)), t.delete_waiting.to_owned()],
        stays: t.delete_stays,
        crumbs: vec![
            ("/console/topics".to_owned(), visit.t().topics.title.to_owned()),
            (here.clone(), name.to_owned()),
        ],
        ..Sure::new(filled(t.delete_title, name), name, format!("{here}/delete"))
    };
    Ok((topic, asked))
}

/// Asks.
pub(crate) async fn ask(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let (_topic, sure) = sure(&app, &visit).await.map_err(|error| visit.problem(error))?;
    Ok(sure.ask(&visit, Place::Topics))
}

/// Deletes, if the name was typed.
pub(crate) async fn delete(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let (topic, sure) = sure(&app, &visit).await.map_err(|error| visit.problem(error))?;
    if !sure.is_meant(&visit) {
        return Ok(sure.again(&visit, Place::Topics));
    }
    let deleted = app.service.delete_topic(&visit.caller, &topic.urn.to_string()).await;
    deleted.map_err(|error| visit.problem(error))?;
    Ok(go("/console/topics?done=deleted"))
}
