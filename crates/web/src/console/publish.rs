//! Publishing: write, see what each chat will show and who would get it, publish.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Channel;
use carillon_model::message::{Body, Content, Priority};
use carillon_service::Error;
use carillon_service::publish::Publish;
use carillon_service::topic::NamedTopic;
use carillon_service::trial;

use super::form::{Form, Wrong};
use super::frame::{Frame, Place};
use super::problem::Problem;
use super::show::quoted;
use super::text::Lang;
use super::visit::Visit;
use super::{go, page, prose};
use crate::App;

/// How many parts of one channel are shown.
const PARTS_SHOWN: usize = 5;

/// One part as the page shows it.
pub(super) struct Bubble {
    pub(super) title: Option<String>,
    pub(super) html: String,
}

/// One channel as the page shows it.
pub(super) struct Shown {
    pub(super) channel: Channel,
    pub(super) recipients: usize,
    pub(super) parts: usize,
    pub(super) bubbles: Vec<Bubble>,
    /// Why it cannot be sent there.
    pub(super) refused: String,
    /// Whether a table had to be written in another way.
    pub(super) reduced: bool,
}

#[derive(Template)]
#[template(path = "publish_choose.html")]
struct ChoosePage {
    f: Frame,
    topics: Vec<NamedTopic>,
    wrong: String,
    typed: String,
}

#[derive(Template)]
#[template(path = "publish.html")]
struct PublishPage {
    f: Frame,
    topic: NamedTopic,
    form: Form,
    wrong: Wrong,
    recipients: usize,
    subscribed: usize,
    shown: Vec<Shown>,
    key: String,
}

impl PublishPage {
    fn markdown(&self) -> bool {
        self.form.get("format") != "text"
    }

    fn chosen(&self, name: &str, value: &str) -> bool {
        self.form.get(name) == value
    }
}

/// What a form on a channel looks like; `table`: whether what was written has one.
pub(super) fn shown(form: trial::Form, table: bool, lang: Lang) -> Shown {
    let trial::Form { channel, recipients, parts } = form;
    match parts {
        Ok(parts) => {
            let kept = parts.iter().any(|part| part.markdown && prose::has_table(&part.text));
            let web = matches!(channel, Channel::Http | Channel::Https);
            let bubbles = parts.iter().take(PARTS_SHOWN).map(|part| Bubble {
                title: part.title.clone(),
                html: if part.markdown { prose::markdown(&part.text) } else { prose::plain(&part.text) },
            });
            let (bubbles, reduced) = (bubbles.collect(), table && !kept && !web);
            Shown { channel, recipients, parts: parts.len(), bubbles, refused: String::new(), reduced }
        }
        Err(advice) => {
            let advice = if lang == Lang::English { advice.en } else { advice.zh };
            let refused = advice.into_owned();
            Shown { channel, recipients, parts: 0, bubbles: Vec::new(), refused, reduced: false }
        }
    }
}

/// What the form asks for.
fn wanted(form: &Form, lang: Lang) -> Publish {
    let text = form.lines("message");
    let default = if form.get("format") == "text" { Body::text(text) } else { Body::markdown(text) };
    let subject = form.maybe("subject").map(str::to_owned);
    Publish {
        content: Content { subject, default, ..Content::default() },
        time_to_live: form.maybe("time_to_live").map(|text| text.parse().unwrap_or(0)),
        priority: if form.get("priority") == "urgent" { Priority::Urgent } else { Priority::Normal },
        locale: lang.locale(),
        idempotency_key: form.maybe("key").map(str::to_owned),
        ..Publish::default()
    }
}

/// Asks for the topic; goes on to its form when the address names one.
pub(crate) async fn choose(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let typed = visit.query("topic").unwrap_or_default().trim().to_owned();
    let chosen = async {
        let topics = app.service.list_topics_to_publish(&visit.caller).await?;
        let found = if typed.is_empty() {
            None
        } else {
            Some(app.service.topic_to_publish(&visit.caller, &typed).await)
        };
        Ok::<_, Error>((topics, found))
    };
    let (topics, found) = chosen.await.map_err(|error| visit.problem(error))?;
    let wrong = match found {
        Some(Ok(topic)) => {
            return Ok(go(&format!("/console/topics/{}/publish", quoted(topic.topic.name.as_str()))));
        }
        Some(Err(error)) => {
            let wrong = visit.wrong(error)?;
            wrong.text().to_owned()
        }
        None => String::new(),
    };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(page(status, &ChoosePage { f: visit.frame(Place::Publish), topics, wrong, typed }))
}

/// The form.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let template = filled(&app, &visit).await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &template))
}

/// The page with who would get it, before anything is written.
async fn filled(app: &App, visit: &Visit) -> Result<PublishPage, Error> {
    let topic = app.service.topic_to_publish(&visit.caller, visit.path("topic")).await?;
    // Sent twice, by a double click or a reload, the form publishes once.
    let key =
        visit.form.maybe("key").map_or_else(|| app.service.visitor().reveal().to_owned(), str::to_owned);
    Ok(PublishPage {
        f: visit.frame(Place::Publish),
        topic,
        form: visit.form.clone(),
        wrong: Wrong::default(),
        recipients: 0,
        subscribed: 0,
        shown: Vec::new(),
        key,
    })
}

/// Shows what would be, or publishes, as the button that was pressed says.
pub(crate) async fn submit(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let mut template = filled(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let urn = template.topic.urn.to_string();
    let publish = wanted(&visit.form, visit.look.lang);
    let table = template.markdown() && prose::has_table(&publish.content.default.text);
    let previewed = if visit.form.get("do") == "publish" {
        match app.service.publish(&visit.caller, &urn, publish).await {
            Ok(published) => {
                return Ok(go(&format!("/console/messages/{}?done=published", published.message)));
            }
            Err(error) => Err(error),
        }
    } else {
        app.service.preview(&visit.caller, &urn, &publish).await
    };
    match previewed {
        Ok(preview) => {
            template.recipients = preview.recipients;
            template.subscribed = preview.subscribed;
            template.shown =
                preview.forms.into_iter().map(|form| shown(form, table, visit.look.lang)).collect();
            Ok(page(StatusCode::OK, &template))
        }
        Err(error) => {
            template.wrong = visit.wrong(error)?;
            Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &template))
        }
    }
}
