use std::sync::Arc;

use carillon_model::attachment::{Attachment, AttachmentKind};
use carillon_model::id::{AttachmentId, SubscriptionId};
use carillon_model::message::{Body, Kind, Locale, Mentions, Priority};
use carillon_model::{Channel, Timestamp};
use carillon_store::delivery::{Ready, StoredMessage};
use proptest::prelude::*;

use super::{compose, together};
use crate::lane::tests::ready;

/// Half a minute past three at night.
const START: i64 = 1_735_786_830_000;

fn one(seq: i64, title: Option<&str>, body: Body, priority: Priority) -> (Ready, Body) {
    let base = ready(seq, priority);
    let mut message = base.stored.message.clone();
    message.created_at = Timestamp(START + seq * 1_000);
    let stored = StoredMessage { message, topic_name: base.stored.topic_name.clone() };
    let body = Body { title: title.map(str::to_owned), ..body };
    (Ready { stored: Arc::new(stored), ..base }, body)
}

fn composed(parts: &[(Ready, Body)]) -> Option<Body> {
    let parts: Vec<(&Ready, Body)> = parts.iter().map(|(ready, body)| (ready, body.clone())).collect();
    compose(&parts, Channel::Lark)
}

fn in_chinese((ready, body): (Ready, Body)) -> (Ready, Body) {
    let mut stored = (*ready.stored).clone();
    stored.message.locale = Locale::Chinese;
    (Ready { stored: Arc::new(stored), ..ready }, body)
}

fn storm() -> Vec<(Ready, Body)> {
    vec![
        one(1, Some("Disk"), Body::text("db-1 90%"), Priority::Normal),
        one(2, Some("Disk"), Body::text("db-1 95%"), Priority::Normal),
        one(3, Some("CPU"), Body::text("db-2 hot"), Priority::Normal),
        one(4, Some("Disk"), Body::text("db-1 90%"), Priority::Normal),
        one(5, Some("Fire"), Body::text("room 4"), Priority::Urgent),
    ]
}

