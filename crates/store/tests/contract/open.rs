use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest;
use carillon_model::chance::SeededChance;
use carillon_model::clock::TestClock;
use carillon_model::delivery::DeliveryState;
use carillon_store::KeyStanding;
use carillon_store::delivery::Ready;
use carillon_store::subscription::SubscriptionFilter;
use carillon_store::topic::TopicFilter;
use carillon_store::{Error, NoObserver, Settings, Store};

use data_encoding::HEXLOWER;

use crate::harness::{ALL, Bed, Home, Postgres, START, Sqlite, abandon, accepted, robot, settlement, start};

/// Tries to open a second time and tells what was said.
fn refusal<H: Home>(home: &H) -> String {
    let clock = Arc::new(TestClock::at(START));
    match home.open(clock, Arc::new(SeededChance::new(8))) {
        Ok(_store) => panic!("it was opened"),
        Err(Error::Setup(text)) => text,
        Err(other) => panic!("{other:?}"),
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

pub(crate) async fn everything_survives_a_restart<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    for index in 0..5 {
        bed.subscribe(&topic, robot(&format!("0123456789abcde{index}"))).await;
    }
    let message = bed.publish(&topic, "磁盘满").await;
    let handed = bed.store.wake().take().ready;
    let mut seen = Vec::new();
    let mut bed = bed;
    for _start in 0..3 {
        let topics = bed.store.topic_list(&bed.project, TopicFilter::default(), ALL).await.unwrap();
        let filter = SubscriptionFilter::default();
        let subscriptions = bed.store.subscription_list(&bed.project, filter, ALL).await.unwrap();
        let messages = bed.store.message_list(&bed.project, None, None, None, 10).await.unwrap();
        let deliveries = bed.store.delivery_list(&bed.project, message, 0, 10).await.unwrap();
        let mut waiting = Vec::new();
        for ready in &handed {
            let taken = bed.store.lane_take(ready.endpoint, 10).await.unwrap().ready;
            // A start counts its versions anew.
            waiting.extend(taken.into_iter().map(|ready| Ready { known: None, ..ready }));
        }
        seen.push(format!("{topics:?} {subscriptions:?} {messages:?} {deliveries:?} {waiting:?}"));
        assert_eq!((subscriptions.0, deliveries.len(), waiting.len()), (5, 5, 5));
        bed = bed.reopen();
        assert!(bed.store.wake().take().ready.is_empty());
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[1], seen[2]);
}

pub(crate) async fn what_was_answered_survives_a_crash<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    let mut bed = bed.crash();
    for _crash in 0..3 {
        assert_eq!(bed.state(ready.id).await, DeliveryState::Pending);
        assert_eq!(bed.store.lane_take(ready.endpoint, 10).await.unwrap().ready.len(), 1);
        assert!(bed.store.target_open(ready.subscription).await.unwrap().is_some());
        bed = bed.crash();
    }
    let at = bed.tick();
    bed.store.delivery_settle(vec![start(&ready, 1, at)], Vec::new()).await.unwrap();
    let bed = bed.crash();
    assert_eq!(bed.store.delivery_recover().await.unwrap(), 1);
    let bed = bed.crash();
    assert_eq!(bed.store.delivery_recover().await.unwrap(), 0);
    let done = settlement(&ready, 2, at, accepted(), DeliveryState::Delivered);
    bed.store.delivery_settle(vec![start(&ready, 2, at)], vec![done]).await.unwrap();
    assert_eq!(bed.crash().state(ready.id).await, DeliveryState::Delivered);
}

/// The lock on the directory is let go with the last handle, so nothing may be written behind it.
pub(crate) async fn what_was_handed_in_is_written_when_the_store_closes<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    for _call in 0..500 {
        abandon(bed.store.message_publish(bed.new_message(&topic, "x"), bed.recipients(20))).await;
    }
    let Bed { store, home, .. } = bed;
    drop(store);
    assert_eq!(home.number("SELECT count(*) FROM message"), 500);
}

