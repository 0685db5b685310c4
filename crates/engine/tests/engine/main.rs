//! The engine with a real store and the simulated platforms.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail in any of its helpers")]

mod asked;
mod harness;
mod health;
mod overflow;
mod overload;
mod retain;
mod stop;
