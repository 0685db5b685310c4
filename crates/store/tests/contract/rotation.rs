//! Another master key: everything is sealed anew, and nothing of the old one is left.

use std::sync::Arc;

use carillon_model::id::CertificateId;
use carillon_model::office::App;
use carillon_model::office::connection::LarkApp;
use carillon_model::subscription::Extension;
use carillon_model::subscription_user::Contact;
use carillon_model::{Channel, Clock};
use carillon_store::rotation::{KeyUse, Retired, RotationBegun};
use carillon_store::signing::SigningKey;
use carillon_store::subscription::Subscribed;
use carillon_store::{NoObserver, Settings, Store};
use data_encoding::HEXLOWER;

use crate::harness::{Bed, Home, Postgres, robot, subscription};
use crate::traces::target;

/// More than one portion.
const SUBSCRIPTIONS: usize = 150;

async fn fill<H: Home>(bed: &Bed<H>) {
    let topic = bed.topic("ops").await;
    for _one in 0..SUBSCRIPTIONS {
        bed.subscribe(&topic, target(bed)).await;
    }
    let id = CertificateId::new(bed.clock.now(), bed.chance.as_ref());
    let key =
        SigningKey { id, private_key: "MIIEvQIBADANBgkqhkiG9w0BAQEF".into(), certificate: "one".to_owned() };
    bed.store.signing_key_add(key).await.unwrap();
    let contact = Contact {
        channel: Channel::Email,
        protocol: "email".to_owned(),
        endpoint: "one@example.org".into(),
        extension: Extension::default(),
    };
    bed.store
        .subscription_user_add(&bed.project, "one".to_owned(), String::new(), vec![contact])
        .await
        .unwrap();
    let app = App::Lark(LarkApp { app_id: "cli_a1b2c3d4e5f6a7b8".into(), app_secret: "hush-hush".into() });
    let renew_at = bed.clock.now().plus(std::time::Duration::from_secs(7200));
    bed.store.office_token_put([7; 32], &"t-0123456789abcdef".into(), renew_at).await.unwrap();
    bed.store.connection_add(&bed.project, "office".to_owned(), app).await.unwrap();
}

/// Seals everything anew, at most so many portions, and tells how much that was.
async fn walk<H: Home>(bed: &Bed<H>, portions: usize) -> u64 {
    let (mut after, mut done) = (None::<String>, 0);
    for _portion in 0..portions {
        let step = bed.store.rotation_step(after.as_deref()).await.unwrap();
        done += step.done;
        after = step.next;
        if after.is_none() {
            break;
        }
    }
    done
}

async fn keys<H: Home>(bed: &Bed<H>) -> Vec<KeyUse> {
    bed.store.key_list().await.unwrap()
}

/// Whether the database's files hold anything that begins as what this key sealed does.
fn is_left<H: Home>(bed: &Bed<H>, key: &str) -> Vec<String> {
    let mut head = vec![1];
    head.extend(HEXLOWER.decode(key.as_bytes()).unwrap());
    let files = bed.home.files().into_iter().filter(|path| !path.to_string_lossy().contains("master.key"));
    let read = files.filter_map(|path| Some((path.clone(), std::fs::read(path).ok()?)));
    let left = read.filter(|(_, bytes)| bytes.windows(head.len()).any(|window| window == head));
    left.map(|(path, _)| path.display().to_string()).collect()
}

/// Several servers of one database: the operator gives each of them the new key first.
fn prepare<H: Home>(bed: &Bed<H>) {
    let file = bed.home.files().into_iter().find(|path| path.ends_with("master.key"));
    let file = file.unwrap_or_else(|| bed.home.settings().data_dir.join("master.key"));
    carillon_store::vault::add_to_file(&file, bed.chance.as_ref()).unwrap();
}

