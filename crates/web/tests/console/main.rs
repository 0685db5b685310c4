//! The console's pages, asked for as a browser does, without a socket and without a script.

mod guard;
mod harness;
mod language;
mod pages;
