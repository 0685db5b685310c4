//! Where the servers that share a database keep the access tokens of their apps, so that each is fetched once. Whoever
//! starts a server brings the shelf; without one, tokens are kept in memory only.

use std::pin::Pin;

use carillon_model::{SecretText, Timestamp};

/// What there is of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shelved {
    /// It is here, and is to be renewed then.
    Token(SecretText, Timestamp),
    /// It is not, and whoever asked is the one to fetch it.
    Fetch,
    /// Another server is fetching it.
    Wait,
    /// The shelf cannot be reached.
    Unknown,
}

/// What a shelf promises.
pub type Promise<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A place for tokens, by a digest of their apps' credentials. What fails in it is its own business: a token that is not
/// kept is fetched again.
pub trait Shelf: Send + Sync {
    /// The token, or who is to fetch it.
    fn take(&self, key: [u8; 32]) -> Promise<'_, Shelved>;
    /// Keeps a token that was fetched.
    fn put(&self, key: [u8; 32], text: SecretText, renew_at: Timestamp) -> Promise<'_, ()>;
    /// Whoever was to fetch it could not.
    fn leave(&self, key: [u8; 32]) -> Promise<'_, ()>;
    /// The platform called the token dead that was to be renewed then.
    fn forget(&self, key: [u8; 32], renew_at: Timestamp) -> Promise<'_, ()>;
}
