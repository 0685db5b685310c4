//! Too many deliveries wait to be written down: publishers of messages to many are slowed, and then told, in simulated time.

use std::sync::Arc;
use std::time::Duration;

use carillon_model::chance::SeededChance;
use carillon_model::clock::{TestClock, Timestamp};
use carillon_model::filter::FilterPolicies;
use carillon_model::id::{EndpointId, MessageId, ProjectId, SubscriptionId, TopicId};
use carillon_model::message::{Body, Content, Locale, Message, Priority};
use carillon_model::subscription::Overflow;
use carillon_model::topic::TopicName;
use carillon_model::{Channel, Clock};
use carillon_store::delivery::StoredMessage;
use carillon_store::recipient::Recipient;
use carillon_store::{Error, Hand, NoObserver, Store};
use tokio::time::{Instant, sleep};
use tokio_util::task::TaskTracker;

/// How many of its messages fill the store's patience.
const MANY: usize = 8_192;

async fn work(mut hand: Hand) {
    while hand.waiting().await > 0 {
        let all = hand.waiting().await;
        hand.commit(all).answer();
    }
}

fn message(number: u64) -> StoredMessage {
    let (now, chance) = (Timestamp(1_750_000_000_000), SeededChance::new(number));
    let message = Message {
        id: MessageId::new(now, &chance),
        project: ProjectId::parse("p").unwrap(),
        topic: TopicId::new(now, &chance),
        content: Content { default: Body::text("x"), ..Content::default() },
        priority: Priority::Normal,
        locale: Locale::English,
        created_at: now,
        expires_at: now.plus(Duration::from_secs(3_600)),
    };
    StoredMessage { message, topic_name: TopicName::parse("t").unwrap() }
}

fn recipients(count: usize) -> Vec<Recipient> {
    let chance = SeededChance::new(99);
    let one = || Recipient {
        subscription: SubscriptionId::new(Timestamp(0), &chance),
        endpoint: EndpointId::new(Timestamp(0), &chance),
        channel: Channel::Http,
        overflow: Overflow::default(),
        filter_policies: FilterPolicies::default(),
    };
    std::iter::repeat_with(one).take(count).collect()
}

#[tokio::test(start_paused = true)]
async fn a_publisher_is_told_after_five_seconds_that_too_much_waits() {
    let dir = tempfile::tempdir().unwrap();
    let settings =
        carillon_store::Settings { data_dir: dir.path().to_owned(), key_file: None, database_url: None };
    let clock: Arc<dyn Clock> = Arc::new(TestClock::at(Timestamp(1_750_000_000_000)));
    let chance = Arc::new(SeededChance::new(7));
    let (store, hand) = Store::open_by_hand(&settings, clock, chance, Arc::new(NoObserver)).unwrap();
    TaskTracker::new().spawn(work(hand));
    let to = recipients(MANY);
    let mut number = 0;
    // Nothing is written down meanwhile, since no engine runs.
    let refused = loop {
        let begun = Instant::now();
        let published = store.message_publish(message(number), to.clone()).await;
        number += 1;
        match published {
            Ok(()) => assert!(begun.elapsed() < Duration::from_secs(1), "number {number} waited"),
            Err(error) => break (error, begun.elapsed()),
        }
    };
    assert!(store.fan_out_unplaced() >= 131_072, "{} wait", store.fan_out_unplaced());
    let (Error::Unavailable(why), waited) = &refused else { panic!("{refused:?}") };
    assert!(why.contains("too many deliveries wait"), "{why}");
    assert_eq!(waited.as_millis() / 100, 50, "five seconds, no more: {waited:?}");
    // A message to a few is not kept waiting.
    let begun = Instant::now();
    store.message_publish(message(number), recipients(3)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
    // One that waits when room is made is accepted.
    let late = store.message_publish(message(number + 1), to.clone());
    let room = async {
        sleep(Duration::from_secs(3)).await;
        while store.fan_out_unplaced() >= 131_072 {
            store.fan_out_step().await.unwrap();
        }
    };
    let begun = Instant::now();
    let (late, ()) = tokio::join!(late, room);
    late.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
