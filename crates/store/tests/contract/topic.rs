use carillon_model::delivery::DeliveryState;
use carillon_model::id::DeliveryId;
use carillon_model::topic::{Topic, TopicName};
use carillon_model::{Clock, limits};
use carillon_store::topic::{Made, TopicFilter};
use carillon_store::{Error, Page};
use tokio::task::JoinSet;

use crate::harness::{ALL, Bed, Home, robot};

fn names(topics: &[Topic]) -> Vec<&str> {
    topics.iter().map(|topic| topic.name.as_str()).collect()
}

/// The names that a filter lets through, newest first; the count must agree.
async fn listed<H: Home>(bed: &Bed<H>, filter: TopicFilter) -> Vec<String> {
    let (count, topics) = bed.store.topic_list(&bed.project, filter, ALL).await.unwrap();
    assert_eq!(count, u64::try_from(topics.len()).unwrap());
    topics.iter().map(|topic| topic.name.as_str().to_owned()).collect()
}

pub(crate) async fn create_keeps_the_first_of_a_name<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let first = bed.topic("ops").await;
    let mut second = bed.new_topic(&bed.project, "ops");
    second.display_name = "another".to_owned();
    assert_eq!(bed.store.topic_create(second).await.unwrap(), Made::There(first.clone()));
    let found = bed.store.topic_find(&bed.project, &first.name).await.unwrap();
    assert_eq!(found, Some(first));
    let other_case = TopicName::parse("OPS").unwrap();
    assert_eq!(bed.store.topic_find(&bed.project, &other_case).await.unwrap(), None);
}

pub(crate) async fn create_stops_at_the_most_a_project_may_have<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let there = bed.topic("ops").await;
    bed.home.alter(&format!(
        "INSERT INTO topic (id, project_id, name, display_name, enterprise_project_id, created_at, updated_at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})
         SELECT 'filler-' || i, '{}', 'filler-' || i, '', '0', 0, 0 FROM n",
        limits::TOPICS_MAX - 2,
        bed.project
    ));
    bed.topic("last").await;
    let full = bed.store.topic_create(bed.new_topic(&bed.project, "one-more")).await.unwrap();
    assert_eq!(full, Made::Full);
    let again = bed.store.topic_create(bed.new_topic(&bed.project, "ops")).await.unwrap();
    assert_eq!(again, Made::There(there));
    let elsewhere = bed.foreign();
    let made = bed.store.topic_create(bed.new_topic(&elsewhere, "one-more")).await.unwrap();
    assert!(matches!(made, Made::New(_)));
}

pub(crate) async fn list_is_newest_first<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    for name in ["b", "a", "c"] {
        bed.topic(name).await;
    }
    assert_eq!(listed(&bed, TopicFilter::default()).await, ["c", "a", "b"]);
}

pub(crate) async fn list_of_one_moment_has_a_fixed_order<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let now = bed.clock.now();
    let mut made = Vec::new();
    for index in 0..20 {
        let topic = Topic { created_at: now, ..bed.new_topic(&bed.project, &format!("t{index}")) };
        made.push(topic.clone());
        bed.store.topic_create(topic).await.unwrap();
    }
    made.sort_by_key(|topic| std::cmp::Reverse(topic.id));
    let mut paged = Vec::new();
    for offset in 0..20 {
        let page = Page { offset, limit: 1 };
        paged.extend(bed.store.topic_list(&bed.project, TopicFilter::default(), page).await.unwrap().1);
    }
    assert_eq!(paged, made);
}

pub(crate) async fn list_counts_all_and_shows_a_page<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    for index in 0..7 {
        bed.topic(&format!("t{index}")).await;
    }
    let wanted: [(u64, u64, &[&str]); 6] = [
        (0, 3, &["t6", "t5", "t4"]),
        (3, 3, &["t3", "t2", "t1"]),
        (6, 3, &["t0"]),
        (7, 3, &[]),
        (1_000_000, 100, &[]),
        (0, 0, &[]),
    ];
    for (offset, limit, shown) in wanted {
        let page = Page { offset, limit };
        let (count, topics) = bed.store.topic_list(&bed.project, TopicFilter::default(), page).await.unwrap();
        assert_eq!((count, names(&topics).as_slice()), (7, shown), "{page:?}");
    }
    let filter = TopicFilter { name_part: Some("t".to_owned()), ..TopicFilter::default() };
    let page = Page { offset: 5, limit: 1 };
    let (count, topics) = bed.store.topic_list(&bed.project, filter, page).await.unwrap();
    assert_eq!((count, names(&topics).as_slice()), (7, ["t1"].as_slice()));
}

