//! Where the bytes of images and files are: whoever starts a server brings it.

use carillon_model::id::AttachmentId;

use crate::shelf::Promise;

/// What there is of an image or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// All of it.
    Bytes(Vec<u8>),
    /// Nothing any more.
    Gone,
    /// The depot cannot be read now.
    Unknown,
}

/// A place for the bytes of images and files.
pub trait Depot: Send + Sync {
    /// The bytes of one.
    fn bytes(&self, id: AttachmentId) -> Promise<'_, Held>;
}
