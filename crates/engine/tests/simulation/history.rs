//! What happened in one run, as far as the outside can see it. The checks read nothing else.

use carillon_model::delivery::DeliveryState;
use carillon_model::id::MessageId;
use carillon_model::message::Priority;
use carillon_store::attempt::DeliveryRecord;

use crate::plan::{Lane, Plan, TOPICS};
use crate::world::Mark;

/// What the publisher was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    /// The life ended before an answer.
    None,
    Accepted,
    Refused,
}

/// A message as published. Its number is its place in the list.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) id: Option<MessageId>,
    /// Where it stands in the order of acceptance.
    pub(crate) place: usize,
    pub(crate) answer: Answer,
    pub(crate) lanes: &'static [Lane],
    pub(crate) priority: Priority,
    pub(crate) marks: usize,
    /// The wall clock's time at which it expires.
    pub(crate) expires_at: i64,
    /// Somebody asked to cancel its first delivery.
    pub(crate) cancel_asked: bool,
    /// The true time at which the cancelling of its first delivery was answered with success.
    pub(crate) cancelled_at: Option<i64>,
    /// Its deliveries as the store shows them in the end, by lane.
    pub(crate) records: Vec<Record>,
}

/// A delivery as the store shows it.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) lane: Lane,
    pub(crate) state: DeliveryState,
    pub(crate) due_at: i64,
    /// Outcome and reason of each attempt.
    pub(crate) attempts: Vec<(u32, String, String)>,
}

/// A post that a far end took.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) lane: Lane,
    pub(crate) at: i64,
    /// When it left.
    pub(crate) left: i64,
    pub(crate) marks: Vec<Mark>,
}

/// A far end said how long to stay away.
#[derive(Debug, Clone)]
pub(crate) struct Penalty {
    pub(crate) lane: Lane,
    pub(crate) marks: Vec<Mark>,
    /// When the sender knew.
    pub(crate) told: i64,
    pub(crate) until: i64,
}

/// All of it.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) seed: u64,
    /// The longest that a commit took, in milliseconds.
    pub(crate) commit_max: i64,
    /// The longest that it took until an outcome was durable, in milliseconds.
    pub(crate) write_max: i64,
    pub(crate) messages: Vec<Told>,
    pub(crate) arrivals: Vec<Arrival>,
    /// Every post that came to a far end, taken or not.
    pub(crate) posts: Vec<(Lane, i64)>,
    pub(crate) penalties: Vec<Penalty>,
    /// When the wall clock was set forward.
    pub(crate) forward: Vec<i64>,
    /// When lives were cut.
    pub(crate) cuts: Vec<i64>,
    /// When lives were stopped in order.
    pub(crate) stops: Vec<i64>,
    /// What was on its way, and not written down as ended, when a life was cut.
    pub(crate) under_way: Vec<(Lane, Mark)>,
    /// The wall clock's time when everything had ended, if it had.
    pub(crate) ended: Option<i64>,
}

impl History {
    pub(crate) fn new(seed: u64, plan: &Plan) -> Self {
        let told = |publish: &crate::plan::Publish| Told {
            id: None,
            place: usize::MAX,
            answer: Answer::None,
            lanes: TOPICS[publish.topic],
            priority: publish.priority,
            marks: publish.marks,
            expires_at: 0,
            cancel_asked: false,
            cancelled_at: None,
            records: Vec::new(),
        };
        Self {
            seed,
            commit_max: plan.commit_max,
            write_max: 10
                + 4 * plan.commit_max
                + plan.broken.iter().map(|(from, to)| to - from + 1_000).sum::<i64>(),
            messages: plan.publishes.iter().map(told).collect(),
            arrivals: Vec::new(),
            posts: Vec::new(),
            penalties: Vec::new(),
            forward: plan.jumps.iter().filter(|(_at, by)| *by > 0).map(|(at, _by)| *at).collect(),
            cuts: Vec::new(),
            stops: Vec::new(),
            under_way: Vec::new(),
            ended: None,
        }
    }
}

impl Record {
    /// The topics' lanes differ in their channels.
    pub(crate) fn new(lanes: &[Lane], record: &DeliveryRecord) -> Self {
        let lane = *lanes.iter().find(|lane| lane.channel() == record.channel).expect("a topic's lane");
        let attempts = record.attempts.iter();
        let attempts = attempts
            .map(|tried| (tried.number, tried.outcome.clone(), tried.reason.name().to_owned()))
            .collect();
        Self { lane, state: record.state, due_at: record.due_at.0, attempts }
    }
}