pub(crate) async fn places_go_on_behind_the_last_after_a_restart<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    let bed = bed.reopen();
    let topic = bed.new_topic(&bed.project, "other");
    let to = bed.recipients(1);
    bed.store.message_publish(bed.new_message(&topic, "next"), to).await.unwrap();
    assert!(bed.store.wake().take().ready[0].seq > ready.seq);
}

pub(crate) async fn an_open_store_can_write<H: Home>() {
    let bed = Bed::<H>::empty();
    bed.store.check().await.unwrap();
    assert_eq!(bed.home.number("SELECT count(*) > 0 FROM migration"), 1);
    bed.reopen().store.check().await.unwrap();
}

/// Does what a program of the next version would do: adds, and says which programs can go on.
fn migrate_ahead<H: Home>(home: &H, served_from: &str) -> i64 {
    let next = home.number("SELECT count(*) + 1 FROM migration");
    home.alter(&format!(
        "ALTER TABLE topic ADD COLUMN of_tomorrow BIGINT NOT NULL DEFAULT 0;
         CREATE TABLE tomorrow (id BIGINT PRIMARY KEY);
         INSERT INTO migration (number, name, checksum, applied_at, served_from)
             VALUES ({next}, 'x', 'x', 0, {served_from})"
    ));
    next
}

pub(crate) async fn a_newer_version_is_refused<H: Home>() {
    let Bed { store, home, .. } = Bed::<H>::fresh().await;
    drop(store);
    let next = migrate_ahead(&home, "0");
    // Without a mark nobody knows; with one, it is told from which version on the store can be served.
    for mark in [0, next, next + 1] {
        home.alter(&format!("UPDATE migration SET served_from = {mark} WHERE number = {next}"));
        let said = refusal(&home);
        let from = mark.max(next);
        assert!(
            said.contains(&format!("version {next}")) && said.contains(&format!("version {from} on")),
            "{said}"
        );
        assert!(
            said.contains(&format!("version is {}", next - 1)) && said.contains("newer program"),
            "{said}"
        );
        let Err(Error::Setup(looked)) = Store::look(&home.settings()) else { panic!("it was looked at") };
        assert_eq!(looked, said);
    }
    home.alter(&format!("DELETE FROM migration WHERE number = {next}"));
    let clock = Arc::new(TestClock::at(START));
    let store = home.open(clock, Arc::new(SeededChance::new(8))).unwrap();
    assert!(store.is_installed().await.unwrap(), "the refusal changed nothing");
}

pub(crate) async fn a_newer_version_that_can_be_served_is_served<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let ready = bed.one_ready().await;
    // Under a server that runs.
    let next = migrate_ahead(&bed.home, "(SELECT count(*) FROM migration)");
    bed.topic("added-meanwhile").await;
    let bed = bed.reopen();
    bed.topic("added-after").await;
    assert_eq!(bed.state(ready.id).await, DeliveryState::Pending);
    let standing = Store::look(&bed.home.settings()).unwrap();
    assert_eq!((standing.version, standing.known), (count(next), count(next) - 1));
    assert!(standing.migrations.is_empty());
}

fn count(number: i64) -> usize {
    usize::try_from(number).unwrap()
}

pub(crate) async fn a_look_tells_what_would_be_done<H: Home>() {
    let home = H::fresh();
    let before = Store::look(&home.settings()).unwrap();
    assert_eq!((before.version, before.migrations.len()), (0, before.known));
    assert_eq!(before.migrations.first(), Some(&"0001_start"));
    // A look makes nothing, so that it is the same again.
    assert_eq!(Store::look(&home.settings()).unwrap(), before);
    let (clock, chance) = (Arc::new(TestClock::at(START)), Arc::new(SeededChance::new(7)));
    let done = Store::migrate(&home.settings(), clock.clone(), chance.clone()).unwrap();
    assert_eq!((done.version, done.migrations), (before.known, before.migrations));
    let again = Store::migrate(&home.settings(), clock, chance).unwrap();
    assert!(again.migrations.is_empty());
    assert_eq!(Store::look(&home.settings()).unwrap(), again);
}

