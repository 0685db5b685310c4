//! How often mailboxes get test messages: whoever reads one has confirmed nothing yet. Each server counts what it sends
//! itself.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use carillon_model::{Timestamp, limits};

use crate::error::Error;

/// How many mailboxes and projects are remembered; while that many are new, no test is sent.
const NAMES_MAX: usize = 10_000;

/// The tests of late, by mailbox and by project.
#[derive(Debug, Default)]
pub(crate) struct MailTests {
    windows: Mutex<HashMap<Name, Window>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Name {
    Mailbox(String),
    Project(String),
}

impl Name {
    /// How many tests it may have, within which time.
    fn bound(&self) -> (u64, Duration) {
        match self {
            Self::Mailbox(_) => (limits::MAIL_TESTS_MAX, limits::MAIL_TESTS_WINDOW),
            Self::Project(_) => (limits::MAIL_TESTS_PROJECT_MAX, limits::MAIL_TESTS_PROJECT_WINDOW),
        }
    }
}

/// Begins with its first test.
#[derive(Debug, Clone, Copy)]
struct Window {
    begin: Timestamp,
    count: u64,
}

impl Window {
    /// A clock that was set back ends it, too.
    fn has_ended(self, length: Duration, now: Timestamp) -> bool {
        now < self.begin || now >= self.begin.plus(length)
    }
}

impl MailTests {
    /// Counts a test.
    ///
    /// # Errors
    /// When the mailbox or the project had as many as it may.
    pub(crate) fn take(&self, mailbox: &str, project: &str, now: Timestamp) -> Result<(), Error> {
        let names = [Name::Mailbox(mailbox.to_lowercase()), Name::Project(project.to_owned())];
        let mut windows = self.windows.lock().expect("no code panics while it holds the windows");
        if windows.len() + names.len() > NAMES_MAX {
            windows.retain(|name, window| !window.has_ended(name.bound().1, now));
        }
        let full = windows.len() + names.len() > NAMES_MAX;
        let refused = |name: &Name| {
            let (most, length) = name.bound();
            windows.get(name).map_or(full, |window| !window.has_ended(length, now) && window.count >= most)
        };
        if names.iter().any(refused) {
            return Err(Error::Throttled);
        }
        for name in names {
            let length = name.bound().1;
            let window = windows.entry(name).or_insert(Window { begin: now, count: 0 });
            if window.has_ended(length, now) {
                *window = Window { begin: now, count: 0 };
            }
            window.count = window.count.saturating_add(1);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use carillon_model::{Timestamp, limits};

    use super::MailTests;

    const START: Timestamp = Timestamp(1_750_000_000_000);

    #[test]
    fn a_mailbox_gets_a_few_however_it_is_written() {
        let tests = MailTests::default();
        for _ in 0..limits::MAIL_TESTS_MAX {
            tests.take("Ann@Example.org", "p", START).unwrap();
        }
        assert!(tests.take("ann@example.org", "other", START).is_err(), "whoever asks");
        assert!(tests.take("ben@example.org", "p", START).is_ok());
        let later = START.plus(limits::MAIL_TESTS_WINDOW);
        assert!(tests.take("ann@example.org", "p", later).is_ok());
        assert!(tests.take("ann@example.org", "p", Timestamp(START.0 - 1)).is_ok(), "a clock set back");
    }

    #[test]
    fn a_project_sends_a_few_to_whomever() {
        let tests = MailTests::default();
        for number in 0..limits::MAIL_TESTS_PROJECT_MAX {
            tests.take(&format!("{number}@example.org"), "p", START).unwrap();
        }
        assert!(tests.take("one.more@example.org", "p", START).is_err());
        assert!(tests.take("one.more@example.org", "other", START).is_ok());
        assert!(tests.take("x@example.org", "p", START.plus(limits::MAIL_TESTS_PROJECT_WINDOW)).is_ok());
    }
}
