//! Deliveries that a filter means: send them again, cancel them, or list those that ended without having arrived.

use std::fmt;
use std::time::Duration;

use carillon_model::audit::Deed;
use carillon_model::clock::Timestamp;
use carillon_model::delivery::{DeliveryState, Move};
use carillon_model::id::{DeliveryId, MessageId};
use carillon_model::message::time_to_live;
use carillon_model::outcome::Reason;
use carillon_model::role::Right;
use carillon_model::{Field, Invalid, limits};
use carillon_store::pick::{Cursor, DeliveryFilter, Moved, Portion};

use crate::caller::Reach;
use crate::delivery::NamedDelivery;
use crate::error::Error;
use crate::{Caller, Service};

/// Which deliveries a caller means: those that fit all that is set, at least one of the first seven.
#[derive(Debug, Clone, Default)]
pub struct Meant {
    /// Those of the message of this id.
    pub message_id: Option<String>,
    /// Those of messages to the topic of this URN or name.
    pub topic: Option<String>,
    /// Those for the subscription of this URN.
    pub subscription_urn: Option<String>,
    /// Those in this state.
    pub state: Option<String>,
    /// Those whose latest attempt came back for this reason.
    pub reason: Option<String>,
    /// Those of messages accepted then or later.
    pub since: Option<String>,
    /// Those of messages accepted before.
    pub until: Option<String>,
    /// How many at most, 1 to 1000; 1000 when not set.
    pub limit: Option<u64>,
    /// Where to go on: what the call before answered.
    pub after: Option<String>,
}

impl fmt::Display for Meant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("message_id", &self.message_id),
            ("topic", &self.topic),
            ("subscription_urn", &self.subscription_urn),
            ("state", &self.state),
            ("reason", &self.reason),
            ("since", &self.since),
            ("until", &self.until),
        ];
        let said = parts.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
        f.write_str(&said.collect::<Vec<_>>().join(" "))
    }
}

/// What a call moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedDeliveries {
    /// How many deliveries.
    pub count: u64,
    /// What to give as `after` to go on; nothing when that was all.
    pub next: Option<String>,
}

fn stamp(text: Option<&String>, field: Field) -> Result<Option<Timestamp>, Invalid> {
    let rule = "must be a time such as 2026-01-31T08:00:00Z";
    text.map(|text| Timestamp::from_text(text).ok_or_else(|| Invalid::new(field, rule))).transpose()
}

fn cursor(text: &str) -> Result<Cursor, Invalid> {
    let wrong = || Invalid::new(Field::Id, "after must be the next of the answer before");
    let (after, end) = text.split_once('-').ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0).ok_or_else(wrong);
    Ok(Cursor { after: number(after)?, end: number(end)? })
}

/// The state asked for, if it is one from which the move is allowed.
fn state(text: Option<&String>, step: Move) -> Result<Option<DeliveryState>, Invalid> {
    let Some(text) = text else { return Ok(None) };
    let found = DeliveryState::from_name(text).filter(|state| state.after(step).is_some());
    let wrong = || {
        let from = DeliveryState::ALL.into_iter().filter(|state| state.after(step).is_some());
        let names: Vec<&str> = from.map(DeliveryState::name).collect();
        Invalid::new(Field::State, format!("must be {}", names.join(", ")))
    };
    found.map(Some).ok_or_else(wrong)
}

fn done(moved: Moved, allowed: &'static str) -> Result<(), Error> {
    match moved {
        Moved::Done => Ok(()),
        Moved::Refused(state) => Err(Error::DeliveryStands { state, allowed }),
        Moved::NoTarget => Err(Error::DeliveryNoTarget),
        Moved::NotThere => Err(Error::DeliveryNotFound),
    }
}

