//! Access tokens that servers share.

use std::time::Duration;

use carillon_model::SecretText;
use carillon_store::office_token::Shelved;

use crate::harness::{Bed, Home};

const APP: [u8; 32] = [7; 32];
const TOKEN: &str = "t-0123456789abcdef0123456789abcdef";

pub(crate) async fn one_fetches_and_all_use_it<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let renew_at = bed.tick().plus(Duration::from_secs(6_600));
    assert_eq!(bed.store.office_token_take(APP).await.unwrap(), Shelved::Fetch);
    assert_eq!(bed.store.office_token_take(APP).await.unwrap(), Shelved::Wait);
    assert_eq!(bed.store.office_token_take([8; 32]).await.unwrap(), Shelved::Fetch, "another app");
    let token = SecretText::new(TOKEN);
    bed.store.office_token_put(APP, &token, renew_at).await.unwrap();
    let bed = bed.reopen();
    let kept = Shelved::Token(token.clone(), renew_at);
    assert_eq!(bed.store.office_token_take(APP).await.unwrap(), kept);
    let is_token = |bytes: &[u8]| bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes());
    // A file that is not there any more was written anew meanwhile.
    let bytes = |file| std::fs::read(file).unwrap_or_default();
    assert!(!bed.home.files().iter().any(|file| is_token(&bytes(file))), "it is sealed");

    // One that cannot be opened any more is fetched anew.
    bed.home.alter("UPDATE office_token SET sealed = substr(sealed, 2)");
    assert_eq!(bed.store.office_token_take(APP).await.unwrap(), Shelved::Fetch);
    bed.home.alter("DELETE FROM office_token");
    bed.store.office_token_put(APP, &token, renew_at).await.unwrap();

    // One that is called dead goes, unless another took its place.
    bed.store.office_token_drop(APP, renew_at.plus(Duration::from_secs(1))).await.unwrap();
    assert_eq!(bed.store.office_token_take(APP).await.unwrap(), kept);
    bed.store.office_token_drop(APP, renew_at).await.unwrap();
    assert_eq!(bed.store.office_token_take(APP).await.unwrap(), Shelved::Fetch);
    // Whoever cannot fetch leaves it to the next.
    bed.store.office_token_leave(APP).await.unwrap();
    assert_eq!(bed.store.office_token_take(APP).await.unwrap(), Shelved::Fetch);

    // At its time it is renewed, by one.
    bed.store.office_token_put(APP, &token, renew_at).await.unwrap();
    bed.clock.advance(Duration::from_secs(6_600));
    assert_eq!(bed.store.office_token_take(APP).await.unwrap(), Shelved::Fetch);
    assert_eq!(bed.store.office_token_take(APP).await.unwrap(), Shelved::Wait);
    // What nobody renews goes with the next that is kept.
    bed.clock.advance(Duration::from_secs(48 * 60 * 60));
    bed.store.office_token_put([9; 32], &token, bed.tick()).await.unwrap();
    assert_eq!(bed.home.number("SELECT count(*) FROM office_token"), 1);
}

pub(crate) async fn a_server_that_does_not_fetch_is_given_up<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    assert_eq!(bed.store.office_token_take(APP).await.unwrap(), Shelved::Fetch);
    bed.clock.advance(Duration::from_secs(14));
    assert_eq!(bed.store.office_token_take(APP).await.unwrap(), Shelved::Wait);
    bed.clock.advance(Duration::from_secs(1));
    assert_eq!(bed.store.office_token_take(APP).await.unwrap(), Shelved::Fetch);
}
