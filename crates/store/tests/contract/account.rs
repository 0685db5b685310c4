use std::time::Duration;

use carillon_model::chance::SeededChance;
use carillon_model::id::ProjectId;
use carillon_model::{Clock, SecretText};
use carillon_store::Error;
use carillon_store::account::{Holder, Installation};
use tokio::task::JoinSet;

use crate::harness::{Bed, Home, PROJECT, installation};

async fn holder<H: Home>(bed: &Bed<H>) -> Holder {
    Holder {
        project: bed.project.clone(),
        project_name: "local".to_owned(),
        account: bed.account().await,
        account_name: "admin".to_owned(),
    }
}

fn another() -> Installation {
    Installation {
        project: ProjectId::parse("another").unwrap(),
        project_name: "another".to_owned(),
        account_name: "root".to_owned(),
        access_key: "AKEXAMPLE0000002".to_owned(),
        token: Some("another-token".into()),
        ..installation()
    }
}

pub(crate) async fn install_happens_once<H: Home>() {
    let bed = Bed::<H>::empty();
    assert!(!bed.store.is_installed().await.unwrap());
    assert!(bed.store.project_list().await.unwrap().is_empty());
    assert!(bed.store.install(installation()).await.unwrap());
    assert!(bed.store.is_installed().await.unwrap());
    assert!(!bed.store.install(another()).await.unwrap());
    assert!(!bed.store.install(installation()).await.unwrap());

    let projects = bed.store.project_list().await.unwrap();
    assert_eq!(projects, [(ProjectId::parse(PROJECT).unwrap(), "local".to_owned())]);
    assert!(bed.store.account_find("root").await.unwrap().is_none());
    assert!(bed.store.access_key_find("AKEXAMPLE0000002").await.unwrap().is_none());
    assert_eq!(bed.store.token_find(&"another-token".into()).await.unwrap(), None);
}

pub(crate) async fn many_at_once_install_once<H: Home>() {
    let bed = Bed::<H>::empty();
    let mut calls = JoinSet::new();
    for index in 0..20 {
        let new = Installation { account_name: format!("admin-{index}"), ..installation() };
        let store = bed.store.clone();
        calls.spawn(async move { store.install(new).await.unwrap() });
    }
    let done = calls.join_all().await;
    assert_eq!(done.iter().filter(|done| **done).count(), 1);
    assert_eq!(bed.home.number("SELECT count(*) FROM account"), 1);
}

pub(crate) async fn an_installation_is_found_by_each_of_its_names<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let account = bed.store.account_find("admin").await.unwrap().unwrap();
    assert_eq!(account.password_hash, "$argon2id$stand-in");
    for other in ["Admin", "admin ", "", "a%"] {
        assert!(bed.store.account_find(other).await.unwrap().is_none(), "{other}");
    }
    let key = bed.store.access_key_find("AKEXAMPLE0000001").await.unwrap().unwrap();
    assert_eq!(key.holder, holder(&bed).await);
    assert_eq!(key.secret.reveal(), "the-secret-key-of-the-first-pair");
    assert!(bed.store.access_key_find("akexample0000001").await.unwrap().is_none());
    let token = SecretText::new("the-token-of-the-first-start");
    assert_eq!(bed.store.token_find(&token).await.unwrap(), Some(holder(&bed).await));
    assert_eq!(bed.store.token_find(&"the-token".into()).await.unwrap(), None);
}

pub(crate) async fn a_preset_token_has_no_end<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    bed.clock.advance(Duration::from_secs(100 * 365 * 86_400));
    let token = SecretText::new("the-token-of-the-first-start");
    assert!(bed.store.token_find(&token).await.unwrap().is_some());
    let later = bed.clock.now().plus(Duration::from_secs(1));
    let account = bed.account().await;
    bed.store.token_add(&"new".into(), bed.project.clone(), account, later).await.unwrap();
    assert!(bed.store.token_find(&token).await.unwrap().is_some(), "cleaning up leaves it");
}

pub(crate) async fn a_token_ends_at_its_millisecond<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let token = SecretText::new("a-token-for-a-day");
    let end = bed.clock.now().plus(Duration::from_secs(86_400));
    bed.store.token_add(&token, bed.project.clone(), bed.account().await, end).await.unwrap();
    assert_eq!(bed.store.token_find(&token).await.unwrap(), Some(holder(&bed).await));
    bed.clock.advance(Duration::from_millis(86_400_000 - 1));
    assert!(bed.store.token_find(&token).await.unwrap().is_some());
    bed.tick();
    assert_eq!(bed.clock.now(), end);
    assert_eq!(bed.store.token_find(&token).await.unwrap(), None);
}

pub(crate) async fn adding_a_token_forgets_those_that_ended<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let account = bed.account().await;
    for index in 0..5_u64 {
        let end = bed.clock.now().plus(Duration::from_millis(10 * (index + 1)));
        let token = SecretText::new(format!("token-{index}"));
        bed.store.token_add(&token, bed.project.clone(), account, end).await.unwrap();
    }
    bed.clock.advance(Duration::from_millis(30));
    let end = bed.clock.now().plus(Duration::from_secs(1));
    bed.store.token_add(&"last".into(), bed.project.clone(), account, end).await.unwrap();
    assert_eq!(bed.home.number("SELECT count(*) FROM token WHERE expires_at IS NOT NULL"), 3);
    assert!(bed.store.token_find(&"token-3".into()).await.unwrap().is_some());
}

pub(crate) async fn a_token_is_added_once_and_for_what_is_there<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let account = bed.account().await;
    let end = bed.clock.now().plus(Duration::from_secs(60));
    let token = SecretText::new("twice");
    bed.store.token_add(&token, bed.project.clone(), account, end).await.unwrap();
    let again = bed.store.token_add(&token, bed.project.clone(), account, end).await;
    assert!(matches!(again, Err(Error::Conflict)), "{again:?}");
    let nowhere = ProjectId::parse("nowhere").unwrap();
    let lost = bed.store.token_add(&"lost".into(), nowhere, account, end).await;
    assert!(matches!(lost, Err(Error::Conflict)), "{lost:?}");
    assert!(bed.store.token_find(&token).await.unwrap().is_some());
}

pub(crate) async fn neither_secret_nor_token_is_readable_at_rest<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    for path in bed.home.files() {
        let bytes = std::fs::read(&path).unwrap();
        for secret in ["the-secret-key-of-the-first-pair", "the-token-of-the-first-start"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", path.display());
        }
    }
}

pub(crate) async fn secrets_open_again_after_a_restart<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let before = holder(&bed).await;
    let mut bed = bed.reopen();
    bed.chance = std::sync::Arc::new(SeededChance::new(99));
    let bed = bed.reopen();
    assert!(bed.store.is_installed().await.unwrap());
    let key = bed.store.access_key_find("AKEXAMPLE0000001").await.unwrap().unwrap();
    assert_eq!(key.secret.reveal(), "the-secret-key-of-the-first-pair");
    let token = SecretText::new("the-token-of-the-first-start");
    assert_eq!(bed.store.token_find(&token).await.unwrap(), Some(before));
}
