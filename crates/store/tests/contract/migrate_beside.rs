//! A migration that makes an index over a large table while servers write: PostgreSQL only.

use std::sync::Arc;
use std::time::Duration;

use carillon_model::chance::SeededChance;
use carillon_model::clock::TestClock;
use carillon_store::{Error, Store};
use tokio::task::JoinHandle;

use crate::harness::{Bed, Home, Postgres, START};

const INDEX: (&str, &str) =
    ("9999_due", "-- Who is due.\nCREATE INDEX CONCURRENTLY delivery_due\n    ON delivery (due_at);\n");

/// Begins to bring the store to a version with one migration more.
fn migrate(bed: &Bed<Postgres>) -> JoinHandle<Result<(), Error>> {
    let settings = bed.home.settings();
    tokio::task::spawn_blocking(move || Store::migrate_behind(&settings, START, &[INDEX]))
}

/// How many indexes of that name there are that are whole, or not.
fn indexes(bed: &Bed<Postgres>, whole: bool) -> i64 {
    bed.home.number(&format!(
        "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('delivery_due') AND indisvalid = {whole}"
    ))
}

fn recorded(bed: &Bed<Postgres>) -> i64 {
    bed.home.number("SELECT count(*) FROM migration WHERE name = '9999_due' AND served_from > 0")
}

async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Another server that starts on the same database.
fn another(bed: &Bed<Postgres>) -> Store {
    let other = tempfile::tempdir().unwrap();
    let mut settings = bed.home.settings();
    settings.key_file = Some(settings.data_dir.join("master.key"));
    settings.data_dir = other.path().join("data");
    let (clock, chance) = (Arc::new(TestClock::at(START)), Arc::new(SeededChance::new(8)));
    Store::open(&settings, clock, chance, Arc::new(carillon_store::NoObserver)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_goes_on_while_an_index_is_made() {
    let bed = Bed::<Postgres>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.publish(&topic, "before").await;
    // PostgreSQL waits for whoever read before, and so the index is not whole before this reader is done.
    let reader = bed.home.reader();
    let migrating = migrate(&bed);
    until(|| indexes(&bed, false) == 1).await;
    for number in 0..10 {
        bed.publish(&topic, &format!("meanwhile {number}")).await;
    }
    assert_eq!((indexes(&bed, false), recorded(&bed)), (1, 0));
    // A server of the version before starts meanwhile, and neither waits for the other.
    let other = another(&bed);
    assert_eq!(other.message_list(&bed.project, None, None, None, 20).await.unwrap().len(), 11);
    drop(reader);
    migrating.await.unwrap().unwrap();
    assert_eq!((indexes(&bed, true), recorded(&bed)), (1, 1));
    bed.publish(&topic, "after").await;
    migrate(&bed).await.unwrap().unwrap();
    assert_eq!((indexes(&bed, true), recorded(&bed)), (1, 1), "there is nothing left to do");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_was_not_finished_is_made_anew() {
    let bed = Bed::<Postgres>::fresh().await;
    let reader = bed.home.reader();
    let migrating = migrate(&bed);
    until(|| indexes(&bed, false) == 1).await;
    bed.home.alter(
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%'",
    );
    assert!(migrating.await.unwrap().is_err());
    drop(reader);
    assert_eq!((indexes(&bed, false), recorded(&bed)), (1, 0), "what is left of it is of no use");
    // Two servers start at once: one makes it, the other waits for it.
    let (one, other) = (migrate(&bed), migrate(&bed));
    one.await.unwrap().unwrap();
    other.await.unwrap().unwrap();
    assert_eq!((indexes(&bed, false), indexes(&bed, true), recorded(&bed)), (0, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_store_that_is_made_just_now_it_is_made_with_everything_else() {
    let home = Postgres::fresh();
    let settings = home.settings();
    tokio::task::spawn_blocking(move || Store::migrate_behind(&settings, START, &[INDEX]))
        .await
        .unwrap()
        .unwrap();
    let whole = "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('delivery_due') AND indisvalid";
    assert_eq!(home.number(whole), 1);
    // The rest of an installation is made by whoever serves it.
    let (clock, chance) = (Arc::new(TestClock::at(START)), Arc::new(SeededChance::new(7)));
    home.open(clock, chance).unwrap();
}
