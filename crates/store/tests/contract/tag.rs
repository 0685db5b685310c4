use carillon_model::limits;
use carillon_model::tag::Tag;
use carillon_model::topic::{Attribute, Attributes, Topic, TopicName};
use carillon_store::Page;
use carillon_store::tag::{FullTopic, Tagged};
use carillon_store::topic::TopicFilter;

use crate::harness::{ALL, Bed, Home};

fn tags(list: &[(&str, &str)]) -> Vec<Tag> {
    list.iter().map(|(key, value)| Tag::new(key, value).unwrap()).collect()
}

async fn put<H: Home>(bed: &Bed<H>, topic: &Topic, list: &[(&str, &str)]) -> Tagged {
    bed.store.tag_put(&bed.project, &topic.name, tags(list)).await.unwrap()
}

pub(crate) async fn tags_are_put_and_taken_off<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    assert_eq!(put(&bed, &topic, &[("env", "test"), ("团队", "db")]).await, Tagged::Done);
    assert_eq!(put(&bed, &topic, &[("env", "prod"), ("a", "")]).await, Tagged::Done);
    let all = tags(&[("a", ""), ("env", "prod"), ("团队", "db")]);
    assert_eq!(bed.store.tag_list(topic.id).await.unwrap(), all);
    let take = async |list: &[(&str, Option<&str>)]| {
        let list = list.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect();
        bed.store.tag_delete(&bed.project, &topic.name, list).await.unwrap()
    };
    assert_eq!(take(&[("env", Some("test")), ("none", None)]).await, Some(0));
    assert_eq!(take(&[("env", Some("prod")), ("团队", None)]).await, Some(2));
    assert_eq!(bed.store.tag_list(topic.id).await.unwrap(), tags(&[("a", "")]));
}

pub(crate) async fn a_topic_has_not_too_many<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let keys: Vec<String> = (0..limits::TAGS_MAX).map(|index| format!("k{index}")).collect();
    let full: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "v")).collect();
    assert_eq!(put(&bed, &topic, &full).await, Tagged::Done);
    assert_eq!(put(&bed, &topic, &[("k0", "new"), ("more", "v")]).await, Tagged::Full);
    assert_eq!(bed.store.tag_list(topic.id).await.unwrap()[0].value, "v", "nothing was changed");
    assert_eq!(put(&bed, &topic, &full).await, Tagged::Done);
}

pub(crate) async fn tags_belong_to_a_topic_of_the_project<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let other = bed.topic("other").await;
    let elsewhere = bed.foreign();
    let none = TopicName::parse("none").unwrap();
    put(&bed, &topic, &[("env", "prod"), ("team", "db")]).await;
    put(&bed, &other, &[("env", "prod"), ("team", "web")]).await;
    for (project, name) in [(&elsewhere, &topic.name), (&bed.project, &none)] {
        assert_eq!(bed.store.tag_put(project, name, tags(&[("a", "")])).await.unwrap(), Tagged::NoTopic);
        let gone = bed.store.tag_delete(project, name, vec![("env".to_owned(), None)]).await.unwrap();
        assert_eq!(gone, None);
    }
    let all = bed.store.tag_list_all(&bed.project).await.unwrap();
    assert_eq!(all, tags(&[("env", "prod"), ("team", "db"), ("team", "web")]));
    assert!(bed.store.tag_list_all(&elsewhere).await.unwrap().is_empty());
    bed.store.topic_delete(&bed.project, &topic.name).await.unwrap();
    assert_eq!(bed.home.number("SELECT count(*) FROM topic_tag"), 2);
}

pub(crate) async fn topics_are_listed_with_all_that_hangs_on_them<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let (a, b) = (bed.topic("a").await, bed.topic("b").await);
    put(&bed, &a, &[("team", "db"), ("env", "prod")]).await;
    let policy = "{}".to_owned();
    bed.store.attribute_set(&bed.project, &b.name, Attribute::AccessPolicy, policy.clone()).await.unwrap();
    let b = bed.store.topic_find(&bed.project, &b.name).await.unwrap().unwrap();
    let wanted = [
        FullTopic {
            topic: b,
            tags: Vec::new(),
            attributes: Attributes { access_policy: policy, ..Attributes::default() },
            logtanks: Vec::new(),
        },
        FullTopic {
            topic: a,
            tags: tags(&[("env", "prod"), ("team", "db")]),
            attributes: Attributes::default(),
            logtanks: Vec::new(),
        },
    ];
    let list = async |filter, page| bed.store.topic_list_full(&bed.project, filter, page).await.unwrap();
    assert_eq!(list(TopicFilter::default(), ALL).await, (2, wanted.to_vec()));
    assert_eq!(list(TopicFilter::default(), Page { offset: 1, limit: 1 }).await, (2, wanted[1..].to_vec()));
    let named = TopicFilter { name: Some("b".to_owned()), ..TopicFilter::default() };
    assert_eq!(list(named, ALL).await, (1, wanted[..1].to_vec()));
    let theirs = bed.store.topic_list_full(&bed.foreign(), TopicFilter::default(), ALL).await.unwrap();
    assert_eq!(theirs, (0, Vec::new()));
}
