//! One update: how far it is, what it would change, and saying yes or no when it asks.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::id::RunId;
use carillon_model::office::Connection;
use carillon_model::office::directory::Change;
use carillon_service::{Error, MemberChange};

use super::{ShownRun, found, id};
use crate::App;
use crate::console::frame::{Frame, Place};
use crate::console::problem::Problem;
use crate::console::show::quoted;
use crate::console::text::Lang;
use crate::console::topics::ROWS;
use crate::console::visit::Visit;
use crate::console::{go, page};

/// A kind of change to look at.
struct Tab {
    name: &'static str,
    text: &'static str,
    count: u64,
}

#[derive(Template)]
#[template(path = "office/run.html")]
struct RunPage {
    f: Frame,
    connection: Connection,
    shown: ShownRun,
    tabs: Vec<Tab>,
    of: &'static str,
    changes: Vec<MemberChange>,
    first: bool,
    next: Option<String>,
}

impl RunPage {
    fn word(&self, change: &MemberChange) -> &'static str {
        word(change.change, self.f.lang)
    }

    fn tone(change: &MemberChange) -> &'static str {
        match change.change {
            Change::Added => "ok",
            Change::Changed | Change::Moved => "run",
            Change::Gone => "bad",
        }
    }

    /// Whether the app saw more before.
    fn is_smaller(&self) -> bool {
        matches!((&self.connection.range, &self.shown.run.range), (Some(before), Some(now)) if now.lost(before))
    }
}

fn word(change: Change, lang: Lang) -> &'static str {
    let t = &lang.texts().run;
    match change {
        Change::Added => t.added,
        Change::Changed => t.changed,
        Change::Moved => t.moved,
        Change::Gone => t.gone,
    }
}

fn run_id(visit: &Visit) -> Result<RunId, Error> {
    RunId::parse(visit.path("run_id")).map_err(|_malformed| Error::RunNotFound)
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let of = visit.query("change").and_then(Change::from_name);
    let after = visit.query("after").map(str::to_owned);
    let first = after.is_none();
    let read = async {
        let (it, run) = (found(&app, &visit).await?, run_id(&visit)?);
        let found = app.service.directory_run(&visit.caller, it.id, run).await?;
        let changes = app.service.list_changes(&visit.caller, it.id, run, of, after, ROWS + 1).await?;
        Ok::<_, Error>((it, found, changes))
    };
    let (it, run, mut changes) = read.await.map_err(|error| visit.problem(error))?;
    let rows = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = changes.len() > rows;
    changes.truncate(rows);
    let name = of.map_or("", Change::name);
    let next = changes.last().filter(|_last| more).map(|last| {
        let (connection, run, after) = (it.id, run.id, quoted(&last.key));
        format!("/console/office/{connection}/updates/{run}?change={name}&after={after}")
    });
    let counts = run.counts;
    let all = counts.added + counts.changed + counts.moved + counts.gone;
    let each = [Change::Gone, Change::Added, Change::Moved, Change::Changed].into_iter().zip([
        counts.gone,
        counts.added,
        counts.moved,
        counts.changed,
    ]);
    let mut tabs = vec![Tab { name: "", text: visit.t().run.all, count: all }];
    tabs.extend(each.map(|(change, count)| Tab {
        name: change.name(),
        text: word(change, visit.look.lang),
        count,
    }));
    let shown = ShownRun::new(&app, &visit, &it, run);
    let f = visit.frame(Place::Office);
    Ok(page(StatusCode::OK, &RunPage { f, connection: it, shown, tabs, of: name, changes, first, next }))
}

/// Says that what it would change is meant.
pub(crate) async fn confirm(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let confirmed = async {
        let (connection, run) = (id(&visit)?, run_id(&visit)?);
        app.service.confirm_directory(&visit.caller, connection, run).await?;
        Ok::<_, Error>(connection)
    };
    let connection = confirmed.await.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("/console/office/{connection}?done=confirmed")))
}

/// Ends it; the directory stays as it is.
pub(crate) async fn cancel(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let cancelled = async {
        let (connection, run) = (id(&visit)?, run_id(&visit)?);
        app.service.cancel_directory(&visit.caller, connection, run).await?;
        Ok::<_, Error>(connection)
    };
    let connection = cancelled.await.map_err(|error| visit.problem(error))?;
    Ok(go(&format!("/console/office/{connection}?done=ended")))
}
