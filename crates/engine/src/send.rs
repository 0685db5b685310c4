//! One post: opens the target, renders, sends the parts, decides what follows for every delivery in it.

use std::collections::HashSet;
use std::sync::Arc;

use carillon_model::delivery::{DeliveryState, Move};
use carillon_model::health::{self, Health, HealthPolicy};
use carillon_model::id::EndpointId;
use carillon_model::link::Links;
use carillon_model::message::Body;
use carillon_model::outcome::{Outcome, Reason, Scope, Verdict};
use carillon_model::rate::{Rate, Rates};
use carillon_model::retry::{self, Next, RetryPolicy};
use carillon_model::subscription::Target;
use carillon_model::{Chance, Clock, Timestamp};
use carillon_provider::{Part, Post, PostKey, Providers};
use carillon_store::Store;
use carillon_store::delivery::{Ready, Settlement, Start, Tried};
use carillon_store::health::HealthChange;
use tokio::sync::{OnceCell, mpsc, oneshot};
use tokio::time::Instant;

use crate::digest;
use crate::gate::Gate;
use crate::hold::Holds;
use crate::metrics::Metrics;
use crate::origin::{Added, Signing};
use crate::settle::{Ended, Note, Settled, Then};
use crate::turn::{Turn, Way};

/// What every attempt needs.
pub(crate) struct Sender {
    pub(crate) store: Store,
    pub(crate) providers: Arc<Providers>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) region: String,
    pub(crate) links: Links,
    pub(crate) signing: OnceCell<Signing>,
    pub(crate) retry: RetryPolicy,
    pub(crate) health: HealthPolicy,
    pub(crate) rates: Rates,
    pub(crate) holds: Holds,
    pub(crate) gate: Arc<Gate>,
    pub(crate) metrics: Metrics,
    pub(crate) notes: mpsc::Sender<Note>,
}

/// What the loop must know of a post that ended.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) lane: EndpointId,
    /// How many of the lane's first deliveries it was about.
    pub(crate) count: usize,
    /// Those of them that are tried again, in their order.
    pub(crate) again: Vec<Ready>,
    /// Whether the endpoint wants a pause until they are due.
    pub(crate) pause: bool,
    /// When posts left.
    pub(crate) posts: Vec<Instant>,
    /// Until when the endpoint asked to be left alone.
    pub(crate) asked: Option<Timestamp>,
    /// The endpoint's rates, once they are known.
    pub(crate) rates: Option<Arc<[Rate]>>,
    /// How the endpoint fares now, where that changed.
    pub(crate) change: Option<HealthChange>,
    /// Nothing may be sent before, for what the endpoint shares with others.
    pub(crate) held_until: Option<Timestamp>,
    /// The same, but for urgent ones.
    pub(crate) reserved_until: Option<Timestamp>,
}

impl Sent {
    /// Nothing was sent, and the first `count` deliveries have ended.
    fn nothing(lane: EndpointId, count: usize) -> Self {
        Self {
            lane,
            count,
            again: Vec::new(),
            pause: false,
            posts: Vec::new(),
            asked: None,
            rates: None,
            change: None,
            held_until: None,
            reserved_until: None,
        }
    }
}

/// One post, ready to leave.
struct Load<'a> {
    batch: &'a [Ready],
    parts: Vec<Part>,
}

pub(crate) struct Tally {
    pub(crate) verdict: Verdict,
    parts_done: u32,
    /// Whether parts are left only because the endpoint's rate has no room for them now.
    paced: bool,
    posts: Vec<Instant>,
}

impl Tally {
    /// How many posts left.
    pub(crate) fn posts(&self) -> usize {
        self.posts.len()
    }
}

/// What came of a delivery that could not even begin: it waits.
fn unopened(ready: &Ready) -> Tally {
    let verdict = Verdict::plain(Outcome::Later { wait: None, scope: Scope::Endpoint }, Reason::Unopened);
    Tally { verdict, parts_done: ready.parts_done, paced: false, posts: Vec::new() }
}