#[test]
fn groups_by_subject_urgent_first() {
    let body = composed(&storm()).unwrap();
    insta::assert_snapshot!(format!("{}\n---\n{}", body.title.unwrap(), body.text), @r"
    5 messages, 03:00:31–03:00:35 UTC: Fire and 2 more
    ---
    ■ Fire
    03:00:35 room 4

    ■ Disk (3, 03:00:31–03:00:34 UTC)
    03:00:34 ×2 (newest) db-1 90%
    03:00:32 db-1 95%

    ■ CPU
    03:00:33 db-2 hot
    ");
}

/// What fires, ends and fires again ends with the state that it had last, not with the text that came last for the first time.
#[test]
fn the_newest_state_of_each_subject_stands_first_and_is_named() {
    let state = |seq, title, text: &str| one(seq, Some(title), Body::text(text), Priority::Normal);
    let parts = [
        state(1, "Disk", "firing"),
        state(2, "Disk", "resolved"),
        state(3, "CPU", "firing"),
        state(4, "Disk", "firing"),
        one(5, Some("Fire"), Body::text("room 4"), Priority::Urgent),
        state(6, "CPU", "resolved"),
        state(7, "Fire", "out"),
    ];
    insta::assert_snapshot!(composed(&parts).unwrap().text, @r"
    ■ Fire (2, 03:00:35–03:00:37 UTC)
    03:00:37 (newest) out
    03:00:35 room 4

    ■ Disk (3, 03:00:31–03:00:34 UTC)
    03:00:34 ×2 (newest) firing
    03:00:32 resolved

    ■ CPU (2, 03:00:33–03:00:36 UTC)
    03:00:36 (newest) resolved
    03:00:33 firing
    ");
    let untitled = [1, 2, 3].map(|seq| one(seq, None, Body::text(format!("line {seq}")), Priority::Normal));
    insta::assert_snapshot!(composed(&untitled).unwrap().text, @r"
    03:00:31 line 1
    03:00:32 line 2
    03:00:33 line 3
    ");
    let chinese = parts.map(in_chinese);
    assert!(composed(&chinese).unwrap().text.contains("（最新）"));
}

#[test]
fn markdown_and_text_stand_together() {
    let parts = [
        one(1, Some("A*B"), Body::text("a_b <at id=all>\n    at x()"), Priority::Normal),
        one(2, None, Body::markdown("| a |\n|---|\n| 1 |"), Priority::Normal),
    ];
    let body = composed(&parts).unwrap();
    insta::assert_snapshot!(body.text.replace('\u{a0}', "·"), @r"
    **A\*B**

    03:00:31

    a\_b \<at id=all\>
    ····at x\(\)

    03:00:32

    | a |
    |---|
    | 1 |
    ");
}

#[test]
fn speaks_chinese_to_whom_it_should() {
    let parts: Vec<(Ready, Body)> = storm().into_iter().map(in_chinese).collect();
    let title = composed(&parts).unwrap().title.unwrap();
    assert_eq!(title, "5 条消息，03:00:31–03:00:35 UTC：Fire 等 3 类");
}

#[test]
fn everybody_is_still_pinged() {
    let with = |seq, all, id: &str| {
        let mentions = Mentions { all, mobiles: Vec::new(), user_ids: vec![id.to_owned()] };
        one(seq, None, Body { mentions, ..Body::text("x") }, Priority::Normal)
    };
    let mentions =
        composed(&[with(1, false, "u1"), with(2, true, "u2"), with(3, false, "u1")]).unwrap().mentions;
    assert_eq!((mentions.all, mentions.user_ids), (true, vec!["u1".to_owned(), "u2".to_owned()]));
}

#[test]
fn what_has_partly_arrived_goes_on_alone() {
    let with = |parts: [u32; 4]| -> Vec<Ready> {
        let numbered = parts.into_iter().zip(1_i64..);
        numbered.map(|(parts_done, seq)| Ready { parts_done, ..ready(seq, Priority::Normal) }).collect()
    };
    for (parts, count) in [([0, 0, 0, 0], 4), ([1, 0, 0, 0], 1), ([0, 0, 2, 0], 2), ([0, 1, 0, 0], 1)] {
        assert_eq!(together(&with(parts), Channel::Lark).len(), count, "{parts:?}");
    }
    assert!(together(&[], Channel::Email).is_empty());
}

#[test]
fn what_has_a_file_goes_alone() {
    let plain = |seq| one(seq, None, Body::text("x"), Priority::Normal).0;
    let mut with = plain(2);
    let mut stored = (*with.stored).clone();
    stored.message.content.default.attachments.push(Attachment {
        id: AttachmentId::from_bytes([1; 16]),
        kind: AttachmentKind::Image,
        name: "a.png".to_owned(),
        bytes: 1,
    });
    with.stored = Arc::new(stored);
    let batch = [plain(1), with, plain(3), plain(4)];
    let counts = [0, 1, 2].map(|from| together(&batch[from..], Channel::Office).len());
    assert_eq!(counts, [1, 1, 2]);
}

#[test]
fn a_mail_is_of_one_subscription_and_what_asks_is_alone() {
    let subscription = ready(1, Priority::Normal).subscription;
    let all = || -> Vec<Ready> {
        (1..=4).map(|seq| Ready { subscription, ..ready(seq, Priority::Normal) }).collect()
    };
    assert_eq!(together(&all(), Channel::Email).len(), 4);
    let mut batch = all();
    batch[2].subscription = SubscriptionId::parse("0190a0b0c0d0e0f0000000000000beef").unwrap();
    assert_eq!((together(&batch, Channel::Email).len(), together(&batch, Channel::Lark).len()), (2, 4));
    let mut batch = all();
    let mut stored = (*batch[0].stored).clone();
    stored.message.content.kind = Kind::SubscriptionConfirmation;
    batch[0].stored = Arc::new(stored);
    assert_eq!(together(&batch, Channel::Email).len(), 1);
}

#[test]
fn one_is_no_digest() {
    assert!(composed(&storm()[..1]).is_none());
    assert!(composed(&[]).is_none());
}

proptest! {
    /// Every text is in it, whole.
    #[test]
    fn nothing_is_left_out(texts in proptest::collection::vec("[a-z0-9 磁盘]{1,40}", 2..40)) {
        let parts: Vec<(Ready, Body)> = texts
            .iter()
            .zip(1_i64..)
            .map(|(text, seq)| one(seq, Some(&format!("s{}", seq % 3)), Body::text(text.as_str()), Priority::Normal))
            .collect();
        let body = composed(&parts).unwrap();
        for text in texts {
            prop_assert!(body.text.contains(&text));
        }
    }
}
