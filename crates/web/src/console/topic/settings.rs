//! A topic's display name, introduction and access policy.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::role::Right;
use carillon_service::Error;
use carillon_service::topic::NamedTopic;

use super::named;
use crate::App;
use crate::console::form::Wrong;
use crate::console::frame::{Frame, Place};
use crate::console::problem::Problem;
use crate::console::show::quoted;
use crate::console::visit::Visit;
use crate::console::{go, page};

#[derive(Template)]
#[template(path = "topic_settings.html")]
struct SettingsPage {
    f: Frame,
    topic: NamedTopic,
    display_name: String,
    introduction: String,
    policy: String,
    /// Which of the three was refused, and why.
    at: &'static str,
    wrong: String,
}

/// The form.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let read = async {
        let topic = named(&app, &visit).await?;
        let urn = topic.urn.to_string();
        let (topic, attributes, _none) = app.service.topic_attributes(&visit.caller, &urn, None).await?;
        Ok::<_, Error>((topic, attributes))
    };
    let (topic, attributes) = read.await.map_err(|error| visit.problem(error))?;
    let template = SettingsPage {
        f: visit.frame(Place::Topics),
        display_name: topic.topic.display_name.clone(),
        topic,
        introduction: attributes.introduction,
        policy: attributes.access_policy,
        at: "",
        wrong: String::new(),
    };
    Ok(page(StatusCode::OK, &template))
}

/// Changes what was changed. The three are three calls, as in the API; a refusal of one is shown beside it.
pub(crate) async fn save(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let topic = named(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let urn = topic.urn.to_string();
    let display_name = visit.form.get("display_name").trim().to_owned();
    let introduction = visit.form.lines("introduction").trim().to_owned();
    let policy = visit.form.lines("policy").trim().to_owned();
    let (caller, service) = (&visit.caller, &app.service);
    let mut at = "policy";
    let mut saved = service.set_topic_attribute(caller, &urn, "access_policy", policy.clone()).await;
    if saved.is_ok() {
        at = "introduction";
        saved = service.set_topic_attribute(caller, &urn, "introduction", introduction.clone()).await;
    }
    if saved.is_ok() {
        at = "display_name";
        saved = service.rename_topic(caller, &urn, display_name.clone()).await;
    }
    let Err(error) = saved else {
        return Ok(go(&format!("/console/topics/{}?done=saved", quoted(topic.topic.name.as_str()))));
    };
    let wrong = Wrong::of(error, visit.look.lang).map_err(|error| visit.problem(error))?;
    let wrong = wrong.text().to_owned();
    let f = visit.frame(Place::Topics);
    let template = SettingsPage { f, topic, display_name, introduction, policy, at, wrong };
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &template))
}
