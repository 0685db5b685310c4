//! The console's pages, asked for as a browser does, without a socket and without a script.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod access;
mod dead;
mod directory;
mod endpoint;
mod guard;
mod harness;
mod language;
mod office;
mod overview;
mod pages;
mod send;
mod sure;
mod template;
mod users;
