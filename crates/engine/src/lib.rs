//! What runs by itself: carries deliveries out. It never meets the service; they meet in the store.
//!
//! | what | room |
//! | --- | --- |
//! | the loop: arrivals, lanes, due times, stopping | [`engine`](Engine), in `run` |
//! | one lane: what waits for one endpoint, in order | `lane` |
//! | the lanes that wait for a time | `timer` |
//! | one post | `send` |
//! | several deliveries in one post | `digest` |
//! | writing down what began and what ended, in batches | `settle` |
//! | forgetting what is old | `retain` |
//! | numbers for the operator | [`metrics`] |

mod digest;
mod lane;
pub mod metrics;
mod origin;
mod retain;
mod run;
mod send;
mod settle;
mod share;
mod timer;

pub use metrics::Metrics;
pub use run::{Engine, Parts, Settings};
