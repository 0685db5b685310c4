use std::time::Duration;

use carillon_model::delivery::DeliveryState;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{DeliveryId, SubscriptionId, TopicId};
use carillon_model::subscription::{AppCredentials, Extension, SubscriptionState, Target};
use carillon_model::{Channel, Clock, limits};
use carillon_store::Page;
use carillon_store::subscription::{NewSubscription, Subscribed, SubscriptionFilter};

use crate::harness::{ALL, Bed, Home, robot, robot_endpoint, subscription};

/// The ids that a filter lets through, oldest first; the count must agree.
async fn listed<H: Home>(bed: &Bed<H>, filter: SubscriptionFilter) -> Vec<SubscriptionId> {
    let (count, found) = bed.store.subscription_list(&bed.project, filter, ALL).await.unwrap();
    assert_eq!(count, u64::try_from(found.len()).unwrap());
    found.iter().map(|one| one.id).collect()
}

fn person(user: &str, app_key: &str) -> Target {
    let app = AppCredentials {
        app_key: app_key.into(),
        app_secret: "the-app-secret".into(),
        robot_code: "robot-code".into(),
    };
    let extension = Extension { app: Some(app), ..Extension::default() };
    Target { endpoint: Endpoint::DingtalkPerson { user: user.into() }, extension }
}

fn web(url: &str, headers: &[(&str, &str)]) -> Target {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let extension = Extension { headers, ..Extension::default() };
    Target { endpoint: Endpoint::Web { url: url.into() }, extension }
}

async fn lane<H: Home>(bed: &Bed<H>, topic: TopicId, id: SubscriptionId) -> String {
    bed.store.subscription_find(topic, id).await.unwrap().unwrap().endpoint_id.to_string()
}

pub(crate) async fn is_found_as_it_was_added<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let now = bed.tick();
    let mut new = subscription(&topic, robot("0123456789abcdef"));
    new.protocol = "feishu".to_owned();
    new.remark = Some("运维群 %_\\'".to_owned());
    let Subscribed::New(id) = bed.store.subscription_add(new).await.unwrap() else { panic!() };
    let found = bed.store.subscription_find(topic.id, id).await.unwrap().unwrap();
    assert_eq!((found.id, found.topic, found.topic_name), (id, topic.id, topic.name));
    assert_eq!((found.project, found.protocol.as_str()), (bed.project.clone(), "feishu"));
    assert_eq!(found.remark, "运维群 %_\\'");
    assert_eq!((found.state, found.created_at), (SubscriptionState::Unneeded, now));
    assert_eq!(found.endpoint_masked, robot_endpoint("0123456789abcdef").masked());
    assert!(!found.endpoint_masked.contains("0123456789ab"));
}

pub(crate) async fn topic_protocol_and_address_are_its_key<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    let first = bed.subscribe(&ops, robot("0123456789abcdef")).await;
    let elsewhere = bed.subscribe(&db, robot("0123456789abcdef")).await;
    let other_address = bed.subscribe(&ops, robot("0123456789abcdee")).await;
    let other_protocol =
        NewSubscription { protocol: "another".to_owned(), ..subscription(&ops, robot("0123456789abcdef")) };
    let Subscribed::New(by_protocol) = bed.store.subscription_add(other_protocol).await.unwrap() else {
        panic!("another protocol is another subscription")
    };
    let again = bed.store.subscription_add(subscription(&ops, robot("0123456789abcdef"))).await.unwrap();
    assert_eq!(again, Subscribed::There(first));
    let ids = [first, elsewhere, other_address, by_protocol];
    assert_eq!(listed(&bed, SubscriptionFilter::default()).await.len(), ids.len());
}

pub(crate) async fn adding_again_replaces_what_goes_with_it<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let mut new = subscription(&topic, web("https://a.example/x", &[("x-token", "old")]));
    new.remark = Some("first".to_owned());
    new.state = SubscriptionState::Confirmed;
    let Subscribed::New(id) = bed.store.subscription_add(new).await.unwrap() else { panic!() };
    let before = bed.store.subscription_find(topic.id, id).await.unwrap().unwrap();

    bed.tick();
    let target = web("https://a.example/x", &[("x-token", "new"), ("x-more", "1")]);
    let again = bed.store.subscription_add(subscription(&topic, target.clone())).await.unwrap();
    assert_eq!(again, Subscribed::There(id));
    assert_eq!(bed.store.target_open(id).await.unwrap(), Some(target.clone()));
    let after = bed.store.subscription_find(topic.id, id).await.unwrap().unwrap();
    assert_eq!(after, before, "remark, state, lane and time stay");

    let mut renamed = subscription(&topic, target);
    renamed.remark = Some(String::new());
    bed.store.subscription_add(renamed).await.unwrap();
    assert_eq!(bed.store.subscription_find(topic.id, id).await.unwrap().unwrap().remark, "");
}

