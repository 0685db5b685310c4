//! Members who are gone and who they are now; members by mail address and phone number; what was sent to them.

use carillon_model::Timestamp;
use carillon_model::delivery::DeliveryState;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{ConnectionId, EndpointId};
use carillon_model::office::contact::{Contact, ContactKind};
use carillon_model::office::{Member, RecipientKind};
use carillon_model::outcome::{Outcome, Verdict};
use carillon_model::subscription::{Extension, Target};
use carillon_store::office_contact::Bound;
use carillon_store::office_group::{GroupPart, GroupPartKind};
use carillon_store::office_merge::{Alike, Gone, Merged};
use carillon_store::recall::{Sent, SentFilter};

use crate::harness::{Bed, Home, accepted, settlement, start};
use crate::office::{connected, expand, ids, member, named, range, read};
use crate::traces;

async fn gone<H: Home>(bed: &Bed<H>, id: ConnectionId) -> Vec<Gone> {
    bed.store.gone_page(id, None, 9).await.unwrap()
}

/// Twenty people, and some more.
fn people(more: &[Member]) -> Vec<Member> {
    let crowd = (0..20).map(|number| member(&format!("crowd{number}"), &["d1"]));
    crowd.chain(more.iter().cloned()).collect()
}

async fn id_of<H: Home>(bed: &Bed<H>, connection: ConnectionId, who: &str) -> EndpointId {
    expand(bed, connection, &[named(RecipientKind::Member, who)]).await.to[0].id
}

pub(crate) async fn who_came_back_under_a_new_id_gets_what_the_old_one_got<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let id = connected(&bed, "HQ").await;
    read(&bed, id, people(&[member("han", &["d1"]), member("mei", &["d1"])]), range(&[])).await;
    let topic = bed.topic("ops").await;
    let endpoint = Endpoint::Office { connection: id, kind: RecipientKind::Member, id: "han".into() };
    let subscription = bed.subscribe(&topic, Target { endpoint, extension: Extension::default() }).await;
    let part = GroupPart { kind: GroupPartKind::Member, id: "han".to_owned() };
    bed.store.group_put(id, "Leads".to_owned(), vec![part]).await.unwrap();
    assert!(gone(&bed, id).await.is_empty());

    bed.tick();
    let came = Member { name: "Name of han".to_owned(), ..member("han.2", &["d2"]) };
    read(&bed, id, people(&[came, member("mei", &["d1"])]), range(&[])).await;
    let found = gone(&bed, id).await;
    assert_eq!((found.len(), found[0].member.platform_id.as_str()), (1, "han"));
    assert_eq!((&found[0].groups, found[0].merged_into), (&vec!["Leads".to_owned()], None));
    assert_eq!(found[0].subscriptions, [(subscription, topic.name.clone())]);
    let candidates: Vec<(&str, &Vec<Alike>)> =
        found[0].candidates.iter().map(|(kept, why)| (kept.platform_id.as_str(), why)).collect();
    assert_eq!(candidates, [("han.2", &vec![Alike::Name])]);

    let (old, new) = (found[0].member.id, found[0].candidates[0].0.id);
    let mei = id_of(&bed, id, "mei").await;
    assert_eq!(bed.store.member_merge(id, mei, new).await.unwrap(), Merged::NotGone);
    assert_eq!(bed.store.member_merge(id, old, old).await.unwrap(), Merged::NotThere);
    let elsewhere = connected(&bed, "Branch").await;
    assert_eq!(bed.store.member_merge(elsewhere, old, new).await.unwrap(), Merged::NotThere);
    assert!(!bed.store.member_unmerge(id, old).await.unwrap());
    assert_eq!(bed.store.member_merge(id, old, new).await.unwrap(), Merged::Done);
    for to in [
        named(RecipientKind::Member, "han"),
        named(RecipientKind::Member, &old.to_string()),
        named(RecipientKind::Group, "Leads"),
    ] {
        let reached = expand(&bed, id, &[to.clone(), named(RecipientKind::Member, "han.2")]).await;
        assert_eq!((ids(&reached), reached.unreached.len()), (vec!["han.2"], 0), "{to}");
    }
    assert_eq!(gone(&bed, id).await[0].merged_into, Some(new));

    // Once more under a third id: who follows the signs arrives there.
    bed.tick();
    let third = Member { name: "Name of han".to_owned(), ..member("han.3", &["d2"]) };
    read(&bed, id, people(&[third, member("mei", &["d1"])]), range(&[])).await;
    let last = id_of(&bed, id, "han.3").await;
    assert_eq!(bed.store.member_merge(id, new, last).await.unwrap(), Merged::Done);
    assert_eq!(ids(&expand(&bed, id, &[named(RecipientKind::Member, "han")]).await), ["han.3"]);

    // Who is there again under the first id is that one again.
    bed.tick();
    read(
        &bed,
        id,
        people(&[member("han", &["d1"]), member("han.3", &["d2"]), member("mei", &["d1"])]),
        range(&[]),
    )
    .await;
    assert_eq!(ids(&expand(&bed, id, &[named(RecipientKind::Member, "han")]).await), ["han"]);
    assert!(!bed.store.member_unmerge(id, old).await.unwrap());
    assert!(bed.store.member_unmerge(id, new).await.unwrap());
    let back = expand(&bed, id, &[named(RecipientKind::Member, "han.2")]).await;
    assert!(back.to[0].gone);
}

