//! Office apps: the company's own app on Lark, Feishu, DingTalk or WeCom, and whom it reaches.
//!
//! | word | room |
//! | --- | --- |
//! | callback: what proves a platform's word about changes | [`callback`] |
//! | calls: how many an app makes in a month | [`calls`] |
//! | connection: a registered app, with its credentials | [`connection`] |
//! | directory: what it lets us read, and what an update changes | [`directory`] |
//! | contact: a mail address or phone number of a member | [`contact`] |
//! | recipient: a member, department, group or chat | [`recipient`] |

pub mod callback;
pub mod calls;
pub mod connection;
pub mod contact;
pub mod directory;
pub mod recipient;

pub use connection::{App, Connection, Platform};
pub use directory::{Chat, Department, Member, Range};
pub use recipient::{Recipient, RecipientKind};
