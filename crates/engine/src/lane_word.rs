//! Word of what a lane has in the store only.

use carillon_model::message::Priority;

use super::{InStore, LANE_QUEUE_MAX, Lane};

impl Lane {
    /// Says that the store may have deliveries that were never handed over, of this priority at most.
    pub(crate) fn look_again(&mut self, priority: Priority) {
        self.in_store = self.in_store.max(InStore::Something);
        self.let_pass(priority);
    }

    /// Says that the store has a new delivery of this priority.
    pub(crate) fn read_again(&mut self, priority: Priority) {
        let full = self.depth() >= LANE_QUEUE_MAX;
        self.in_store = self.in_store.max(if full { InStore::Many } else { InStore::Something });
        self.let_pass(priority);
    }

    /// An urgent one is not to wait for what was read already: the store gives it first when it is asked anew.
    fn let_pass(&mut self, priority: Priority) {
        if self.loading {
            self.came_meanwhile = self.came_meanwhile.max(Some(priority));
            return;
        }
        let last = self.queue.back().map(|ready| ready.stored.message.priority);
        if last.is_some_and(|last| last < priority) {
            self.leave_to_store(0);
        }
    }

    /// What was just read may have been looked up before it came. What is as urgent stays: more of that may come all the
    /// time.
    pub(super) fn let_pass_what_came_meanwhile(&mut self) {
        let Some(priority) = self.came_meanwhile.take() else { return };
        let as_urgent = self.queue.iter().skip(self.fixed());
        let as_urgent = as_urgent.take_while(|ready| ready.stored.message.priority >= priority).count();
        self.leave_to_store(as_urgent);
    }

    /// Forgets what is not being sent, but for the first so many: the store gives it once more, in its order. When what
    /// was tried is due is not forgotten; the store has the time of a clock that may have been set since.
    pub(super) fn leave_to_store(&mut self, but: usize) {
        let stay = self.fixed() + but;
        let gone = self.queue.iter().skip(stay);
        let tried = gone.filter(|ready| ready.attempts > ready.attempts_before);
        let due: Vec<_> = tried.map(|ready| (ready.seq, ready.due_at)).collect();
        self.due.extend(due);
        self.queue.truncate(stay);
    }
}
