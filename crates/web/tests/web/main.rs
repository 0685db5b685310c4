//! The router with a real service and a real store; no engine runs, so that deliveries stay where a test puts them.
#![expect(clippy::unwrap_used, reason = "a test may fail in any of its helpers")]

mod equal;
mod explain;
mod explain_who;
mod harness;
mod idempotency;
mod moves;
mod trial;