/// Servers of a version from before marks would go on writing into what they do not understand any more.
#[tokio::test]
async fn a_database_whose_servers_could_not_go_on_is_left_alone() {
    let home = Postgres::fresh();
    let dir = format!("{}/migrations/postgres", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    home.alter(
        "CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL,
             applied_at BIGINT NOT NULL)",
    );
    for (index, file) in files.iter().take(10).enumerate() {
        let text = fs::read_to_string(file).unwrap();
        let sum = HEXLOWER.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
        home.alter(&text);
        home.alter(&format!("INSERT INTO migration VALUES ({}, 'n', '{sum}', 0)", index + 1));
    }
    let now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    home.alter(&format!("INSERT INTO node (id, seen_at, serves) VALUES ('old', {now}, 1)"));
    let said = refusal(&home);
    assert!(said.contains("1 running servers") && said.contains("stop them first"), "{said}");
    assert_eq!(home.number("SELECT count(*) FROM migration"), 10);
    home.alter("UPDATE node SET seen_at = 0");
    let store = home.open(Arc::new(TestClock::at(START)), Arc::new(SeededChance::new(8))).unwrap();
    store.check().await.unwrap();
}

pub(crate) async fn an_edited_migration_is_refused<H: Home>() {
    let Bed { store, home, .. } = Bed::<H>::fresh().await;
    drop(store);
    home.alter("UPDATE migration SET checksum = 'edited'");
    let said = refusal(&home);
    assert!(said.contains("0001_start"), "{said}");
}

#[tokio::test]
async fn a_second_server_on_the_directory_is_refused() {
    let bed = Bed::<Sqlite>::fresh().await;
    let said = refusal(&bed.home);
    let dir = bed.home.data_dir().display().to_string();
    assert!(said.contains("another carillon") && said.contains(&dir), "{said}");
    bed.store.check().await.unwrap();
    let clone = bed.store.clone();
    drop(bed.store);
    refusal(&bed.home);
    drop(clone);
    bed.home.open(bed.clock, bed.chance).unwrap();
}

#[tokio::test]
async fn a_database_without_its_key_file_is_refused() {
    let Bed { store, home, .. } = Bed::<Sqlite>::fresh().await;
    drop(store);
    let key = home.data_dir().join("master.key");
    let text = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let said = refusal(&home);
    assert!(said.contains("master.key") && said.contains("put the key file back"), "{said}");
    assert!(!key.exists(), "no new key hides the loss");
    fs::write(&key, text).unwrap();
    let clock = Arc::new(TestClock::at(START));
    let store = home.open(clock, Arc::new(SeededChance::new(8))).unwrap();
    assert!(store.access_key_find("AKEXAMPLE0000001").await.unwrap().is_some());
}

#[tokio::test]
async fn a_broken_key_file_is_refused() {
    let Bed { store, home, .. } = Bed::<Sqlite>::fresh().await;
    drop(store);
    for text in ["", "\n\n", "carillon-key-v1 00000000 AAAA\n", "something else\n"] {
        fs::write(home.data_dir().join("master.key"), text).unwrap();
        let said = refusal(&home);
        assert!(said.contains("key file"), "{said}");
    }
}

