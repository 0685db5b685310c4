//! A text of which copies cost nothing: a request's body that many requests carry.

use std::ops::Deref;

use bytes::Bytes;

/// A text that is shared by its copies.
#[derive(Clone, Default)]
pub(crate) struct SharedText(Bytes);

impl SharedText {
    /// The same as bytes.
    pub(crate) fn bytes(&self) -> Bytes {
        self.0.clone()
    }
}

impl From<String> for SharedText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        // It is made of texts only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}
