//! The providers' shelf for tokens, in the store.

use carillon_model::{SecretText, Timestamp};
use carillon_provider::{Promise, Shelf, Shelved};
use carillon_store::{Error, Store, office_token};

/// Tokens that the servers of a database share.
pub(crate) struct SharedTokens(pub(crate) Store);

fn told(done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::warn!(%error, "an app's token is not shared with the other servers");
    }
}

impl Shelf for SharedTokens {
    fn take(&self, key: [u8; 32]) -> Promise<'_, Shelved> {
        Box::pin(async move {
            match self.0.office_token_take(key).await {
                Ok(office_token::Shelved::Token(text, renew_at)) => Shelved::Token(text, renew_at),
                Ok(office_token::Shelved::Fetch) => Shelved::Fetch,
                Ok(office_token::Shelved::Wait) => Shelved::Wait,
                Err(error) => {
                    told(Err(error));
                    Shelved::Unknown
                }
            }
        })
    }

    fn put(&self, key: [u8; 32], text: SecretText, renew_at: Timestamp) -> Promise<'_, ()> {
        Box::pin(async move { told(self.0.office_token_put(key, &text, renew_at).await) })
    }

    fn leave(&self, key: [u8; 32]) -> Promise<'_, ()> {
        Box::pin(async move { told(self.0.office_token_leave(key).await) })
    }

    fn forget(&self, key: [u8; 32], renew_at: Timestamp) -> Promise<'_, ()> {
        Box::pin(async move { told(self.0.office_token_drop(key, renew_at).await) })
    }
}
