//! The list of topics, and a new one.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::role::Right;
use carillon_model::{Channel, Field};
use carillon_service::glance::{STEPS, TopicGlance};
use carillon_service::topic::{NamedTopic, NewTopic};
use carillon_service::{Error, Page, TopicFilter};

use super::form::{Form, Wrong};
use super::frame::{Frame, Place};
use super::problem::Problem;
use super::show::quoted;
use super::visit::Visit;
use super::{go, page};
use crate::App;
use crate::smn::protocol;

/// How many rows a page of a list has.
pub(crate) const ROWS: u64 = 50;

/// How high and wide the picture of a topic's last day is, and how wide a bar.
const PICTURE: (u64, usize, usize) = (24, 96, 6);

/// A topic with what happened lately.
struct Row {
    it: NamedTopic,
    /// How many are subscribed over each channel.
    ways: Vec<(Channel, u64)>,
    glance: TopicGlance,
}

impl Row {
    fn new(it: NamedTopic, glance: TopicGlance) -> Self {
        let mut ways: Vec<(Channel, u64)> = Vec::new();
        for (name, count) in &glance.subscriptions {
            let Ok(channel) = protocol::channel(name) else { continue };
            match ways.iter_mut().find(|(there, _sum)| *there == channel) {
                Some((_there, sum)) => *sum += count,
                None => ways.push((channel, *count)),
            }
        }
        Self { it, ways, glance }
    }

    /// How many messages there were in the last day; a mark says when there were more.
    fn recent(&self) -> (u64, &'static str) {
        (self.glance.recent.iter().sum(), if self.glance.is_more { "+" } else { "" })
    }

    /// The last day as bars: one path, since fifty of these stand on a page.
    fn picture(&self) -> String {
        let (height, width, bar) = PICTURE;
        let most = self.glance.recent.iter().copied().max().unwrap_or(0).max(1);
        let mut path = String::new();
        for (at, count) in self.glance.recent.iter().enumerate().filter(|(_at, count)| **count > 0) {
            let tall = (count * height / most).max(2);
            path.push_str(&format!("M{} {height}v-{tall}h{bar}v{tall}z", at * width / STEPS));
        }
        path
    }
}

#[derive(Template)]
#[template(path = "topics.html")]
struct TopicsPage {
    f: Frame,
    topics: Vec<Row>,
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
    let listed = async {
        let (count, topics) = app.service.list_topics(&visit.caller, filter, page_of).await?;
        let glances = app.service.glance_topics(&visit.caller, &topics).await?;
        let rows = topics.into_iter().zip(glances).map(|(it, glance)| Row::new(it, glance)).collect();
        Ok::<_, Error>((count, rows))
    };
    let (count, topics): (_, Vec<Row>) = listed.await.map_err(|error| visit.problem(error))?;
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