pub(crate) async fn list_filters<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    for (name, enterprise) in [("ops", "0"), ("ops_disk", "e1"), ("ops-disk", "e1"), ("db", "e2")] {
        let mut topic = bed.new_topic(&bed.project, name);
        enterprise.clone_into(&mut topic.enterprise_project_id);
        bed.store.topic_create(topic).await.unwrap();
    }
    let exact = |name: &str| TopicFilter { name: Some(name.to_owned()), ..TopicFilter::default() };
    let part = |name: &str| TopicFilter { name_part: Some(name.to_owned()), ..TopicFilter::default() };
    let of = |enterprise: &str| TopicFilter {
        enterprise_project_id: Some(enterprise.to_owned()),
        ..TopicFilter::default()
    };
    assert_eq!(listed(&bed, exact("ops")).await, ["ops"]);
    assert!(listed(&bed, exact("op")).await.is_empty());
    assert!(listed(&bed, exact("ops%")).await.is_empty());
    assert_eq!(listed(&bed, part("ops")).await, ["ops-disk", "ops_disk", "ops"]);
    assert_eq!(listed(&bed, part("s_d")).await, ["ops_disk"], "_ is taken literally");
    assert!(listed(&bed, part("o%s")).await.is_empty(), "% is taken literally");
    assert_eq!(listed(&bed, of("e1")).await, ["ops-disk", "ops_disk"]);
    assert!(listed(&bed, of("e")).await.is_empty());
    let both = TopicFilter { name_part: Some("_".to_owned()), ..of("e1") };
    assert_eq!(listed(&bed, both).await, ["ops_disk"]);
    let db = bed.store.topic_find(&bed.project, &TopicName::parse("db").unwrap()).await.unwrap().unwrap();
    let by_id = TopicFilter { id: Some(db.id.to_string()), ..TopicFilter::default() };
    assert_eq!(listed(&bed, by_id).await, ["db"]);
    let no_id = TopicFilter { id: Some("db".to_owned()), ..TopicFilter::default() };
    assert!(listed(&bed, no_id).await.is_empty());
}

pub(crate) async fn list_takes_a_part_of_a_display_name_literally<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let shown = ["磁盘告警", "磁_告警", "100% 满", "a\\b", "it's \"x\"", ""];
    for (index, text) in shown.iter().enumerate() {
        let mut topic = bed.new_topic(&bed.project, &format!("t{index}"));
        (*text).clone_into(&mut topic.display_name);
        bed.store.topic_create(topic).await.unwrap();
    }
    let wanted: [(&str, &[&str]); 11] = [
        ("磁盘", &["t0"]),
        ("告警", &["t1", "t0"]),
        ("磁_", &["t1"]),
        ("_", &["t1"]),
        ("%", &["t2"]),
        ("0% ", &["t2"]),
        ("\\", &["t3"]),
        ("a\\b", &["t3"]),
        ("\\\\", &[]),
        ("'s \"", &["t4"]),
        ("", &["t5", "t4", "t3", "t2", "t1", "t0"]),
    ];
    for (text, found) in wanted {
        let filter = TopicFilter { display_name_part: Some(text.to_owned()), ..TopicFilter::default() };
        assert_eq!(listed(&bed, filter).await, found, "{text}");
    }
}

pub(crate) async fn another_project_sees_nothing<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let elsewhere = bed.foreign();
    let ours = bed.topic("ops").await;
    assert_eq!(bed.store.topic_find(&elsewhere, &ours.name).await.unwrap(), None);
    let (count, topics) = bed.store.topic_list(&elsewhere, TopicFilter::default(), ALL).await.unwrap();
    assert_eq!((count, topics), (0, Vec::new()));
    let by_id = TopicFilter { id: Some(ours.id.to_string()), ..TopicFilter::default() };
    assert_eq!(bed.store.topic_list(&elsewhere, by_id, ALL).await.unwrap().0, 0);
    assert!(!bed.store.topic_rename(&elsewhere, &ours.name, "theirs".to_owned()).await.unwrap());
    assert!(!bed.store.topic_delete(&elsewhere, &ours.name).await.unwrap());
    assert_eq!(bed.store.topic_find(&bed.project, &ours.name).await.unwrap(), Some(ours.clone()));

    let theirs = bed.new_topic(&elsewhere, "ops");
    assert_eq!(bed.store.topic_create(theirs.clone()).await.unwrap(), Made::New(theirs.clone()));
    assert!(bed.store.topic_delete(&bed.project, &ours.name).await.unwrap());
    assert_eq!(bed.store.topic_find(&elsewhere, &theirs.name).await.unwrap(), Some(theirs));
}

