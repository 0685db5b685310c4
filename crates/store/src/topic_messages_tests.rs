//! What a topic has, whatever became of the transaction that entered it.

use std::sync::Arc;

use carillon_model::chance::SeededChance;
use carillon_model::clock::{TestClock, Timestamp};
use carillon_model::id::{MessageId, ProjectId, TopicId};
use carillon_model::message::{Body, Content, Kind, Locale, Message, Priority};
use carillon_model::topic::TopicName;

use super::{TopicMark, collect, enter, set_mark};
use crate::db::{Db, Hand, NoObserver, Place, Tx};
use crate::delivery::StoredMessage;
use crate::error::Error;
use crate::setup::{Settings, Store};

struct Bed {
    db: Db,
    mark: Arc<TopicMark>,
    _directory: tempfile::TempDir,
}

fn bed() -> Bed {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("carillon.db");
    let db = Db::open(Place::Sqlite(&path), Timestamp(0), Arc::new(NoObserver), |_tx| Ok(())).unwrap();
    Bed { db, mark: Arc::default(), _directory: directory }
}

fn message(at: i64) -> StoredMessage {
    let now = Timestamp(at);
    let chance = SeededChance::new(u64::try_from(at).unwrap());
    let content = Content {
        kind: Kind::Published,
        subject: None,
        default: Body::text("full"),
        channels: [].into(),
        only: None,
    };
    let message = Message {
        id: MessageId::new(now, &chance),
        project: ProjectId::parse("0970dd7a1300f5672ff2c003c60ae115").unwrap(),
        topic: TopicId::new(now, &chance),
        content,
        priority: Priority::Normal,
        locale: Locale::English,
        created_at: now,
        expires_at: now,
    };
    StoredMessage { message, topic_name: TopicName::parse("ops").unwrap() }
}

impl Bed {
    /// Writes a message of this time.
    async fn write(&self, at: i64) {
        let (mark, stored) = (Arc::clone(&self.mark), message(at));
        let work = move |tx: &mut Tx<'_>| {
            crate::message::insert_message(tx, &stored, 0, None)?;
            mark.saw(tx, &stored)
        };
        self.db.write_flow(work, |()| ()).await.unwrap();
    }

    async fn ids(&self, sql: &'static str) -> Vec<String> {
        let rows = self.db.read(move |tx: &mut Tx<'_>| tx.query("message", sql, &[])).await.unwrap();
        rows.into_iter().map(|mut row| row.text().unwrap()).collect()
    }

    async fn entered(&self) -> Vec<String> {
        self.ids("SELECT id FROM topic_message ORDER BY id").await
    }

    async fn accepted(&self) -> Vec<String> {
        self.ids("SELECT id FROM message ORDER BY id").await
    }

    /// Looks where a portion ends, and is undone then if it is to be.
    async fn next(&self, fails: bool) -> Result<Option<MessageId>, Error> {
        let mark = Arc::clone(&self.mark);
        let work = move |tx: &mut Tx<'_>| {
            let next = mark.next(tx)?;
            if fails { Err(Error::Conflict) } else { Ok(next) }
        };
        self.db.write_flow(work, |_next| ()).await
    }

    /// Reads a portion, has this done, and writes it.
    async fn enter(&self, upto: MessageId, meanwhile: impl Future<Output = ()>) {
        let slices = self.db.read(move |tx| collect(tx, upto)).await.unwrap();
        meanwhile.await;
        let write = move |tx: &mut Tx<'_>| {
            slices.iter().try_for_each(|slice| enter(tx, slice))?;
            set_mark(tx, upto)
        };
        self.db.write_flow(write, |()| ()).await.unwrap();
    }
}

