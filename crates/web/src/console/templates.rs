//! Message templates: list, write with a preview, delete.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Channel;
use carillon_model::message::Locale;
use carillon_model::role::Right;
use carillon_model::template::{DEFAULT_PROTOCOL, Template};
use carillon_service::template::NewTemplate;
use carillon_service::{Page, TemplateFilter};

use super::form::{Form, Wrong};
use super::frame::{Frame, Place};
use super::problem::Problem;
use super::publish::{Shown, shown};
use super::show::filled;
use super::sure::Sure;
use super::text::Lang;
use super::topics::ROWS;
use super::visit::Visit;
use super::{go, page, words};
use crate::App;
use crate::smn::protocol::{self, PROTOCOLS};

#[derive(askama::Template)]
#[template(path = "templates.html")]
struct ListPage {
    f: Frame,
    templates: Vec<Template>,
    count: u64,
    next: Option<String>,
}

/// A placeholder with what was typed for it.
struct Value {
    name: String,
    value: String,
}

#[derive(askama::Template)]
#[template(path = "template.html")]
struct OnePage {
    f: Frame,
    /// The template, unless it is to be made.
    template: Option<Template>,
    protocols: Vec<(&'static str, Channel)>,
    protocol: String,
    name: String,
    content: String,
    values: Vec<Value>,
    shown: Vec<Shown>,
    wrong: Wrong,
}

impl OnePage {
    fn is_chosen(&self, protocol: &str) -> bool {
        self.protocol == protocol
    }

    fn path(&self) -> String {
        self.template.as_ref().map_or_else(
            || "/console/templates".to_owned(),
            |template| format!("/console/templates/{}", template.id),
        )
    }
}

/// The list.
pub(crate) async fn list(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let offset = visit.query("after").and_then(|after| after.parse().ok()).unwrap_or(0);
    let page_of = Page { offset, limit: ROWS };
    let listed = app.service.list_templates(&visit.caller, TemplateFilter::default(), page_of).await;
    let (count, templates) = listed.map_err(|error| visit.problem(error))?;
    let next = (offset + ROWS < count).then(|| format!("/console/templates?after={}", offset + ROWS));
    Ok(page(StatusCode::OK, &ListPage { f: visit.frame(Place::Templates), templates, count, next }))
}

/// The names of what the form gives values for begin so.
const VALUE: &str = "value.";

fn values(form: &Form, placeholders: &[String]) -> BTreeMap<String, String> {
    let typed = placeholders.iter().filter_map(|name| {
        let value = form.get(&format!("{VALUE}{name}"));
        (!value.is_empty()).then(|| (name.clone(), value.to_owned()))
    });
    typed.collect()
}

/// The page with what its text would become.
fn shown_page(
    app: &App,
    visit: &Visit,
    template: Option<Template>,
    content: String,
) -> Result<OnePage, Problem> {
    let form = &visit.form;
    let protocol = match &template {
        Some(template) => template.protocol.clone(),
        None => form.maybe("protocol").unwrap_or(DEFAULT_PROTOCOL).to_owned(),
    };
    let parsed = carillon_model::template::TemplateText::parse(&content);
    let placeholders = parsed.map(|text| text.placeholders()).unwrap_or_default();
    let values = values(form, &placeholders);
    let locale = if visit.look.lang == Lang::English { Locale::English } else { Locale::Chinese };
    let channel = protocol::channel(&protocol).ok();
    let mut it = OnePage {
        f: visit.frame(Place::Templates),
        name: template.as_ref().map_or_else(|| form.get("name").trim().to_owned(), |it| it.name.to_string()),
        values: placeholders
            .into_iter()
            .map(|name| Value { value: values.get(&name).cloned().unwrap_or_default(), name })
            .collect(),
        protocols: PROTOCOLS.into_iter().filter(|(_, channel)| *channel != Channel::Office).collect(),
        template,
        protocol,
        content,
        shown: Vec::new(),
        wrong: Wrong::default(),
    };
    if !it.content.trim().is_empty() {
        let made = app.service.preview_template(&visit.caller, channel, &it.content, values, locale);
        match made {
            Ok(forms) => {
                it.shown = forms.into_iter().map(|form| shown(form, false, visit.look.lang)).collect();
            }
            Err(error) => {
                it.wrong = visit.wrong(error)?;
            }
        }
    }
    Ok(it)
}

/// The form of a new one.
pub(crate) async fn form(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = shown_page(&app, &visit, None, String::new())?;
    Ok(page(StatusCode::OK, &it))
}

/// Shows what a new one would become, or makes it, as the button says.
pub(crate) async fn create(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let content = visit.form.lines("content");
    let mut it = shown_page(&app, &visit, None, content.clone())?;
    it.f.path = "/console/templates/new".to_owned();
    if visit.form.get("do") != "save" {
        return Ok(page(StatusCode::OK, &it));
    }
    let channel = protocol::channel(&it.protocol).ok();
    let new = NewTemplate { name: it.name.clone(), protocol: it.protocol.clone(), channel, content };
    match app.service.create_template(&visit.caller, new).await {
        Ok(id) => Ok(go(&format!("/console/templates/{id}?done=created"))),
        Err(error) => {
            it.wrong = visit.wrong(error)?;
            Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &it))
        }
    }
}

/// One of them.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let found = app.service.template(&visit.caller, visit.path("template")).await;
    let (template, content) = found.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &shown_page(&app, &visit, Some(template), content)?))
}

/// Shows what another text would become, or gives it that, as the button says.
pub(crate) async fn save(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let found = app.service.template(&visit.caller, visit.path("template")).await;
    let (template, _content) = found.map_err(|error| visit.problem(error))?;
    let (id, content) = (template.id.to_string(), visit.form.lines("content"));
    let mut it = shown_page(&app, &visit, Some(template), content.clone())?;
    if visit.form.get("do") != "save" {
        return Ok(page(StatusCode::OK, &it));
    }
    match app.service.rewrite_template(&visit.caller, &id, content).await {
        Ok(()) => Ok(go(&format!("/console/templates/{id}?done=saved"))),
        Err(error) => {
            it.wrong = visit.wrong(error)?;
            Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &it))
        }
    }
}

async fn sure(app: &App, visit: &Visit) -> Result<Sure, Problem> {
    visit.must(Right::Change)?;
    let found = app.service.template(&visit.caller, visit.path("template")).await;
    let (template, _content) = found.map_err(|error| visit.problem(error))?;
    let (t, here) = (visit.t(), format!("/console/templates/{}", template.id));
    let channel = template.channel.map_or(t.template.default, |it| words::channel(it, visit.look.lang));
    Ok(Sure {
        about: vec![format!("{} · {channel}", template.name)],
        goes: vec![t.sure.template_goes.to_owned()],
        stays: t.sure.template_stays,
        crumbs: vec![
            ("/console/templates".to_owned(), t.template.title.to_owned()),
            (here.clone(), template.name.to_string()),
        ],
        ..Sure::new(filled(t.sure.template_title, &template.name), &template.id, format!("{here}/delete"))
    })
}

/// Asks before deleting.
pub(crate) async fn ask(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    Ok(sure(&app, &visit).await?.ask(&visit, Place::Templates))
}

/// Deletes for good, if the form says which.
pub(crate) async fn delete(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let sure = sure(&app, &visit).await?;
    if !sure.is_meant(&visit) {
        return Ok(sure.again(&visit, Place::Templates));
    }
    let gone = app.service.delete_template(&visit.caller, visit.path("template")).await;
    gone.map_err(|error| visit.problem(error))?;
    Ok(go("/console/templates?done=deleted"))
}
