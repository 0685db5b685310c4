//! A lane's turn: where its first delivery goes, whether it may, and a place to send it from.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use carillon_model::delivery::Move;
use carillon_model::health::Health;
use carillon_model::id::EndpointId;
use carillon_model::message::Priority;
use carillon_model::office::calls;
use carillon_model::subscription::Target;
use carillon_model::{Timestamp, scope};
use carillon_store::delivery::{Opened, Ready};

use crate::gate::{Entry, Kind, Permit};
use crate::send::Sender;

/// A lane's turn: what is to be sent, and what is known of its endpoint.
pub(crate) struct Turn {
    pub(crate) lane: EndpointId,
    pub(crate) batch: Vec<Ready>,
    /// How many posts may leave.
    pub(crate) room: usize,
    pub(crate) health: Option<Health>,
}

impl Turn {
    /// What kind of place it waits for.
    fn kind(&self) -> Kind {
        let Some(first) = self.batch.first() else { return Kind::First };
        let probe = self.health.is_some_and(|health| health.until.is_some());
        match first.stored.message.priority {
            _ if probe => Kind::Again,
            Priority::Urgent => Kind::Urgent,
            Priority::Normal if first.attempts > first.attempts_before => Kind::Again,
            Priority::Normal => Kind::First,
        }
    }
}

/// What stands behind the first delivery of a turn.
pub(crate) enum Way {
    /// It may be sent there, while the place is kept.
    Open(Arc<Target>, Permit),
    /// It ends without an attempt.
    Ends(Move),
    /// Somebody cancelled it.
    Gone,
    /// The directory says that the person or chat is gone.
    Left,
    /// The host or the organisation is to be left alone.
    Held(Timestamp),
    /// What is left of the month is for urgent ones, if anything is left.
    Reserved(Timestamp),
    /// It cannot be looked up.
    Closed,
    /// The engine is stopping.
    Stopping,
}

/// How long a lane waits that may not be this server's any more.
const DOUBT: Duration = Duration::from_millis(200);

/// A host as the gate tells it from others.
fn gate_key(target: &Target) -> u64 {
    let mut hasher = DefaultHasher::new();
    scope::host(target).hash(&mut hasher);
    hasher.finish()
}

impl Sender {
    /// Looks where the first delivery goes, and waits for a place to send it from.
    pub(crate) async fn way(&self, turn: &Turn, first: &Ready) -> Way {
        let mut place = None;
        loop {
            if self.clock.now() >= first.stored.message.expires_at {
                return Way::Ends(Move::Expire);
            }
            if !self.store.shards().may_send(turn.lane) {
                // The database does not answer, and another server may have taken the lane.
                return Way::Held(self.clock.now().plus(DOUBT));
            }
            let target = match self.store.delivery_open(first).await {
                Ok(Opened::Target(target)) => target,
                Ok(Opened::NoTarget) => return Way::Ends(Move::Cancel),
                Ok(Opened::Ended) => return Way::Gone,
                Ok(Opened::Gone) => return Way::Left,
                Err(error) => {
                    tracing::error!(delivery = %first.id, %error, "a target cannot be opened");
                    return Way::Closed;
                }
            };
            if let Some(until) = self.holds.until(&self.store, &target, self.clock.now()) {
                return Way::Held(until);
            }
            let urgent = first.stored.message.priority == Priority::Urgent;
            if self.store.calls_are_limited()
                && let Some(name) = calls::of_target(&target, &first.stored.message.project)
                && let Some(until) = self.store.calls_wait(&name, urgent)
            {
                return if urgent { Way::Held(until) } else { Way::Reserved(until) };
            }
            if let Some(place) = place {
                return Way::Open(target, place);
            }
            place = match self.gate.enter(gate_key(&target), turn.kind()) {
                Entry::Now(place) => return Way::Open(target, place),
                // It may be cancelled meanwhile, and so is opened again when the place is there.
                Entry::Later(comes) => match comes.await {
                    Ok(place) => Some(place),
                    Err(_shut) => return Way::Stopping,
                },
            };
        }
    }
}
