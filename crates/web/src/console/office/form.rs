//! Connecting an app, and changing what was connected. Save tries the credentials at the platform and says beside the
//! field which of them is wrong.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Field;
use carillon_model::office::connection::TypedApp;
use carillon_model::office::{Connection, Platform};
use carillon_model::role::Right;
use carillon_service::Error;
use carillon_service::connection::{Connect, platform};

use super::found;
use crate::App;
use crate::console::form::{Form, Wrong};
use crate::console::frame::{Frame, Place};
use crate::console::guide::Step;
use crate::console::problem::{Problem, Refusal};
use crate::console::text::{Lang, Texts};
use crate::console::visit::Visit;
use crate::console::{go, page};

/// The forms that there are: Lark and Feishu share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lark,
    Dingtalk,
    Wecom,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Lark, Self::Dingtalk, Self::Wecom];

    fn name(self) -> &'static str {
        match self {
            Self::Lark => "lark",
            Self::Dingtalk => "dingtalk",
            Self::Wecom => "wecom",
        }
    }

    fn of(platform: Platform) -> Self {
        match platform {
            Platform::Lark | Platform::Feishu => Self::Lark,
            Platform::Dingtalk => Self::Dingtalk,
            Platform::Wecom => Self::Wecom,
        }
    }

    fn title(self, t: &Texts) -> &'static str {
        match self {
            Self::Lark => t.office.lark_both,
            Self::Dingtalk => t.office.dingtalk,
            Self::Wecom => t.office.wecom,
        }
    }

    fn what(self, t: &Texts) -> &'static str {
        match self {
            Self::Lark => t.office.lark_what,
            Self::Dingtalk => t.office.dingtalk_what,
            Self::Wecom => t.office.wecom_what,
        }
    }

    fn steps(self, t: &Texts) -> Vec<Step> {
        let (s, g) = (&t.app_steps, &t.guide);
        let (drawn, said) = (Step::drawn, Step::said);
        let scopes = || vec![g.d_may_send, g.d_may_read, g.d_may_find];
        match self {
            Self::Lark => vec![
                said(s.lark_1),
                drawn(s.lark_2, "choose", g.d_features, vec![g.d_robots, g.d_add]),
                drawn(s.lark_3, "fields", g.d_credentials, vec!["App ID", "cli_0123456789ab", "App Secret"]),
                drawn(s.lark_4, "checks", g.d_permissions, scopes()),
                drawn(s.lark_5, "copy", g.d_app, vec![g.d_version, "1.0.0", g.d_publish]),
            ],
            Self::Dingtalk => vec![
                said(s.dingtalk_1),
                drawn(s.dingtalk_2, "choose", g.d_features, vec![g.d_robots, g.d_add]),
                drawn(
                    s.dingtalk_3,
                    "fields",
                    g.d_credentials,
                    vec!["Client ID", "ding0123456789ab", "Client Secret"],
                ),
                drawn(s.dingtalk_4, "checks", g.d_permissions, scopes()),
            ],
            Self::Wecom => vec![
                said(s.wecom_1),
                drawn(s.wecom_2, "fields", g.d_app, vec!["AgentId", "1000002", "Secret"]),
                drawn(s.wecom_3, "copy", g.d_app, vec![g.d_trusted, "203.0.113.7", t.common.save]),
                drawn(s.wecom_4, "security", g.d_range, vec![g.d_part, g.d_all, ""]),
            ],
        }
    }
}

#[derive(Template)]
#[template(path = "office/choose.html")]
struct ChoosePage {
    f: Frame,
    kinds: [Kind; 3],
}

#[derive(Template)]
#[template(path = "office/form.html")]
struct FormPage {
    f: Frame,
    kind: Kind,
    title: String,
    steps: Vec<Step>,
    form: Form,
    wrong: Wrong,
    /// Where the form is sent, and where one goes instead.
    action: String,
    back: String,
    /// What is changed; nothing when one is made.
    changed: Option<Connection>,
}

impl FormPage {
    fn is(&self, name: &str) -> bool {
        self.kind.name() == name
    }

    fn mark(&self) -> &'static str {
        self.kind.name()
    }

    /// The fields beside which something may stand.
    fn whole(&self) -> &str {
        let fields =
            ["name", "platform", "app_id", "app_secret", "corp_id", "agent_id", "robot_code"].as_slice();
        // Which cloud an app is on is not asked when it is changed.
        let shown = if self.changed.is_some() { fields.get(2..).unwrap_or_default() } else { fields };
        if !self.wrong.at("name").is_empty() { "" } else { self.wrong.whole(shown) }
    }
}

