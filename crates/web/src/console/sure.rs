//! Asks before something is deleted: a page that names it and says what goes with it. Where that is much, the name must be
//! typed. A form that does not say which thing it means changes nothing: it is answered with this page.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::frame::{Frame, Place};
use super::page;
use super::visit::Visit;

/// What is typed to confirm.
pub(crate) struct Typed {
    /// What stands over the field.
    pub(crate) label: &'static str,
    /// What is said when it is something else.
    pub(crate) wrong: &'static str,
}

/// A question.
pub(crate) struct Sure {
    /// What it asks, with the name of the thing.
    pub(crate) title: String,
    /// What the form says as `confirm`: the name that is typed, or else the thing's id.
    pub(crate) confirm: String,
    /// What must be typed; a press of the button is enough without.
    pub(crate) typed: Option<Typed>,
    /// What the thing is, line by line.
    pub(crate) about: Vec<String>,
    /// What goes with it.
    pub(crate) goes: Vec<String>,
    /// What stays.
    pub(crate) stays: &'static str,
    /// What the button says; nothing: delete for good.
    pub(crate) button: Option<&'static str>,
    /// What leads here: paths and names.
    pub(crate) crumbs: Vec<(String, String)>,
    /// Where the form goes.
    pub(crate) action: String,
    /// What else the form says.
    pub(crate) hidden: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "sure.html")]
struct SurePage {
    f: Frame,
    it: Sure,
    wrong: &'static str,
    back: String,
}

impl Sure {
    /// A question that a press of the button answers.
    pub(crate) fn new(title: String, confirm: &(impl ToString + ?Sized), action: String) -> Self {
        Self {
            title,
            confirm: confirm.to_string(),
            typed: None,
            about: Vec::new(),
            goes: Vec::new(),
            stays: "",
            button: None,
            crumbs: Vec::new(),
            action,
            hidden: Vec::new(),
        }
    }

    /// Whether the form means this thing.
    pub(crate) fn is_meant(&self, visit: &Visit) -> bool {
        let said = visit.form.get("confirm").trim();
        !said.is_empty() && said == self.confirm.trim()
    }

    /// The page that asks.
    pub(crate) fn ask(self, visit: &Visit, place: Place) -> Response {
        self.shown(visit, place, StatusCode::OK, "")
    }

    /// The same as the answer to a form that did not mean it; nothing was changed.
    pub(crate) fn again(self, visit: &Visit, place: Place) -> Response {
        let said = !visit.form.get("confirm").trim().is_empty();
        let wrong = self.typed.as_ref().filter(|_typed| said).map_or("", |typed| typed.wrong);
        self.shown(visit, place, StatusCode::UNPROCESSABLE_ENTITY, wrong)
    }

    fn shown(self, visit: &Visit, place: Place, status: StatusCode, wrong: &'static str) -> Response {
        let back = self.crumbs.last().map_or_else(|| "/console".to_owned(), |(path, _name)| path.clone());
        let mut f = visit.frame(place);
        if status != StatusCode::OK {
            // The address of a form need not be a page to come back to.
            f.path.clone_from(&back);
        }
        page(status, &SurePage { f, it: self, wrong, back })
    }
}
