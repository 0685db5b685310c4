//! Dead letters: what did not arrive, of all messages, newest first. The filter stands in the address; what fits it is sent
//! again from here.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::delivery::DeliveryState;
use carillon_model::outcome::Reason;
use carillon_model::role::Right;
use carillon_service::delivery::{NamedDelivery, Whom};
use carillon_service::resend::Meant;
use carillon_service::{Error, reason_words};

use super::form::Wrong;
use super::frame::{Frame, Place};
use super::problem::Problem;
use super::show::{filled, grouped, quoted};
use super::text::Lang;
use super::visit::Visit;
use super::{go, messages, page};
use crate::App;

/// Where the page is.
const HERE: &str = "/console/dead-letters";
/// The fields of the filter.
const FIELDS: [&str; 5] = ["topic", "state", "reason", "since", "until"];
/// How many are shown at a time: each has its advice beside it.
const ROWS: u64 = 22;
/// How many calls one press makes, of a thousand deliveries each: more is another press.
const BATCHES_MAX: u32 = 10;

/// What is looked for.
#[derive(Default)]
struct Filter {
    values: BTreeMap<&'static str, String>,
}

impl Filter {
    fn of(typed: impl Fn(&str) -> Option<String>) -> Self {
        let values = FIELDS.into_iter().filter_map(|name| Some((name, typed(name)?)));
        Self { values: values.collect() }
    }

    fn get(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == value
    }

    fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The address of the list with this filter.
    fn path(&self) -> String {
        let pairs = self.values.iter().map(|(name, value)| format!("{name}={}&", quoted(value)));
        format!("{HERE}?{}", pairs.collect::<String>())
    }

    /// The same for the service. Days are typed; they begin and end in UTC.
    fn meant(&self, after: Option<String>) -> Meant {
        let given = |name| self.values.get(name).cloned();
        let moment = |name, hour: &str| {
            let day = given(name)?;
            Some(if day.contains('T') { day } else { format!("{day}T{hour}Z") })
        };
        Meant {
            topic: given("topic"),
            state: given("state"),
            reason: given("reason"),
            since: moment("since", "00:00:00"),
            until: moment("until", "23:59:59.999"),
            after,
            ..Meant::default()
        }
    }
}

#[derive(Template)]
#[template(path = "dead.html")]
struct DeadPage {
    f: Frame,
    rows: Vec<NamedDelivery>,
    /// Who the subscriptions of the rows lead to, by their ids.
    whom: BTreeMap<String, Whom>,
    filter: Filter,
    topics: Vec<String>,
    first: bool,
    next: Option<String>,
    /// What a press did.
    moved: String,
    wrong: Wrong,
}

impl DeadPage {
    fn states(&self) -> [DeliveryState; 3] {
        [DeliveryState::Failed, DeliveryState::Expired, DeliveryState::Cancelled]
    }

    /// The reasons that a failure can have, with their words.
    fn reasons(&self) -> Vec<(&'static str, String)> {
        let all = Reason::ALL.into_iter().filter(|reason| *reason != Reason::Ok);
        let mut all: Vec<_> = all.map(|reason| (reason.name(), self.reason(reason))).collect();
        all.sort_by(|one, other| one.1.cmp(&other.1));
        all
    }

    fn reason(&self, reason: Reason) -> String {
        let words = reason_words(reason);
        if self.f.lang == Lang::English { words.en } else { words.zh }.into_owned()
    }

    fn whom(&self, delivery: &NamedDelivery) -> Option<&str> {
        let found = self.whom.get(&delivery.record.subscription.to_string())?;
        let remark = Some(found.remark.as_str()).filter(|remark| !remark.is_empty());
        found.person.as_deref().or(remark).or(found.endpoint_masked.as_deref())
    }
}

/// Who the rows' subscriptions lead to; those that come again are asked for once.
async fn whom(app: &App, visit: &Visit, rows: &[NamedDelivery]) -> Result<BTreeMap<String, Whom>, Error> {
    let mut whom = BTreeMap::new();
    for delivery in rows {
        let key = delivery.record.subscription.to_string();
        if !whom.contains_key(&key) {
            let id = delivery.record.id;
            let before = id.number.saturating_sub(1);
            let found = app.service.delivery_recipients(&visit.caller, id.message, before, 1).await?;
            whom.extend(found.into_iter().next().map(|found| (key, found)));
        }
    }
    Ok(whom)
}

