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
use crate::console::frame::Place;
use crate::console::problem::Problem;
use crate::console::show::{filled, quoted};
use crate::console::sure::Sure;
use crate::console::visit::Visit;
use crate::console::{go, page};

/// A question about a part of the topic's settings.
pub(super) fn sure(visit: &Visit, title: String, confirm: &str, form: &str) -> Sure {
    let (t, topic) = (visit.t(), visit.path("topic"));
    let here = format!("/console/topics/{}", quoted(topic));
    Sure {
        about: vec![filled(t.sure.of_topic, topic)],
        crumbs: vec![
            ("/console/topics".to_owned(), t.topics.title.to_owned()),
            (here.clone(), topic.to_owned()),
            (format!("{here}/settings"), t.topic.settings.to_owned()),
        ],
        ..Sure::new(title, confirm, format!("{here}/{form}"))
    }
}

/// Hangs a tag on the topic, or takes one off if the form says that it means it.
pub(crate) async fn tags(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let (topic, key) = (visit.path("topic").to_owned(), visit.form.get("key").trim().to_owned());
    let takes_off = visit.form.get("do") == "remove";
    if takes_off {
        let t = &visit.t().sure;
        let sure = Sure {
            goes: vec![t.tag_goes.to_owned()],
            button: Some(t.tag_button),
            hidden: vec![("do", "remove".to_owned()), ("key", key.clone())],
            ..sure(&visit, filled(t.tag_title, &key), &key, "tags")
        };
        if !sure.is_meant(&visit) {
            return Ok(sure.again(&visit, Place::Topics));
        }
    }
    let changed = async {
        if takes_off {
            return app.service.delete_tag(&visit.caller, TopicKey::Name(&topic), &key).await;
        }
        let tag = Tag::new(&key, visit.form.get("value").trim())?;
        app.service.tag_topic(&visit.caller, TopicKey::Name(&topic), vec![tag]).await
    };
    done(&app, &visit, changed.await, "tags").await
}

/// Makes a log tank, gives one other names, or removes it if the form says that it means it.
pub(crate) async fn tanks(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let read = async {
        let urn = named(&app, &visit).await?.urn.to_string();
        let tanks = app.service.list_logtanks(&visit.caller, &urn).await?;
        Ok::<_, Error>((urn, tanks))
    };
    let (urn, tanks) = read.await.map_err(|error| visit.problem(error))?;
    let id = visit.form.get("id");
    if visit.form.get("do") == "remove"
        && let Some(tank) = tanks.iter().find(|tank| tank.id.to_string() == id)
    {
        let (t, name) = (&visit.t().sure, format!("{} / {}", tank.group, tank.stream));
        let sure = Sure {
            goes: vec![t.tank_goes.to_owned()],
            stays: t.tank_stays,
            hidden: vec![("do", "remove".to_owned()), ("id", id.to_owned())],
            ..sure(&visit, filled(t.tank_title, name), id, "log-tanks")
        };
        if !sure.is_meant(&visit) {
            return Ok(sure.again(&visit, Place::Topics));
        }
    }
    let changed = async {
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
