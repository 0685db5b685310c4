use carillon_model::filter::{FilterPolicies, FilterPolicy};
use carillon_model::id::SubscriptionId;
use carillon_model::topic::{Topic, TopicName};
use carillon_store::filter::{FilterChange, FilterChanged};
use carillon_store::subscription::SubscriptionFilter;

use crate::harness::{ALL, Bed, Home, robot};

fn policies(list: &[(&str, &str)]) -> FilterPolicies {
    let one = |(name, value): &(&str, &str)| FilterPolicy::new(name, vec![(*value).to_owned()]).unwrap();
    FilterPolicies::new(list.iter().map(one).collect()).unwrap()
}

async fn change<H: Home>(
    bed: &Bed<H>,
    topic: &Topic,
    changes: Vec<(SubscriptionId, FilterChange)>,
) -> Vec<FilterChanged> {
    let changes = changes.into_iter().map(|(id, change)| (id, topic.name.clone(), change)).collect();
    bed.store.filter_change(&bed.project, changes).await.unwrap()
}

/// The policies of every recipient; a list and a single look must agree.
async fn wanted<H: Home>(bed: &Bed<H>, topic: &Topic) -> Vec<FilterPolicies> {
    let recipients = bed.store.recipient_list(topic.id).await.unwrap();
    let (_count, listed) =
        bed.store.subscription_list(&bed.project, SubscriptionFilter::default(), ALL).await.unwrap();
    for one in recipients.iter() {
        let found = bed.store.subscription_find(topic.id, one.subscription).await.unwrap().unwrap();
        assert_eq!(found.filter_policies, one.filter_policies);
        assert!(listed.contains(&found));
    }
    recipients.iter().map(|one| one.filter_policies.clone()).collect()
}

pub(crate) async fn policies_come_with_recipients_and_lists<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let first = bed.subscribe(&topic, robot("0123456789a")).await;
    bed.tick();
    let second = bed.subscribe(&topic, robot("0123456789b")).await;
    let add = |list| FilterChange::Add(policies(list));
    let changes = vec![
        (first, add(&[("day", "mon")])),
        (first, add(&[("part", "am")])),
        (second, add(&[("day", "x")])),
    ];
    assert_eq!(change(&bed, &topic, changes).await, vec![FilterChanged::Done; 3]);
    let both = policies(&[("day", "mon"), ("part", "am")]);
    assert_eq!(wanted(&bed, &topic).await, [both.clone(), policies(&[("day", "x")])]);
    let again =
        change(&bed, &topic, vec![(first, add(&[("day", "tue")])), (second, add(&[("a", "b")]))]).await;
    assert!(matches!(again[0], FilterChanged::Refused(_)));
    assert_eq!(again[1], FilterChanged::Done);
    assert_eq!(wanted(&bed, &topic).await, [both, policies(&[("day", "x"), ("a", "b")])]);
    let replace = |list| FilterChange::Replace(policies(list));
    change(&bed, &topic, vec![(first, replace(&[("z", "1")])), (second, replace(&[]))]).await;
    assert_eq!(wanted(&bed, &topic).await, [policies(&[("z", "1")]), FilterPolicies::default()]);
    assert_eq!(bed.home.number("SELECT count(*) FROM filter_policy"), 1, "no policies are no row");
}

pub(crate) async fn policies_go_with_their_subscription<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let first = bed.subscribe(&topic, robot("0123456789a")).await;
    let second = bed.subscribe(&topic, robot("0123456789b")).await;
    let add = FilterChange::Add(policies(&[("day", "mon")]));
    change(&bed, &topic, vec![(first, add.clone()), (second, add)]).await;
    bed.store.subscription_delete(vec![(topic.id, first)]).await.unwrap();
    assert_eq!(bed.home.number("SELECT count(*) FROM filter_policy"), 1);
    bed.store.topic_delete(&bed.project, &topic.name).await.unwrap();
    assert_eq!(bed.home.number("SELECT count(*) FROM filter_policy"), 0);
}

pub(crate) async fn only_ones_own_are_changed<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let id = bed.subscribe(&topic, robot("0123456789a")).await;
    let add = FilterChange::Add(policies(&[("day", "mon")]));
    let elsewhere = bed.foreign();
    let theirs =
        bed.store.filter_change(&elsewhere, vec![(id, topic.name.clone(), add.clone())]).await.unwrap();
    let other = TopicName::parse("other").unwrap();
    let wrong_topic = bed.store.filter_change(&bed.project, vec![(id, other, add)]).await.unwrap();
    assert_eq!(
        (theirs, wrong_topic),
        (vec![FilterChanged::NoSubscription], vec![FilterChanged::NoSubscription])
    );
    assert_eq!(bed.store.filter_change(&bed.project, Vec::new()).await.unwrap(), []);
    assert_eq!(wanted(&bed, &topic).await, [FilterPolicies::default()]);
}
