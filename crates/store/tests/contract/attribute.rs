use carillon_model::topic::{Attribute, Attributes, TopicName};
use carillon_store::attribute::AttributeGone;

use crate::harness::{Bed, Home};

pub(crate) async fn attributes_are_set_and_taken_away<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let other = bed.topic("other").await;
    let set = async |attribute, value: &str| {
        bed.store.attribute_set(&bed.project, &topic.name, attribute, value.to_owned()).await.unwrap()
    };
    let list = async || bed.store.attribute_list(topic.id).await.unwrap();
    assert_eq!(list().await, Attributes::default());
    let now = bed.tick();
    assert!(set(Attribute::Introduction, "值班").await && set(Attribute::AccessPolicy, "{}").await);
    assert!(set(Attribute::Introduction, "值班 2").await);
    let both = Attributes { access_policy: "{}".to_owned(), introduction: "值班 2".to_owned() };
    assert_eq!(list().await, both);
    let found = bed.store.topic_find(&bed.project, &topic.name).await.unwrap().unwrap();
    assert_eq!(found.updated_at, now);
    let gone =
        async |attribute| bed.store.attribute_delete(&bed.project, &topic.name, attribute).await.unwrap();
    assert_eq!(gone(Some(Attribute::AccessPolicy)).await, AttributeGone::Done);
    assert_eq!(gone(Some(Attribute::AccessPolicy)).await, AttributeGone::NotSet);
    assert_eq!(list().await, Attributes { access_policy: String::new(), ..both });
    assert_eq!(gone(None).await, AttributeGone::Done);
    assert_eq!(gone(None).await, AttributeGone::NotSet);
    assert_eq!(bed.store.attribute_list(other.id).await.unwrap(), Attributes::default());
}

pub(crate) async fn attributes_belong_to_a_topic_of_the_project<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let elsewhere = bed.foreign();
    let none = TopicName::parse("none").unwrap();
    for (project, name) in [(&elsewhere, &topic.name), (&bed.project, &none)] {
        let set =
            bed.store.attribute_set(project, name, Attribute::Introduction, "x".to_owned()).await.unwrap();
        assert!(!set);
        let gone = bed.store.attribute_delete(project, name, None).await.unwrap();
        assert_eq!(gone, AttributeGone::NoTopic);
    }
    bed.store
        .attribute_set(&bed.project, &topic.name, Attribute::Introduction, "x".to_owned())
        .await
        .unwrap();
    bed.store.topic_delete(&bed.project, &topic.name).await.unwrap();
    assert_eq!(bed.home.number("SELECT count(*) FROM topic_attribute"), 0);
}
