//! Adding a subscription: choose a platform, follow its steps, paste the address, send a test message, save.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::role::Right;
use carillon_model::subscription::{AppCredentials, Extension};
use carillon_model::{Field, Invalid, SecretText};
use carillon_service::Error;
use carillon_service::subscription::Subscribe;
use carillon_service::topic::NamedTopic;
use carillon_service::trial::Trial;

use super::form::{Form, Wrong};
use super::frame::{Frame, Place};
use super::guide::{Step, Way};
use super::problem::{Problem, Refusal};
use super::show::quoted;
use super::text::Lang;
use super::visit::Visit;
use super::{go, page, topic};
use crate::App;
use crate::smn::protocol::PROTOCOLS;

/// One way on the page that offers them.
struct Offer {
    name: &'static str,
    mark: &'static str,
    title: &'static str,
    what: &'static str,
}

#[derive(Template)]
#[template(path = "subscribe_choose.html")]
struct ChoosePage {
    f: Frame,
    topic: NamedTopic,
    offers: Vec<Offer>,
}

#[derive(Template)]
#[template(path = "subscribe.html")]
struct SubscribePage {
    f: Frame,
    topic: NamedTopic,
    way: Way,
    title: &'static str,
    steps: Vec<Step>,
    address: (&'static str, &'static str),
    form: Form,
    wrong: Wrong,
    /// Where the address leads, once it is one.
    leads_to: String,
    trial: Option<Trial>,
}

impl SubscribePage {
    fn new(visit: &Visit, topic: NamedTopic, way: Way) -> Self {
        let t = visit.t();
        Self {
            f: visit.frame(Place::Topics),
            topic,
            way,
            title: way.words(t).0,
            steps: way.steps(t),
            address: way.address(t),
            form: visit.form.clone(),
            wrong: Wrong::default(),
            leads_to: String::new(),
            trial: None,
        }
    }

    fn is_app(&self) -> bool {
        self.way == Way::DingtalkApp
    }

    fn is_web(&self) -> bool {
        self.way == Way::Web
    }

    fn advice<'a>(&self, trial: &'a Trial) -> &'a str {
        if self.f.lang == Lang::English { &trial.advice.en } else { &trial.advice.zh }
    }
}

/// Offers the ways.
pub(crate) async fn choose(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let topic = topic::named(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let offered = Way::ALL.into_iter().filter(|way| app.service.offers(way.channel("")));
    let offers = offered.map(|way| {
        let (title, what) = way.words(visit.t());
        Offer { name: way.name(), mark: way.mark(), title, what }
    });
    let template = ChoosePage { f: visit.frame(Place::Topics), topic, offers: offers.collect() };
    Ok(page(StatusCode::OK, &template))
}

fn way(visit: &Visit) -> Result<Way, Problem> {
    Way::from_name(visit.path("way")).ok_or_else(|| visit.problem(Refusal::NotFound))
}

/// The form of a way.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let way = way(&visit)?;
    let topic = topic::named(&app, &visit).await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &SubscribePage::new(&visit, topic, way)))
}

/// One `Name: value` a line.
fn headers(text: &str) -> Result<Vec<(String, SecretText)>, Invalid> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let wrong = || Invalid::new(Field::Extension, "write each header as Name: value, one a line");
    lines
        .map(|line| {
            let (name, value) = line.split_once(':').ok_or_else(wrong)?;
            Ok((name.trim().to_owned(), value.trim().into()))
        })
        .collect()
}

/// What the form asks for.
fn wanted(form: &Form, way: Way) -> Result<Subscribe, Error> {
    let address = form.get("endpoint").trim();
    let channel = way.channel(address);
    let protocol = PROTOCOLS.iter().find(|(_, it)| *it == channel).map_or("", |(name, _)| *name);
    let app = (way == Way::DingtalkApp).then(|| AppCredentials {
        app_key: form.get("app_key").trim().into(),
        app_secret: form.get("app_secret").trim().into(),
        robot_code: form.maybe("robot_code").unwrap_or(form.get("app_key").trim()).into(),
    });
    let extension = Extension {
        keyword: form.secret("keyword"),
        sign_secret: form.secret("sign_secret"),
        app,
        headers: headers(&form.lines("headers"))?,
        office: None,
    };
    Ok(Subscribe {
        channel,
        protocol: protocol.to_owned(),
        endpoint: address.into(),
        extension,
        remark: form.maybe("remark").map(str::to_owned),
    })
}

/// Checks, tests or saves, as the button that was pressed says.
pub(crate) async fn submit(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let way = way(&visit)?;
    let topic = topic::named(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let (urn, name) = (topic.urn.to_string(), topic.topic.name.to_string());
    let mut template = SubscribePage::new(&visit, topic, way);
    let step = visit.form.get("do");
    let done = async {
        let wanted = wanted(&visit.form, way)?;
        let target = app.service.check_subscription(&wanted)?;
        template.leads_to = target.endpoint.masked();
        match step {
            "save" => {
                app.service.subscribe(&visit.caller, &urn, wanted).await?;
                return Ok(true);
            }
            "test" => {
                let locale = visit.look.lang.locale();
                let trial = app.service.try_subscription(&visit.caller, &urn, &wanted, locale).await?;
                template.trial = Some(trial);
            }
            _ => {}
        }
        Ok::<_, Error>(false)
    };
    match done.await {
        Ok(true) => return Ok(go(&format!("/console/topics/{}?done=created", quoted(&name)))),
        Ok(false) => {}
        // Nothing typed yet is nothing wrong yet.
        Err(_empty) if step == "check" && visit.form.maybe("endpoint").is_none() => {}
        Err(error) => {
            template.wrong = visit.wrong(error)?;
        }
    }
    let wrong = !template.wrong.text().is_empty();
    let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(page(status, &template))
}
