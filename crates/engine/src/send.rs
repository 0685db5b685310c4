//! One attempt of one delivery: opens the target, renders, sends the parts, decides what follows.

use std::sync::Arc;

use carillon_model::delivery::{DeliveryState, Move};
use carillon_model::id::EndpointId;
use carillon_model::outcome::{Outcome, Reason, Scope, Verdict};
use carillon_model::retry::{self, Next, RetryPolicy};
use carillon_model::subscription::Target;
use carillon_model::urn::{SubscriptionUrn, TopicUrn};
use carillon_model::{Chance, Clock, Timestamp};
use carillon_provider::{Post, Providers};
use carillon_store::Store;
use carillon_store::delivery::{Opened, Ready, Settlement, Start, Tried};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::metrics::Metrics;
use crate::settle::Note;

/// What every attempt needs.
pub(crate) struct Sender {
    pub(crate) store: Store,
    pub(crate) providers: Arc<Providers>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) region: String,
    pub(crate) retry: RetryPolicy,
    pub(crate) metrics: Metrics,
    pub(crate) notes: mpsc::Sender<Note>,
}

/// What the loop must know of an attempt that ended.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) lane: EndpointId,
    /// When and with what the same delivery is tried again; nothing when it has ended.
    pub(crate) again: Option<Again>,
}

#[derive(Debug)]
pub(crate) struct Again {
    pub(crate) attempts: u32,
    pub(crate) parts_done: u32,
    pub(crate) due_at: Timestamp,
}

struct Tally {
    verdict: Verdict,
    parts_done: u32,
}

impl Sender {
    /// Carries one delivery through one attempt and has the result written down before it answers, so that the
    /// lane's next delivery never overtakes the record of this one.
    pub(crate) async fn attempt(&self, ready: Ready) -> Sent {
        let Some((settlement, again)) = self.carry(&ready).await else {
            return Sent { lane: ready.endpoint, again: None };
        };
        let waited = (settlement.state == DeliveryState::Delivered)
            .then(|| self.clock.now().since(ready.stored.message.created_at));
        if settlement.state.is_final() {
            self.metrics.settled(settlement.state, waited);
        }
        let (done, durable) = oneshot::channel();
        if self.notes.send(Note::Ended(settlement, done)).await.is_ok() {
            // An error means that the engine is being cut; the record is made up for at the next start.
            drop(durable.await);
        }
        Sent { lane: ready.endpoint, again }
    }

    /// Carries a delivery through one attempt; nothing when it no longer waits, since somebody cancelled it.
    async fn carry(&self, ready: &Ready) -> Option<(Settlement, Option<Again>)> {
        if self.clock.now() >= ready.stored.message.expires_at {
            return Some((self.without_attempt(ready, Move::Expire), None));
        }
        let target = match self.store.delivery_open(ready.seq, ready.subscription).await {
            Ok(Opened::Target(target)) => target,
            Ok(Opened::NoTarget) => return Some((self.without_attempt(ready, Move::Cancel), None)),
            Ok(Opened::Ended) => return None,
            Err(error) => {
                tracing::error!(delivery = %ready.id, %error, "a target cannot be opened");
                let verdict =
                    Verdict::plain(Outcome::Later { wait: None, scope: Scope::Endpoint }, Reason::Busy);
                let tally = Tally { verdict, parts_done: ready.parts_done };
                return Some(self.decide(ready, self.clock.now(), Instant::now(), tally));
            }
        };
        let started_at = self.clock.now();
        let start = Instant::now();
        let began = Start { seq: ready.seq, attempt: ready.attempts + 1, at: started_at };
        // The mark is written while the attempt runs; an error means that the engine is being cut.
        drop(self.notes.send(Note::Began(began)).await);
        self.metrics.sending.inc();
        let tally = self.send_parts(ready, &target).await;
        self.metrics.sending.dec();
        let channel = target.endpoint.channel();
        self.metrics.attempted(channel, tally.verdict.outcome, start.elapsed());
        if tally.verdict.outcome != Outcome::Accepted {
            tracing::warn!(
                delivery = %ready.id,
                %channel,
                outcome = tally.verdict.outcome.name(),
                reason = tally.verdict.reason.name(),
                platform_code = tally.verdict.platform_code.as_deref(),
                "an attempt was not accepted"
            );
        }
        Some(self.decide(ready, started_at, start, tally))
    }

    async fn send_parts(&self, ready: &Ready, target: &Target) -> Tally {
        let message = &ready.stored.message;
        let topic = TopicUrn {
            region: self.region.clone(),
            project: message.project.clone(),
            topic: ready.stored.topic_name.clone(),
        };
        let topic_urn = topic.to_string();
        let subscription_urn = SubscriptionUrn { topic, id: ready.subscription }.to_string();
        let body = message.content.for_channel(target.endpoint.channel());
        let post = Post {
            body: &body,
            delivery: ready.id,
            message: message.id,
            subject: message.content.subject.as_deref(),
            topic_urn: &topic_urn,
            subscription_urn: &subscription_urn,
            created_at: message.created_at,
            locale: message.locale,
        };
        let parts = match self.providers.render(target, &post) {
            Ok(parts) => parts,
            Err(verdict) => return Tally { verdict, parts_done: ready.parts_done },
        };
        let mut tally =
            Tally { verdict: Verdict::plain(Outcome::Refused, Reason::Render), parts_done: ready.parts_done };
        for part in parts.iter().skip(usize::try_from(ready.parts_done).unwrap_or(usize::MAX)) {
            tally.verdict = self.providers.send(target, part).await;
            if tally.verdict.outcome != Outcome::Accepted {
                break;
            }
            tally.parts_done += 1;
        }
        tally
    }

    fn decide(
        &self,
        ready: &Ready,
        started_at: Timestamp,
        start: Instant,
        tally: Tally,
    ) -> (Settlement, Option<Again>) {
        let number = ready.attempts + 1;
        let now = self.clock.now();
        let counted = number.saturating_sub(ready.attempts_before);
        let next = retry::next(&self.retry, counted, tally.verdict.outcome, now, self.chance.number());
        let (step, due_at) = match next {
            Next::Delivered => (Move::Accept, now),
            Next::Failed => (Move::Fail, now),
            Next::Again(at) if at >= ready.stored.message.expires_at => (Move::Expire, now),
            Next::Again(at) => (Move::Postpone, at),
        };
        let state =
            DeliveryState::Sending.after(step).expect("every step that ends an attempt is in the table");
        let again = (step == Move::Postpone).then_some(Again {
            attempts: number,
            parts_done: tally.parts_done,
            due_at,
        });
        let tried = Tried {
            number,
            started_at,
            elapsed_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            verdict: tally.verdict,
        };
        let settlement = Settlement {
            seq: ready.seq,
            id: ready.id,
            attempt: Some(tried),
            state,
            due_at,
            parts_done: tally.parts_done,
        };
        (settlement, again)
    }

    fn without_attempt(&self, ready: &Ready, step: Move) -> Settlement {
        let state = DeliveryState::Pending.after(step).expect("what waits can expire and be cancelled");
        Settlement {
            seq: ready.seq,
            id: ready.id,
            attempt: None,
            state,
            due_at: self.clock.now(),
            parts_done: ready.parts_done,
        }
    }
}
