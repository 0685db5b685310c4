//! What a robot is told to do instead of behaving: be slow, rude, huge, or gone.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// A misbehaviour, for one robot token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Act {
    /// Judges as always, but only after this many milliseconds.
    Slow {
        /// The delay, in milliseconds.
        ms: u64,
    },
    /// Never answers.
    Hang,
    /// Answers with this platform code and text, in the platform's own shape (HTTP 200, or 400 for the
    /// DingTalk app).
    Code {
        /// The platform's code, as text.
        code: String,
        /// The platform's words.
        text: String,
    },
    /// Answers with this HTTP status, these headers and this body, whatever they are.
    Answer {
        /// The HTTP status.
        status: u16,
        /// Headers as name and value, such as `Retry-After`.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// The body, as it goes out.
        #[serde(default)]
        body: String,
    },
    /// Answers 200 with a body of this many megabytes (1,000,000 bytes each).
    Huge {
        /// The size, in megabytes.
        megabytes: u32,
    },
    /// Begins an answer and breaks the connection in the middle of it; nothing is shown.
    Drop,
    /// Takes and shows the message, then breaks the connection before a word of answer.
    LoseAnswer,
    /// Answers 200 with a web page instead of JSON, as a gateway in between does.
    Garbage,
    /// Closes the connection without a word of answer; nothing is shown.
    Gone,
}

#[derive(Debug)]
struct Script {
    act: Act,
    left: Option<u32>,
}

/// The scripts of all robots; a later one replaces an earlier.
#[derive(Debug, Default)]
pub(crate) struct Scripts(HashMap<String, Script>);

impl Scripts {
    pub(crate) fn set(&mut self, token: &str, act: Act, times: Option<u32>) {
        if times == Some(0) {
            self.clear(token);
        } else {
            self.0.insert(token.to_owned(), Script { act, left: times });
        }
    }

    pub(crate) fn clear(&mut self, token: &str) {
        self.0.remove(token);
    }

    /// Returns what to do with the next call, and counts it.
    pub(crate) fn next(&mut self, token: &str) -> Option<Act> {
        let script = self.0.get_mut(token)?;
        let act = script.act.clone();
        if let Some(left) = script.left.as_mut() {
            *left -= 1;
            if *left == 0 {
                self.clear(token);
            }
        }
        Some(act)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_ends_after_its_count() {
        let mut scripts = Scripts::default();
        scripts.set("t", Act::Hang, Some(2));
        assert_eq!(scripts.next("other"), None);
        assert_eq!(scripts.next("t"), Some(Act::Hang));
        assert_eq!(scripts.next("t"), Some(Act::Hang));
        assert_eq!(scripts.next("t"), None);
    }

    #[test]
    fn an_endless_script_lasts_until_cleared() {
        let mut scripts = Scripts::default();
        scripts.set("t", Act::Gone, None);
        assert_eq!(scripts.next("t"), Some(Act::Gone));
        assert_eq!(scripts.next("t"), Some(Act::Gone));
        scripts.clear("t");
        assert_eq!(scripts.next("t"), None);
    }

    #[test]
    fn zero_times_clears() {
        let mut scripts = Scripts::default();
        scripts.set("t", Act::Gone, None);
        scripts.set("t", Act::Hang, Some(0));
        assert_eq!(scripts.next("t"), None);
    }
}
