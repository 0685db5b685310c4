use carillon_model::Channel;
use carillon_model::id::{EndpointId, SubscriptionId};
use carillon_model::office::RecipientKind;
use carillon_model::office::contact::{Contact, ContactKind};
use carillon_store::person::Person;
use carillon_store::recipient::Recipient as To;

use crate::harness::{Bed, Home, robot};
use crate::office::{connected, member, range, read};

async fn found<H: Home>(bed: &Bed<H>, text: &str, contacts: &[Contact]) -> Vec<Person> {
    bed.store.person_find(&bed.project, text, contacts, 10).await.unwrap()
}

fn ids(people: &[Person]) -> Vec<&str> {
    people.iter().map(|person| person.platform_id.as_str()).collect()
}

pub(crate) async fn people_are_found_by_whatever_they_are_known_by<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let hq = connected(&bed, "HQ").await;
    read(&bed, hq, vec![member("ann", &["d1"]), member("bob", &["d1"])], range(&[])).await;
    for text in ["ann", "Name of ann", "ou_ann", "of ANN"] {
        assert_eq!(ids(&found(&bed, text, &[]).await), ["ann"], "{text}");
    }
    let ann = found(&bed, "ann", &[]).await.remove(0);
    assert_eq!((ann.connection, ann.connection_name.as_str()), (hq, "HQ"));
    assert_eq!((ann.kind, ann.gone_at, ann.lanes()), (RecipientKind::Member, None, vec![ann.id]));
    assert_eq!(ids(&found(&bed, &ann.id.to_string(), &[]).await), ["ann"]);
    assert_eq!(ids(&found(&bed, "Name of", &[]).await), ["ann", "bob"]);
    assert!(found(&bed, "%", &[]).await.is_empty(), "a text is no pattern");
    let mail = Contact::parse(ContactKind::Email, "bob@example.com").unwrap();
    assert!(found(&bed, "bob@example.com", std::slice::from_ref(&mail)).await.is_empty());
    bed.store.contact_bind(hq, vec![(mail.clone(), "bob".to_owned())]).await.unwrap();
    assert_eq!(ids(&found(&bed, "bob@example.com", std::slice::from_ref(&mail)).await), ["bob"]);
    let elsewhere = bed.foreign();
    assert!(bed.store.person_find(&elsewhere, "ann", &[mail], 10).await.unwrap().is_empty());
}

pub(crate) async fn somebody_who_is_another_one_now_is_followed<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let hq = connected(&bed, "HQ").await;
    // So many that the one who leaves is nothing to ask about.
    let crowd = || (0..20).map(|number| member(&format!("crowd{number}"), &["d1"]));
    let people = |more: &[&str]| crowd().chain(more.iter().map(|id| member(id, &["d1"]))).collect();
    read(&bed, hq, people(&["old", "new"]), range(&[])).await;
    bed.tick();
    read(&bed, hq, people(&["new"]), range(&[])).await;
    let (old, new) =
        (found(&bed, "Name of old", &[]).await.remove(0).id, found(&bed, "new", &[]).await.remove(0).id);
    bed.store.member_merge(hq, old, new).await.unwrap();
    let person = found(&bed, "Name of old", &[]).await.remove(0);
    assert!(person.gone_at.is_some());
    assert_eq!(person.merged, [(new, "Name of new".to_owned())]);
    assert_eq!(person.lanes(), [old, new]);
}

pub(crate) async fn deliveries_are_found_and_named_by_whom_they_go_to<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let first = bed.subscribe(&topic, robot("0123456789abcdef")).await;
    let second = bed.subscribe(&topic, robot("0123456789abcdee")).await;
    bed.store.subscription_remark(topic.id, second, "on call".to_owned()).await.unwrap();
    let message = bed.publish(&topic, "disk full").await;
    let among = |subscriptions: Vec<SubscriptionId>, lanes: Vec<EndpointId>| {
        let store = bed.store.clone();
        let project = bed.project.clone();
        async move {
            let found =
                store.delivery_find_among(&project, message, &subscriptions, &lanes, 10).await.unwrap();
            found.into_iter().map(|record| record.id.number).collect::<Vec<_>>()
        }
    };
    assert_eq!(among(vec![second], Vec::new()).await, [2]);
    let lane = bed.store.wake().take().ready.remove(0).endpoint;
    assert_eq!(among(vec![second], vec![lane]).await, [1, 2]);
    assert!(among(Vec::new(), Vec::new()).await.is_empty());

    let whom = bed.store.delivery_whom(message, 0, 10).await.unwrap();
    let masked = whom[0].endpoint_masked.clone().unwrap();
    assert!(masked.ends_with("****cdef"), "{masked}");
    assert_eq!((whom[1].number, whom[1].remark.as_str()), (2, "on call"));
    assert_eq!(bed.store.delivery_whom(message, 1, 10).await.unwrap().len(), 1);
    bed.store.subscription_delete(vec![(topic.id, first)]).await.unwrap();
    let whom = bed.store.delivery_whom(message, 0, 1).await.unwrap();
    assert_eq!((whom[0].endpoint_masked.as_ref(), whom[0].person.as_ref()), (None, None));
}

pub(crate) async fn a_push_is_named_by_its_people<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let topic = bed.topic("ops").await;
    let hq = connected(&bed, "HQ").await;
    read(&bed, hq, vec![member("ann", &["d1"])], range(&[])).await;
    let ann = found(&bed, "ann", &[]).await.remove(0);
    let stored = bed.new_message(&topic, "push");
    let message = stored.message.id;
    let to = To {
        subscription: SubscriptionId::parse(&ann.id.to_string()).unwrap(),
        endpoint: ann.id,
        channel: Channel::Office,
        overflow: carillon_model::subscription::Overflow::default(),
        filter_policies: carillon_model::filter::FilterPolicies::default(),
    };
    bed.store.message_publish(stored, vec![to]).await.unwrap();
    let whom = bed.store.delivery_whom(message, 0, 10).await.unwrap();
    assert_eq!(whom[0].person.as_deref(), Some("Name of ann"));
    let found = bed.store.delivery_find_among(&bed.project, message, &[], &[ann.id], 10).await.unwrap();
    assert_eq!(found.len(), 1);
}
