//! A topic's display name, introduction, access policy and for how long it leaves equal messages out; the page shows its
//! tags and log tanks, too.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::logtank::Logtank;
use carillon_model::role::Right;
use carillon_model::tag::Tag;
use carillon_service::Error;
use carillon_service::tag::TopicKey;
use carillon_service::topic::NamedTopic;

use super::extras::sure;
use super::named;
use crate::App;
use crate::console::form::Form;
use crate::console::frame::{Frame, Place};
use crate::console::problem::Problem;
use crate::console::show::{filled, quoted};
use crate::console::sure::Sure;
use crate::console::visit::Visit;
use crate::console::{go, page};

#[derive(Template)]
#[template(path = "topic_settings.html")]
pub(super) struct SettingsPage {
    f: Frame,
    topic: NamedTopic,
    display_name: String,
    introduction: String,
    /// For how long equal messages are left out, as it was typed.
    seconds: String,
    policy: String,
    tags: Vec<Tag>,
    tanks: Vec<Logtank>,
    /// Whether the server writes a delivery log.
    logs: bool,
    /// What was typed for a new tag or log tank that was refused.
    typed: Form,
    /// Which part was refused, and why.
    at: &'static str,
    wrong: String,
}

impl SettingsPage {
    /// The page as the topic stands.
    pub(super) async fn read(app: &App, visit: &Visit) -> Result<Self, Error> {
        let topic = named(app, visit).await?;
        let (caller, urn) = (&visit.caller, topic.urn.to_string());
        let (topic, attributes, _none) = app.service.topic_attributes(caller, &urn, None).await?;
        let seconds = app.service.topic_suppression(caller, &urn).await?.to_string();
        let tags = app.service.list_tags(caller, TopicKey::Name(topic.topic.name.as_str())).await?;
        let tanks = app.service.list_logtanks(caller, &urn).await?;
        let mut f = visit.frame(Place::Topics);
        f.path = format!("/console/topics/{}/settings", quoted(topic.topic.name.as_str()));
        Ok(Self {
            f,
            display_name: topic.topic.display_name.clone(),
            topic,
            introduction: attributes.introduction,
            seconds,
            policy: attributes.access_policy,
            tags,
            tanks,
            logs: app.service.has_delivery_log(),
            typed: visit.form.clone(),
            at: "",
            wrong: String::new(),
        })
    }

    /// The same, with what is wrong with a part of it.
    pub(super) fn refused(self, at: &'static str, wrong: &str) -> Self {
        Self { at, wrong: wrong.to_owned(), ..self }
    }
}

/// The form.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let shown = SettingsPage::read(&app, &visit).await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &shown))
}

/// Changes what was changed. Each is a call of its own, as in the API; a refusal of one is shown beside it.
pub(crate) async fn save(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let topic = named(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let urn = topic.urn.to_string();
    let display_name = visit.form.get("display_name").trim().to_owned();
    let introduction = visit.form.lines("introduction").trim().to_owned();
    let policy = visit.form.lines("policy").trim().to_owned();
    let seconds = visit.form.get("seconds").trim().to_owned();
    let (caller, service) = (&visit.caller, &app.service);
    if policy.is_empty() {
        let read = service.topic_attributes(caller, &urn, None).await;
        let (_topic, kept, _none) = read.map_err(|error| visit.problem(error))?;
        let t = &visit.t().sure;
        let name = topic.topic.name.as_str();
        let sure = Sure {
            goes: vec![t.policy_goes.to_owned()],
            hidden: vec![
                ("display_name", display_name.clone()),
                ("introduction", introduction.clone()),
                ("seconds", seconds.clone()),
            ],
            ..sure(&visit, filled(t.policy_title, name), name, "settings")
        };
        if !kept.access_policy.is_empty() && !sure.is_meant(&visit) {
            return Ok(sure.again(&visit, Place::Topics));
        }
    }
    let mut at = "policy";
    let mut saved = service.set_topic_attribute(caller, &urn, "access_policy", policy.clone()).await;
    if saved.is_ok() {
        at = "introduction";
        saved = service.set_topic_attribute(caller, &urn, "introduction", introduction.clone()).await;
    }
    if saved.is_ok() {
        at = "seconds";
        saved = save_seconds(&app, &visit, &urn, &seconds).await;
    }
    if saved.is_ok() {
        at = "display_name";
        saved = service.rename_topic(caller, &urn, display_name.clone()).await;
    }
    let Err(error) = saved else {
        return Ok(go(&format!("/console/topics/{}?done=saved", quoted(topic.topic.name.as_str()))));
    };
    let wrong = visit.wrong(error)?;
    let wrong = wrong.text().to_owned();
    let shown = SettingsPage::read(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let shown = SettingsPage { display_name, introduction, seconds, policy, ..shown };
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown.refused(at, &wrong)))
}

/// Saves for how long equal messages are left out, where that was changed: each change is a line in the audit log.
async fn save_seconds(app: &App, visit: &Visit, urn: &str, typed: &str) -> Result<(), Error> {
    let (caller, service) = (&visit.caller, &app.service);
    // What is no number is refused with the rule.
    let seconds = if typed.is_empty() { 0 } else { typed.parse().unwrap_or(u64::MAX) };
    if service.topic_suppression(caller, urn).await? == seconds {
        return Ok(());
    }
    service.set_topic_suppression(caller, urn, seconds).await
}
