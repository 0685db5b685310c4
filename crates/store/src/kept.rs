//! Answers that are kept in memory while nothing changes, so that a publish and a first attempt read nothing.
//!
//! Every write but those of the flow itself (a publish, a settlement) raises the store's version, before it is answered
//! (`db::Db::write`). An answer is kept with the version that held before it was read, and is good as long as that is
//! the version still: never staler than the last change that anybody was told of.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::Mutex;

/// Answers by question, at most so many.
pub(crate) struct Kept<K, V> {
    max: usize,
    answers: Mutex<(u64, HashMap<K, V>)>,
}

impl<K, V> fmt::Debug for Kept<K, V> {
    /// What is kept may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("max", &self.max).finish_non_exhaustive()
    }
}

impl<K: Hash + Eq, V: Clone> Kept<K, V> {
    /// Keeps at most `max` answers; when there are more, all are forgotten.
    pub(crate) fn new(max: usize) -> Self {
        Self { max, answers: Mutex::new((0, HashMap::new())) }
    }

    /// The answer to a question, if it is still good at `version`.
    pub(crate) fn get<Q>(&self, version: Option<u64>, question: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let answers = self.answers.lock().expect("no code panics while it holds what is kept");
        (Some(answers.0) == version).then(|| answers.1.get(question).cloned()).flatten()
    }

    /// Keeps an answer that was read after the store had `version`.
    pub(crate) fn put(&self, version: Option<u64>, question: K, answer: V) {
        let Some(version) = version else { return };
        let mut answers = self.answers.lock().expect("no code panics while it holds what is kept");
        if answers.0 > version {
            return;
        }
        if answers.0 < version || answers.1.len() >= self.max {
            answers.1.clear();
            answers.0 = version;
        }
        answers.1.insert(question, answer);
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;

    #[test]
    fn an_answer_is_good_for_its_version_only() {
        let kept = Kept::new(2);
        kept.put(Some(1), "a", 1);
        assert_eq!(kept.get(Some(1), "a"), Some(1));
        assert_eq!(kept.get(Some(2), "a"), None);
        assert_eq!(kept.get(None, "a"), None, "a store that cannot tell keeps nothing");
        kept.put(Some(2), "b", 2);
        kept.put(Some(1), "a", 1);
        assert_eq!(kept.get(Some(2), "a"), None, "an older answer came late");
        kept.put(None, "c", 3);
        assert_eq!((kept.get(Some(2), "b"), kept.get(Some(2), "c")), (Some(2), None));
        kept.put(Some(2), "d", 4);
        kept.put(Some(2), "e", 5);
        assert_eq!((kept.get(Some(2), "b"), kept.get(Some(2), "e")), (None, Some(5)), "it is bounded");
    }
}