pub(crate) async fn one_address_is_one_lane<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    let here = bed.subscribe(&ops, robot("0123456789abcdef")).await;
    let there = bed.subscribe(&db, robot("0123456789abcdef")).await;
    let mut lark = robot("0123456789abcdef");
    lark.endpoint = Endpoint::LarkRobot { feishu: false, token: "0123456789abcdef".into() };
    let other_cloud = bed.subscribe(&db, lark).await;
    let (here, there) = (lane(&bed, ops.id, here).await, lane(&bed, db.id, there).await);
    assert_eq!(here, there);
    assert_ne!(here, lane(&bed, db.id, other_cloud).await);

    let one_app = bed.subscribe(&ops, person("u001", "app-one")).await;
    let same_app = bed.subscribe(&db, person("u001", "app-one")).await;
    let other_app = bed.subscribe(&ops, person("u001", "app-two")).await;
    let one_app = lane(&bed, ops.id, one_app).await;
    assert_eq!(one_app, lane(&bed, db.id, same_app).await);
    assert_ne!(one_app, lane(&bed, ops.id, other_app).await);
}

pub(crate) async fn a_lane_ends_with_its_last_subscription<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    let first = bed.subscribe(&ops, robot("0123456789abcdef")).await;
    let second = bed.subscribe(&db, robot("0123456789abcdef")).await;
    let before = lane(&bed, ops.id, first).await;
    bed.store.subscription_delete(vec![(ops.id, first)]).await.unwrap();
    let third = bed.subscribe(&ops, robot("0123456789abcdef")).await;
    assert_eq!(lane(&bed, ops.id, third).await, before);
    let both = vec![(ops.id, third), (db.id, second)];
    assert_eq!(bed.store.subscription_delete(both).await.unwrap(), [true, true]);
    assert_eq!(bed.home.number("SELECT count(*) FROM endpoint"), 0);
    let fourth = bed.subscribe(&ops, robot("0123456789abcdef")).await;
    assert_ne!(lane(&bed, ops.id, fourth).await, before);
}

pub(crate) async fn list_is_oldest_first_and_paged<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let mut ids = Vec::new();
    for index in 0..7 {
        ids.push(bed.subscribe(&topic, robot(&format!("0123456789abcde{index}"))).await);
    }
    assert_eq!(listed(&bed, SubscriptionFilter::default()).await, ids);
    for (offset, limit, shown) in [(0, 3, 0..3), (5, 3, 5..7), (7, 3, 7..7), (1_000_000, 100, 0..0)] {
        let filter = SubscriptionFilter { topic: Some(topic.id), ..SubscriptionFilter::default() };
        let page = Page { offset, limit };
        let (count, found) = bed.store.subscription_list(&bed.project, filter, page).await.unwrap();
        let found: Vec<_> = found.iter().map(|one| one.id).collect();
        assert_eq!((count, found.as_slice()), (7, &ids[shown]), "{page:?}");
    }
    let recipients = bed.store.recipient_list(topic.id).await.unwrap();
    assert_eq!(recipients.iter().map(|one| one.subscription).collect::<Vec<_>>(), ids);
    assert!(recipients.iter().all(|one| one.channel == Channel::Lark));
}

pub(crate) async fn list_filters<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    let mut ids = Vec::new();
    let added = [
        (&ops, robot("0123456789abcdef"), "运维 50%", SubscriptionState::Unneeded),
        (&ops, web("https://a.example/x", &[("x-token", "t")]), "a_b", SubscriptionState::Unconfirmed),
        (&db, robot("0123456789abcdef"), "a\\b 数据", SubscriptionState::Confirmed),
    ];
    for (topic, target, remark, state) in added {
        bed.tick();
        let new = NewSubscription { remark: Some(remark.to_owned()), state, ..subscription(topic, target) };
        let Subscribed::New(id) = bed.store.subscription_add(new).await.unwrap() else { panic!() };
        ids.push(id);
    }
    let none = SubscriptionFilter::default;
    let of_topic = SubscriptionFilter { topic: Some(ops.id), ..none() };
    assert_eq!(listed(&bed, of_topic).await, ids[..2]);
    let of_protocol = SubscriptionFilter { protocol: Some("https".to_owned()), ..none() };
    assert_eq!(listed(&bed, of_protocol).await, ids[1..2]);
    for (state, shown) in [(0, 1..2), (1, 2..3), (2, 0..1), (3, 0..0)] {
        let in_state = SubscriptionFilter { state: Some(state), ..none() };
        assert_eq!(listed(&bed, in_state).await, ids[shown], "{state}");
    }
    let parts =
        [("运维", 0..1), ("%", 0..1), ("a_", 1..2), ("_", 1..2), ("\\", 2..3), ("数", 2..3), ("", 0..3)];
    for (part, shown) in parts {
        let remarked = SubscriptionFilter { remark_part: Some(part.to_owned()), ..none() };
        assert_eq!(listed(&bed, remarked).await, ids[shown], "{part}");
    }
    let to = |endpoint: Endpoint| SubscriptionFilter { endpoints: Some(vec![endpoint]), ..none() };
    assert_eq!(listed(&bed, to(robot_endpoint("0123456789abcdef"))).await, [ids[0], ids[2]]);
    assert!(listed(&bed, to(robot_endpoint("0123456789abcdee"))).await.is_empty());
    let url = Endpoint::Web { url: "https://a.example/x".into() };
    assert_eq!(listed(&bed, to(url.clone())).await, ids[1..2]);
    let all = SubscriptionFilter { topic: Some(db.id), ..to(robot_endpoint("0123456789abcdef")) };
    assert_eq!(listed(&bed, all).await, ids[2..]);
    assert!(listed(&bed, SubscriptionFilter { topic: Some(db.id), ..to(url) }).await.is_empty());
}

