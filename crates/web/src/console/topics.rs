//! The list of topics, and a new one.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Field;
use carillon_model::role::Right;
use carillon_service::topic::{NamedTopic, NewTopic};
use carillon_service::{Page, TopicFilter};

use super::form::{Form, Wrong};
use super::frame::{Frame, Place};
use super::problem::Problem;
use super::show::quoted;
use super::visit::Visit;
use super::{go, page};
use crate::App;

/// How many rows a page of a list has.
pub(crate) const ROWS: u64 = 50;

#[derive(Template)]
#[template(path = "topics.html")]
struct TopicsPage {
    f: Frame,
    topics: Vec<NamedTopic>,
    count: u64,
    find: String,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "topic_new.html")]
struct NewPage {
    f: Frame,
    form: Form,
    wrong: Wrong,
}

/// The list.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let find = visit.query("find").unwrap_or_default().to_owned();
    let offset = visit.query("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let filter = TopicFilter {
        name_part: Some(find.clone()).filter(|find| !find.is_empty()),
        ..TopicFilter::default()
    };
    let page_of = Page { offset, limit: ROWS };
    let listed = app.service.list_topics(&visit.caller, filter, page_of).await;
    let (count, topics) = listed.map_err(|error| visit.problem(error))?;
    let next = (offset + ROWS < count)
        .then(|| format!("/console/topics?find={}&after={}", quoted(&find), offset + ROWS));
    let f = visit.frame(Place::Topics);
    Ok(page(StatusCode::OK, &TopicsPage { f, topics, count, find, next }))
}

/// The form of a new one.
pub(crate) async fn form(visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let f = visit.frame(Place::Topics);
    Ok(page(StatusCode::OK, &NewPage { f, form: Form::default(), wrong: Wrong::default() }))
}

/// Makes a new one.
pub(crate) async fn create(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let new = NewTopic {
        name: visit.form.get("name").trim().to_owned(),
        display_name: visit.form.get("display_name").trim().to_owned(),
        enterprise_project_id: None,
    };
    let wrong = match app.service.create_topic(&visit.caller, new).await {
        Ok((topic, true)) => {
            return Ok(go(&format!("/console/topics/{}?done=created", quoted(topic.topic.name.as_str()))));
        }
        Ok((_there, false)) => Wrong::beside(Field::Name, visit.t().topics.exists),
        Err(error) => visit.wrong(error)?,
    };
    let f = Frame { path: "/console/topics/new".to_owned(), ..visit.frame(Place::Topics) };
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &NewPage { f, form: visit.form, wrong }))
}
