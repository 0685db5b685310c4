//! What runs by itself: carries deliveries out. It never meets the service; they meet in the store.
//!
//! | what | room |
//! | --- | --- |
//! | the loop: arrivals, lanes, due times, stopping | [`engine`](Engine), in `run` |
//! | what an operator sets | [`Settings`] |
//! | one lane: what waits for one endpoint, in order | `lane` |
//! | its posts that are tried again whole | `held` |
//! | the lanes that wait for a time | `timer` |
//! | starts of many lanes that do not come together | `spread` |
//! | writing down deliveries of messages to many | `fan_out` |
//! | entering what waits into the index by lane | `lane_index` |
//! | a lane's turn: where to, and whether it may | `turn` |
//! | one post | `send` |
//! | how many posts are under way at once | `gate` |
//! | pauses of hosts and organisations | `hold` |
//! | telling owners of a pause | `tell`; what a notice is: `notice` |
//! | telling who is gone | `missed` |
//! | calls per month: written down, watched | `month` |
//! | several deliveries in one post | `digest` |
//! | what attempts came back as, counted | `count` |
//! | lines for topics with log tanks | [`delivery_log`](DeliveryLog) |
//! | writing down what began and what ended, in batches | `settle` |
//! | forgetting what is old | `retain` |
//! | reading directories | `directory` |
//! | numbers for the operator | [`metrics`] |

mod afterwards;
mod count;
mod delivery_log;
mod digest;
mod directory;
mod fan_out;
mod gate;
mod held;
mod hold;
mod lane;
pub mod metrics;
mod missed;
mod month;
mod notice;
mod origin;
mod queue;
mod retain;
mod run;
mod send;
mod settings;
mod settle;
mod share;
mod spread;
mod tell;
mod timer;
mod turn;

pub use delivery_log::{DeliveryLog, WriteLines};
pub use metrics::Metrics;
pub use run::Engine;
pub use settings::{Parts, Settings};