#[tokio::test]
async fn another_installations_key_file_is_refused() {
    let bed = Bed::<Sqlite>::fresh().await;
    let topic = bed.topic("ops").await;
    let id = bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let Bed { store, home, .. } = bed;
    drop(store);
    let key_file = home.data_dir().parent().unwrap().join("another.key");
    let settings =
        Settings { data_dir: home.data_dir(), key_file: Some(key_file.clone()), database_url: None };
    let open = || {
        let chance = Arc::new(SeededChance::new(99));
        Store::open(&settings, Arc::new(TestClock::at(START)), chance, Arc::new(NoObserver))
    };
    let Err(Error::Setup(said)) = open() else { panic!("a new key was made for an old database") };
    assert!(said.contains("another.key"), "{said}");

    let elsewhere = tempfile::tempdir().unwrap();
    let other = Settings {
        data_dir: elsewhere.path().join("data"),
        key_file: Some(key_file.clone()),
        database_url: None,
    };
    let chance = Arc::new(SeededChance::new(98));
    drop(Store::open(&other, Arc::new(TestClock::at(START)), chance, Arc::new(NoObserver)).unwrap());
    assert_eq!(mode(&key_file), 0o600);

    let refused = |said: &str| {
        said.contains("another.key") && said.contains("put this installation's own key file back")
    };
    let Err(Error::Setup(said)) = open() else { panic!("another installation's key was taken") };
    assert!(refused(&said), "{said}");
    // A database from before the check: its secrets tell.
    home.alter("DELETE FROM key_check");
    let Err(Error::Setup(said)) = open() else { panic!("another installation's key was taken") };
    assert!(refused(&said), "{said}");

    // With its own key it opens, also when a newer key stands behind it; before it, nothing would be found.
    let own = fs::read_to_string(home.data_dir().join("master.key")).unwrap();
    let foreign = fs::read_to_string(&key_file).unwrap();
    fs::write(&key_file, format!("{own}{foreign}")).unwrap();
    assert!(open().unwrap().target_open(id).await.unwrap().is_some());
    fs::write(&key_file, format!("{foreign}{own}")).unwrap();
    let Err(Error::Setup(said)) = open() else { panic!("tokens would not be found") };
    assert!(refused(&said), "{said}");
}

#[tokio::test]
async fn files_are_for_their_owner_only() {
    let bed = Bed::<Sqlite>::fresh().await;
    bed.topic("ops").await;
    let dir = bed.home.data_dir();
    assert_eq!(mode(&dir), 0o700);
    for name in ["master.key", "carillon.db"] {
        assert_eq!(mode(&dir.join(name)), 0o600, "{name}");
    }
}

/// The directory may have been there before, open to others; then the files' own modes are all there is.
#[tokio::test]
async fn the_write_ahead_log_is_for_its_owner_only() {
    let home = Sqlite::fresh();
    fs::create_dir(home.data_dir()).unwrap();
    fs::set_permissions(home.data_dir(), fs::Permissions::from_mode(0o755)).unwrap();
    let clock = Arc::new(TestClock::at(START));
    let store = home.open(clock, Arc::new(SeededChance::new(8))).unwrap();
    store.check().await.unwrap();
    for name in ["carillon.db", "carillon.db-wal", "carillon.db-shm"] {
        assert_eq!(mode(&home.data_dir().join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let bed = Bed::<Sqlite>::fresh().await;
    let home = Sqlite::fresh();
    fs::create_dir(home.data_dir()).unwrap();
    fs::copy(bed.home.data_dir().join("master.key"), home.data_dir().join("master.key")).unwrap();
    fs::write(home.data_dir().join("carillon.db"), "something else".repeat(1_000)).unwrap();
    assert!(home.open(bed.clock, bed.chance).is_err());
}

pub(crate) async fn an_examination_tells_whose_key_file_it_is<H: Home>() {
    let home = H::fresh();
    let examine = |home: &H| Store::examine(&home.settings()).unwrap();
    let (standing, key) = examine(&home);
    assert_eq!((standing.version, key), (0, KeyStanding::Nothing));
    let (clock, chance) = (Arc::new(TestClock::at(START)), Arc::new(SeededChance::new(7)));
    let store = home.open(clock, chance).unwrap();
    // While a server runs, and after it.
    assert_eq!(examine(&home).1, KeyStanding::Fits);
    drop(store);
    let (standing, key) = examine(&home);
    assert_eq!((standing.version, standing.migrations.len(), key), (standing.known, 0, KeyStanding::Fits));
    let file = home.settings().data_dir.join("master.key");
    let own = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(examine(&home).1, KeyStanding::Missing);
    assert!(!file.exists(), "it makes none");
    let other = "carillon-key-v1 00000001 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    fs::write(&file, other).unwrap();
    assert_eq!(examine(&home).1, KeyStanding::Foreign);
    fs::write(&file, own).unwrap();
    assert_eq!(examine(&home).1, KeyStanding::Fits);
}
