//! Opening a store again at once.

use std::sync::Arc;

use carillon_model::chance::SeededChance;
use carillon_model::clock::TestClock;
use carillon_store::Store;

use crate::harness::Home;

/// How often a directory is tried that another process still has.
const TRIES: usize = 100_000;

/// Opens a store that was closed a moment ago. A program that another test of this process is just starting has its lock until
/// it runs, since it begins as a copy of this process with all open files.
pub(crate) fn again<H: Home>(home: &H, clock: &Arc<TestClock>, chance: &Arc<SeededChance>) -> Store {
    for _try in 1..TRIES {
        match home.open(Arc::clone(clock), Arc::clone(chance)) {
            Err(error) if error.to_string().contains("another carillon") => std::thread::yield_now(),
            opened => return opened.unwrap(),
        }
    }
    home.open(Arc::clone(clock), Arc::clone(chance)).unwrap()
}
