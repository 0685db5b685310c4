//! Looking after a connection: its calls of the month and their limit, and who is told what concerns it.

use axum::extract::State;
use axum::response::Response;
use carillon_model::office::calls::{Level, Limit};
use carillon_model::role::Right;
use carillon_model::{Field, Invalid, Timestamp};
use carillon_service::Error;
use carillon_service::callback::both;
use carillon_service::calls::MonthOfCalls;

use super::connection::refused;
use super::{found, id};
use crate::App;
use crate::console::frame::Place;
use crate::console::go;
use crate::console::problem::Problem;
use crate::console::show::filled;
use crate::console::sure::Sure;
use crate::console::visit::Visit;

/// A month of calls as pages show it.
pub(super) struct ShownCalls {
    pub(super) it: MonthOfCalls,
    now: Timestamp,
}

impl ShownCalls {
    pub(super) fn new(it: MonthOfCalls, now: Timestamp) -> Self {
        Self { it, now }
    }

    pub(super) fn tone(&self) -> &'static str {
        match self.it.usage.level(self.now) {
            Level::Calm => "ok",
            Level::Near => "warn",
            Level::Over => "bad",
        }
    }

    pub(super) fn forecast(&self) -> u64 {
        self.it.usage.forecast(self.now)
    }

    pub(super) fn days(&self) -> String {
        let tenths = self.it.usage.tenths_of_days(self.now);
        format!("{}.{}", tenths / 10, tenths % 10)
    }

    pub(super) fn ends_at(&self) -> Timestamp {
        self.it.usage.month.end()
    }

    pub(super) fn month(&self) -> String {
        self.it.usage.month.name()
    }

    /// Whether the limit is what somebody said, so that it holds messages back.
    pub(super) fn holds(&self) -> bool {
        matches!(self.it.usage.limit, Limit::Calls(_))
    }

    /// What stands in the field of the limit.
    pub(super) fn typed(&self) -> String {
        match self.it.usage.limit {
            Limit::Default => String::new(),
            Limit::Unlimited => "0".to_owned(),
            Limit::Calls(most) => most.to_string(),
        }
    }
}

/// Sets the limit: nothing is the platform's, 0 is none.
pub(crate) async fn limit(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let set = async {
        let connection = id(&visit)?;
        let limit = match visit.form.get("limit").trim() {
            "" => Limit::Default,
            "0" => Limit::Unlimited,
            text => Limit::Calls(text.parse().map_err(|_number| {
                Invalid::new(Field::CallsLimit, "limit must be a number of calls; 0 is no limit")
            })?),
        };
        app.service.set_calls_limit(&visit.caller, &connection.to_string(), limit).await?;
        Ok::<_, Error>(connection)
    };
    match set.await {
        Ok(connection) => Ok(go(&format!("/console/office/{connection}?done=saved"))),
        Err(error) => refused(&app, &visit, "limit", error).await,
    }
}

/// Sets what proves change events, or takes it away when both fields are empty and the form says that it means it.
pub(crate) async fn callback(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let read = async {
        let it = found(&app, &visit).await?;
        let is_set = app.service.callbacks(&visit.caller, it.id).await?.state.set;
        Ok::<_, Error>((it, is_set))
    };
    let (it, is_set) = read.await.map_err(|error| visit.problem(error))?;
    let secrets = match both(visit.form.secret("token"), visit.form.secret("key")) {
        Ok(secrets) => secrets,
        Err(invalid) => return refused(&app, &visit, "callback", invalid.into()).await,
    };
    let (t, here) = (visit.t(), format!("/console/office/{}", it.id));
    if secrets.is_none() && is_set {
        let sure = Sure {
            goes: vec![t.sure.events_goes.to_owned()],
            stays: t.sure.events_stays,
            crumbs: vec![
                ("/console/office".to_owned(), t.office.access.to_owned()),
                (here.clone(), it.name.clone()),
            ],
            ..Sure::new(filled(t.sure.events_title, &it.name), &it.id, format!("{here}/callback"))
        };
        if !sure.is_meant(&visit) {
            return Ok(sure.again(&visit, Place::Office));
        }
    }
    match app.service.set_callback(&visit.caller, it.id, secrets).await {
        Ok(_set) => Ok(go(&format!("{here}?done=saved"))),
        Err(error) => refused(&app, &visit, "callback", error).await,
    }
}

/// Chooses who is told.
pub(crate) async fn notices(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let set = async {
        let connection = id(&visit)?;
        let to = visit.form.maybe("notices").map(str::trim).filter(|text| !text.is_empty());
        app.service.set_connection_notices(&visit.caller, connection, to).await?;
        Ok::<_, Error>(connection)
    };
    match set.await {
        Ok(connection) => Ok(go(&format!("/console/office/{connection}?done=saved"))),
        Err(error) => refused(&app, &visit, "notices", error).await,
    }
}
