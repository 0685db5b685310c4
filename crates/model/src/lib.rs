//! What things are and the rules they obey. No input or output happens here.
//!
//! | word | room |
//! | --- | --- |
//! | project, topic, subscription, message, delivery, attempt ids | [`id`] |
//! | the names clients see | [`urn`] |
//! | channel: the kind of way a message goes | [`channel`] |
//! | endpoint: the address inside a subscription | [`endpoint`] |
//! | subscription and its extension | [`subscription`] |
//! | log tank: that a topic's deliveries are logged | [`logtank`] |
//! | subscription user: somebody with several ways to be reached | [`subscription_user`] |
//! | filter policy: which messages a subscription wants | [`filter`] |
//! | message: what a publisher handed in | [`message`] |
//! | attachment: an image or a file that goes with a message | [`attachment`] |
//! | delivery: one message on its way to one endpoint | [`delivery`] |
//! | outcome: what an attempt came back as | [`outcome`] |
//! | when to try again | [`retry`] |
//! | when an endpoint is left alone | [`health`] |
//! | how fast an endpoint may be sent to | [`rate`], [`pace`] |
//! | what a pause reaches | [`scope`] |
//! | the links a subscriber follows | [`link`] |
//! | template: a text with placeholders | [`template`] |
//! | access policy: who else may use a topic | [`access_policy`] |
//! | office apps, their directories and recipients | [`office`] |
//! | tag: a key and a value on a topic | [`tag`] |
//! | role: what an account may do in a project | [`role`], [`account`] |
//! | deed: what the audit log tells of | [`audit`] |
//! | every limit of the product | [`limits`]; those that the operator sets: [`quota`] |
//! | time and chance, which are always arguments | [`clock`], [`chance`] |

pub mod access_policy;
pub mod account;
pub mod attachment;
pub mod audit;
pub mod chance;
pub mod channel;
pub mod clock;
pub mod delivery;
pub mod endpoint;
pub mod error;
pub mod filter;
pub mod health;
pub mod id;
pub mod limits;
pub mod link;
pub mod logtank;
mod mailbox;
pub mod message;
pub mod office;
pub mod outcome;
pub mod pace;
pub mod quota;
pub mod rate;
pub mod retry;
pub mod role;
pub mod scope;
pub mod secret;
pub mod subscription;
pub mod subscription_user;
pub mod tag;
pub mod template;
pub mod text;
pub mod topic;
pub mod urn;

pub use chance::{Chance, SystemChance};
pub use channel::Channel;
pub use clock::{Clock, SystemClock, Timestamp};
pub use error::{Field, Invalid};
pub use secret::SecretText;
