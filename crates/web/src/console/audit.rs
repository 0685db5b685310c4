//! The audit log: who changed what and when, filtered by the address.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::audit::Deed;
use carillon_model::id::AuditId;
use carillon_service::audit::ids;
use carillon_service::{AuditFilter, AuditLine, Error};

use super::deed::{deed, detail};
use super::frame::{Frame, Place};
use super::page;
use super::problem::Problem;
use super::show::quoted;
use super::visit::Visit;
use crate::App;

/// How many lines are shown at a time: they are long.
const ROWS: u64 = 42;

/// A deed that the filter offers.
struct Choice {
    name: &'static str,
    text: &'static str,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    f: Frame,
    lines: Vec<AuditLine>,
    /// What things are called, by their ids.
    names: BTreeMap<String, String>,
    choices: Vec<Choice>,
    account: String,
    deed: String,
    what: String,
    /// How the URNs of the project's topics begin.
    prefix: String,
    first: bool,
    next: Option<String>,
}

impl AuditPage {
    fn did(&self, line: &AuditLine) -> &'static str {
        deed(line.deed, self.f.lang)
    }

    /// By what somebody was let in.
    fn by(&self, line: &AuditLine) -> String {
        let t = &self.f.t.audit;
        match line.credential.split_once(' ') {
            Some(("key", id)) => self.f.say(t.by_key, id),
            Some(("token", id)) => self.f.say(t.by_token, tail(id)),
            // What nobody did has no credential.
            _ if line.credential.is_empty() => t.by_itself.to_owned(),
            _ => t.console.to_owned(),
        }
    }

    /// What it was done to: by the names that things have now, without what all URNs of the project have in common.
    fn on(&self, line: &AuditLine) -> String {
        let short = line.what.strip_prefix(self.prefix.as_str()).unwrap_or(&line.what);
        let named = ids(short).find_map(|id| self.names.get(id).map(|name| (id, name)));
        let Some((id, name)) = named else { return short.to_owned() };
        // A subscription stands with its topic, a member who became another one with that one.
        match short.strip_suffix(id).and_then(|topic| topic.strip_suffix(':')) {
            Some(topic) => format!("{topic} / {name}"),
            None => {
                let all = ids(short).filter_map(|id| self.names.get(id));
                all.map(String::as_str).collect::<Vec<_>>().join(" → ")
            }
        }
    }

    /// What else is worth knowing, in words.
    fn detail(&self, line: &AuditLine) -> String {
        detail(line.deed, &line.detail, self.f.lang)
    }

    fn is_filtered(&self) -> bool {
        ![&self.account, &self.deed, &self.what].iter().all(|text| text.is_empty())
    }

    /// The address of the first page, with its filter.
    fn path(&self) -> String {
        let parts = [("account", &self.account), ("deed", &self.deed), ("what", &self.what)];
        let parts = parts.iter().filter(|(_name, text)| !text.is_empty());
        let query: String = parts.map(|(name, text)| format!("{name}={}&", quoted(text))).collect();
        format!("/console/audit?{query}")
    }
}

/// The end of an id, which tells it from others.
fn tail(id: &str) -> String {
    let skipped = id.chars().count().saturating_sub(8);
    let end: String = id.chars().skip(skipped).collect();
    if skipped > 0 { format!("…{end}") } else { end }
}

/// The page. A deed that is none of ours filters nothing, as no choice of the list is it.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let text = |name: &str| visit.query(name).map(str::trim).unwrap_or_default().to_owned();
    let (account, what) = (text("account"), text("what"));
    let wanted = Deed::from_name(&text("deed"));
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let filter = AuditFilter { account_name: some(&account), deed: wanted, what: some(&what) };
    let listed = async {
        let before = visit.query("after").map(AuditId::parse).transpose().map_err(Error::from)?;
        app.service.list_audit(&visit.caller, filter, before, ROWS + 1).await
    };
    let mut lines = listed.await.map_err(|error| visit.problem(error))?;
    let rows = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = lines.len() > rows;
    lines.truncate(rows);
    let lang = visit.look.lang;
    let names = app.service.name_audited(&visit.caller, &lines).await;
    let names = names.map_err(|error| visit.problem(error))?;
    let mut shown = AuditPage {
        names,
        f: visit.frame(Place::Audit),
        choices: Deed::ALL.iter().map(|it| Choice { name: it.name(), text: deed(*it, lang) }).collect(),
        account,
        deed: wanted.map(|deed| deed.name().to_owned()).unwrap_or_default(),
        what,
        prefix: format!("urn:smn:{}:{}:", app.service.region(), visit.caller.project),
        first: visit.query("after").is_none(),
        next: None,
        lines,
    };
    let path = shown.path();
    shown.next = shown.lines.last().filter(|_last| more).map(|last| format!("{path}after={}", last.id));
    Ok(page(StatusCode::OK, &shown))
}