/// What came of a delivery to somebody whom the directory says is gone: no call was made.
fn gone(ready: &Ready) -> Tally {
    let words = "the directory says that this person or chat is gone; nothing was sent";
    let verdict = Verdict {
        platform_text: Some(words.to_owned()),
        ..Verdict::plain(Outcome::Refused, Reason::Recipient)
    };
    Tally { verdict, ..unopened(ready) }
}

/// That an attempt has begun, and how many parts have arrived: what arrived stands in its delivery's own row.
fn begun(ready: &Ready, at: Timestamp, parts_done: u32) -> Start {
    let (shown, attempt) = (parts_done > ready.parts_done, ready.attempts + 1);
    Start { shown, seq: ready.seq, attempt, at, parts_done }
}

/// Whether a change must be durable: a first failure or two need not be.
fn is_worth_noting(before: Option<Health>, change: &HealthChange, now: Timestamp) -> bool {
    let told = |health: &Health| health.is_told(now);
    match (
        before.as_ref().filter(|health| told(health)),
        change.health.as_ref().filter(|health| told(health)),
    ) {
        (None, None) => false,
        (Some(before), Some(after)) => !before.says_the_same(after),
        (Some(_), None) | (None, Some(_)) => true,
    }
}

/// What is to be written, and how long the delivery took when it is over.
fn timed(settlement: Settlement, ready: &Ready, now: Timestamp) -> Settled {
    let waited = settlement.state.is_final().then(|| now.since(ready.stored.message.created_at));
    (settlement, waited)
}

/// The first of a batch, alone.
fn alone(batch: &[Ready]) -> &[Ready] {
    batch.get(..1).unwrap_or_default()
}

impl Sender {
    /// Carries the first delivery of a lane, and as many behind it as one post takes, through one attempt. The loop is told
    /// when the result is durable, so that the lane's next delivery never overtakes the record of this one: by whoever
    /// writes it down, so that nobody waits for that meanwhile, or by the caller when there is an answer; not at all when the
    /// engine is stopping.
    pub(crate) async fn attempt(&self, turn: Turn) -> Option<Sent> {
        let (settlements, sent) = self.carry(&turn).await?;
        let (before, after) = (turn.health, sent.change);
        let noted = after.filter(|change| is_worth_noting(before, change, self.clock.now()));
        let paused = |health: Option<Health>| health.filter(Health::is_paused);
        let Some(health) =
            paused(after.and_then(|change| change.health)).filter(|_| paused(before).is_none())
        else {
            self.hand_in(settlements, noted, Then::Sent(sent)).await;
            return None;
        };
        self.settled(settlements, noted).await;
        Box::pin(self.tell_of_pause(turn.lane, &health)).await;
        Some(sent)
    }

    /// Lets deliveries end that are past their time to live.
    pub(crate) async fn expire(&self, batch: Vec<Ready>) {
        let settlements = batch.iter().map(|ready| self.without_attempt(ready, Move::Expire)).collect();
        self.settled(settlements, None).await;
    }

    /// Lets the oldest of a lane end that may be dropped, but for `keep`, and tells which places those had.
    pub(crate) async fn drop_oldest(&self, lane: EndpointId, keep: usize) -> Vec<i64> {
        match self.store.lane_drop_oldest(lane, u64::try_from(keep).unwrap_or(u64::MAX)).await {
            Ok(seqs) => {
                if !seqs.is_empty() {
                    tracing::warn!(%lane, count = seqs.len(), "more waited than may be sent soon: the oldest were dropped");
                }
                self.metrics.dropped(seqs.len());
                seqs
            }
            Err(error) => {
                tracing::error!(%lane, %error, "the oldest cannot be dropped; all are sent");
                Vec::new()
            }
        }
    }

    /// Waits until what became of a batch is durable.
    async fn settled(&self, settlements: Vec<Settled>, change: Option<HealthChange>) {
        let (done, durable) = oneshot::channel();
        self.hand_in(settlements, change, Then::Wakes(done)).await;
        // An error means that the engine is being cut.
        drop(durable.await);
    }