pub(crate) async fn list_finds_an_address_whatever_app_reaches_it<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let one = bed.subscribe(&topic, person("u001", "app-one")).await;
    let two = bed.subscribe(&topic, person("u001", "app-two")).await;
    bed.subscribe(&topic, person("u002", "app-one")).await;
    let person = Endpoint::DingtalkPerson { user: "u001".into() };
    let conversation = Endpoint::DingtalkConversation { conversation: "u001".into() };
    let to = |endpoints| SubscriptionFilter { endpoints: Some(endpoints), ..SubscriptionFilter::default() };
    assert_eq!(listed(&bed, to(vec![person.clone()])).await, [one, two]);
    assert_eq!(listed(&bed, to(vec![conversation, person])).await, [one, two]);
    assert!(listed(&bed, to(Vec::new())).await.is_empty());
}

pub(crate) async fn remark_changes_only_its_own<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    let id = bed.subscribe(&ops, robot("0123456789abcdef")).await;
    let other = bed.subscribe(&ops, robot("0123456789abcdee")).await;
    assert!(bed.store.subscription_remark(ops.id, id, "新的".to_owned()).await.unwrap());
    assert!(!bed.store.subscription_remark(db.id, id, "wrong topic".to_owned()).await.unwrap());
    let remark = |found: Option<carillon_model::subscription::Subscription>| found.unwrap().remark;
    assert_eq!(remark(bed.store.subscription_find(ops.id, id).await.unwrap()), "新的");
    assert_eq!(remark(bed.store.subscription_find(ops.id, other).await.unwrap()), "");
}

pub(crate) async fn delete_takes_only_what_belongs_to_the_topic<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    let ours = bed.subscribe(&ops, robot("0123456789abcdef")).await;
    let stays = bed.subscribe(&ops, robot("0123456789abcdee")).await;
    let foreign = bed.subscribe(&db, robot("0123456789abcded")).await;
    let message = bed.publish(&db, "waits").await;
    let nobody = SubscriptionId::new(bed.clock.now(), bed.chance.as_ref());
    let which = vec![(ops.id, foreign), (ops.id, ours), (ops.id, nobody), (ops.id, ours)];
    assert_eq!(bed.store.subscription_delete(which).await.unwrap(), [false, true, false, false]);
    assert!(bed.store.subscription_delete(Vec::new()).await.unwrap().is_empty());
    assert_eq!(listed(&bed, SubscriptionFilter::default()).await, [stays, foreign]);
    assert_eq!(bed.store.subscription_find(ops.id, foreign).await.unwrap(), None);
    assert_eq!(bed.state(DeliveryId::new(message, 1)).await, DeliveryState::Pending);
}

pub(crate) async fn delete_cancels_what_waits_for_it_alone<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (ops, db) = (bed.topic("ops").await, bed.topic("db").await);
    let gone = bed.subscribe(&ops, robot("0123456789abcdef")).await;
    bed.subscribe(&ops, robot("0123456789abcdee")).await;
    bed.subscribe(&db, robot("0123456789abcdef")).await;
    let here = bed.publish(&ops, "here").await;
    let same_lane = bed.publish(&db, "same lane").await;
    bed.store.subscription_delete(vec![(ops.id, gone)]).await.unwrap();
    assert_eq!(bed.state(DeliveryId::new(here, 1)).await, DeliveryState::Cancelled);
    assert_eq!(bed.state(DeliveryId::new(here, 2)).await, DeliveryState::Pending);
    assert_eq!(bed.state(DeliveryId::new(same_lane, 1)).await, DeliveryState::Pending);
    let shown = bed.store.delivery_list(&bed.project, here, 0, 10).await.unwrap();
    assert_eq!((shown[0].subscription, shown[0].channel), (gone, Channel::Lark));
}

