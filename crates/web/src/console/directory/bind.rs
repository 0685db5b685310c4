//! Finding members by mail address or phone number, and binding what was found; what could not be resolved says why.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::SecretText;
use carillon_model::office::Connection;
use carillon_model::office::contact::ContactKind;
use carillon_model::role::Right;
use carillon_service::BoundMember;
use carillon_service::contact::{Typed, Unbound};

use crate::App;
use crate::console::frame::{Frame, Place};
use crate::console::office::found;
use crate::console::page;
use crate::console::problem::Problem;
use crate::console::text::Lang;
use crate::console::visit::Visit;

/// What became of one line.
struct Shown {
    typed: String,
    member: Option<BoundMember>,
    why: &'static str,
}

#[derive(Template)]
#[template(path = "directory/bind.html")]
struct BindPage {
    f: Frame,
    tab: &'static str,
    it: Connection,
    contacts: String,
    wrong: String,
    found: Option<Vec<Shown>>,
    /// How many were bound, and how many not.
    bound: usize,
    unbound: usize,
}

fn why(unbound: Unbound, lang: Lang) -> &'static str {
    let t = &lang.texts().bind;
    match unbound {
        Unbound::Malformed => t.malformed,
        Unbound::Twice => t.twice,
        Unbound::NoAccount => t.no_account,
        Unbound::Unsupported => t.unsupported,
        Unbound::NotAsked => t.not_asked,
        Unbound::Gone => t.gone,
        Unbound::Outside => t.outside,
    }
}

/// The lines of a text as contacts: what has an @ is a mail address, everything else a phone number.
fn typed(text: &str) -> Vec<Typed> {
    let lines = text.lines().flat_map(|line| line.split([',', ';'])).map(str::trim);
    let kind = |line: &str| if line.contains('@') { ContactKind::Email } else { ContactKind::Phone };
    lines.filter(|line| !line.is_empty()).map(|line| (kind(line), SecretText::new(line))).collect()
}

/// The form.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = found(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let (f, contacts, wrong) = (visit.frame(Place::Office), String::new(), String::new());
    let shown = BindPage { f, tab: "bind", it, contacts, wrong, found: None, bound: 0, unbound: 0 };
    Ok(page(StatusCode::OK, &shown))
}

/// Asks the platform.
pub(crate) async fn bind(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = found(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let contacts = visit.form.lines("contacts");
    let wanted = typed(&contacts);
    let lines: Vec<String> = wanted.iter().map(|(_kind, text)| text.reveal().to_owned()).collect();
    let (found, wrong) = match app.service.bind_contacts(&visit.caller, it.id, wanted).await {
        Ok(became) => {
            let shown = lines.into_iter().zip(became).map(|(typed, became)| match became {
                Ok(member) => Shown { typed, member: Some(member), why: "" },
                Err(unbound) => Shown { typed, member: None, why: why(unbound, visit.look.lang) },
            });
            (Some(shown.collect::<Vec<_>>()), String::new())
        }
        Err(error) => {
            let wrong = visit.wrong(error)?;
            (None, wrong.text().to_owned())
        }
    };
    let bound = found.iter().flatten().filter(|one| one.member.is_some()).count();
    let unbound = found.as_ref().map_or(0, Vec::len) - bound;
    let path = format!("/console/office/{}/bind", it.id);
    let f = Frame { path, ..visit.frame(Place::Office) };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(page(status, &BindPage { f, tab: "bind", it, contacts, wrong, found, bound, unbound }))
}

#[cfg(test)]
mod tests {
    use carillon_model::office::contact::ContactKind;

    use super::typed;

    #[test]
    fn what_has_an_at_is_a_mail_address() {
        let kinds: Vec<_> =
            typed("a@example.com\r\n 138 0000 0000 ; b@example.com,\n\n").iter().map(|it| it.0).collect();
        assert_eq!(kinds, [ContactKind::Email, ContactKind::Phone, ContactKind::Email]);
    }
}