    /// Hands in what became of a batch, to be written down, and what follows then.
    async fn hand_in(&self, settlements: Vec<Settled>, change: Option<HealthChange>, then: Then) {
        let hold = self.holds.take_unwritten();
        let ended = Box::new(Ended { settlements, change, hold, then });
        // An error means that the engine is being cut; the record is made up for at the next start.
        drop(self.notes.send(Note::Ended(ended)).await);
    }

    /// What comes behind the way is boxed: while it waits for its place, a lane costs its task, and 100,000 may wait.
    async fn carry(&self, turn: &Turn) -> Option<(Vec<Settled>, Sent)> {
        let (lane, batch) = (turn.lane, turn.batch.as_slice());
        let Some(first) = batch.first() else { return Some((Vec::new(), Sent::nothing(lane, 0))) };
        let now = self.clock.now();
        let (target, _place) = match self.way(turn, first).await {
            Way::Open(target, place) => (target, place),
            Way::Ends(step) => {
                return Some((vec![self.without_attempt(first, step)], Sent::nothing(lane, 1)));
            }
            Way::Gone => return Some((Vec::new(), Sent::nothing(lane, 1))),
            Way::Held(until) => {
                return Some((Vec::new(), Sent { held_until: Some(until), ..Sent::nothing(lane, 0) }));
            }
            Way::Reserved(until) => {
                let reserved_until = Some(until);
                return Some((Vec::new(), Sent { reserved_until, ..Sent::nothing(lane, 0) }));
            }
            way @ (Way::Closed | Way::Left) => {
                let tally = if matches!(way, Way::Left) { gone(first) } else { unopened(first) };
                return Some(self.decide(turn, alone(batch), &self.retry, now, Instant::now(), tally));
            }
            Way::Stopping => return None,
        };
        let now = self.clock.now().max(now);
        let channel = target.endpoint.channel();
        let added = match self.added(channel, first).await {
            Ok(added) => added,
            Err(error) => {
                tracing::error!(delivery = %first.id, %error, "there is no key to sign with, or no topic to be read");
                return Some(self.decide(
                    turn,
                    alone(batch),
                    &self.retry,
                    now,
                    Instant::now(),
                    unopened(first),
                ));
            }
        };
        let batch = digest::together(self.still_wanted(batch, now).await, channel);
        let limits = self.rates.of(&target);
        let (room, mut posts) = self.room(turn, &limits, now).await;
        let rates = Some(limits);
        if room == 0 {
            return Some((Vec::new(), Sent { posts, rates, ..Sent::nothing(lane, 0) }));
        }
        let (started_at, start) = (self.clock.now(), Instant::now());
        let (batch, tally) = match self.load(batch, &target, &added) {
            Ok(load) => {
                self.mark(load.batch, started_at).await;
                (load.batch, Box::pin(self.send_parts(lane, &load, &target, room, started_at)).await)
            }
            Err(verdict) => (alone(batch), Tally { verdict, ..unopened(first) }),
        };
        if !tally.posts.is_empty() || !tally.paced {
            self.count(&target, &tally, batch, start);
        }
        self.holds.learn(&self.store, &target, &tally.verdict, self.clock.now());
        let policy = self.retry.on(channel, tally.verdict.reason);
        let (settlements, sent) = self.decide(turn, batch, &policy, started_at, start, tally);
        // Nearly always the first of them is empty.
        posts = if posts.is_empty() { sent.posts } else { [posts, sent.posts].concat() };
        Some((settlements, Sent { rates, posts, ..sent }))
    }

