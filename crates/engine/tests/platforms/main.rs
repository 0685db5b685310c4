//! The engine with a real store and the strict simulator, in simulated time: hours of the platforms' limits pass in
//! seconds, and every request is judged by the simulator's own rooms.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail in any of its helpers")]

mod bed;
mod clock;
mod counted;
mod penalty;
mod retention;
mod storm;
