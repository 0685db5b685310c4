//! Users with several ways to be reached.

use carillon_model::Channel;
use carillon_model::id::SubscriptionUserId;
use carillon_model::limits;
use carillon_model::subscription::{Extension, SubscriptionState};
use carillon_model::subscription_user::{Contact, SubscriptionUser};
use carillon_store::subscription_user::UserChange;

use crate::harness::{Bed, Home, robot, robot_endpoint, subscription};
use crate::traces::Gone;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn lark(token: &str) -> Contact {
    Contact {
        channel: Channel::Lark,
        protocol: "feishu".to_owned(),
        endpoint: robot_endpoint(token).canonical(),
        extension: Extension { sign_secret: Some("hush-hush-hush-hush-hush".into()), ..Extension::default() },
    }
}

fn mail(address: &str) -> Contact {
    Contact {
        channel: Channel::Email,
        protocol: "email".to_owned(),
        endpoint: address.into(),
        extension: Extension::default(),
    }
}

async fn add<H: Home>(bed: &Bed<H>, name: &str, contacts: Vec<Contact>) -> SubscriptionUser {
    let now = bed.tick();
    let made =
        bed.store.subscription_user_add(&bed.project, name.to_owned(), "night".to_owned(), contacts.clone());
    SubscriptionUser {
        id: made.await.unwrap().unwrap(),
        name: name.to_owned(),
        group: "night".to_owned(),
        contacts,
        created_at: now,
        updated_at: now,
    }
}

fn sealed<H: Home>(bed: &Bed<H>, id: SubscriptionUserId) -> Vec<Vec<u8>> {
    bed.home.bytes(&format!(
        "SELECT x.bytes FROM subscription_user u JOIN sealed x ON x.seq = u.sealed_seq WHERE u.id = '{id}'"
    ))
}

pub(crate) async fn users_are_kept_listed_and_changed_in_part<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let one = add(&bed, "one", vec![lark(TOKEN), mail("one@example.org")]).await;
    let two = add(&bed, "two", vec![mail("two@example.org")]).await;
    let bed = bed.reopen();
    let listed = bed.store.subscription_user_list(&bed.project).await.unwrap();
    assert_eq!(listed, [one.clone(), two.clone()]);

    let now = bed.tick();
    let contacts = vec![("email".to_owned(), Some(mail("new@example.org"))), ("feishu".to_owned(), None)];
    let change = UserChange { name: Some("uno".to_owned()), group: None, contacts };
    assert!(bed.store.subscription_user_change(&bed.project, one.id, change).await.unwrap());
    let wanted = SubscriptionUser {
        name: "uno".to_owned(),
        contacts: vec![mail("new@example.org")],
        updated_at: now,
        ..one.clone()
    };
    assert_eq!(bed.store.subscription_user_find(&bed.project, one.id).await.unwrap(), Some(wanted.clone()));
    let again = UserChange { group: Some("day".to_owned()), ..UserChange::default() };
    assert!(bed.store.subscription_user_change(&bed.project, one.id, again).await.unwrap());
    let found = bed.store.subscription_user_find(&bed.project, one.id).await.unwrap().unwrap();
    assert_eq!((found.group.as_str(), found.contacts), ("day", wanted.contacts));
    assert_eq!(bed.store.subscription_user_find(&bed.project, two.id).await.unwrap(), Some(two));
}

pub(crate) async fn a_project_has_its_own_users_and_not_too_many<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let one = add(&bed, "one", vec![mail("one@example.org")]).await;
    let elsewhere = bed.foreign();
    assert_eq!(bed.store.subscription_user_find(&elsewhere, one.id).await.unwrap(), None);
    assert!(bed.store.subscription_user_list(&elsewhere).await.unwrap().is_empty());
    assert!(!bed.store.subscription_user_delete(&elsewhere, one.id).await.unwrap());
    let change = UserChange { name: Some("theirs".to_owned()), ..UserChange::default() };
    assert!(!bed.store.subscription_user_change(&elsewhere, one.id, change).await.unwrap());
    bed.home.alter(&format!(
        "INSERT INTO subscription_user (id, project_id, name, grouping_name, sealed_seq, created_at, updated_at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})
         SELECT 'filler-' || i, '{}', 'filler', '', 0, 0, 0 FROM n",
        limits::USERS_MAX - 1,
        bed.project
    ));
    let more = bed.store.subscription_user_add(&bed.project, "more".to_owned(), String::new(), Vec::new());
    assert_eq!(more.await.unwrap(), None);
}

pub(crate) async fn what_reaches_a_user_is_sealed_and_leaves_no_byte<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    for token in [TOKEN, "fedcba9876543210fedcba9876543210"] {
        let user = add(&bed, "one", vec![lark(token)]).await;
        let mut plain = Gone::default();
        plain.add("a plain address", token.as_bytes());
        plain.add("a plain secret", b"hush-hush-hush-hush-hush");
        plain.assert_gone(&bed.home, "at rest");
        let mut first = Gone::default();
        first.add_all("what was sealed first", &sealed(&bed, user.id));
        assert!(!first.find(&bed.home).is_empty(), "what is not found before proves nothing");
        let contacts = vec![("feishu".to_owned(), Some(lark("00112233445566778899aabbccddeeff")))];
        let change = UserChange { contacts, ..UserChange::default() };
        assert!(bed.store.subscription_user_change(&bed.project, user.id, change).await.unwrap());
        first.assert_gone(&bed.home, "after the change");
        let mut second = Gone::default();
        second.add_all("what was sealed", &sealed(&bed, user.id));
        assert!(bed.store.subscription_user_delete(&bed.project, user.id).await.unwrap());
        assert!(!bed.store.subscription_user_delete(&bed.project, user.id).await.unwrap());
        second.assert_gone(&bed.home, "after the delete");
    }
}

pub(crate) async fn an_address_stands_as_its_subscriptions_do<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    let (known, unknown) = (robot_endpoint(TOKEN), robot_endpoint("ffffffffffffffffffffffffffffffff"));
    let mut asked = subscription(&ops, robot(TOKEN));
    asked.state = SubscriptionState::Unconfirmed;
    bed.store.subscription_add(asked).await.unwrap();
    bed.subscribe(&db, robot(TOKEN)).await;
    let stand =
        async |project| bed.store.address_states(project, &[known.clone(), unknown.clone()]).await.unwrap();
    let found = stand(&bed.project).await;
    assert_eq!(found.len(), 2);
    assert!(found[0].contains(&SubscriptionState::Unconfirmed) && found[0].len() == 2, "{found:?}");
    assert!(found[1].is_empty());
    assert_eq!(stand(&bed.foreign()).await, [Vec::new(), Vec::new()]);
}