async fn read(app: &App, visit: &Visit, filter: Filter, wrong: Wrong) -> Result<DeadPage, Error> {
    let after = visit.query("after").map(str::to_owned);
    let first = after.is_none();
    let (rows, next) = if wrong.text().is_empty() {
        app.service.dead_letters(&visit.caller, &filter.meant(after), ROWS).await?
    } else {
        (Vec::new(), None)
    };
    let mut f = visit.frame(Place::Messages);
    if !visit.form.get("csrf").is_empty() {
        f.path = filter.path();
    }
    let t = &visit.t().dead;
    let count = visit.query("moved").and_then(|count| count.parse::<u64>().ok());
    let moved = count.map(|count| {
        let text = if visit.query("did") == Some("cancel") { t.cancelled } else { t.resent };
        let more = if visit.query("more").is_some() { t.more_left } else { "" };
        format!("{} {more}", filled(text, grouped(count)))
    });
    Ok(DeadPage {
        f,
        whom: whom(app, visit, &rows).await?,
        rows,
        next: next.map(|next| format!("{}after={}", filter.path(), quoted(&next))),
        topics: messages::topics(app, visit, filter.get("topic")).await?,
        filter,
        first,
        moved: moved.unwrap_or_default(),
        wrong,
    })
}

/// The list. What is wrong with the filter stands beside it.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let filter = || Filter::of(|name| visit.query(name).map(|text| text.trim().to_owned()));
    let shown = match read(&app, &visit, filter(), Wrong::default()).await {
        Err(error) => {
            let wrong = visit.wrong(error)?;
            read(&app, &visit, filter(), wrong).await.map_err(|error| visit.problem(error))?
        }
        Ok(shown) => shown,
    };
    let status =
        if shown.wrong.text().is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(page(status, &shown))
}

enum Move {
    Resend,
    Cancel,
}

/// Moves what is meant, a thousand at a time and so often at most; tells how many, and whether more is left.
async fn moved_of(
    app: &App,
    visit: &Visit,
    mut meant: Meant,
    what: Move,
    batches: u32,
) -> Result<(u64, bool), Error> {
    let mut count = 0;
    for _batch in 0..batches {
        let moved = match what {
            Move::Cancel => app.service.cancel_deliveries(&visit.caller, &meant).await?,
            Move::Resend => app.service.resend_deliveries(&visit.caller, &meant, None).await?,
        };
        count += moved.count;
        match moved.next {
            Some(next) => meant.after = Some(next),
            None => return Ok((count, false)),
        }
    }
    Ok((count, true))
}

/// Sends again what is meant: where no state is said, what did not arrive, and not what somebody cancelled.
async fn resend_dead(app: &App, visit: &Visit, meant: Meant, batches: u32) -> Result<(u64, bool), Error> {
    if meant.state.is_some() {
        return moved_of(app, visit, meant, Move::Resend, batches).await;
    }
    let (mut count, mut more) = (0, false);
    for state in [DeliveryState::Failed, DeliveryState::Expired] {
        let of_state = Meant { state: Some(state.name().to_owned()), ..meant.clone() };
        let (moved, left) = moved_of(app, visit, of_state, Move::Resend, batches).await?;
        (count, more) = (count + moved, more || left);
    }
    Ok((count, more))
}

/// Sends again what fits, or cancels what still waits, as the button says; what is more than one press does is told.
pub(crate) async fn submit(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    visit.must(Right::Change)?;
    let filter = || Filter::of(|name| visit.form.maybe(name).map(str::to_owned));
    let cancels = visit.form.get("do") == "cancel";
    let done = async {
        let given = filter().meant(None);
        if cancels {
            // What the question names: everything of the topic, whatever else the list was filtered by.
            let meant = Meant { topic: given.topic, ..Meant::default() };
            return moved_of(&app, &visit, meant, Move::Cancel, BATCHES_MAX).await;
        }
        if filter().is_empty() {
            // Refused there: everything is not meant by nothing.
            return moved_of(&app, &visit, given, Move::Resend, BATCHES_MAX).await;
        }
        resend_dead(&app, &visit, given, BATCHES_MAX).await
    };
    match done.await {
        Ok((count, more)) => {
            let (did, more) =
                (if cancels { "cancel" } else { "resend" }, if more { "&more=yes" } else { "" });
            Ok(go(&format!("{}did={did}&moved={count}{more}", filter().path())))
        }
        Err(error) => {
            let wrong = visit.wrong(error)?;
            let shown = read(&app, &visit, filter(), wrong).await.map_err(|error| visit.problem(error))?;
            Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;

    #[test]
    fn a_filter_is_an_address_and_a_day_begins_and_ends() {
        let typed = |name: &str| match name {
            "topic" => Some("ops".to_owned()),
            "since" | "until" => Some("2026-01-31".to_owned()),
            _ => None,
        };
        let filter = Filter::of(typed);
        assert_eq!(filter.path(), "/console/dead-letters?since=2026-01-31&topic=ops&until=2026-01-31&");
        let meant = filter.meant(None);
        assert_eq!(meant.since.as_deref(), Some("2026-01-31T00:00:00Z"));
        assert_eq!(meant.until.as_deref(), Some("2026-01-31T23:59:59.999Z"));
        assert_eq!((meant.topic.as_deref(), meant.state), (Some("ops"), None));
    }
}
