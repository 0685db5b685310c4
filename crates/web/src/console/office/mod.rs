//! Office software access: the company's own apps, and their directories.
//!
//! | what | room |
//! | --- | --- |
//! | all connections, by platform | `connections` |
//! | the form of a new one, and of changing one | `form` |
//! | one connection: its directory in numbers, its updates | `connection` |
//! | its calls per month, and who is told what concerns it | `care` |
//! | one update: progress, what would change, yes or no | `run` |
//! | the check | `doctor` |
//! | deleting one | `delete` |

pub(super) mod care;
pub(super) mod connection;
pub(super) mod connections;
pub(super) mod delete;
pub(super) mod doctor;
pub(super) mod form;
pub(super) mod run;

use carillon_model::id::ConnectionId;
use carillon_model::office::directory::RunState;
use carillon_model::office::{Connection, Platform};
use carillon_service::{Error, Run};

use super::text::Lang;
use super::visit::Visit;
use crate::App;

/// A platform in words.
pub(super) fn platform_text(platform: Platform, lang: Lang) -> &'static str {
    let t = &lang.texts().office;
    match platform {
        Platform::Lark => t.lark,
        Platform::Feishu => t.feishu,
        Platform::Dingtalk => t.dingtalk,
        Platform::Wecom => t.wecom,
    }
}

/// A platform's mark in the sheet of drawings.
pub(super) fn platform_mark(platform: Platform) -> &'static str {
    match platform {
        Platform::Lark | Platform::Feishu => "lark",
        Platform::Dingtalk => "dingtalk",
        Platform::Wecom => "wecom",
    }
}

/// The connection that the path names; one that cannot be is not there.
pub(super) fn id(visit: &Visit) -> Result<ConnectionId, Error> {
    ConnectionId::parse(visit.path("connection_id")).map_err(|_malformed| Error::ConnectionNotFound)
}

/// The same, looked at.
pub(super) async fn found(app: &App, visit: &Visit) -> Result<Connection, Error> {
    app.service.connection(&visit.caller, id(visit)?).await
}

/// A reading as pages show it.
pub(super) struct ShownRun {
    pub(super) run: Run,
    /// How its state looks.
    pub(super) tone: &'static str,
    /// Its state in words.
    pub(super) state: &'static str,
    /// Who asked for it, in words.
    pub(super) by: String,
    /// How long it took, or has taken so far.
    pub(super) seconds: String,
    /// How far it may be, in percent of what the directory had before; nothing when that is not known.
    pub(super) percent: Option<u64>,
}

impl ShownRun {
    pub(super) fn new(app: &App, visit: &Visit, connection: &Connection, run: Run) -> Self {
        let t = &visit.t().run;
        let (tone, state) = match run.state {
            RunState::Running => ("run", t.running),
            RunState::Asks => ("warn", t.asks),
            RunState::Done => ("ok", t.done),
            RunState::Failed => ("bad", t.failed),
        };
        let by = match run.caused_by.as_str() {
            "timer" => t.timer.to_owned(),
            "events" => t.events.to_owned(),
            name => t.by.replacen("{}", name, 1),
        };
        let end = run.ended_at.unwrap_or_else(|| app.service.now());
        let tenths = end.0.saturating_sub(run.started_at.0).max(0) / 100;
        let seconds = t.seconds.replacen("{}", &format!("{}.{}", tenths / 10, tenths % 10), 1);
        let known = connection.members.max(run.counts.members);
        let percent = (connection.members > 0 && known > 0).then(|| run.counts.members * 100 / known);
        Self { run, tone, state, by, seconds, percent }
    }

    /// Whether it goes on by itself.
    pub(super) fn runs(&self) -> bool {
        self.run.state == RunState::Running
    }

    /// Whether it waits for an answer.
    pub(super) fn asks(&self) -> bool {
        self.run.state == RunState::Asks
    }

    /// Whether it can still be ended.
    pub(super) fn is_open(&self) -> bool {
        self.runs() || self.asks()
    }

    /// Whether it changed anything, or would.
    pub(super) fn has_changes(&self) -> bool {
        let counts = &self.run.counts;
        counts.added + counts.changed + counts.moved + counts.gone > 0
    }
}
