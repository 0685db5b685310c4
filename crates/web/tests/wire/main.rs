//! The wire as clients see it: a whole service behind the router, with pretend far ends.

mod bed;
mod confirmation;
mod detection;
mod link;
