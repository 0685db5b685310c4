//! What arrived: the messages shown in chats and the calls with their verdicts, both bounded.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::registry::Platform;

/// A message that a chat shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Received {
    /// Counts up by one for every message shown, from 1.
    pub seq: u64,
    /// The platform of the chat.
    pub platform: Platform,
    /// The shown name of the chat.
    pub chat: String,
    /// The robot's credential, masked.
    pub token_masked: String,
    /// When it arrived: Unix time in milliseconds by the simulator's clock.
    pub at_ms: i64,
    /// The platform's name of the message form, such as `text`, `markdown`, `interactive`.
    pub kind: String,
    /// The title, where the form has one.
    pub title: Option<String>,
    /// The readable text as the chat would show it; markup of the form is kept, mentions are written out.
    pub text: String,
    /// Whom the platform would notify: ids, mobile numbers, or `all`.
    pub mentions: Vec<String>,
    /// The message as it came in.
    pub raw: Value,
}

/// A request that came in, with the answer it got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// When it arrived: Unix time in milliseconds by the simulator's clock.
    pub at_ms: i64,
    /// The platform it was meant for.
    pub platform: Platform,
    /// Its path with credentials masked.
    pub path: String,
    /// The HTTP status of the answer; 0 when none was given.
    pub http_status: u16,
    /// The platform's code in the answer, as text; `scripted` when a script misbehaved.
    pub code: String,
    /// The platform's words in the answer.
    pub text: String,
    /// The size of the request's body, in bytes.
    pub body_bytes: usize,
}

/// What the page needs beyond a [`Received`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// The text with the platform's colour markup still in it.
    pub(crate) markup: String,
    /// The colour of a card's header, as the platform names it.
    pub(crate) tone: Option<String>,
    /// Buttons as label and address.
    pub(crate) buttons: Vec<(String, String)>,
}

/// A message on its way into a chat.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown {
    pub(crate) chat: String,
    pub(crate) token_masked: String,
    pub(crate) kind: String,
    pub(crate) title: Option<String>,
    pub(crate) text: String,
    pub(crate) mentions: Vec<String>,
    /// The message as it came in.
    pub(crate) raw: Value,
    pub(crate) look: Look,
}

/// A message in a chat.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) received: Received,
    pub(crate) look: Look,
    bytes: usize,
}

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) per_chat: usize,
    pub(crate) in_total: usize,
    pub(crate) bytes: usize,
    pub(crate) calls: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { per_chat: 20_000, in_total: 100_000, bytes: 128_000_000, calls: 200_000 }
    }
}

type ChatKey = (Platform, String);

/// Everything that arrived, oldest first, within bounds.
#[derive(Debug, Default)]
pub(crate) struct Records {
    bounds: Bounds,
    last_seq: u64,
    bytes: usize,
    entries: BTreeMap<u64, Arc<Entry>>,
    chats: HashMap<ChatKey, VecDeque<u64>>,
    calls: VecDeque<Call>,
}

impl Records {
    /// Puts a message into its chat and drops the oldest where a bound is passed.
    pub(crate) fn show(&mut self, platform: Platform, at_ms: i64, bytes: usize, shown: Shown) {
        self.last_seq += 1;
        let seq = self.last_seq;
        let Shown { chat, token_masked, kind, title, text, mentions, raw, look } = shown;
        let key = (platform, chat.clone());
        let received =
            Received { seq, platform, chat, token_masked, at_ms, kind, title, text, mentions, raw };
        self.entries.insert(seq, Arc::new(Entry { received, look, bytes }));
        self.bytes += bytes;
        let in_chat = self.chats.entry(key).or_default();
        in_chat.push_back(seq);
        if in_chat.len() > self.bounds.per_chat
            && let Some(oldest) = in_chat.front().copied()
        {
            self.forget(oldest);
        }
        while self.entries.len() > self.bounds.in_total || self.bytes > self.bounds.bytes {
            let Some(oldest) = self.entries.keys().next().copied() else { break };
            self.forget(oldest);
        }
    }

    fn forget(&mut self, seq: u64) {
        let Some(entry) = self.entries.remove(&seq) else { return };
        self.bytes -= entry.bytes;
        let key = (entry.received.platform, entry.received.chat.clone());
        if let Some(in_chat) = self.chats.get_mut(&key) {
            // Whatever is dropped is the oldest of its chat.
            in_chat.pop_front();
            if in_chat.is_empty() {
                self.chats.remove(&key);
            }
        }
    }

    pub(crate) fn note(&mut self, call: Call) {
        self.calls.push_back(call);
        if self.calls.len() > self.bounds.calls {
            self.calls.pop_front();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.entries.values().map(|entry| entry.received.clone()).collect()
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.iter().cloned().collect()
    }

    /// Returns the newest messages of one chat, oldest first.
    pub(crate) fn newest(&self, platform: Platform, chat: &str, most: usize) -> Vec<Arc<Entry>> {
        let Some(in_chat) = self.chats.get(&(platform, chat.to_owned())) else { return Vec::new() };
        let skipped = in_chat.len().saturating_sub(most);
        in_chat.iter().skip(skipped).filter_map(|seq| self.entries.get(seq).cloned()).collect()
    }

    pub(crate) fn count_in(&self, platform: Platform, chat: &str) -> usize {
        self.chats.get(&(platform, chat.to_owned())).map_or(0, VecDeque::len)
    }

    pub(crate) fn chat_names(&self) -> Vec<ChatKey> {
        let mut names: Vec<ChatKey> = self.chats.keys().cloned().collect();
        names.sort();
        names
    }

    /// Forgets messages and calls; numbering goes on.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.chats.clear();
        self.calls.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(chat: &str, text: &str) -> Shown {
        Shown { chat: chat.to_owned(), text: text.to_owned(), ..Shown::default() }
    }

    fn texts(records: &Records) -> Vec<String> {
        records.received().into_iter().map(|received| received.text).collect()
    }

    #[test]
    fn a_chat_keeps_its_newest() {
        let bounds = Bounds { per_chat: 2, in_total: 3, bytes: 1000, calls: 1 };
        let mut records = Records { bounds, ..Records::default() };
        for text in ["1", "2", "3"] {
            records.show(Platform::Wecom, 0, 1, shown("a", text));
        }
        assert_eq!(texts(&records), ["2", "3"]);
        records.show(Platform::Wecom, 0, 1, shown("b", "4"));
        records.show(Platform::Lark, 0, 1, shown("b", "5"));
        assert_eq!(texts(&records), ["3", "4", "5"]);
        assert_eq!(records.count_in(Platform::Wecom, "a"), 1);
        assert_eq!(records.newest(Platform::Wecom, "b", 9).len(), 1);
        records.show(Platform::Lark, 0, 999, shown("b", "6"));
        assert_eq!(texts(&records), ["5", "6"]);
        records.clear();
        assert_eq!((records.len(), records.last_seq), (0, 6));
    }

    #[test]
    fn calls_are_bounded() {
        let mut records = Records { bounds: Bounds { calls: 1, ..Bounds::default() }, ..Records::default() };
        for code in ["1", "2"] {
            records.note(Call {
                at_ms: 0,
                platform: Platform::Webhook,
                path: String::new(),
                http_status: 200,
                code: code.to_owned(),
                text: String::new(),
                body_bytes: 0,
            });
        }
        assert_eq!(records.calls().len(), 1);
        assert_eq!(records.calls()[0].code, "2");
    }
}