    /// The beginning of `batch` that still waits, has not expired, and whose subscriptions are still in force. The
    /// first was looked at already.
    async fn still_wanted<'b>(&self, batch: &'b [Ready], now: Timestamp) -> &'b [Ready] {
        let others: Vec<i64> = batch.iter().skip(1).map(|ready| ready.seq).collect();
        let waiting = if others.is_empty() {
            Vec::new()
        } else {
            // What cannot be looked up waits for the next post.
            self.store.delivery_waiting(others).await.unwrap_or_default()
        };
        let waiting: HashSet<i64> = waiting.into_iter().collect();
        let fits = |ready: &Ready| waiting.contains(&ready.seq) && now < ready.stored.message.expires_at;
        let count = batch.iter().skip(1).take_while(|ready| fits(ready)).count();
        batch.get(..=count).unwrap_or(batch)
    }

    /// Renders the first delivery, or as many as fit into one post as a digest.
    fn load<'b>(&self, batch: &'b [Ready], target: &Target, added: &Added<'_>) -> Result<Load<'b>, Verdict> {
        if let [only] = batch
            && let Some(parts) = self.providers.rendered(target, PostKey::Delivery(only.id))
        {
            return Ok(Load { batch, parts });
        }
        let channel = target.endpoint.channel();
        let bodies: Vec<(&Ready, Body)> =
            batch.iter().map(|ready| (ready, ready.stored.message.content.for_channel(channel))).collect();
        // The most that is known to fit, and the least that is known not to.
        let (mut fits, mut too_many) = (1, bodies.len() + 1);
        let mut best = None;
        let mut tried = bodies.len();
        while tried > fits {
            let some = bodies.get(..tried).unwrap_or_default();
            let parts = match digest::compose(some, channel) {
                Some(body) => self.render(some.iter().map(|(ready, _)| *ready), &body, target, added)?,
                None => break,
            };
            if parts.len() == 1 {
                (fits, best) = (tried, Some(parts));
            } else {
                too_many = tried;
                // About as many as one of the parts holds is the better first guess than the middle.
                if best.is_none() && tried / parts.len() > fits {
                    tried /= parts.len();
                    continue;
                }
            }
            tried = usize::midpoint(fits, too_many);
        }
        if let Some(parts) = best {
            return Ok(Load { batch: batch.get(..fits).unwrap_or_default(), parts });
        }
        let Some((ready, body)) = bodies.first() else {
            return Err(Verdict::plain(Outcome::Refused, Reason::Render));
        };
        let parts = self.render(std::iter::once(*ready), body, target, added)?;
        Ok(Load { batch: batch.get(..1).unwrap_or_default(), parts })
    }

    fn render<'b>(
        &self,
        mut batch: impl Iterator<Item = &'b Ready>,
        body: &Body,
        target: &Target,
        added: &Added<'_>,
    ) -> Result<Vec<Part>, Verdict> {
        let Some(first) = batch.next() else { return Ok(Vec::new()) };
        // A digest of other deliveries must not look like one that was tried before.
        let key = match batch.last() {
            Some(last) => PostKey::Digest(first.id, last.seq),
            None => PostKey::Delivery(first.id),
        };
        let message = &first.stored.message;
        let own = self.own(added, first);
        let post = Post {
            body,
            kind: message.content.kind,
            key,
            message: message.id,
            subject: message.content.subject.as_deref(),
            topic_urn: &own.topic_urn,
            subscription_urn: &own.subscription_urn,
            priority: message.priority,
            created_at: message.created_at,
            locale: message.locale,
            origin: added.origin(&own),
        };
        self.providers.render(target, &post)
    }

    /// The marks are written while the attempt runs; an error means that the engine is being cut.
    async fn mark(&self, batch: &[Ready], at: Timestamp) {
        for ready in batch {
            drop(self.notes.send(Note::Began(begun(ready, at, ready.parts_done))).await);
        }
    }

    /// Writes down that a part has arrived, before the next one leaves: a crash repeats one part at most.
    async fn mark_part(&self, ready: &Ready, at: Timestamp, parts_done: u32) {
        let (done, durable) = oneshot::channel();
        if self.notes.send(Note::Reached(begun(ready, at, parts_done), done)).await.is_ok() {
            // An error means that the engine is being cut.
            drop(durable.await);
        }
    }

    async fn send_parts(
        &self,
        lane: EndpointId,
        load: &Load<'_>,
        target: &Target,
        room: usize,
        at: Timestamp,
    ) -> Tally {
        let done = load.batch.first().map_or(0, |first| first.parts_done);
        let mut tally = Tally {
            verdict: Verdict::plain(Outcome::Refused, Reason::Render),
            parts_done: done,
            paced: false,
            posts: Vec::new(),
        };
        self.metrics.sending.inc();
        for part in load.parts.iter().skip(usize::try_from(done).unwrap_or(usize::MAX)) {
            if tally.posts.len() >= room.max(1) {
                tally.paced = true;
                break;
            }
            if let (Some(first), true) = (load.batch.first(), tally.parts_done > done) {
                self.mark_part(first, at, tally.parts_done).await;
            }
            if !self.store.shards().may_send(lane) {
                // Nothing has left since this was known: it waits, as for its rate.
                tally.paced = true;
                break;
            }
            tally.verdict = self.providers.send_behind(&tally.verdict, target, part).await;
            // It came there now at the latest, and so counts longest.
            tally.posts.push(Instant::now());
            if tally.verdict.outcome != Outcome::Accepted {
                break;
            }
            tally.parts_done += 1;
        }
        self.metrics.sending.dec();
        tally
    }

    fn decide(
        &self,
        turn: &Turn,
        batch: &[Ready],
        policy: &RetryPolicy,
        started_at: Timestamp,
        start: Instant,
        tally: Tally,
    ) -> (Vec<Settled>, Sent) {
        let now = self.clock.now();
        let elapsed_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let random = self.chance.number();
        let merged = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        let pause = matches!(tally.verdict.outcome, Outcome::Later { .. });
        let sign = (tally.verdict.outcome, tally.verdict.reason);
        let health = health::after(turn.health.as_ref(), &self.health, sign, now, random);
        let change = (health != turn.health).then_some(HealthChange { endpoint: turn.lane, health });
        // What is tried to see whether a paused endpoint is well again does not end because it is not.
        let probe = turn.health.is_some_and(|health| health.is_paused())
            && health.is_some_and(|health| health.is_paused());
        let (mut settlements, mut again) = (Vec::with_capacity(batch.len()), Vec::new());
        for ready in batch {
            let number = ready.attempts + 1;
            let (step, due_at) = if tally.paced {
                (Move::Postpone, now)
            } else {
                let counted = number.saturating_sub(ready.attempts_before);
                match retry::next(policy, counted, tally.verdict.outcome, now, random) {
                    Next::Delivered => (Move::Accept, now),
                    Next::Failed if probe => (Move::Postpone, now),
                    Next::Failed => (Move::Fail, now),
                    Next::Again(at) if at >= ready.stored.message.expires_at => (Move::Expire, now),
                    Next::Again(at) => (Move::Postpone, at),
                }
            };
            let verdict = tally.verdict.clone();
            // What only waits for its rate has not ended an attempt.
            let attempt = (!tally.paced).then_some(Tried { number, started_at, elapsed_ms, verdict, merged });
            let attempts = if tally.paced { ready.attempts } else { number };
            let state =
                DeliveryState::Sending.after(step).expect("every step that ends an attempt is in the table");
            if step == Move::Postpone {
                again.push(Ready { attempts, parts_done: tally.parts_done, due_at, ..ready.clone() });
            }
            let parts_done = tally.parts_done;
            let settlement = Settlement { seq: ready.seq, id: ready.id, attempt, state, due_at, parts_done };
            settlements.push(timed(settlement, ready, now));
        }
        let asked = match tally.verdict.outcome {
            Outcome::Later { wait, .. } => wait.map(|wait| now.plus(wait)),
            Outcome::Accepted | Outcome::Refused | Outcome::Misconfigured | Outcome::Unknown => None,
        };
        let nothing = Sent::nothing(turn.lane, batch.len());
        (settlements, Sent { again, pause, posts: tally.posts, asked, change, ..nothing })
    }

    fn without_attempt(&self, ready: &Ready, step: Move) -> Settled {
        let state = DeliveryState::Pending.after(step).expect("what waits can expire and be cancelled");
        let (due_at, parts_done) = (self.clock.now(), ready.parts_done);
        let settlement =
            Settlement { seq: ready.seq, id: ready.id, attempt: None, state, due_at, parts_done };
        timed(settlement, ready, due_at)
    }
}