pub(crate) async fn everything_is_sealed_anew_and_the_old_key_can_go<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    fill(&bed).await;
    let before = keys(&bed).await;
    let old = before[0].id.clone();
    // Subscriptions, the installation's access key, signing key, user, connection, an app's token, and the known word.
    assert_eq!((before.len(), before[0].sealed), (1, SUBSCRIPTIONS as u64 + 6));
    assert!(!is_left(&bed, &old).is_empty(), "what is not found before proves nothing");
    prepare(&bed);
    assert_eq!(bed.store.rotation_begin().await.unwrap(), RotationBegun::New);
    assert!(matches!(bed.store.key_retire().await.unwrap(), Retired::InUse(_)));
    // What is made meanwhile is sealed by the new key.
    let topic = bed.topic("later").await;
    let later = bed.subscribe(&topic, robot("0123456789abcdef")).await;
    assert_eq!(walk(&bed, usize::MAX).await, SUBSCRIPTIONS as u64 + 4);
    assert_eq!(walk(&bed, usize::MAX).await, 0, "again is nothing to do");
    assert_eq!(bed.store.rotation_end().await.unwrap(), 0);
    assert_eq!(is_left(&bed, &old), Vec::<String>::new());
    let after = keys(&bed).await;
    assert_eq!((after[0].sealed, after[1].active, after[1].sealed), (0, true, SUBSCRIPTIONS as u64 + 7));
    assert_eq!(bed.store.key_retire().await.unwrap(), Retired::Done(vec![old]));
    let bed = bed.reopen();
    assert_eq!(keys(&bed).await.len(), 1);
    // Everything opens, and everything that is looked up by a hash is found.
    assert!(bed.store.target_open(later).await.unwrap().is_some());
    let page =
        bed.store.subscription_list(&bed.project, Default::default(), crate::harness::ALL).await.unwrap();
    assert_eq!(page.0, SUBSCRIPTIONS as u64 + 1);
    let token = bed.store.office_token_take([7; 32]).await.unwrap();
    assert!(matches!(token, carillon_store::office_token::Shelved::Token(..)), "{token:?}");
    assert!(bed.store.signing_key_find().await.unwrap().is_some());
    assert_eq!(bed.store.subscription_user_list(&bed.project).await.unwrap().len(), 1);
    assert_eq!(bed.store.connection_list(&bed.project).await.unwrap().len(), 1);
    assert!(bed.store.access_key_find("AKEXAMPLE0000001").await.unwrap().is_some());
    let topic = bed.store.topic_find(&bed.project, &topic.name).await.unwrap().unwrap();
    let again = bed.store.subscription_add(subscription(&topic, robot("0123456789abcdef"))).await.unwrap();
    assert_eq!(again, Subscribed::There(later));
}

pub(crate) async fn a_rotation_that_was_cut_short_goes_on<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    fill(&bed).await;
    let old = keys(&bed).await[0].id.clone();
    prepare(&bed);
    assert_eq!(bed.store.rotation_begin().await.unwrap(), RotationBegun::New);
    let first = walk(&bed, 1).await;
    assert!(first > 0 && first < SUBSCRIPTIONS as u64);
    let bed = bed.crash();
    let new = keys(&bed).await.iter().find(|key| key.active).unwrap().id.clone();
    assert_ne!(new, old);
    assert_eq!(bed.store.rotation_begin().await.unwrap(), RotationBegun::Continues);
    assert_eq!(first + walk(&bed, usize::MAX).await, SUBSCRIPTIONS as u64 + 4);
    assert_eq!(bed.store.rotation_end().await.unwrap(), 0);
    assert_eq!(is_left(&bed, &old), Vec::<String>::new());
    assert_eq!(bed.store.key_retire().await.unwrap(), Retired::Done(vec![old]));
    assert_eq!(bed.store.rotation_step(Some("no place")).await.unwrap().done, 0);
}

/// A file has one server, which makes the key itself; of several each must have it before one of them uses it.
pub(crate) async fn only_a_server_that_is_alone_makes_the_new_key<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let begun = bed.store.rotation_begin().await.unwrap();
    let alone = bed.home.settings().database_url.is_none();
    assert_eq!(begun, if alone { RotationBegun::New } else { RotationBegun::NoNewKey });
    assert_eq!(keys(&bed).await.len(), if alone { 2 } else { 1 });
}

/// A server that has the new key in its file, and has met nothing that is sealed by it, must not go on with the old one.
#[tokio::test(flavor = "multi_thread")]
async fn every_server_seals_with_the_key_that_one_began_to_use() {
    let bed = Bed::<Postgres>::fresh().await;
    let old = keys(&bed).await[0].id.clone();
    prepare(&bed);
    let dir = tempfile::tempdir().unwrap();
    let key_file = dir.path().join("master.key");
    std::fs::copy(bed.home.settings().data_dir.join("master.key"), &key_file).unwrap();
    let settings =
        Settings { data_dir: dir.path().to_owned(), key_file: Some(key_file), ..bed.home.settings() };
    let other = Store::open(&settings, bed.clock.clone(), bed.chance.clone(), Arc::new(NoObserver)).unwrap();
    let topic = bed.topic("ops").await;
    assert_eq!(bed.store.rotation_begin().await.unwrap(), RotationBegun::New);
    let added = other.subscription_add(subscription(&topic, robot("0123456789abcdef"))).await.unwrap();
    assert!(matches!(added, Subscribed::New(_)));
    // A portion that it is asked for does not seal backwards.
    let (mut after, mut done) = (None::<String>, 0);
    loop {
        let step = other.rotation_step(after.as_deref()).await.unwrap();
        done += step.done;
        after = step.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(done, 1, "the installation's access key was left");
    assert_eq!(other.rotation_end().await.unwrap(), 0);
    let uses = keys(&bed).await;
    assert_eq!((uses[0].id.as_str(), uses[0].sealed, uses[1].active), (old.as_str(), 0, true));
}
