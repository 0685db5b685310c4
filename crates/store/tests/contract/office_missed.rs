//! Who is gone although something names them, and that it is told once.

use carillon_model::Clock;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{ConnectionId, MessageId};
use carillon_model::message::{Body, Content, Locale, Message, Priority};
use carillon_model::office::RecipientKind;
use carillon_model::subscription::{Extension, Fallback, Target};
use carillon_store::audit::AuditFilter;
use carillon_store::delivery::StoredMessage;
use carillon_store::office_group::{GroupPart, GroupPartKind};

use crate::harness::{Bed, Home, robot};
use crate::office::{connected, expand, ids, member, named, range, read};

fn office(connection: ConnectionId, kind: RecipientKind, id: &str) -> Target {
    Target { endpoint: Endpoint::Office { connection, kind, id: id.into() }, extension: Extension::default() }
}

pub(crate) async fn who_is_gone_and_still_named_is_told_once<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let connection = connected(&bed, "HQ").await;
    let all: Vec<_> = (0..12).map(|number| member(&format!("u{number}"), &["d1"])).collect();
    read(&bed, connection, all.clone(), range(&[])).await;
    assert_eq!(bed.store.run_list_untold().await.unwrap(), []);

    let (topic, care) = (bed.topic("ops").await, bed.topic("care").await);
    let by_id = bed.subscribe(&topic, office(connection, RecipientKind::Member, "u0")).await;
    let by_group = bed.subscribe(&topic, office(connection, RecipientKind::Group, "on call")).await;
    bed.subscribe(&topic, office(connection, RecipientKind::Department, "d1")).await;
    bed.subscribe(&care, robot("watcher")).await;
    let set = bed.store.subscription_fallback_set(topic.id, by_id, Some(Fallback::Topic(care.id)));
    assert!(set.await.unwrap());
    let part = |id: &str| GroupPart { kind: GroupPartKind::Member, id: id.to_owned() };
    let parts = vec![part("u1"), part("u2")];
    bed.store.group_put(connection, "on call".to_owned(), parts).await.unwrap();

    // Of two who are gone, one is named by a subscription and one by a group; a third is named by nothing.
    bed.tick();
    let left: Vec<_> = all.into_iter().filter(|one| !["u0", "u1"].contains(&one.user_id.as_str())).collect();
    let (run, asks) = read(&bed, connection, left, range(&[])).await;
    assert_eq!(asks, Some(false));
    assert_eq!(bed.store.run_list_untold().await.unwrap(), [(run, connection)]);
    let told = bed.store.run_to_tell(run).await.unwrap().unwrap();
    let missed: Vec<_> = told.missed.iter().map(|one| (one.id.as_str(), one.groups.len())).collect();
    assert_eq!(missed, [("u0", 0), ("u1", 1)]);
    assert_eq!(told.missed[0].subscriptions, [(by_id, topic.name.clone())]);
    assert_eq!(told.missed[1].subscriptions, [(by_group, topic.name.clone())]);
    let [to] = told.to.as_slice() else { panic!("{:?}", told.to) };
    assert_eq!(
        (&to.through, to.recipients.len(), to.places.as_slice()),
        (&(care.id, care.name.clone()), 1, [0].as_slice())
    );

    // Who looks after the connection is told of all of it; the same people are told once.
    let notices = bed.store.connection_notices_set(&bed.project, connection, Some(Fallback::Topic(care.id)));
    assert!(notices.await.unwrap());
    let told = bed.store.run_to_tell(run).await.unwrap().unwrap();
    let places: Vec<_> = told.to.iter().map(|to| to.places.clone()).collect();
    assert_eq!(places, [vec![0, 1]]);
    let notice = || {
        let now = bed.clock.now();
        let message = Message {
            id: MessageId::new(now, bed.chance.as_ref()),
            project: bed.project.clone(),
            topic: care.id,
            content: Content { default: Body::text("gone"), ..Content::default() },
            priority: Priority::Normal,
            locale: Locale::English,
            created_at: now,
            expires_at: now.plus(std::time::Duration::from_secs(60)),
        };
        vec![(StoredMessage { message, topic_name: care.name.clone() }, told.to[0].recipients.clone())]
    };
    assert!(bed.store.run_tell(run, &told, notice()).await.unwrap());
    assert!(!bed.store.run_tell(run, &told, notice()).await.unwrap(), "told already");
    assert_eq!(bed.store.run_to_tell(run).await.unwrap(), None);
    assert_eq!(bed.home.number("SELECT count(*) FROM delivery"), 1);
    let lines = bed.store.audit_list(&bed.project, AuditFilter::default(), None, 10).await.unwrap();
    assert_eq!((lines[0].deed.name(), lines[0].account_name.as_str()), ("directory.missed", "system"));
    let kept = bed.store.run_find(&bed.project, connection, run).await.unwrap().unwrap();
    assert_eq!(kept.missed, told.missed);
}

/// Whoever was named before is not missed a second time.
pub(crate) async fn a_department_whose_people_were_named_before_is_not_empty<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let connection = connected(&bed, "HQ").await;
    read(&bed, connection, vec![member("u1", &["d2"])], range(&[])).await;
    let department = |id| named(RecipientKind::Department, id);
    let found = expand(&bed, connection, &[department("d1"), department("d2")]).await;
    assert_eq!((ids(&found), found.unreached.len()), (vec!["u1"], 0), "{found:?}");
    bed.tick();
    let (run, asks) = read(&bed, connection, Vec::new(), range(&[])).await;
    assert!(asks == Some(false) || bed.store.run_confirm(run).await.unwrap());
    let found = expand(&bed, connection, &[department("d2")]).await;
    assert_eq!((found.to.len(), found.unreached.len()), (0, 1), "{found:?}");
}
