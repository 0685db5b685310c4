use std::time::Duration;

use carillon_model::limits;

use crate::harness::{Bed, Home};
use crate::traces;

pub(crate) async fn a_session_is_found_until_it_ends<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let account = bed.store.account_find("admin").await.unwrap().unwrap();
    let session = "a-session".into();
    bed.store.session_add(&session, bed.project.clone(), account.id, &account.password_hash).await.unwrap();
    let holder = bed.store.session_find(&session).await.unwrap().unwrap();
    assert_eq!((holder.account, holder.account_name.as_str()), (account.id, "admin"));
    assert!(bed.store.session_find(&"another".into()).await.unwrap().is_none());
    assert!(bed.store.token_find(&session).await.unwrap().is_none(), "a session is no token");
    // Using it keeps it, but for no longer than its life.
    let step = limits::SESSION_IDLE - Duration::from_secs(1);
    let mut age = Duration::ZERO;
    while age + step < limits::SESSION_LIFE {
        bed.clock.advance(step);
        age += step;
        assert!(bed.store.session_find(&session).await.unwrap().is_some());
    }
    bed.clock.advance(step);
    assert!(bed.store.session_find(&session).await.unwrap().is_none());
}

pub(crate) async fn a_session_ends_by_itself_when_it_is_not_used<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let account = bed.store.account_find("admin").await.unwrap().unwrap();
    let session = "a-session".into();
    let mark = &account.password_hash;
    bed.store.session_add(&session, bed.project.clone(), account.id, mark).await.unwrap();
    bed.clock.advance(limits::SESSION_IDLE);
    assert!(bed.store.session_find(&session).await.unwrap().is_none());
    bed.store.session_delete(&session).await.unwrap();
    bed.store.session_delete(&session).await.unwrap();
    assert_eq!(bed.home.number("SELECT count(*) FROM session"), 0);
}

pub(crate) async fn another_password_ends_every_session<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let account = bed.store.account_find("admin").await.unwrap().unwrap();
    for name in ["one", "two"] {
        let mark = &account.password_hash;
        bed.store.session_add(&name.into(), bed.project.clone(), account.id, mark).await.unwrap();
    }
    bed.home.alter("UPDATE account SET password_hash = 'another'");
    for name in ["one", "two"] {
        assert!(bed.store.session_find(&name.into()).await.unwrap().is_none());
    }
    assert_eq!(bed.home.number("SELECT count(*) FROM session"), 0);
}

pub(crate) async fn no_session_is_readable_at_rest<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let account = bed.store.account_find("admin").await.unwrap().unwrap();
    let session = "a-session-that-is-a-secret";
    let mark = &account.password_hash;
    bed.store.session_add(&session.into(), bed.project.clone(), account.id, mark).await.unwrap();
    for file in bed.home.files() {
        let bytes = traces::bytes_of(&file);
        assert!(!bytes.windows(session.len()).any(|window| window == session.as_bytes()));
    }
}