pub(crate) async fn rename_changes_the_display_name_and_the_time<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let other = bed.topic("db").await;
    let now = bed.tick();
    assert!(bed.store.topic_rename(&bed.project, &topic.name, "磁盘 '\"%_\\".to_owned()).await.unwrap());
    let wanted = Topic { display_name: "磁盘 '\"%_\\".to_owned(), updated_at: now, ..topic.clone() };
    assert_eq!(bed.store.topic_find(&bed.project, &topic.name).await.unwrap(), Some(wanted));
    assert_eq!(bed.store.topic_find(&bed.project, &other.name).await.unwrap(), Some(other));
    let missing = TopicName::parse("missing").unwrap();
    assert!(!bed.store.topic_rename(&bed.project, &missing, "x".to_owned()).await.unwrap());
}

pub(crate) async fn delete_takes_subscriptions_and_cancels_what_waits<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (topic, other) = (bed.topic("ops").await, bed.topic("db").await);
    let gone = bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let kept = bed.subscribe(&other, robot("0123456789abcdef")).await;
    let message = bed.publish(&topic, "one").await;
    let waits = bed.publish(&other, "two").await;

    assert!(bed.store.topic_delete(&bed.project, &topic.name).await.unwrap());
    assert!(!bed.store.topic_delete(&bed.project, &topic.name).await.unwrap());
    assert_eq!(bed.store.topic_find(&bed.project, &topic.name).await.unwrap(), None);
    assert_eq!(bed.store.subscription_find(topic.id, gone).await.unwrap(), None);
    assert!(bed.store.target_open(gone).await.unwrap().is_none());
    assert!(bed.store.recipient_list(topic.id).await.unwrap().is_empty());
    assert_eq!(bed.state(DeliveryId::new(message, 1)).await, DeliveryState::Cancelled);
    assert_eq!(bed.state(DeliveryId::new(waits, 1)).await, DeliveryState::Pending);
    assert!(bed.store.target_open(kept).await.unwrap().is_some());
    let found = bed.store.message_find(&bed.project, message).await.unwrap().unwrap();
    assert_eq!(found.message.topic_name, topic.name, "what was published is remembered");

    let again = bed.topic("ops").await;
    assert!(bed.store.recipient_list(again.id).await.unwrap().is_empty());
}

pub(crate) async fn one_bad_write_among_many_fails_alone<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let nowhere = carillon_model::id::ProjectId::parse("nowhere").unwrap();
    let mut calls = JoinSet::new();
    for index in 0..200 {
        let project = if index % 10 == 3 { &nowhere } else { &bed.project };
        let topic = bed.new_topic(project, &format!("t{index}"));
        let store = bed.store.clone();
        calls.spawn(async move { (index, store.topic_create(topic).await) });
    }
    for (index, made) in calls.join_all().await {
        if index % 10 == 3 {
            assert!(matches!(made, Err(Error::Conflict)), "{index}: {made:?}");
        } else {
            assert!(matches!(made, Ok(Made::New(_))), "{index}: {made:?}");
        }
    }
    assert_eq!(listed(&bed, TopicFilter::default()).await.len(), 180);
}

pub(crate) async fn many_at_once_make_one_topic_of_a_name<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let mut calls = JoinSet::new();
    for _caller in 0..50 {
        let topic = bed.new_topic(&bed.project, "ops");
        let store = bed.store.clone();
        calls.spawn(async move { store.topic_create(topic).await.unwrap() });
    }
    let made = calls.join_all().await;
    let new: Vec<_> = made.iter().filter(|made| matches!(made, Made::New(_))).collect();
    let [Made::New(first)] = new.as_slice() else { panic!("{new:?}") };
    let there = made.iter().filter(|made| **made == Made::There(first.clone())).count();
    assert_eq!(there, 49);
}