impl Service {
    /// Sends a delivery again, at the end of its lane. It may wait for at least `time_to_live` seconds, an hour when
    /// not set.
    ///
    /// # Errors
    /// When there is no such delivery, or it has neither failed, expired nor been cancelled, or its subscription is
    /// gone.
    pub async fn resend_delivery(
        &self,
        caller: &Caller,
        id: DeliveryId,
        seconds: Option<u64>,
    ) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let life = time_to_live(seconds)?;
        let moved =
            self.acting(caller, Deed::DeliveryResend, &id).delivery_resend(&caller.project, id, life).await?;
        done(moved, "one that failed, expired or was cancelled can be resent")
    }

    /// Sends again the deliveries that are meant, as [`Service::resend_delivery`] does one; those whose subscription
    /// is gone are passed over.
    ///
    /// # Errors
    /// When the filter breaks a rule.
    pub async fn resend_deliveries(
        &self,
        caller: &Caller,
        meant: &Meant,
        seconds: Option<u64>,
    ) -> Result<MovedDeliveries, Error> {
        caller.may(Right::Change)?;
        let life: Duration = time_to_live(seconds)?;
        let portion = self.portion(caller, meant, Move::Resend)?;
        let store = self.acting(caller, Deed::DeliveryResend, meant);
        let done = store.delivery_resend_all(&caller.project, portion, life).await?;
        Ok(MovedDeliveries { count: done.moved, next: done.next.map(text) })
    }

    /// Cancels a delivery that waits. When the call has answered, no attempt of it begins.
    ///
    /// # Errors
    /// When there is no such delivery, or it is being sent or has ended.
    pub async fn cancel_delivery(&self, caller: &Caller, id: DeliveryId) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let moved =
            self.acting(caller, Deed::DeliveryCancel, &id).delivery_cancel(&caller.project, id).await?;
        done(moved, "one that is pending can be cancelled")
    }

    /// Cancels the deliveries that are meant, as [`Service::cancel_delivery`] does one.
    ///
    /// # Errors
    /// When the filter breaks a rule.
    pub async fn cancel_deliveries(&self, caller: &Caller, meant: &Meant) -> Result<MovedDeliveries, Error> {
        caller.may(Right::Change)?;
        let portion = self.portion(caller, meant, Move::Cancel)?;
        let done = self
            .acting(caller, Deed::DeliveryCancel, meant)
            .delivery_cancel_all(&caller.project, portion)
            .await?;
        Ok(MovedDeliveries { count: done.moved, next: done.next.map(text) })
    }

    /// Lists the deliveries that ended without having arrived, newest first: what failed or expired, or what stands in
    /// the state that is meant. None of the filters need be set. The text beside
    /// them is what to give as `after` to go on: a page looks at a bounded number, and may have few or none.
    ///
    /// # Errors
    /// When the filter breaks a rule.
    pub async fn dead_letters(
        &self,
        caller: &Caller,
        meant: &Meant,
        limit: u64,
    ) -> Result<(Vec<NamedDelivery>, Option<String>), Error> {
        let publisher = match caller.reach(Right::Trace)? {
            Reach::All => None,
            Reach::Own => Some(caller.account),
        };
        let filter = self.filter(caller, meant, Move::Resend)?;
        let wrong = || Invalid::new(Field::Id, "after must be the next of the answer before");
        let after = meant.after.as_deref().map(|text| text.parse::<i64>().map_err(|_parse| wrong()));
        let after = after.transpose()?;
        let listed = self.store.dead_letter_list(&caller.project, &filter, publisher, after, limit).await?;
        let named = listed.found.into_iter().map(|dead| self.named_delivery(caller, dead.record));
        Ok((named.collect(), listed.next.map(|place| place.to_string())))
    }

    fn portion(&self, caller: &Caller, meant: &Meant, step: Move) -> Result<Portion, Error> {
        let filter = self.filter(caller, meant, step)?;
        if filter == DeliveryFilter::default() {
            let rule =
                "give at least one of message_id, topic, subscription_urn, state, reason, since and until";
            return Err(Invalid::new(Field::Body, rule).into());
        }
        let limit = meant.limit.unwrap_or(limits::MOVE_BATCH_MAX);
        if !(1..=limits::MOVE_BATCH_MAX).contains(&limit) {
            return Err(Invalid::new(Field::Paging, "must be 1 to 1000").into());
        }
        let cursor = meant.after.as_deref().map(cursor).transpose()?;
        Ok(Portion { filter, cursor, limit })
    }

    fn filter(&self, caller: &Caller, meant: &Meant, step: Move) -> Result<DeliveryFilter, Error> {
        let topic = match &meant.topic {
            Some(text) => Some(self.own_urn(caller, &self.topic_urn(caller, text)?)?.topic),
            None => None,
        };
        let subscription = match &meant.subscription_urn {
            Some(urn) => Some(self.own_subscription(caller, None, urn)?.id),
            None => None,
        };
        let message = match &meant.message_id {
            Some(id) => {
                Some(MessageId::parse(id).map_err(|invalid| Invalid::new(Field::MessageId, invalid.rule))?)
            }
            None => None,
        };
        let wrong =
            || Invalid::new(Field::Reason, "must be a reason as attempts show it, such as rate_limited");
        let reason =
            meant.reason.as_deref().map(|text| Reason::from_name(text).ok_or_else(wrong)).transpose()?;
        Ok(DeliveryFilter {
            message,
            topic_name: topic.map(|name| name.as_str().to_owned()),
            subscription,
            state: state(meant.state.as_ref(), step)?,
            reason,
            since: stamp(meant.since.as_ref(), Field::Since)?,
            until: stamp(meant.until.as_ref(), Field::Until)?,
        })
    }
}

fn text(cursor: Cursor) -> String {
    format!("{}-{}", cursor.after, cursor.end)
}

#[cfg(test)]
mod tests {
    use carillon_model::delivery::{DeliveryState, Move};

    use super::{cursor, state, text};

    #[test]
    fn cursors_read_back() {
        let read = cursor("17-2000").unwrap();
        assert_eq!((read.after, read.end, text(read).as_str()), (17, 2000, "17-2000"));
        for bad in ["", "17", "-1-5", "a-b", "1-"] {
            assert!(cursor(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_states_that_the_move_leaves_are_taken() {
        let read = |name: &str, step| state(Some(&name.to_owned()), step).ok().flatten();
        assert_eq!(read("failed", Move::Resend), Some(DeliveryState::Failed));
        assert_eq!(read("delivered", Move::Resend), None);
        assert_eq!(read("pending", Move::Cancel), Some(DeliveryState::Pending));
        assert_eq!(read("sending", Move::Cancel), None);
        let said = state(Some(&"x".to_owned()), Move::Resend).unwrap_err().to_string();
        assert_eq!(said, "state: must be failed, expired, cancelled");
    }
}
