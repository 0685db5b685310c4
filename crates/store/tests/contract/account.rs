use std::time::Duration;

use carillon_model::chance::SeededChance;
use carillon_model::clock::Timestamp;
use carillon_model::id::{ProjectId, TokenId};
use carillon_model::role::{Granted, Standing};
use carillon_model::{Clock, SecretText};
use carillon_store::Error;
use carillon_store::account::{Credential, Holder, Installation};
use carillon_store::credential::{CredentialMade, NewCredential};
use tokio::task::JoinSet;

use crate::harness::{Bed, Home, PROJECT, installation};
use crate::traces;

/// The administrator of the bed's project, let in by a credential.
pub(crate) async fn holder<H: Home>(bed: &Bed<H>, credential: Credential) -> Holder {
    Holder {
        project: bed.project.clone(),
        project_name: "local".to_owned(),
        account: bed.account().await,
        account_name: "admin".to_owned(),
        operator: true,
        standing: Standing { account: Granted::administrator(), credential: None },
        credential,
    }
}

/// Who a token lets in.
pub(crate) async fn by_token<H: Home>(bed: &Bed<H>, token: &str) -> Option<Holder> {
    bed.store.token_find(&token.into()).await.unwrap()
}

/// Makes a token of the administrator's that ends.
pub(crate) async fn add_token<H: Home>(bed: &Bed<H>, token: &str, end: Timestamp) -> Result<TokenId, Error> {
    let new = NewCredential {
        project: bed.project.clone(),
        account: bed.account().await,
        note: String::new(),
        granted: None,
    };
    let id = TokenId::new(bed.tick(), bed.chance.as_ref());
    let made = bed.store.token_add(new, id, &token.into(), Some(end), false).await?;
    assert_eq!(made, CredentialMade::New);
    Ok(id)
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
    assert!(bed.store.project_page(None, None, 10).await.unwrap().is_empty());
    assert!(bed.store.install(installation()).await.unwrap());
    assert!(bed.store.is_installed().await.unwrap());
    assert!(!bed.store.install(another()).await.unwrap());
    assert!(!bed.store.install(installation()).await.unwrap());

    let projects = bed.store.project_page(None, None, 10).await.unwrap();
    let projects: Vec<_> = projects.into_iter().map(|project| (project.id, project.name)).collect();
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
    assert_eq!(key.holder, holder(&bed, Credential::Key("AKEXAMPLE0000001".to_owned())).await);
    assert_eq!(key.secret.reveal(), "the-secret-key-of-the-first-pair");
    assert!(bed.store.access_key_find("akexample0000001").await.unwrap().is_none());
    let found = by_token(&bed, "the-token-of-the-first-start").await.unwrap();
    assert_eq!(found, holder(&bed, found.credential.clone()).await);
    assert_eq!(by_token(&bed, "the-token").await, None);
}

pub(crate) async fn a_preset_token_has_no_end<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    bed.clock.advance(Duration::from_secs(100 * 365 * 86_400));
    let token = SecretText::new("the-token-of-the-first-start");
    assert!(bed.store.token_find(&token).await.unwrap().is_some());
    let later = bed.clock.now().plus(Duration::from_secs(1));
    add_token(&bed, "new", later).await.unwrap();
    assert!(bed.store.token_find(&token).await.unwrap().is_some(), "cleaning up leaves it");
}

pub(crate) async fn a_token_ends_at_its_millisecond<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let token = "a-token-for-a-day";
    let end = bed.clock.now().plus(Duration::from_secs(86_400));
    let id = add_token(&bed, token, end).await.unwrap();
    assert_eq!(by_token(&bed, token).await, Some(holder(&bed, Credential::Token(id)).await));
    bed.clock.advance(Duration::from_millis(86_400_000 - 2));
    assert!(by_token(&bed, token).await.is_some());
    bed.tick();
    assert_eq!(bed.clock.now(), end);
    assert_eq!(by_token(&bed, token).await, None);
}

pub(crate) async fn adding_a_token_forgets_those_that_ended<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    for index in 0..5_u64 {
        let end = bed.clock.now().plus(Duration::from_millis(10 * (index + 1)));
        add_token(&bed, &format!("token-{index}"), end).await.unwrap();
    }
    bed.clock.advance(Duration::from_millis(26));
    let end = bed.clock.now().plus(Duration::from_secs(1));
    add_token(&bed, "last", end).await.unwrap();
    assert_eq!(bed.home.number("SELECT count(*) FROM token WHERE expires_at IS NOT NULL"), 3);
    assert!(bed.store.token_find(&"token-3".into()).await.unwrap().is_some());
}

pub(crate) async fn a_token_is_added_once_and_for_what_is_there<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let end = bed.clock.now().plus(Duration::from_secs(60));
    add_token(&bed, "twice", end).await.unwrap();
    let again = add_token(&bed, "twice", end).await;
    assert!(matches!(again, Err(Error::Conflict)), "{again:?}");
    let new = NewCredential {
        project: ProjectId::parse("nowhere").unwrap(),
        account: bed.account().await,
        note: String::new(),
        granted: None,
    };
    let id = TokenId::new(bed.tick(), bed.chance.as_ref());
    let lost = bed.store.token_add(new, id, &"lost".into(), Some(end), false).await.unwrap();
    assert_eq!(lost, CredentialMade::NoAccount);
    assert!(by_token(&bed, "twice").await.is_some());
}

pub(crate) async fn neither_secret_nor_token_is_readable_at_rest<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    for path in bed.home.files() {
        let bytes = traces::bytes_of(&path);
        for secret in ["the-secret-key-of-the-first-pair", "the-token-of-the-first-start"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", path.display());
        }
    }
}

pub(crate) async fn secrets_open_again_after_a_restart<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let before = by_token(&bed, "the-token-of-the-first-start").await;
    assert!(before.is_some());
    let mut bed = bed.reopen();
    bed.chance = std::sync::Arc::new(SeededChance::new(99));
    let bed = bed.reopen();
    assert!(bed.store.is_installed().await.unwrap());
    let key = bed.store.access_key_find("AKEXAMPLE0000001").await.unwrap().unwrap();
    assert_eq!(key.secret.reveal(), "the-secret-key-of-the-first-pair");
    assert_eq!(by_token(&bed, "the-token-of-the-first-start").await, before);
}
