//! What names a post and its parts, the same at every try.

use std::fmt;

use carillon_model::id::DeliveryId;

/// Names what is sent, the same at every try: the idempotency keys come from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PostKey {
    /// One delivery. What one id of a message stands for never changes, so what was rendered for one of its deliveries may
    /// be sent for another.
    Delivery(DeliveryId),
    /// A digest, by its first delivery and its last one's place: it must not look like what was tried before.
    Digest(DeliveryId, i64),
    /// What is no delivery.
    Named(&'static str),
}

impl fmt::Display for PostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivery(id) => id.fmt(f),
            Self::Digest(first, last) => write!(f, "{first}.{last}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// Names one part of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartKey {
    pub(crate) post: PostKey,
    /// The part's place, from zero.
    pub(crate) index: usize,
}

impl fmt::Display for PartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.post, self.index + 1)
    }
}

#[cfg(test)]
mod tests {
    use carillon_model::id::{DeliveryId, MessageId};

    use super::{PartKey, PostKey};

    /// What platforms have seen once they must know again after an update of the program.
    #[test]
    fn keys_are_written_as_ever() {
        let id = DeliveryId::new(MessageId::from_bytes([0xab; 16]), 7);
        let message = "ab".repeat(16);
        let written = |post| PartKey { post, index: 1 }.to_string();
        assert_eq!(written(PostKey::Delivery(id)), format!("{message}-7-2"));
        assert_eq!(written(PostKey::Digest(id, 99)), format!("{message}-7.99-2"));
        assert_eq!(written(PostKey::Named("preview")), "preview-2");
    }
}
