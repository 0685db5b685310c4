//! The states of a delivery and the only allowed moves between them.

use serde::{Deserialize, Serialize};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waiting for its turn or its due time.
    Pending,
    /// An attempt is under way.
    Sending,
    /// The platform accepted it.
    Delivered,
    /// It will not be tried again.
    Failed,
    /// Its message's time to live ran out first.
    Expired,
    /// Somebody cancelled it.
    Cancelled,
}

/// What can happen to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Move {
    /// An attempt begins.
    Start,
    /// The platform accepted it.
    Accept,
    /// It is given up.
    Fail,
    /// It goes back to wait for a due time.
    Postpone,
    /// Its time to live ran out.
    Expire,
    /// Somebody cancels it.
    Cancel,
    /// Somebody sends it again.
    Resend,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Sending, Self::Delivered, Self::Failed, Self::Expired, Self::Cancelled];

    /// The state after `step`, or nothing when the step is not allowed from here.
    #[must_use]
    pub fn after(self, step: Move) -> Option<Self> {
        use DeliveryState as S;
        match (self, step) {
            (S::Pending, Move::Start) => Some(S::Sending),
            (S::Sending, Move::Accept) => Some(S::Delivered),
            (S::Sending, Move::Fail) => Some(S::Failed),
            (S::Sending, Move::Postpone) => Some(S::Pending),
            (S::Pending | S::Sending, Move::Expire) => Some(S::Expired),
            (S::Pending, Move::Cancel) => Some(S::Cancelled),
            (S::Failed | S::Expired | S::Cancelled, Move::Resend) => Some(S::Pending),
            _ => None,
        }
    }

    /// Whether nothing more happens by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Sending)
    }

    /// The state's name in the API and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state's number at rest; never reused.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Sending => 1,
            Self::Delivered => 2,
            Self::Failed => 3,
            Self::Expired => 4,
            Self::Cancelled => 5,
        }
    }

    /// The state of a number at rest.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }

    /// The state of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Why a delivery ended that neither a person nor its attempts ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndCause {
    /// More waited for its address than the limit lets through soon, and its subscription drops the oldest then.
    Dropped,
}

impl EndCause {
    /// The word in the API and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
        }
    }

    /// The cause of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Dropped].into_iter().find(|cause| cause.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::{DeliveryState, Move};

    #[test]
    fn the_moves_are_a_closed_table() {
        let steps =
            [Move::Start, Move::Accept, Move::Fail, Move::Postpone, Move::Expire, Move::Cancel, Move::Resend];
        let mut table = String::new();
        for state in DeliveryState::ALL {
            for step in steps {
                if let Some(next) = state.after(step) {
                    table.push_str(&format!("{} {step:?} {}\n", state.name(), next.name()));
                }
            }
        }
        insta::assert_snapshot!(table, @r"
        pending Start sending
        pending Expire expired
        pending Cancel cancelled
        sending Accept delivered
        sending Fail failed
        sending Postpone pending
        sending Expire expired
        failed Resend pending
        expired Resend pending
        cancelled Resend pending
        ");
    }

    #[test]
    fn numbers_and_names_read_back() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::from_number(state.number()), Some(state));
            assert_eq!(DeliveryState::from_name(state.name()), Some(state));
        }
    }
}
