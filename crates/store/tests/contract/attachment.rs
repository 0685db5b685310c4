//! Images and files that go with messages.

use std::time::Duration;

use carillon_model::attachment::PictureFormat;
use carillon_model::id::{AttachmentId, ProjectId};
use carillon_model::limits;
use carillon_store::attachment::{AttachmentAdded, KeptAttachment};

use crate::harness::{Bed, Home};

/// Bytes of several pieces and a bit, none like the next.
fn file(count: usize) -> Vec<u8> {
    (0..count).map(|at| u8::try_from(at % 251).unwrap() ^ u8::try_from(at / 65_536 % 256).unwrap()).collect()
}

async fn added<H: Home>(bed: &Bed<H>, bytes: &[u8]) -> KeptAttachment {
    match bed.store.attachment_add(&bed.project, bytes).await.unwrap() {
        AttachmentAdded::Kept(kept) => kept,
        AttachmentAdded::Full => panic!("the project is full"),
    }
}

fn pieces<H: Home>(bed: &Bed<H>) -> i64 {
    bed.home.number("SELECT count(*) FROM attachment_piece")
}

pub(crate) async fn bytes_come_back_whole_and_once<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let large = file(20 * 65_536 + 7);
    let kept = added(&bed, &large).await;
    assert_eq!((kept.bytes, kept.picture), (20 * 65_536 + 7, None));
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x04".to_vec();
    png.extend(file(100));
    let picture = added(&bed, &png).await;
    let bed = bed.reopen();
    assert_eq!(bed.store.attachment_bytes(kept.id).await.unwrap(), Some(large.clone()));
    assert_eq!(bed.store.attachment_bytes(picture.id).await.unwrap(), Some(png));
    // The same bytes again are the same attachment.
    assert_eq!((added(&bed, &large).await, pieces(&bed)), (kept.clone(), 22));
    // As a push finds them, in whatever order.
    let nobody = AttachmentId::from_bytes([9; 16]);
    let mut used = bed.store.attachment_use(&bed.project, &[nobody, picture.id, kept.id]).await.unwrap();
    used.sort_by_key(|one| one.bytes);
    assert_eq!(used, [picture.clone(), kept.clone()]);
    let seen = used[0].picture.unwrap();
    assert_eq!((seen.format, seen.size), (PictureFormat::Png, Some((3, 4))));
    assert_eq!(bed.store.attachment_bytes(nobody).await.unwrap(), None);
    // Nothing at all is a file too; which platform takes it is not the store's business.
    let nothing = added(&bed, b"").await;
    assert_eq!(bed.store.attachment_bytes(nothing.id).await.unwrap(), Some(Vec::new()));

    // One that was cut short is not there, and handing it in again goes on.
    bed.home.alter("UPDATE attachment SET whole = 0");
    bed.home.alter("DELETE FROM attachment_piece WHERE number > 3");
    assert_eq!(bed.store.attachment_bytes(kept.id).await.unwrap(), None);
    assert!(bed.store.attachment_use(&bed.project, &[kept.id]).await.unwrap().is_empty());
    assert_eq!(added(&bed, &large).await, kept);
    assert_eq!(bed.store.attachment_bytes(kept.id).await.unwrap(), Some(large));
}

pub(crate) async fn what_no_message_needs_is_forgotten_in_pieces<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let pushed = added(&bed, &file(17 * 65_536)).await;
    let unused = added(&bed, b"nobody wants it").await;
    bed.store.attachment_use(&bed.project, &[pushed.id]).await.unwrap();
    bed.clock.advance(limits::ATTACHMENT_UNUSED_LIFE);
    assert!(!bed.store.attachment_forget().await.unwrap());
    bed.clock.advance(Duration::from_secs(1));
    assert!(bed.store.attachment_forget().await.unwrap());
    assert!(!bed.store.attachment_forget().await.unwrap());
    assert_eq!(bed.store.attachment_bytes(unused.id).await.unwrap(), None);
    assert_eq!(pieces(&bed), 17);

    // Named again it stays; then it goes, a few pieces at a time.
    bed.clock.advance(limits::ATTACHMENT_LIFE - Duration::from_secs(24 * 60 * 60));
    bed.store.attachment_use(&bed.project, &[pushed.id]).await.unwrap();
    bed.clock.advance(limits::ATTACHMENT_LIFE);
    assert!(!bed.store.attachment_forget().await.unwrap());
    bed.clock.advance(Duration::from_secs(1));
    assert!(bed.store.attachment_forget().await.unwrap());
    assert_eq!(pieces(&bed), 1);
    // What is half gone is not there, but can be handed in again.
    assert_eq!(bed.store.attachment_bytes(pushed.id).await.unwrap(), None);
    assert_eq!(added(&bed, &file(17 * 65_536)).await.id, pushed.id);
    assert_eq!(pieces(&bed), 17);
    assert!(!bed.store.attachment_forget().await.unwrap());
    bed.clock.advance(limits::ATTACHMENT_LIFE * 2);
    while bed.store.attachment_forget().await.unwrap() {}
    let rows = bed.home.number("SELECT count(*) FROM attachment");
    assert_eq!((rows, pieces(&bed)), (0, 0));
}

pub(crate) async fn a_project_keeps_its_own_and_not_too_much<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let kept = added(&bed, b"of this project").await;
    let other = ProjectId::parse("0123456789abcdef0123456789abcdef").unwrap();
    assert!(bed.store.attachment_use(&other, &[kept.id]).await.unwrap().is_empty());
    let theirs = bed.store.attachment_add(&other, b"of this project").await.unwrap();
    assert!(matches!(theirs, AttachmentAdded::Kept(theirs) if theirs.id != kept.id));

    let most = limits::ATTACHMENTS_BYTES_MAX;
    bed.home.alter(&format!("UPDATE attachment SET bytes = {most} WHERE id = '{}'", kept.id));
    assert_eq!(bed.store.attachment_add(&bed.project, b"more").await.unwrap(), AttachmentAdded::Full);
    let again = bed.store.attachment_add(&bed.project, b"of this project").await.unwrap();
    assert!(matches!(again, AttachmentAdded::Kept(_)), "what is kept already needs no room");
    assert!(matches!(bed.store.attachment_add(&other, b"more").await.unwrap(), AttachmentAdded::Kept(_)));
}
