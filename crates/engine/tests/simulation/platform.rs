//! The pretend far ends: they take posts, count them, and misbehave as the seed wants.

use std::sync::Arc;
use std::time::Duration;

use carillon_provider::{Carried, Failure, Outgoing, Reply, Wire};
use tokio::time::sleep;

use crate::history::Penalty;
use crate::plan::Lane;
use crate::world::{Mark, Request, World};

pub(crate) const LARK: &str = "00000000-0000-4000-8000-00000000fe15";
pub(crate) const SECOND_LARK: &str = "00000000-0000-4000-8000-00000000fe16";
pub(crate) const WECOM: &str = "00000000-0000-4000-8000-0000000000c0";
pub(crate) const DINGTALK: &str = "566cc69da782ec33c1be2b1d8b2c8ee5e0c7b5b5f8b2c0d6b1a0e9d8c7b6a594";

/// All far ends.
pub(crate) struct Platforms(pub(crate) Arc<World>);

/// How one request fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Fate {
    Accepted,
    Busy,
    Refused,
    NoConnection,
    AnswerLost,
    NoAnswer,
    Garbage,
    Limited,
}

pub(crate) fn address(lane: Lane) -> String {
    match lane {
        Lane::Lark => format!("https://open.feishu.cn/open-apis/bot/v2/hook/{LARK}"),
        Lane::SecondLark => format!("https://open.feishu.cn/open-apis/bot/v2/hook/{SECOND_LARK}"),
        Lane::Wecom => format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={WECOM}"),
        Lane::Dingtalk => format!("https://oapi.dingtalk.com/robot/send?access_token={DINGTALK}"),
        Lane::Web => "https://hooks.example.com/carillon".to_owned(),
    }
}

fn lane(url: &str) -> Lane {
    let keys = [
        (LARK, Lane::Lark),
        (SECOND_LARK, Lane::SecondLark),
        (WECOM, Lane::Wecom),
        (DINGTALK, Lane::Dingtalk),
    ];
    keys.into_iter().find(|(key, _)| url.contains(key)).map_or(Lane::Web, |(_, lane)| lane)
}

/// The mark that stands in a text: `xm0007p02x`.
pub(crate) fn mark((message, piece): Mark) -> String {
    format!("xm{message:04}p{piece:02}x")
}

/// The marks that a body holds, in its order.
fn marks(body: &str) -> Vec<Mark> {
    let read = |at: usize| {
        let message = body.get(at + 2..at + 6)?.parse().ok()?;
        let piece = body.get(at + 7..at + 9)?.parse().ok()?;
        (mark((message, piece)) == body.get(at..at + 10)?).then_some((message, piece))
    };
    body.match_indices("xm").filter_map(|(at, _)| read(at)).collect()
}

impl Wire for Platforms {
    fn carry(&self, outgoing: Outgoing) -> Carried<'_> {
        Box::pin(self.take(lane(&outgoing.url), marks(&outgoing.body)))
    }
}

impl Platforms {
    async fn take(&self, lane: Lane, marks: Vec<Mark>) -> Result<Reply, Failure> {
        let world = &self.0;
        world.note(("leaves", lane, &marks));
        let left = world.now();
        let place = {
            let mut state = world.state();
            state.requests.push((lane, Request { marks: marks.clone(), arrived: false }));
            state.requests.len() - 1
        };
        let (mut fate, there, back) = self.draw();
        sleep(there).await;
        if fate == Fate::NoConnection {
            world.step("no connection").await;
            return Err(Failure::Connect);
        }
        world.step("before arrival").await;
        if self.is_pressed(lane) {
            fate = Fate::Limited;
        }
        // A web endpoint's status is its word: it has no other.
        if fate == Fate::Garbage && lane == Lane::Web {
            fate = Fate::Busy;
        }
        let taken = matches!(fate, Fate::Accepted | Fate::AnswerLost | Fate::NoAnswer | Fate::Garbage);
        let now = world.now();
        world.state().history.posts.push((lane, now));
        if fate == Fate::Limited {
            world.state().penalties.push((lane, now + lane.penalty()));
        }
        if taken {
            world.arrived(lane, left, &marks);
            if let Some((_, request)) = world.state().requests.get_mut(place) {
                request.arrived = true;
            }
        }
        world.note(fate);
        world.step("after arrival").await;
        sleep(back).await;
        if fate == Fate::Limited {
            let (told, until) = (world.now(), world.now() + lane.penalty());
            world.state().history.penalties.push(Penalty { lane, marks, told, until });
        }
        match fate {
            Fate::AnswerLost => Err(Failure::Broken),
            Fate::NoAnswer => std::future::pending().await,
            Fate::Accepted
            | Fate::Busy
            | Fate::Refused
            | Fate::NoConnection
            | Fate::Garbage
            | Fate::Limited => Ok(answer(lane, fate)),
        }
    }

