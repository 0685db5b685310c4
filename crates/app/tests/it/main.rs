//! The whole program from outside: the real server as a child process, simulated platforms in the test's own, and
//! only what a user has in between: HTTP, the command line, files and signals.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may fail in any of its helpers, speaks to its own server only, and runs on the real clock"
)]

mod auth;
mod canary;
mod chats;
mod cli;
mod cli_access;
mod cli_all;
mod cli_send;
mod cli_try;
mod client;
mod copy;
mod crash;
mod crash_one;
mod deep;
mod delivery_log;
mod doctor;
mod harness;
mod health;
mod load;
mod mail;
mod many;
mod migrate;
mod nasty;
mod neighbours;
mod nodes;
mod office;
mod office_callback;
mod office_calls;
mod office_canary;
mod office_cards;
mod office_doctor;
mod office_files;
mod office_large;
mod office_missed;
mod office_nodes;
mod office_people;
mod office_recall;
mod office_thousand;
mod office_topic;
mod office_work;
mod pause;
mod postgres;
#[path = "../../../store/tests/contract/postgres.rs"]
#[expect(dead_code, reason = "it is shared with other tests")]
mod postgres_server;
mod purge;
mod refusals;
mod refused_fields;
mod rolling;
mod rotation;
mod sign;
mod smn;
mod smn_chats;
mod storm;
mod verdicts;
