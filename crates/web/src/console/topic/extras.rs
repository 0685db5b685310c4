//! A topic's tags, and its log tanks: what is changed one by one, each with its own button.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::role::Right;
use carillon_model::tag::Tag;
use carillon_service::Error;
use carillon_service::logtank::LogNames;
use carillon_service::tag::TopicKey;

use super::named;
use super::settings::SettingsPage;
use crate::App;
use crate::console::problem::Problem;
use crate::console::show::quoted;
use crate::console::visit::Visit;
use crate::console::{go, page};

/// Hangs a tag on the topic, or takes one off.
pub(crate) async fn tags(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let topic = visit.path("topic").to_owned();
    let changed = async {
        let key = visit.form.get("key").trim();
        if visit.form.get("do") == "remove" {
            return app.service.delete_tag(&visit.caller, TopicKey::Name(&topic), key).await;
        }
        let tag = Tag::new(key, visit.form.get("value").trim())?;
        app.service.tag_topic(&visit.caller, TopicKey::Name(&topic), vec![tag]).await
    };
    done(&app, &visit, changed.await, "tags").await
}

/// Makes a log tank, gives one other names, or removes it.
pub(crate) async fn tanks(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let changed = async {
        let urn = named(&app, &visit).await?.urn.to_string();
        let id = visit.form.get("id");
        let text = |name: &str| visit.form.get(name).trim().to_owned();
        let names = LogNames { group: text("group"), stream: text("stream") };
        let (caller, service) = (&visit.caller, &app.service);
        match visit.form.get("do") {
            "remove" => service.delete_logtank(caller, &urn, id).await,
            "change" => service.change_logtank(caller, &urn, id, names).await.map(drop),
            _ => service.create_logtank(caller, &urn, names).await.map(drop),
        }
    };
    done(&app, &visit, changed.await, "tanks").await
}

/// Back to the settings; a refusal stands where it was pressed.
async fn done(
    app: &App,
    visit: &Visit,
    changed: Result<(), Error>,
    at: &'static str,
) -> Result<Response, Problem> {
    let Err(error) = changed else {
        let path = format!("/console/topics/{}/settings?done=saved#{at}", quoted(visit.path("topic")));
        return Ok(go(&path));
    };
    let wrong = visit.wrong(error)?;
    let shown = SettingsPage::read(app, visit).await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown.refused(at, wrong.text())))
}
