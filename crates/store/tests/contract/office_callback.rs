//! What platforms tell by themselves: sealed secrets, told once, and a reading a minute later.

use std::time::Duration;

use carillon_model::Clock;
use carillon_model::office::callback::Callback;
use carillon_model::office::{App, connection::LarkApp};
use carillon_store::connection::Connected;

use crate::harness::{Bed, Home};
use crate::office::{connected, member, range, read};
use crate::traces;

const TOKEN: &str = "verification-token-0123456789";

fn callback() -> Callback {
    Callback { token: TOKEN.into(), key: "encrypt-key-0123456789".into() }
}

pub(crate) async fn what_proves_events_is_sealed_and_goes_for_good<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (id, store) = (connected(&bed, "HQ").await, &bed.store);
    let state = || store.callback_state(&bed.project, id);
    assert!(!state().await.unwrap().unwrap().set);
    assert!(store.callback_set(&bed.project, id, Some(callback())).await.unwrap());
    assert!(!store.callback_set(&bed.foreign(), id, Some(callback())).await.unwrap());
    assert!(store.callback_state(&bed.foreign(), id).await.unwrap().is_none());
    assert!(state().await.unwrap().unwrap().set);
    let (app, kept) = store.callback_open(id).await.unwrap().unwrap();
    assert_eq!(kept, Some(callback()));

    // Other credentials leave it as it is.
    let other = App::Lark(LarkApp { app_id: "cli_other".into(), app_secret: "other".into() });
    let changed = store.connection_change(&bed.project, id, None, Some(other.clone())).await.unwrap();
    assert_eq!(changed, Connected::Done(id));
    assert_ne!(app, other);
    assert_eq!(store.callback_open(id).await.unwrap(), Some((other, Some(callback()))));
    let holds = |needle: &[u8]| {
        let files = bed.home.files();
        files
            .iter()
            .map(|file| traces::bytes_of(file))
            .any(|bytes| bytes.windows(needle.len()).any(|part| part == needle))
    };
    assert!(!holds(TOKEN.as_bytes()));
    assert!(store.callback_set(&bed.project, id, None).await.unwrap());
    assert!(!state().await.unwrap().unwrap().set);
    assert!(store.connection_delete(&bed.project, id).await.unwrap());
    assert_eq!(store.callback_open(id).await.unwrap(), None);
}

pub(crate) async fn a_change_is_read_once_a_minute_later<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (id, store) = (connected(&bed, "HQ").await, &bed.store);
    read(&bed, id, vec![member("u1", &["d1"])], range(&[])).await;
    let heard = |key: &'static str, changes| store.callback_heard(id, key, "contact".to_owned(), changes);
    assert!(heard("one", false).await.unwrap());
    assert!(!heard("one", true).await.unwrap(), "it was heard before");
    assert_eq!(store.connection_list_changed().await.unwrap(), []);
    let first = bed.clock.now();
    assert!(heard("two", true).await.unwrap());
    bed.clock.advance(Duration::from_secs(30));
    assert!(heard("three", true).await.unwrap());
    let state = store.callback_state(&bed.project, id).await.unwrap().unwrap();
    assert_eq!(
        state.update_due_at,
        Some(first.plus(Duration::from_secs(60))),
        "later ones do not put it off"
    );
    assert_eq!((state.heard_at, state.heard.as_deref()), (Some(bed.clock.now()), Some("contact")));
    bed.clock.advance(Duration::from_secs(30));
    assert_eq!(store.connection_list_changed().await.unwrap(), [id]);

    // While one is read, what is heard waits for the next.
    let run = store.run_begin(id, "events".to_owned()).await.unwrap();
    assert!(heard("four", true).await.unwrap());
    bed.clock.advance(Duration::from_secs(60));
    assert_eq!(store.connection_list_changed().await.unwrap(), []);
    let why = carillon_model::outcome::Advice { en: "no".into(), zh: "否".into() };
    assert!(store.run_end(run, why, Vec::new()).await.unwrap());
    assert_eq!(store.connection_list_changed().await.unwrap(), [id]);

    // What could not be read is read again.
    let run = store.run_begin(id, "events".to_owned()).await.unwrap();
    let why = carillon_model::outcome::Advice { en: "no".into(), zh: "否".into() };
    assert!(store.run_end(run, why, Vec::new()).await.unwrap());
    assert_eq!(store.connection_list_changed().await.unwrap(), []);
    bed.clock.advance(Duration::from_secs(15 * 60));
    assert_eq!(store.connection_list_changed().await.unwrap(), [id]);

    // Other secrets were not heard with yet.
    assert!(store.callback_set(&bed.project, id, Some(callback())).await.unwrap());
    let state = store.callback_state(&bed.project, id).await.unwrap().unwrap();
    assert_eq!((state.heard_at, state.heard), (None, None));

    bed.clock.advance(Duration::from_secs(24 * 3_600 + 60));
    assert!(store.callback_forget(1).await.unwrap() >= 1);
    store.callback_forget(100).await.unwrap();
    assert_eq!(bed.home.number("SELECT count(*) FROM callback_seen"), 0);
}

pub(crate) async fn a_chat_is_called_what_it_was_renamed_to<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let id = connected(&bed, "HQ").await;
    read(&bed, id, vec![member("u1", &["d1"])], range(&[])).await;
    let chat = bed.store.chat_find(id, "oc_1").await.unwrap().unwrap();
    assert_eq!((chat.name.as_str(), chat.about.as_str()), ("Room", ""));
    bed.store.chat_rename(chat.id, Some("War room".to_owned()), None).await.unwrap();
    bed.store.chat_rename(chat.id, None, Some("Incidents".to_owned())).await.unwrap();
    let chat = bed.store.chat_find(id, &chat.id.to_string()).await.unwrap().unwrap();
    assert_eq!((chat.name.as_str(), chat.about.as_str()), ("War room", "Incidents"));
    assert_eq!(bed.store.chat_find(id, "oc_2").await.unwrap(), None);
}
