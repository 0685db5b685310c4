//! The overview: what happened lately, by platform and outcome, and what is in trouble.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use carillon_model::Channel;
use carillon_model::health::Standing;
use carillon_model::role::Right;
use carillon_service::delivery::NamedMessage;
use carillon_service::endpoint::NamedEndpoint;
use carillon_service::traffic::{ChannelTraffic, Traffic};
use carillon_service::{Caller, Error, Page, SubscriptionFilter, TopicFilter};

use super::chart::{Chart, stacked};
use super::frame::{Frame, Place};
use super::page;
use super::problem::Problem;
use super::text::Texts;
use super::visit::Visit;
use crate::App;

/// How many of the latest messages are shown.
const RECENT: u64 = 8;
/// How many addresses in trouble are shown.
const TROUBLED: u64 = 5;
/// The spans that one may choose, in hours.
const SPANS: [u32; 4] = [1, 6, 24, 168];
/// The span that is shown when the address names none.
const SPAN: u32 = 24;

/// What is set up and what it did, for whom may see that.
struct Board {
    topics: u64,
    subscriptions: u64,
    /// How many addresses are not well, and how that looks.
    unwell: (u64, &'static str),
    troubled: Vec<NamedEndpoint>,
    lanes: Vec<NamedEndpoint>,
    messages: u64,
    /// Deliveries that arrived, that are tried again, that were refused.
    sums: Sums,
    chart: Chart,
    channels: Vec<ChannelRow>,
}

impl Board {
    /// How many of all that were sent arrived, in percent; nothing when nothing was sent.
    fn share(&self) -> Option<String> {
        let tenths = (self.sums.arrived * 1000).checked_div(self.sums.all())?;
        Some(format!("{}.{}%", tenths / 10, tenths % 10))
    }
}

/// Numbers of attempts by how they ended, in three.
#[derive(Clone, Copy, Default)]
struct Sums {
    arrived: u64,
    again: u64,
    refused: u64,
}

impl Sums {
    fn of(step: &[u64]) -> Self {
        let [accepted, refused, misconfigured, later, unknown] =
            std::array::from_fn(|at| step.get(at).copied().unwrap_or(0));
        Self { arrived: accepted, again: later + unknown, refused: refused + misconfigured }
    }

    fn and(self, other: Self) -> Self {
        Self {
            arrived: self.arrived + other.arrived,
            again: self.again + other.again,
            refused: self.refused + other.refused,
        }
    }

    fn all(self) -> u64 {
        self.arrived + self.again + self.refused
    }

    fn pieces(self) -> Vec<(&'static str, u64)> {
        vec![("ok", self.arrived), ("warn", self.again), ("bad", self.refused)]
    }

