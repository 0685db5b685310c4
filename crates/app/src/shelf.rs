//! What the providers find in the store: the shelf for tokens and uploads, and the depot of images and files.

use carillon_model::id::AttachmentId;
use carillon_model::{SecretText, Timestamp};
use carillon_provider::{Depot, Held, Promise, Shelf, Shelved};
use carillon_store::{Error, Store, office_token};

/// Images and files that were handed in.
pub(crate) struct KeptFiles(pub(crate) Store);

impl Depot for KeptFiles {
    fn bytes(&self, id: AttachmentId) -> Promise<'_, Held> {
        Box::pin(async move {
            match self.0.attachment_bytes(id).await {
                Ok(Some(bytes)) => Held::Bytes(bytes),
                Ok(None) => Held::Gone,
                Err(error) => {
                    tracing::error!(%error, "an image or a file cannot be read; it is sent later");
                    Held::Unknown
                }
            }
        })
    }
}

/// Tokens that the servers of a database share, and what the platforms call what was uploaded.
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
