//! Images and files: handed in first, named by pushes afterwards.

use carillon_model::attachment::{Attachment, AttachmentKind, check, check_name};
use carillon_model::id::AttachmentId;
use carillon_model::office::Platform;
use carillon_model::role::Right;
use carillon_model::{Field, Invalid, limits};
use carillon_store::attachment::{AttachmentAdded, KeptAttachment};

use crate::error::Error;
use crate::{Caller, Service};

/// An image or a file as a push names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedAttachment {
    /// Its id.
    pub id: AttachmentId,
    /// What it is to be shown as.
    pub kind: AttachmentKind,
    /// The file's name; images need none.
    pub name: Option<String>,
}

impl Service {
    /// Whether a caller may keep images and files, to be asked before any of one is read.
    ///
    /// # Errors
    /// When it may not.
    pub fn may_attach(&self, caller: &Caller) -> Result<(), Error> {
        caller.may(Right::Publish)
    }

    /// Keeps the bytes of an image or a file, for pushes to name. The same bytes again are the same attachment.
    ///
    /// # Errors
    /// When it is too large, the project keeps too much already, or nothing can be stored.
    pub async fn add_attachment(&self, caller: &Caller, bytes: &[u8]) -> Result<KeptAttachment, Error> {
        // As with pushes: a publisher of named topics has no use for it.
        caller.may(Right::Publish)?;
        if bytes.is_empty() {
            return Err(Invalid::new(Field::Attachment, "must not be empty").into());
        }
        if bytes.len() > limits::ATTACHMENT_BYTES_MAX {
            return Err(Invalid::new(Field::Attachment, "must be at most 31457280 bytes (30 MiB)").into());
        }
        match self.store.attachment_add(&caller.project, bytes).await? {
            AttachmentAdded::Kept(kept) => Ok(kept),
            AttachmentAdded::Full => Err(Error::AttachmentsFull),
        }
    }

    /// What a push names, looked up, and checked against what the platform takes.
    pub(crate) async fn attachments(
        &self,
        caller: &Caller,
        platform: Platform,
        named: Vec<NamedAttachment>,
    ) -> Result<Vec<Attachment>, Error> {
        if named.is_empty() {
            return Ok(Vec::new());
        }
        if named.len() > limits::ATTACHMENTS_MAX {
            return Err(Invalid::new(Field::Files, "a push has at most 10 images and files").into());
        }
        let ids: Vec<AttachmentId> = named.iter().map(|one| one.id).collect();
        let kept = self.store.attachment_use(&caller.project, &ids).await?;
        let mut attachments = Vec::with_capacity(named.len());
        for one in named {
            let rule = "must name what was handed in at /api/v1/attachments, a day ago at most, or pushed within 7 days";
            let found = kept.iter().find(|kept| kept.id == one.id);
            let found = found.ok_or_else(|| Invalid::new(one.kind.field(), rule))?;
            let name = match (one.name, one.kind) {
                (Some(name), _) => name,
                (None, AttachmentKind::Image) => {
                    format!("image.{}", found.picture.map_or("bin", |picture| picture.format.name()))
                }
                (None, AttachmentKind::File) => {
                    return Err(Invalid::new(Field::Files, "each file needs a name").into());
                }
            };
            check_name(one.kind, &name)?;
            let attachment = Attachment { id: one.id, kind: one.kind, name, bytes: found.bytes };
            check(platform, &attachment, found.picture)?;
            attachments.push(attachment);
        }
        Ok(attachments)
    }
}
