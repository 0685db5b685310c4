//! Remembers. One [`Store`] holds the database, the vault that seals what must not be readable in it, and the wake
//! that tells the engine of new work.
//!
//! | noun | room |
//! | --- | --- |
//! | who is let in: accounts, keys and tokens as they are shown | [`account`] |
//! | projects | [`project`] |
//! | accounts of a project, with their roles | [`member`] |
//! | keys and tokens, given and taken | [`credential`] |
//! | who changed what | [`audit`] |
//! | sessions of the console | `session` |
//! | topics | [`topic`] |
//! | subscriptions and their sealed targets | [`subscription`] |
//! | asking subscribers, and their links | [`confirmation`] |
//! | users with several ways to be reached | [`subscription_user`] |
//! | what subscriptions want | [`filter`] |
//! | message templates | [`template`] |
//! | attributes of topics | [`attribute`] |
//! | tags of topics | [`tag`] |
//! | log tanks of topics, and the lines of the delivery log | [`logtank`] |
//! | messages | [`message`], `message_together` |
//! | who gets a message | [`recipient`] |
//! | messages to many, written down in portions | `fan_out` |
//! | in which lanes something waits, and what comes next | [`lane`] |
//! | deliveries: opened, started, settled, recovered | [`delivery`] |
//! | which attempts have begun, many in a row | `begun` |
//! | which deliveries a person means | [`pick`] |
//! | deliveries sent again, and cancelled | `resend`, `cancel` |
//! | how endpoints fare | [`health`] |
//! | telling owners of a pause | [`pause`] |
//! | why a delivery stands where it stands | [`explain`] |
//! | whom a message was meant for | [`person`] |
//! | what things are called, by their ids | `name` |
//! | the publisher's own key for a publish | [`idempotency`] |
//! | what says the same as something shortly before | `equal` |
//! | images and files that go with messages | [`attachment`] |
//! | forgetting what is old | [`retention`] |
//! | attempts as they are shown | [`attempt`] |
//! | calls that platforms count by the month | [`app_calls`] |
//! | what platforms tell by themselves | [`office_callback`] |
//! | who is gone and still named | [`office_missed`] |
//! | who is told what concerns a connection | [`office_notice`] |
//! | what happened within each five minutes | [`tally`] |
//! | a page of topics at a glance | [`glance`] |
//! | the key that signs, and its certificate | [`signing`] |
//! | which lanes this server serves | [`shard`] |
//! | handing new deliveries to the engine | [`wake`] |
//! | office apps and their credentials | [`connection`] |
//! | whom an office app reaches | [`directory`] |
//! | readings of a directory | [`office_run`], [`office_staged`], [`office_change`] |
//! | access tokens of office apps | [`office_token`] |
//! | groups of people of our own | [`office_group`] |
//! | whose a mail address or a phone number is | [`office_contact`] |
//! | what office apps sent, to be taken back | [`recall`] |
//! | members who are gone, and who they are now | [`office_merge`] |
//! | moving an installation to another database | [`copy`] |
//! | the key file, and whether it is this database's own | `key_file`, `key_check` |
//! | another master key | [`rotation`] |
//! | which database there is | `db`, and nobody else |

pub mod account;
pub mod app_calls;
pub mod attachment;
pub mod attempt;
pub mod attribute;
pub mod audit;
mod begun;
mod cancel;
pub mod confirmation;
pub mod connection;
pub mod copy;
pub mod credential;
mod db;
pub mod dead_letter;
pub mod delivery;
pub mod directory;
mod equal;
mod error;
pub mod explain;
mod fan_out;
pub mod filter;
pub mod glance;
pub mod health;
pub mod idempotency;
mod kept;
mod key_check;
mod key_file;
pub mod lane;
mod lane_index;
mod lane_places;
pub mod logtank;
pub mod member;
pub mod message;
mod message_together;
mod migrate;
mod name;
pub mod office_callback;
pub mod office_change;
pub mod office_contact;
pub mod office_group;
pub mod office_merge;
pub mod office_missed;
pub mod office_notice;
pub mod office_run;
pub mod office_staged;
pub mod office_token;
mod one_copy;
mod overflow;
pub mod pause;
pub mod person;
pub mod pick;
pub mod project;
pub mod recall;
pub mod recipient;
mod resend;
pub mod retention;
pub mod rotation;
mod sealed;
mod seat;
mod session;
mod settle_lists;
mod setup;
pub mod shard;
pub mod signing;
pub mod subscription;
pub mod subscription_user;
pub mod tag;
pub mod tally;
pub mod template;
pub mod topic;
mod topic_messages;
pub mod vault;
pub mod wake;

pub use db::{Hand, Held, NoObserver, Observer};
pub use error::Error;
pub use key_check::KeyStanding;
pub use migrate::Standing;
pub use setup::{Settings, Store};

/// A page of a list: this many rows from this place on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many rows to skip.
    pub offset: u64,
    /// How many rows to give at most.
    pub limit: u64,
}