    fn words(self, t: &Texts) -> String {
        let t = &t.overview;
        let told = [(self.arrived, t.arrived), (self.again, t.again), (self.refused, t.refused)];
        let told = told.into_iter().filter(|(count, _what)| *count > 0);
        told.map(|(count, what)| format!("{what} {count}")).collect::<Vec<_>>().join(" · ")
    }
}

/// One platform.
struct ChannelRow {
    channel: Channel,
    sums: Sums,
    chart: Chart,
}

/// A choice of the span.
struct Span {
    hours: u32,
    text: &'static str,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    f: Frame,
    hours: u32,
    spans: [Span; 4],
    board: Option<Board>,
    messages: Vec<NamedMessage>,
}

/// The span that the address names.
pub(super) fn hours(visit: &Visit) -> u32 {
    let wanted = visit.query("hours").and_then(|hours| hours.parse().ok());
    wanted.filter(|hours| SPANS.contains(hours)).unwrap_or(SPAN)
}

/// How many addresses are not well: bad when one is given up or only probed, a warning otherwise.
fn trouble(standings: &[(Standing, u64)]) -> (u64, &'static str) {
    let count = standings.iter().map(|(_standing, count)| count).sum();
    let bad =
        standings.iter().any(|(standing, _count)| matches!(standing, Standing::Open | Standing::Paused));
    let tone = match (count, bad) {
        (0, _) => "ok",
        (_, true) => "bad",
        (_, false) => "warn",
    };
    (count, tone)
}

fn drawn(traffic: &Traffic, steps: &[Sums], messages: bool, t: &Texts) -> Chart {
    let pieces: Vec<_> = steps.iter().map(|step| step.pieces()).collect();
    stacked(&pieces, traffic.since, traffic.step_ms, |at| {
        let told = steps.get(at).map(|step| step.words(t)).unwrap_or_default();
        let count = traffic.messages.get(at).copied().unwrap_or(0);
        let accepted =
            if messages && count > 0 { format!("{} {count}", t.message.title) } else { String::new() };
        let begin = i64::try_from(at).unwrap_or(0) * traffic.step_ms + traffic.since.0;
        let text: String =
            carillon_model::Timestamp(begin).to_millis_text().chars().skip(11).take(5).collect();
        let parts = [format!("{text} UTC"), accepted, told];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    })
}

fn channel_row(traffic: &Traffic, of: &ChannelTraffic, t: &Texts) -> ChannelRow {
    let steps: Vec<_> = of.steps.iter().map(|step| Sums::of(step)).collect();
    ChannelRow { channel: of.channel, sums: Sums::of(&of.sums()), chart: drawn(traffic, &steps, false, t) }
}

/// All channels together, step by step.
fn together(traffic: &Traffic) -> Vec<Sums> {
    let step = |at: usize| {
        let each = traffic.channels.iter().filter_map(|of| of.steps.get(at));
        each.fold(Sums::default(), |sums, step| sums.and(Sums::of(step)))
    };
    (0..traffic.messages.len()).map(step).collect()
}

async fn board(app: &App, caller: &Caller, hours: u32, t: &Texts) -> Result<Board, Error> {
    let one = Page { offset: 0, limit: 1 };
    let (topics, _) = app.service.list_topics(caller, TopicFilter::default(), one).await?;
    let filter = SubscriptionFilter::default();
    let (subscriptions, _) = app.service.list_subscriptions(caller, None, filter, one).await?;
    let unwell = trouble(&app.service.endpoint_standings(caller).await?);
    let traffic: Arc<Traffic> = app.service.traffic(caller, hours).await?;
    let steps = together(&traffic);
    Ok(Board {
        topics,
        subscriptions,
        unwell,
        troubled: app.service.list_endpoints(caller, Some("unwell"), None, TROUBLED).await?,
        lanes: app.service.longest_lanes(caller).await?,
        messages: traffic.messages.iter().sum(),
        sums: steps.iter().fold(Sums::default(), |sums, step| sums.and(*step)),
        chart: drawn(&traffic, &steps, true, t),
        channels: traffic.channels.iter().map(|of| channel_row(&traffic, of, t)).collect(),
    })
}

/// The page.
pub(crate) async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Problem> {
    let (hours, t) = (hours(&visit), visit.t());
    let shown = async {
        let messages = app.service.list_messages(&visit.caller, None, None, RECENT).await?;
        let sees = visit.caller.has(Right::Look);
        let board = if sees { Some(board(&app, &visit.caller, hours, t).await?) } else { None };
        let texts = [t.overview.hour_1, t.overview.hours_6, t.overview.hours_24, t.overview.days_7];
        let spans = std::array::from_fn(|at| Span {
            hours: SPANS.get(at).copied().unwrap_or(SPAN),
            text: texts.get(at).copied().unwrap_or_default(),
        });
        Ok::<_, Error>(OverviewPage { f: visit.frame(Place::Overview), hours, spans, board, messages })
    };
    let template = shown.await.map_err(|error| visit.problem(error))?;
    Ok(page(StatusCode::OK, &template))
}
