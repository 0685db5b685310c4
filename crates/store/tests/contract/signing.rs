//! The key that signs, and its certificate.

use carillon_model::Clock;
use carillon_model::id::CertificateId;
use carillon_store::signing::SigningKey;

use crate::harness::{Bed, Home};
use crate::traces;

const PRIVATE: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC";

fn key<H: Home>(bed: &Bed<H>, certificate: &str) -> SigningKey {
    let id = CertificateId::new(bed.clock.now(), bed.chance.as_ref());
    SigningKey { id, private_key: PRIVATE.into(), certificate: certificate.to_owned() }
}

pub(crate) async fn the_first_key_stays<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    assert!(bed.store.signing_key_find().await.unwrap().is_none());
    let (one, two) = (key(&bed, "one"), key(&bed, "two"));
    let (first, second) =
        tokio::join!(bed.store.signing_key_add(one.clone()), bed.store.signing_key_add(two.clone()));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.id, &first.certificate), (second.id, &second.certificate));
    let found = bed.store.certificate_find(first.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&first.certificate));
    let other = if first.id == one.id { two.id } else { one.id };
    assert_eq!(bed.store.certificate_find(other).await.unwrap(), None);
}

pub(crate) async fn a_key_opens_again_after_a_restart<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    bed.store.signing_key_add(key(&bed, "one")).await.unwrap();
    let bed = bed.reopen();
    let found = bed.store.signing_key_find().await.unwrap().unwrap();
    assert_eq!((found.private_key.reveal(), found.certificate.as_str()), (PRIVATE, "one"));
}

pub(crate) async fn a_private_key_is_not_readable_at_rest<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    bed.store.signing_key_add(key(&bed, "one")).await.unwrap();
    for file in bed.home.files() {
        let bytes = traces::bytes_of(&file);
        let found = bytes.windows(PRIVATE.len()).any(|window| window == PRIVATE.as_bytes());
        assert!(!found, "{}", file.display());
    }
}
