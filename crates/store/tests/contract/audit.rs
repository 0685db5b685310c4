use std::time::Duration;

use carillon_model::audit::Deed;
use carillon_model::limits;
use carillon_model::topic::TopicName;
use carillon_store::Store;
use carillon_store::audit::{Act, Actor, AuditFilter};

use crate::harness::{Bed, Home};

async fn acting<H: Home>(bed: &Bed<H>, deed: Option<Deed>, what: &[&str]) -> Store {
    let actor = Actor {
        project: bed.project.clone(),
        account: bed.account().await,
        account_name: "admin".to_owned(),
        credential: "key AKEXAMPLE0000001".to_owned(),
    };
    let what = what.iter().map(|one| (*one).to_owned()).collect();
    bed.tick();
    bed.store.acting(Act { actor, deed, what, detail: "more".to_owned() })
}

async fn log<H: Home>(bed: &Bed<H>, filter: AuditFilter) -> Vec<(Deed, String)> {
    let lines = bed.store.audit_list(&bed.project, filter, None, 100).await.unwrap();
    lines.into_iter().map(|line| (line.deed, line.what)).collect()
}

fn everything() -> AuditFilter {
    AuditFilter::default()
}

pub(crate) async fn a_line_is_written_with_its_change_only<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let name = TopicName::parse("ops").unwrap();
    let store = acting(&bed, Some(Deed::TopicDelete), &["ops"]).await;
    assert!(!store.topic_delete(&bed.project, &name).await.unwrap());
    assert!(log(&bed, everything()).await.is_empty(), "nothing was there to be deleted");

    let store = acting(&bed, Some(Deed::TopicCreate), &["ops"]).await;
    store.topic_create(bed.new_topic(&bed.project, "ops")).await.unwrap();
    store.topic_create(bed.new_topic(&bed.project, "ops")).await.unwrap();
    bed.store.topic_rename(&bed.project, &name, "by nobody".to_owned()).await.unwrap();
    let lines = bed.store.audit_list(&bed.project, everything(), None, 100).await.unwrap();
    assert_eq!(lines.len(), 1, "the second made nothing");
    let line = &lines[0];
    assert_eq!((line.account, line.account_name.as_str()), (bed.account().await, "admin"));
    assert_eq!((line.credential.as_str(), line.detail.as_str()), ("key AKEXAMPLE0000001", "more"));
    assert_eq!((line.deed, line.what.as_str()), (Deed::TopicCreate, "ops"));

    // Several pieces of work in one name are one act.
    assert!(store.topic_delete(&bed.project, &name).await.unwrap());
    assert_eq!(log(&bed, everything()).await.len(), 1);

    // A line that cannot be written takes the change back with it.
    let store = acting(&bed, Some(Deed::TopicCreate), &["ops"]).await;
    bed.home.alter("DROP TABLE audit");
    assert!(store.topic_create(bed.new_topic(&bed.project, "ops")).await.is_err());
    assert!(bed.store.topic_find(&bed.project, &name).await.unwrap().is_none());
}

pub(crate) async fn several_things_have_a_line_each<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let store = acting(&bed, Some(Deed::TopicCreate), &["a", "b", "c"]).await;
    store.topic_create(bed.new_topic(&bed.project, "a")).await.unwrap();
    let mut what: Vec<_> = log(&bed, everything()).await.into_iter().map(|(_, what)| what).collect();
    what.sort();
    assert_eq!(what, ["a", "b", "c"]);
    let long = "x".repeat(limits::AUDIT_WHAT_BYTES_MAX + 1);
    let store = acting(&bed, Some(Deed::TopicCreate), &[&long]).await;
    store.topic_create(bed.new_topic(&bed.project, "b")).await.unwrap();
    let lines = log(&bed, everything()).await;
    assert!(lines.iter().all(|(_, what)| what.len() <= limits::AUDIT_WHAT_BYTES_MAX));
}

pub(crate) async fn lines_are_listed_newest_first_and_filtered<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    for name in ["a", "b"] {
        let store = acting(&bed, Some(Deed::TopicCreate), &[name]).await;
        store.topic_create(bed.new_topic(&bed.project, name)).await.unwrap();
    }
    let store = acting(&bed, Some(Deed::TopicDelete), &["a"]).await;
    store.topic_delete(&bed.project, &TopicName::parse("a").unwrap()).await.unwrap();
    let all = log(&bed, everything()).await;
    let line = |deed, what: &str| (deed, what.to_owned());
    let (gone, b, a) =
        (line(Deed::TopicDelete, "a"), line(Deed::TopicCreate, "b"), line(Deed::TopicCreate, "a"));
    assert_eq!(all, [gone.clone(), b.clone(), a.clone()]);
    let of = AuditFilter { what: Some("a".to_owned()), ..everything() };
    assert_eq!(log(&bed, of).await, [gone.clone(), a.clone()]);
    let of = AuditFilter { deed: Some(Deed::TopicCreate), ..everything() };
    assert_eq!(log(&bed, of).await, [b.clone(), a.clone()]);
    let of = AuditFilter { account_name: Some("nobody".to_owned()), ..everything() };
    assert!(log(&bed, of).await.is_empty());
    let first = bed.store.audit_list(&bed.project, everything(), None, 1).await.unwrap();
    let rest = bed.store.audit_list(&bed.project, everything(), Some(first[0].id), 10).await.unwrap();
    assert_eq!(rest.len(), 2);
    let elsewhere = bed.foreign();
    assert!(bed.store.audit_list(&elsewhere, everything(), None, 10).await.unwrap().is_empty());
}

pub(crate) async fn old_lines_are_forgotten<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    for name in ["a", "b", "c"] {
        let store = acting(&bed, Some(Deed::TopicCreate), &[name]).await;
        store.topic_create(bed.new_topic(&bed.project, name)).await.unwrap();
    }
    bed.clock.advance(limits::AUDIT_LIFE);
    let store = acting(&bed, Some(Deed::TopicCreate), &["d"]).await;
    store.topic_create(bed.new_topic(&bed.project, "d")).await.unwrap();
    bed.clock.advance(Duration::from_secs(1));
    assert_eq!(bed.store.audit_forget(2).await.unwrap(), 2);
    assert_eq!(bed.store.audit_forget(2).await.unwrap(), 1);
    assert_eq!(bed.store.audit_forget(2).await.unwrap(), 0);
    assert_eq!(log(&bed, everything()).await, [(Deed::TopicCreate, "d".to_owned())]);
}

pub(crate) async fn a_message_knows_its_publisher<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let store = acting(&bed, None, &[]).await;
    let by_admin = bed.new_message(&topic, "mine");
    let id = by_admin.message.id;
    store.message_publish(by_admin, Vec::new()).await.unwrap();
    let by_itself = bed.publish(&topic, "the service's own").await;
    let admin = bed.account().await;
    for (id, publisher) in [(id, Some(admin)), (by_itself, None)] {
        let found = bed.store.message_find(&bed.project, id).await.unwrap().unwrap();
        assert_eq!(found.publisher, publisher);
    }
    let listed = bed.store.message_list(&bed.project, None, Some(admin), None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|one| one.message.message.id).collect::<Vec<_>>(), [id]);
    assert!(log(&bed, everything()).await.is_empty(), "the message itself says who published it");
}
