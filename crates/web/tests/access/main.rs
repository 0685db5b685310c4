//! Who may call what: one table of every path, walked by everybody.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail in any of its helpers")]

mod account;
mod actions;
mod console;
mod house;
mod publisher;
mod table;
mod walk;
