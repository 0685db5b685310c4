//! What a seed decides before a run begins: who publishes what and when, and what will go wrong.

use carillon_model::chance::SeededChance;
use carillon_model::message::Priority;
use carillon_model::{Chance, Channel};

/// The lanes: one pretend far end each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Lane {
    Lark,
    Wecom,
    Dingtalk,
    SecondLark,
    Web,
}

impl Lane {
    pub(crate) const ALL: [Self; 5] = [Self::Lark, Self::Wecom, Self::Dingtalk, Self::SecondLark, Self::Web];

    /// What the far end takes: so many within so many milliseconds.
    pub(crate) fn limits(self) -> &'static [(usize, i64)] {
        match self {
            Self::Lark | Self::SecondLark => &[(5, 1_000), (100, 60_000)],
            Self::Wecom | Self::Dingtalk => &[(20, 60_000)],
            Self::Web => &[],
        }
    }

    pub(crate) fn channel(self) -> Channel {
        match self {
            Self::Lark | Self::SecondLark => Channel::Lark,
            Self::Wecom => Channel::Wecom,
            Self::Dingtalk => Channel::Dingtalk,
            Self::Web => Channel::Https,
        }
    }

    /// How long the far end refuses everything once it was pressed too hard, in milliseconds.
    pub(crate) fn penalty(self) -> i64 {
        match self {
            Self::Lark | Self::SecondLark => 10_000,
            Self::Wecom => 60_000,
            Self::Dingtalk => 600_000,
            Self::Web => 0,
        }
    }
}

/// The topics, and the lanes of their subscriptions in the order of the deliveries' numbers.
pub(crate) const TOPICS: [&[Lane]; 5] = [
    &[Lane::Lark],
    &[Lane::Wecom],
    &[Lane::Dingtalk],
    &[Lane::SecondLark, Lane::Wecom],
    &[Lane::Web, Lane::Lark],
];

/// Numbers drawn from a seed.
pub(crate) struct Dice(SeededChance);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SeededChance::new(seed))
    }

    /// A number below `end`.
    pub(crate) fn below(&self, end: u64) -> u64 {
        self.0.number() % end.max(1)
    }

    /// A place among so many.
    pub(crate) fn index(&self, len: usize) -> usize {
        usize::try_from(self.below(u64::try_from(len).unwrap_or(u64::MAX))).unwrap_or(0)
    }

    pub(crate) fn between(&self, from: i64, to: i64) -> i64 {
        let span = u64::try_from(to - from).unwrap_or(0) + 1;
        from + i64::try_from(self.below(span)).unwrap_or(0)
    }

    /// True so many times in a thousand.
    pub(crate) fn permille(&self, times: u64) -> bool {
        self.below(1000) < times
    }
}

/// One publish.
#[derive(Debug, Clone)]
pub(crate) struct Publish {
    /// When, in milliseconds of true time.
    pub(crate) at: i64,
    pub(crate) topic: usize,
    pub(crate) priority: Priority,
    pub(crate) subject: Option<&'static str>,
    /// How many marks its text holds; a long text becomes several parts.
    pub(crate) marks: usize,
    /// How long it may wait, in milliseconds.
    pub(crate) life: i64,
    /// Somebody cancels its first delivery so long after it was accepted.
    pub(crate) cancel_after: Option<i64>,
}

/// How often, in a thousand requests, a far end behaves so.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moods {
    pub(crate) busy: u64,
    pub(crate) refuse: u64,
    pub(crate) connect: u64,
    pub(crate) lost: u64,
    pub(crate) hang: u64,
    pub(crate) garbage: u64,
    pub(crate) limit: u64,
    pub(crate) slow: u64,
}

/// All that a seed decides beforehand.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) publishes: Vec<Publish>,
    pub(crate) moods: Moods,
    /// The n-th step of a life at which it is cut; each life takes the next.
    pub(crate) crashes: Vec<u64>,
    /// When the program is stopped in order.
    pub(crate) stops: Vec<i64>,
    /// From when to when the store cannot be written.
    pub(crate) broken: Vec<(i64, i64)>,
    /// When the wall clock jumps, and by how much.
    pub(crate) jumps: Vec<(i64, i64)>,
    /// The longest that a commit takes, in milliseconds.
    pub(crate) commit_max: i64,
    /// Messages to more than the first number are fanned out afterwards, in portions of the second.
    pub(crate) fan_out: Option<(usize, usize)>,
    /// When the last of all this is over, and the far ends behave.
    pub(crate) calm_at: i64,
}

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let dice = Dice::new(seed ^ 0x5eed);
        let span = dice.between(SECOND, 40 * SECOND);
        let publishes = publishes(&dice, span);
        let moods = moods(&dice);
        let crashes = (0..[0, 1, 1, 2, 4][dice.index(5)]).map(|_| 1 + dice.below(60)).collect();
        let at = |dice: &Dice| dice.between(0, span + 30 * SECOND);
        let stops = if dice.permille(150) { vec![at(&dice)] } else { Vec::new() };
        let broken = if dice.permille(200) {
            let from = at(&dice);
            vec![(from, from + dice.between(100, 20 * SECOND))]
        } else {
            Vec::new()
        };
        let jumps = if dice.permille(150) {
            let by = match dice.below(5) {
                0 => 24 * HOUR,
                1 => HOUR,
                2 => -HOUR,
                3 => -30 * SECOND,
                _ => 30 * SECOND,
            };
            vec![(at(&dice), by)]
        } else {
            Vec::new()
        };
        let commit_max = if dice.permille(100) { 2 * SECOND } else { dice.between(0, 5) };
        let fan_out = dice.permille(300).then(|| (dice.index(2), 1 + dice.index(2)));
        let calm_at = span + 60 * SECOND;
        Self { publishes, moods, crashes, stops, broken, jumps, commit_max, fan_out, calm_at }
    }
}

fn publishes(dice: &Dice, span: i64) -> Vec<Publish> {
    let storm = dice.permille(60);
    let count = if storm { dice.between(30, 60) } else { dice.between(1, 10) };
    let first = dice.index(5);
    let narrow = storm || dice.permille(300);
    let mut publishes: Vec<Publish> = (0..count)
        .map(|_| {
            let topic = if narrow { first } else { dice.index(5) };
            let long = dice.permille(60) && !storm;
            Publish {
                at: if storm { dice.between(0, 2 * SECOND) } else { dice.between(0, span) },
                topic,
                priority: if dice.permille(150) { Priority::Urgent } else { Priority::Normal },
                subject: [None, Some("Disk"), Some("Net")][dice.index(3)],
                marks: if long { usize::try_from(dice.between(2, 5)).unwrap_or(2) } else { 1 },
                life: if dice.permille(100) { dice.between(SECOND, 60 * SECOND) } else { HOUR },
                cancel_after: dice.permille(60).then(|| dice.between(0, 5 * SECOND)),
            }
        })
        .collect();
    publishes.sort_by_key(|publish| publish.at);
    publishes
}

fn moods(dice: &Dice) -> Moods {
    match dice.below(4) {
        0 => Moods::default(),
        1 => Moods { busy: 30, lost: 30, connect: 30, slow: 50, ..Moods::default() },
        2 => Moods {
            busy: 100,
            refuse: 50,
            connect: 100,
            lost: 60,
            hang: 30,
            garbage: 30,
            limit: 20,
            slow: 60,
        },
        _ => Moods {
            busy: 200,
            refuse: 20,
            connect: 150,
            lost: 150,
            hang: 100,
            garbage: 60,
            limit: 30,
            slow: 60,
        },
    }
}