/// The platforms to choose from.
pub(crate) async fn choose(visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let f = visit.frame(Place::Office);
    Ok(page(StatusCode::OK, &ChoosePage { f, kinds: Kind::ALL }))
}

fn new_page(visit: &Visit, wrong: Wrong) -> Result<FormPage, Problem> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == visit.path("platform"));
    let kind = kind.ok_or_else(|| visit.problem(Refusal::NotFound))?;
    let t = visit.t();
    let action = format!("/console/office/new/{}", kind.name());
    Ok(FormPage {
        f: Frame { path: action.clone(), ..visit.frame(Place::Office) },
        kind,
        title: t.office.new_title.replacen("{}", kind.title(t), 1),
        steps: kind.steps(t),
        form: visit.form.clone(),
        wrong,
        action,
        back: "/console/office".to_owned(),
        changed: None,
    })
}

/// The form of a new one.
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    Ok(page(StatusCode::OK, &new_page(&visit, Wrong::default())?))
}

/// The credentials as they were typed.
fn typed(form: &Form) -> TypedApp {
    TypedApp {
        app_id: form.secret("app_id"),
        app_secret: form.secret("app_secret"),
        corp_id: form.secret("corp_id"),
        agent_id: form.maybe("agent_id").map(str::to_owned),
        robot_code: form.secret("robot_code"),
    }
}

/// What stands beside a field of these forms: a name has another rule here than a topic's.
fn wrong(error: Error, lang: Lang) -> Result<Wrong, Error> {
    let t = &lang.texts().office;
    if matches!(error, Error::ConnectionExists) {
        return Ok(Wrong::beside(Field::Name, t.name_taken));
    }
    if matches!(&error, Error::Invalid(invalid) if invalid.field == Field::Name) {
        return Ok(Wrong::beside(Field::Name, t.name_rule));
    }
    Wrong::of(error, lang)
}

/// Connects an app, if the platform takes its credentials.
pub(crate) async fn connect(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let connected = async {
        let asked = match visit.path("platform") {
            "lark" => visit.form.maybe("platform").unwrap_or_default(),
            kind => kind,
        };
        let name = visit.form.get("name").trim().to_owned();
        let connect = Connect { platform: platform(asked)?, name, app: typed(&visit.form) };
        app.service.connect(&visit.caller, connect).await
    };
    match connected.await {
        Ok(id) => Ok(go(&format!("/console/office/{id}?done=connected"))),
        Err(error) => {
            let wrong = wrong(error, visit.look.lang).map_err(|error| visit.problem(error))?;
            Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &new_page(&visit, wrong)?))
        }
    }
}

fn settings_page(visit: &Visit, connection: Connection, form: Form, wrong: Wrong) -> FormPage {
    let back = format!("/console/office/{}", connection.id);
    let kind = Kind::of(connection.platform);
    FormPage {
        f: visit.frame(Place::Office),
        kind,
        title: visit.t().office.settings.to_owned(),
        steps: kind.steps(visit.t()),
        form,
        wrong,
        action: format!("{back}/settings"),
        back,
        changed: Some(connection),
    }
}

/// The form of one that is there. Of its credentials nothing is shown.
pub(crate) async fn settings(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let connection = found(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let form = Form::of(&[("name", &connection.name)]);
    Ok(page(StatusCode::OK, &settings_page(&visit, connection, form, Wrong::default())))
}

/// Changes the name, and the credentials if any were typed.
pub(crate) async fn save(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let connection = found(&app, &visit).await.map_err(|error| visit.problem(error))?;
    let name = visit.form.get("name").trim().to_owned();
    let name = (name != connection.name).then_some(name);
    let fields = ["app_id", "app_secret", "corp_id", "agent_id", "robot_code"];
    let any = fields.iter().any(|field| visit.form.maybe(field).is_some());
    let credentials = any.then(|| typed(&visit.form));
    let saved = app.service.change_connection(&visit.caller, connection.id, name, credentials).await;
    let Err(error) = saved else {
        return Ok(go(&format!("/console/office/{}?done=saved", connection.id)));
    };
    let wrong = wrong(error, visit.look.lang).map_err(|error| visit.problem(error))?;
    let form = visit.form.clone();
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &settings_page(&visit, connection, form, wrong)))
}