pub(crate) async fn a_target_opens_exactly_as_it_was_given<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let mut full = robot("0123456789abcdef");
    full.extension.keyword = Some("告警 \"\\\u{1}\n😀".into());
    full.extension.sign_secret = Some("SEC'%_".into());
    let many: Vec<(String, String)> = (0..10).map(|i| (format!("x-{i}"), "v".repeat(90))).collect();
    let many: Vec<_> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let long = format!("https://a.example/{}", "x".repeat(limits::ENDPOINT_BYTES_MAX - 18));
    let conversation = Target {
        endpoint: Endpoint::DingtalkConversation { conversation: "cidAbc+/==".into() },
        ..person("", "app")
    };
    let targets = [
        full,
        web(&long, &many),
        person("u001", "app"),
        conversation,
        Target {
            endpoint: Endpoint::DingtalkRobot { token: "0123456789abcdef".into() },
            extension: Extension::default(),
        },
        Target {
            endpoint: Endpoint::WecomRobot { key: "0123456789abcdef".into() },
            extension: Extension::default(),
        },
        web("http://a.example/", &[]),
    ];
    let mut ids = Vec::new();
    for target in &targets {
        ids.push(bed.subscribe(&topic, target.clone()).await);
    }
    let bed = bed.reopen();
    for (id, target) in ids.iter().zip(targets) {
        assert_eq!(bed.store.target_open(*id).await.unwrap(), Some(target));
    }
    let nobody = SubscriptionId::new(bed.clock.now(), bed.chance.as_ref());
    assert_eq!(bed.store.target_open(nobody).await.unwrap(), None);
}

pub(crate) async fn only_those_in_force_receive<H: Home>() {
    use SubscriptionState as S;
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    for (index, state) in [S::Unconfirmed, S::Confirmed, S::Unneeded, S::Cancelled].into_iter().enumerate() {
        let target = robot(&format!("0123456789abcde{index}"));
        let new = NewSubscription { state, ..subscription(&topic, target) };
        let Subscribed::New(id) = bed.store.subscription_add(new).await.unwrap() else { panic!() };
        let receives =
            bed.store.recipient_list(topic.id).await.unwrap().iter().any(|one| one.subscription == id);
        assert_eq!(receives, state.receives(), "{state:?}");
        assert_eq!(bed.store.target_open(id).await.unwrap().is_some(), state.receives(), "{state:?}");
        let found = bed.store.subscription_find(topic.id, id).await.unwrap().unwrap();
        assert_eq!(found.state, state);
    }
}

pub(crate) async fn no_topic_and_a_full_topic_are_told<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let mut lost = subscription(&topic, robot("0123456789abcdef"));
    lost.topic = TopicId::new(bed.clock.now().plus(Duration::from_secs(1)), bed.chance.as_ref());
    assert_eq!(bed.store.subscription_add(lost).await.unwrap(), Subscribed::NoTopic);
    assert_eq!(bed.home.number("SELECT count(*) FROM endpoint"), 0);

    let there = bed.subscribe(&topic, robot("0123456789abcdef")).await;
    bed.home.alter(&format!(
        "INSERT INTO subscription
         (id, topic_id, endpoint_id, channel, protocol, sealed_seq, remark, state, created_at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})
         SELECT 'filler-' || i, '{}', (SELECT id FROM endpoint), 'lark', 'filler-' || i, 0, '', 2, 0 FROM n",
        limits::SUBSCRIPTIONS_MAX - 2,
        topic.id
    ));
    bed.subscribe(&topic, robot("0123456789abcdee")).await;
    let full = bed.store.subscription_add(subscription(&topic, robot("0123456789abcded"))).await.unwrap();
    assert_eq!(full, Subscribed::Full);
    assert_eq!(bed.home.number("SELECT count(*) FROM endpoint"), 2, "no lane stays behind");
    let again = bed.store.subscription_add(subscription(&topic, robot("0123456789abcdef"))).await.unwrap();
    assert_eq!(again, Subscribed::There(there));
}

pub(crate) async fn another_project_sees_nothing<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let elsewhere = bed.foreign();
    let filters = [
        SubscriptionFilter::default(),
        SubscriptionFilter { topic: Some(topic.id), ..SubscriptionFilter::default() },
        SubscriptionFilter {
            endpoints: Some(vec![robot_endpoint("0123456789abcdef")]),
            ..SubscriptionFilter::default()
        },
    ];
    for filter in filters {
        let seen = bed.store.subscription_list(&elsewhere, filter, ALL).await.unwrap();
        assert_eq!(seen, (0, Vec::new()));
    }
}