pub(crate) async fn contacts_lead_to_members<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let id = connected(&bed, "HQ").await;
    read(&bed, id, people(&[member("han", &["d1"])]), range(&[])).await;
    let phone = |number: &str| Contact::parse(ContactKind::Phone, number).unwrap();
    let (one, two, three) = (phone("13800000001"), phone("13800000002"), phone("13800000003"));
    let bind = async |contact: &Contact, who: &str| {
        let bound =
            bed.store.contact_bind(id, vec![(contact.clone(), who.to_owned())]).await.unwrap().unwrap();
        bound.into_iter().next().unwrap()
    };
    let Bound::To(found) = bind(&one, "ou_han").await else { panic!("not bound") };
    assert_eq!((found.platform_id.as_str(), found.name.as_str()), ("han", "Name of han"));
    assert_eq!(bind(&two, "stranger").await, Bound::Outside);
    let contacts = [two.clone(), one.clone(), three];
    let bound = bed.store.contact_find(id, &contacts).await.unwrap();
    assert_eq!(bound, [None, Some(found.id), None]);
    let none = ConnectionId::parse(&found.id.to_string()).unwrap();
    assert_eq!(bed.store.contact_bind(none, Vec::new()).await.unwrap(), None);

    // The number was somebody's who is gone; whoever has it now may be the same.
    bed.tick();
    read(&bed, id, people(&[member("h.meimei", &["d1"])]), range(&[])).await;
    assert_eq!(bind(&one, "ou_han").await, Bound::Gone);
    assert!(gone(&bed, id).await[0].candidates.is_empty());
    bind(&one, "h.meimei").await;
    bind(&one, "h.meimei").await;
    let found = gone(&bed, id).await;
    assert_eq!(
        found[0].candidates.iter().map(|(_, why)| why.clone()).collect::<Vec<_>>(),
        [vec![Alike::Contact]]
    );
    for path in bed.home.files() {
        let bytes = traces::bytes_of(&path);
        assert!(!bytes.windows(11).any(|part| part == b"13800000001"), "{}", path.display());
    }
    assert!(bed.store.connection_delete(&bed.project, id).await.unwrap());
    assert_eq!(bed.store.contact_find(id, &contacts).await.unwrap(), [None, None, None]);
}

pub(crate) async fn what_was_sent_is_listed_and_noted_as_taken_back<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let id = connected(&bed, "HQ").await;
    read(&bed, id, people(&[member("han", &["d1"]), member("mei", &["d1"])]), range(&[])).await;
    let (han, mei) = (id_of(&bed, id, "han").await, id_of(&bed, id, "mei").await);
    let mut messages = Vec::new();
    for to in [han, mei, han] {
        let ready = crate::office::pushed(&bed, id, to).await;
        let at = bed.tick();
        let verdict = Verdict { platform_text: Some("message_id om_1".to_owned()), ..accepted() };
        let end = settlement(&ready, 1, at, verdict, DeliveryState::Delivered);
        bed.store.delivery_settle(vec![start(&ready, 1, at)], vec![end]).await.unwrap();
        messages.push(ready.id);
    }
    let all = SentFilter {
        message: None,
        connection: None,
        recipient: None,
        since: Timestamp(0),
        until: Timestamp(i64::MAX),
    };
    let page =
        async |filter: SentFilter, after| bed.store.sent_page(&bed.project, filter, after, 2).await.unwrap();
    let ids = |sent: &[Sent]| sent.iter().map(|one| one.delivery).collect::<Vec<_>>();
    let first = page(all.clone(), None).await;
    assert_eq!(ids(&first), messages[..2]);
    assert_eq!(
        (first[0].attempts.as_slice(), first[0].name.as_str(), first[0].recalled_at),
        ([(Outcome::Accepted, "message_id om_1".to_owned())].as_slice(), "Name of han", None)
    );
    assert_eq!(ids(&page(all.clone(), Some(messages[1])).await), messages[2..]);
    let of_han = SentFilter { connection: Some(id), recipient: Some(han), ..all.clone() };
    assert_eq!(ids(&page(of_han, None).await), [messages[0], messages[2]]);
    let of_message = SentFilter { message: Some(messages[1].message), ..all.clone() };
    assert_eq!(ids(&page(of_message, None).await), messages[1..2]);
    let never = SentFilter { until: Timestamp(0), ..all.clone() };
    assert!(page(never, None).await.is_empty());
    assert!(bed.store.sent_page(&bed.foreign(), all.clone(), None, 9).await.unwrap().is_empty());

    let now = bed.tick();
    bed.store.recall_note(vec![messages[0], messages[0]], Timestamp(0)).await.unwrap();
    assert_eq!(page(all.clone(), None).await[0].recalled_at, Some(now));
    bed.store.recall_note(Vec::new(), Timestamp(i64::MAX)).await.unwrap();
    assert_eq!(page(all, None).await[0].recalled_at, None);
}