#[tokio::test]
async fn what_comes_between_reading_and_writing_is_not_left_out() {
    let bed = bed();
    assert_eq!(bed.next(false).await.unwrap(), None, "there is nothing yet");
    bed.write(1_000).await;
    bed.write(9_000).await;
    assert!(bed.entered().await.is_empty(), "both wait for more");
    let upto = bed.next(false).await.unwrap().unwrap();
    bed.enter(upto, async {
        bed.write(5_000).await;
        bed.write(9_500).await;
    })
    .await;
    let accepted = bed.accepted().await;
    assert_eq!(bed.entered().await, accepted[..3]);
    let upto = bed.next(false).await.unwrap().unwrap();
    assert_eq!(upto.to_string(), accepted[3]);
    bed.enter(upto, async {}).await;
    assert_eq!(bed.entered().await, accepted);
}

#[tokio::test]
async fn nothing_is_left_out_after_a_portion_that_was_undone() {
    let bed = bed();
    bed.next(false).await.unwrap();
    bed.write(1_000).await;
    bed.write(9_000).await;
    bed.next(true).await.unwrap_err();
    // The server takes it for one of the portion now.
    bed.write(5_000).await;
    bed.write(9_500).await;
    let upto = bed.next(false).await.unwrap().unwrap();
    bed.enter(upto, async {}).await;
    assert_eq!(bed.entered().await, bed.accepted().await);
    assert_eq!(bed.next(false).await.unwrap(), None);
}

fn store_by_hand() -> (Store, Hand, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings { data_dir: directory.path().to_owned(), key_file: None, database_url: None };
    let clock = Arc::new(TestClock::at(Timestamp(900_000)));
    let chance = Arc::new(SeededChance::new(7));
    let (store, hand) = Store::open_by_hand(&settings, clock, chance, Arc::new(NoObserver)).unwrap();
    (store, hand, directory)
}

/// Does what waits in the order in which it was asked for, piece by piece, until this is done.
async fn by_hand<T>(hand: &mut Hand, work: impl Future<Output = T>) -> T {
    let drive = async {
        loop {
            hand.waiting().await;
            hand.commit(1).answer();
        }
    };
    tokio::select! {
        biased;
        done = work => done,
        never = drive => never,
    }
}

#[tokio::test]
async fn what_is_forgotten_meanwhile_is_not_entered() {
    let (store, mut hand, _directory) = store_by_hand();
    let count = |sql: &'static str| {
        let db = store.db.clone();
        async move { db.read(move |tx: &mut Tx<'_>| tx.query_one("message", sql, &[])).await.unwrap().is_some() }
    };
    by_hand(&mut hand, async {
        store.topic_messages_enter().await.unwrap();
        store.message_publish(message(1_000), Vec::new()).await.unwrap();
        let (enter, forget) = (store.topic_messages_enter(), store.message_forget(Timestamp(800_000), 500));
        // Whoever enters them is always asked first.
        let (entered, forgotten) = tokio::join!(biased; enter, forget);
        entered.unwrap();
        assert_eq!(forgotten.unwrap().messages, 1);
        assert!(!count("SELECT 1 FROM message").await);
        assert!(!count("SELECT 1 FROM topic_message").await, "it is of no message");
    })
    .await;
}

#[tokio::test]
async fn where_nothing_can_be_written_a_topic_is_shown_as_far_as_it_goes() {
    let (store, mut hand, _directory) = store_by_hand();
    let stored = message(1_000);
    let list = || store.message_list(&stored.message.project, Some("ops".to_owned()), None, None, 10);
    by_hand(&mut hand, async {
        store.topic_messages_behind().await;
        store.topic_messages_enter().await.unwrap();
        store.message_publish(stored.clone(), Vec::new()).await.unwrap();
    })
    .await;
    let full = async {
        // Whether any is behind; then the first thing that is to be written; then the list.
        hand.waiting().await;
        hand.commit(1).answer();
        hand.waiting().await;
        hand.refuse(1, "no space left");
        hand.waiting().await;
        hand.commit(1).answer();
    };
    let (listed, ()) = tokio::join!(list(), full);
    assert!(listed.unwrap().is_empty());
    by_hand(&mut hand, async {
        store.topic_messages_behind().await;
        assert_eq!(list().await.unwrap().len(), 1, "nothing is lost");
    })
    .await;
}
