//! The check: everything that an app needs, tried at its platform, with the page that grants it.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::office::{Connection, Recipient, RecipientKind};
use carillon_model::outcome::Advice;
use carillon_model::role::Right;
use carillon_service::trial::Trial;
use carillon_service::{Error, Finding, Wanted};

use super::found;
use crate::App;
use crate::console::form::Wrong;
use crate::console::frame::{Frame, Place};
use crate::console::page;
use crate::console::problem::Problem;
use crate::console::text::Lang;
use crate::console::visit::Visit;

/// A finding as the page shows it.
struct Shown {
    tone: &'static str,
    state: &'static str,
    what: String,
    scope: &'static str,
    advice: Advice,
}

#[derive(Template)]
#[template(path = "office/doctor.html")]
struct DoctorPage {
    f: Frame,
    tab: &'static str,
    it: Connection,
    test_to: String,
    wrong: String,
    findings: Option<Vec<Shown>>,
    /// How many needed things are missing, and whether a useful one is.
    bad: usize,
    less: bool,
}

fn shown(finding: Finding, lang: Lang) -> Shown {
    let t = &lang.texts().doctor;
    let (tone, state) = match (finding.ok, finding.wanted) {
        (true, _) => ("ok", t.good),
        (false, Wanted::Needed) => ("bad", t.bad),
        (false, Wanted::Useful) => ("warn", t.useful),
    };
    let what = what(finding.what, lang).to_owned();
    Shown { tone, state, what, scope: finding.scope.unwrap_or_default(), advice: finding.advice }
}

/// What was looked at, in the page's language.
fn what(text: &'static str, lang: Lang) -> &'static str {
    let (english, t) = (&Lang::English.texts().doctor, &lang.texts().doctor);
    let all = [
        (english.credentials, t.credentials),
        (english.credentials_address, t.credentials_address),
        (english.bot, t.bot),
        (english.read_directory, t.read_directory),
        (english.hear_changes, t.hear_changes),
        (english.department_names, t.department_names),
        (english.department_tree, t.department_tree),
        (english.member_departments, t.member_departments),
        (english.member_names, t.member_names),
        (english.member_ids, t.member_ids),
        (english.by_contact, t.by_contact),
        (english.chats, t.chats),
        (english.send, t.send),
        (english.files, t.files),
        (english.range, t.range),
        (english.visible, t.visible),
        (english.trusted, t.trusted),
        (english.robot_code, t.robot_code),
        (english.number, t.number),
    ];
    all.iter().find(|(english, _told)| *english == text).map_or(text, |(_english, told)| told)
}

/// What came of the test message, with the platform's own words.
fn tested(trial: Trial, lang: Lang) -> Shown {
    let t = &lang.texts().doctor;
    let (tone, state) = if trial.arrived { ("ok", t.good) } else { ("bad", t.bad) };
    let said = [trial.code, trial.text].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let with = |text: &str| if said.is_empty() { text.to_owned() } else { format!("{text} ({said})") };
    let advice = Advice { en: with(&trial.advice.en).into(), zh: with(&trial.advice.zh).into() };
    Shown { tone, state, what: t.test.to_owned(), scope: "", advice }
}

/// The page, before anything was tried.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = found(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let f = visit.frame(Place::Office);
    let (test_to, wrong) = (String::new(), String::new());
    let shown = DoctorPage { f, tab: "check", it, test_to, wrong, findings: None, bad: 0, less: false };
    Ok(page(StatusCode::OK, &shown))
}

/// Tries everything.
pub(crate) async fn check(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let it = found(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let (caller, lang) = (&visit.caller, visit.look.lang);
    let test_to = visit.form.get("test_to").trim().to_owned();
    let checked = async {
        let to = visit.form.maybe("test_to");
        let to = to.map(|to| Recipient::parse(RecipientKind::Member, to)).transpose()?;
        let found = app.service.check_connection(caller, it.id).await?;
        let mut findings: Vec<Shown> = found.into_iter().map(|one| shown(one, lang)).collect();
        if let Some(to) = to {
            let trial = app.service.try_connection(caller, it.id, to, lang.locale()).await?;
            findings.push(tested(trial, lang));
        }
        Ok::<_, Error>(findings)
    };
    let (findings, wrong) = match checked.await {
        Ok(findings) => (Some(findings), String::new()),
        Err(error) => {
            let wrong = Wrong::of(error, lang).map_err(|error| visit.problem(error))?;
            (None, wrong.text().to_owned())
        }
    };
    let count = |tone: &str| findings.iter().flatten().filter(|one| one.tone == tone).count();
    let (bad, less) = (count("bad"), count("warn") > 0);
    let f = Frame { path: format!("/console/office/{}/check", it.id), ..visit.frame(Place::Office) };
    Ok(page(StatusCode::OK, &DoctorPage { f, tab: "check", it, test_to, wrong, findings, bad, less }))
}

#[cfg(test)]
mod tests {
    use super::what;
    use crate::console::text::Lang;

    /// What the checks of all platforms look at.
    const CHECKS: [&str; 3] = [
        include_str!("../../../../provider/src/lark/doctor.rs"),
        include_str!("../../../../provider/src/dingtalk/doctor.rs"),
        include_str!("../../../../provider/src/wecom/doctor.rs"),
    ];

    #[test]
    fn everything_that_is_looked_at_has_chinese_words() {
        let mut told = 0;
        for text in CHECKS.iter().flat_map(|source| source.split('"')) {
            let is_chinese = |text: &str| text.chars().any(|sign| sign > '\u{2e80}');
            told += usize::from(is_chinese(what(text, Lang::Chinese)));
        }
        assert!(told > 18, "{told}");
        assert_eq!(what("send messages", Lang::Chinese), "发送消息");
        assert_eq!(what("send messages", Lang::English), "send messages");
    }
}