    fn draw(&self) -> (Fate, Duration, Duration) {
        let (world, dice) = (&self.0, &self.0.dice);
        let millis = |from, to| Duration::from_millis(dice.between(from, to).unsigned_abs());
        let (there, back) = (millis(1, 120), millis(1, 120));
        if world.is_calm() {
            return (Fate::Accepted, there, back);
        }
        let moods = world.plan.moods;
        let fates = [
            (moods.busy, Fate::Busy),
            (moods.refuse, Fate::Refused),
            (moods.connect, Fate::NoConnection),
            (moods.lost, Fate::AnswerLost),
            (moods.hang, Fate::NoAnswer),
            (moods.garbage, Fate::Garbage),
            (moods.limit, Fate::Limited),
        ];
        let mut left = dice.below(1000);
        let mut fate = Fate::Accepted;
        for (share, one) in fates {
            if left < share {
                fate = one;
                break;
            }
            left -= share;
        }
        let slow = dice.permille(moods.slow);
        (fate, there, if slow { millis(500, 12_000) } else { back })
    }

    /// Counts a post as the platform does, and tells whether it is one too many.
    fn is_pressed(&self, lane: Lane) -> bool {
        let now = self.0.now();
        let state = self.0.state();
        let posts: Vec<i64> =
            state.history.posts.iter().filter(|(to, _)| *to == lane).map(|(_, at)| *at).collect();
        let over =
            |&(count, span): &(usize, i64)| posts.iter().filter(|at| **at > now - span).count() >= count;
        let penalty = state.penalties.iter().any(|(to, until)| *to == lane && now < *until);
        penalty || lane.limits().iter().any(over)
    }
}

fn answer(lane: Lane, fate: Fate) -> Reply {
    let said = |status, text: &str| Reply { status, headers: Vec::new(), body: text.as_bytes().to_vec() };
    let ok = |text: &str| said(200, text);
    if fate == Fate::Garbage {
        return ok("<html>Welcome</html>");
    }
    let code = match (lane, fate) {
        (Lane::Web, Fate::Accepted) => return ok("thank you"),
        (Lane::Web, Fate::Refused) => return said(404, ""),
        (Lane::Web, _) => return said(503, ""),
        (_, Fate::Accepted) => 0,
        (Lane::Lark | Lane::SecondLark, Fate::Refused) => 9499,
        (Lane::Lark | Lane::SecondLark, Fate::Limited) => 11232,
        (Lane::Lark | Lane::SecondLark, _) => return said(503, ""),
        (Lane::Wecom, Fate::Refused) => 40008,
        (Lane::Wecom, Fate::Limited) => 45009,
        (Lane::Dingtalk, Fate::Refused) => 400_105,
        (Lane::Dingtalk, Fate::Limited) => 130_101,
        (Lane::Wecom | Lane::Dingtalk, _) => -1,
    };
    match lane {
        Lane::Lark | Lane::SecondLark => ok(&format!(r#"{{"code":{code},"msg":"said","data":{{}}}}"#)),
        Lane::Wecom | Lane::Dingtalk | Lane::Web => ok(&format!(r#"{{"errcode":{code},"errmsg":"said"}}"#)),
    }
}
