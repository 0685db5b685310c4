use std::collections::BTreeSet;

use carillon_model::endpoint::Endpoint;
use carillon_model::id::{ConnectionId, EndpointId, RunId, SubscriptionId, TopicId};
use carillon_model::office::connection::{LarkApp, TypedApp};
use carillon_model::office::directory::{Change, RunState};
use carillon_model::office::{App, Chat, Department, Member, Platform, Range, Recipient, RecipientKind};
use carillon_model::outcome::Advice;
use carillon_model::subscription::{Extension, Target};
use carillon_model::{Channel, Timestamp};
use carillon_store::connection::Connected;
use carillon_store::delivery::Opened;
use carillon_store::directory::{Expanded, RecipientFilter, Unreached};
use carillon_store::office_group::{GroupPart, GroupPartKind};
use carillon_store::office_run::{Progress, Run};
use carillon_store::office_staged::Staged;
use carillon_store::recipient::Recipient as To;

use crate::harness::{Bed, Home};
use crate::traces;

const SECRET: &str = "lark-secret-00112233445566";

fn app(secret: &str) -> App {
    App::Lark(LarkApp { app_id: "cli_a1b2c3d4e5f6a7b8".into(), app_secret: secret.into() })
}

pub(crate) async fn connected<H: Home>(bed: &Bed<H>, name: &str) -> ConnectionId {
    bed.tick();
    match bed.store.connection_add(&bed.project, name.to_owned(), app(SECRET)).await.unwrap() {
        Connected::Done(id) => id,
        other @ (Connected::NameTaken | Connected::Full | Connected::NotThere) => panic!("{other:?}"),
    }
}

pub(crate) fn member(id: &str, departments: &[&str]) -> Member {
    Member {
        user_id: id.to_owned(),
        open_id: Some(format!("ou_{id}")),
        union_id: None,
        name: format!("Name of {id}"),
        left: false,
        departments: departments.iter().map(|&text| text.to_owned()).collect(),
    }
}

fn department(id: &str, parent: Option<&str>) -> Department {
    let (id, name) = (id.to_owned(), format!("Department {id}"));
    Department { other_id: Some(format!("custom-{id}")), id, parent: parent.map(str::to_owned), name }
}

pub(crate) fn range(departments: &[&str]) -> Range {
    let departments: BTreeSet<String> = departments.iter().map(|&text| text.to_owned()).collect();
    Range { all: departments.is_empty(), departments, ..Range::default() }
}

fn all() -> RecipientFilter {
    RecipientFilter::default()
}

fn text(text: &str) -> RecipientFilter {
    RecipientFilter { text: Some(text.to_owned()), ..all() }
}

/// Reads a directory to its end; tells whether it asks.
pub(crate) async fn read<H: Home>(
    bed: &Bed<H>,
    connection: ConnectionId,
    members: Vec<Member>,
    range: Range,
) -> (RunId, Option<bool>) {
    let run = bed.store.run_begin(connection, "somebody".to_owned()).await.unwrap();
    bed.store.run_restart(run).await.unwrap();
    let staged = Staged {
        departments: vec![department("d1", None), department("d2", Some("d1"))],
        members,
        chats: vec![Chat { id: "oc_1".to_owned(), name: "Room".to_owned(), description: String::new() }],
    };
    let progress = Progress { calls: 3, missing: vec!["im:chat".to_owned()], range: Some(range) };
    assert!(bed.store.run_stage(run, Platform::Lark, staged, progress).await.unwrap());
    (run, bed.store.run_finish(run).await.unwrap())
}

async fn run_of<H: Home>(bed: &Bed<H>, connection: ConnectionId, run: RunId) -> Run {
    bed.store.run_find(&bed.project, connection, run).await.unwrap().unwrap()
}

pub(crate) fn named(kind: RecipientKind, id: &str) -> Recipient {
    Recipient { kind, id: id.to_owned() }
}

pub(crate) async fn expand<H: Home>(bed: &Bed<H>, connection: ConnectionId, to: &[Recipient]) -> Expanded {
    bed.store.recipients_expand(connection, to.to_vec()).await.unwrap().unwrap()
}

pub(crate) fn ids(expanded: &Expanded) -> Vec<&str> {
    expanded.to.iter().map(|one| one.platform_id.as_str()).collect()
}

fn why() -> Advice {
    Advice { en: "because".into(), zh: "因为".into() }
}

pub(crate) async fn credentials_are_sealed_and_gone_with_their_connection<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let id = connected(&bed, "HQ").await;
    let again = bed.store.connection_add(&bed.project, "HQ".to_owned(), app(SECRET)).await.unwrap();
    assert_eq!(again, Connected::NameTaken);
    assert_eq!(bed.store.connection_open(id).await.unwrap(), Some(app(SECRET)));
    let found = bed.store.connection_find(&bed.project, id).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.app_masked.as_str()), ("HQ", "****a7b8"));
    let elsewhere = bed.foreign();
    assert_eq!(bed.store.connection_find(&elsewhere, id).await.unwrap(), None);
    let other = connected(&bed, "Branch").await;
    let change = bed.store.connection_change(&bed.project, other, Some("HQ".to_owned()), None);
    assert_eq!(change.await.unwrap(), Connected::NameTaken);
    let typed =
        TypedApp { app_id: Some("cli_2".into()), app_secret: Some("new".into()), ..TypedApp::default() };
    let new = App::parse(Platform::Lark, typed).unwrap();
    let change = bed.store.connection_change(&bed.project, other, Some("B".to_owned()), Some(new.clone()));
    assert_eq!(change.await.unwrap(), Connected::Done(other));
    assert_eq!(bed.store.connection_open(other).await.unwrap(), Some(new));
    let names: Vec<String> =
        bed.store.connection_list(&bed.project).await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["HQ", "B"]);
    assert!(!bed.store.connection_delete(&elsewhere, id).await.unwrap());
    assert!(bed.store.connection_delete(&bed.project, id).await.unwrap());
    assert_eq!(bed.store.connection_open(id).await.unwrap(), None);
    for path in bed.home.files() {
        let bytes = traces::bytes_of(&path);
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "{}", path.display());
    }
}

pub(crate) async fn an_update_is_committed_as_a_whole<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let id = connected(&bed, "HQ").await;
    let people =
        || vec![member("a", &["d1"]), member("b", &["d1"]), member("b", &["d2"]), member("c", &["d2"])];
    let (run, asks) = read(&bed, id, people(), range(&[])).await;
    assert_eq!(asks, Some(false));
    let run = run_of(&bed, id, run).await;
    assert_eq!((run.state, run.counts.members, run.counts.added), (RunState::Done, 3, 3));
    assert_eq!((run.missing, run.calls, run.caused_by.as_str()), (vec!["im:chat".to_owned()], 3, "somebody"));
    let page = bed.store.recipient_page(id, RecipientKind::Member, all(), None, 2).await.unwrap();
    assert_eq!(page.len(), 2);
    let rest = bed.store.recipient_page(id, RecipientKind::Member, all(), Some(page[1].id), 9).await.unwrap();
    assert_eq!(rest.len(), 1);
    let found = bed.store.recipient_page(id, RecipientKind::Member, text("of b"), None, 9).await.unwrap();
    assert_eq!(
        (found[0].platform_id.as_str(), &found[0].departments),
        ("b", &vec!["d1".to_owned(), "d2".to_owned()])
    );
    let of = RecipientFilter { department: Some("d2".to_owned()), ..all() };
    let found = bed.store.recipient_page(id, RecipientKind::Member, of, None, 9).await.unwrap();
    assert!(found.len() == 2 && found.iter().all(|one| one.departments.contains(&"d2".to_owned())));
    let departments = bed.store.department_page(id, None, 9).await.unwrap();
    let sizes: Vec<(&str, u64)> = departments.iter().map(|(one, size)| (one.id.as_str(), *size)).collect();
    assert_eq!(sizes, [("d1", 2), ("d2", 2)]);
    let (again, _) = read(&bed, id, people(), range(&[])).await;
    let counts = run_of(&bed, id, again).await.counts;
    assert_eq!((counts.added, counts.changed, counts.moved, counts.gone), (0, 0, 0, 0));
    assert_eq!(bed.store.run_list(id, 9).await.unwrap().len(), 2);
    let due = bed.store.connection_list_due(Timestamp(i64::MAX)).await.unwrap();
    assert_eq!(due.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [id]);
    assert!(bed.store.connection_list_due(Timestamp(0)).await.unwrap().is_empty());
}

pub(crate) async fn what_would_change_is_listed_while_it_asks<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let id = connected(&bed, "HQ").await;
    let before = ["a", "b", "c", "d"].map(|name| member(name, &["d1"])).to_vec();
    let (done, _) = read(&bed, id, before, range(&[])).await;
    let mut renamed = member("b", &["d1"]);
    renamed.name = "Another".to_owned();
    let now = vec![member("a", &["d2"]), renamed, member("e", &["d1", "d2"])];
    let (run, asks) = read(&bed, id, now, range(&[])).await;
    assert_eq!(asks, Some(true));
    let page = async |run, of, after: Option<&str>, limit| {
        let after = after.map(str::to_owned);
        bed.store.run_change_page(&bed.project, id, run, of, after, limit).await.unwrap()
    };
    let all = page(run, None, None, 9).await;
    let told: Vec<_> = all.iter().map(|one| (one.platform_id.as_str(), one.change)).collect();
    assert_eq!(
        told,
        [
            ("a", Change::Moved),
            ("b", Change::Changed),
            ("c", Change::Gone),
            ("d", Change::Gone),
            ("e", Change::Added)
        ]
    );
    assert_eq!(
        (&all[0].departments, &all[0].departments_before),
        (&vec!["Department d2".to_owned()], &vec!["Department d1".to_owned()])
    );
    assert_eq!((all[1].name.as_str(), all[1].name_before.as_deref()), ("Another", Some("Name of b")));
    assert_eq!((all[2].name.as_str(), all[2].departments.len()), ("Name of c", 1));
    assert_eq!(all[4].departments, ["Department d1", "Department d2"]);
    let gone = page(run, Some(Change::Gone), None, 1).await;
    assert_eq!(gone, all[2..3]);
    assert_eq!(page(run, Some(Change::Gone), Some(&gone[0].key), 9).await, all[3..4]);
    assert_eq!(page(done, None, None, 9).await, Vec::new(), "what is done is the directory");
    let stranger = carillon_model::id::ProjectId::parse("ffffffffffffffffffffffffffffffff").unwrap();
    assert_eq!(bed.store.run_change_page(&stranger, id, run, None, None, 9).await.unwrap(), Vec::new());
    assert!(bed.store.run_confirm(run).await.unwrap());
    assert_eq!(page(run, None, None, 9).await, Vec::new());
}

pub(crate) async fn too_many_gone_asks_and_a_crash_commits_nothing<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let id = connected(&bed, "HQ").await;
    let people = |names: &[&str]| names.iter().map(|name| member(name, &["d1"])).collect::<Vec<_>>();
    read(&bed, id, people(&["a", "b", "c", "d"]), range(&[])).await;
    let (run, asks) = read(&bed, id, people(&["a", "b", "c"]), range(&[])).await;
    assert_eq!((asks, run_of(&bed, id, run).await.counts.gone), (Some(true), 1));
    assert!(
        bed.store.connection_list_due(Timestamp(i64::MAX)).await.unwrap().is_empty(),
        "it waits for an answer"
    );
    let there = async |bed: &Bed<H>| {
        let all = bed.store.recipient_page(id, RecipientKind::Member, all(), None, 9).await.unwrap();
        all.iter().filter(|one| one.is_there).count()
    };
    assert_eq!(there(&bed).await, 4);
    let bed = bed.crash();
    assert_eq!(run_of(&bed, id, run).await.state, RunState::Asks);
    assert!(bed.store.run_confirm(run).await.unwrap());
    assert!(!bed.store.run_confirm(run).await.unwrap());
    assert_eq!(there(&bed).await, 3);

    let begun = bed.store.run_begin(id, "timer".to_owned()).await.unwrap();
    assert_eq!(bed.store.run_begin(id, "again".to_owned()).await.unwrap(), begun);
    let staged = Staged { members: people(&["z"]), ..Staged::default() };
    assert!(bed.store.run_stage(begun, Platform::Lark, staged, Progress::default()).await.unwrap());
    let bed = bed.crash();
    let running = bed.store.run_list_running().await.unwrap();
    assert_eq!(running.iter().map(|run| run.id).collect::<Vec<_>>(), [begun]);
    assert_eq!(there(&bed).await, 3, "nothing of it is the directory yet");
    assert!(bed.store.run_end(begun, why(), vec!["im:chat".to_owned()]).await.unwrap());
    assert!(!bed.store.run_end(begun, why(), Vec::new()).await.unwrap());
    let staged = Staged { members: people(&["z"]), ..Staged::default() };
    let wanted = bed.store.run_stage(begun, Platform::Lark, staged, Progress::default()).await.unwrap();
    assert!(!wanted, "a cancelled reading keeps nothing");
    assert_eq!(bed.store.run_finish(begun).await.unwrap(), None);
    let ended = run_of(&bed, id, begun).await;
    assert_eq!((ended.state, ended.error, ended.missing.len()), (RunState::Failed, Some(why()), 1));

    let (smaller, asks) = read(&bed, id, people(&["a", "b", "c"]), range(&["d1"])).await;
    assert_eq!(asks, Some(false), "a smaller range that loses nobody is no question");
    assert_eq!(run_of(&bed, id, smaller).await.range, Some(range(&["d1"])));
}

pub(crate) async fn everyone_is_reached_once<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let id = connected(&bed, "HQ").await;
    let people = vec![member("a", &["d1"]), member("b", &["d2"]), member("c", &["d1", "d2"])];
    read(&bed, id, people, range(&[])).await;
    let (member, department) = (RecipientKind::Member, RecipientKind::Department);
    let all =
        expand(&bed, id, &[named(member, "ou_b"), named(department, "custom-d1"), named(member, "b")]).await;
    let mut reached = ids(&all);
    assert_eq!(reached[0], "b");
    reached.sort_unstable();
    assert_eq!((reached, all.unreached.len()), (vec!["a", "b", "c"], 0));
    let below = expand(&bed, id, &[named(department, "d2")]).await;
    assert_eq!(below.to.len(), 2);
    let part = |kind, id: &str| GroupPart { kind, id: id.to_owned() };
    let parts = vec![part(GroupPartKind::Member, "b"), part(GroupPartKind::DepartmentOnly, "d1")];
    let group = bed.store.group_put(id, "Leads".to_owned(), parts).await.unwrap();
    let of_group = expand(&bed, id, &[named(RecipientKind::Group, "Leads")]).await;
    assert_eq!(of_group.to.len(), 3);
    assert_eq!(expand(&bed, id, &[named(RecipientKind::Group, &group.to_string())]).await.to.len(), 3);
    let only = vec![part(GroupPartKind::DepartmentOnly, "d9")];
    assert_eq!(bed.store.group_put(id, "Leads".to_owned(), only).await.unwrap(), group);
    let listed = bed.store.group_list(id).await.unwrap();
    assert_eq!((listed.len(), listed[0].parts.len()), (1, 1));
    let missed = [
        named(RecipientKind::Group, "Leads"),
        named(RecipientKind::Group, "none"),
        named(department, "none"),
    ];
    let missed = expand(&bed, id, &missed).await;
    let reasons: Vec<Unreached> = missed.unreached.iter().map(|(_, why)| *why).collect();
    assert_eq!(reasons, [Unreached::NoDepartment, Unreached::NoGroup, Unreached::NoDepartment]);
    // A department is found by either of its ids, as in a push; one that is not there is told.
    let part = |id: &str| GroupPart { kind: GroupPartKind::Department, id: id.to_owned() };
    bed.store.group_put(id, "Leads".to_owned(), vec![part("custom-d1"), part("nowhere")]).await.unwrap();
    let of_group = expand(&bed, id, &[named(RecipientKind::Group, "Leads")]).await;
    assert_eq!(of_group.to.len(), expand(&bed, id, &[named(RecipientKind::Department, "d1")]).await.to.len());
    assert_eq!(of_group.unreached, [(named(RecipientKind::Department, "nowhere"), Unreached::NoDepartment)]);
    assert!(bed.store.group_delete(id, group).await.unwrap());
    assert!(!bed.store.group_delete(id, group).await.unwrap());
    let chat =
        expand(&bed, id, &[named(RecipientKind::Chat, "oc_1"), named(RecipientKind::Chat, "oc_unlisted")])
            .await;
    assert_eq!(ids(&chat), ["oc_1", "oc_unlisted"]);
    let again = expand(&bed, id, &[named(RecipientKind::Chat, "oc_unlisted")]).await;
    assert_eq!(again.to[0].id, chat.to[1].id, "one lane for one recipient");
    let none = ConnectionId::parse(&group.to_string()).unwrap();
    assert_eq!(bed.store.recipients_expand(none, vec![named(member, "a")]).await.unwrap(), None);
}

/// Pushes to a recipient and gives what the engine would be handed.
pub(crate) async fn pushed<H: Home>(
    bed: &Bed<H>,
    connection: ConnectionId,
    to: EndpointId,
) -> carillon_store::delivery::Ready {
    let topic = bed.topic(&format!("unused-{}", bed.tick().0)).await;
    let mut stored = bed.new_message(&topic, "hello");
    stored.message.topic = TopicId::parse(&connection.to_string()).unwrap();
    let recipient = To {
        subscription: SubscriptionId::parse(&to.to_string()).unwrap(),
        endpoint: to,
        channel: Channel::Office,
        overflow: carillon_model::subscription::Overflow::default(),
        filter_policies: carillon_model::filter::FilterPolicies::default(),
    };
    bed.store.message_publish(stored, vec![recipient]).await.unwrap();
    bed.store.lane_take(to, 1).await.unwrap().ready.into_iter().next().unwrap()
}

pub(crate) async fn a_push_opens_with_its_connection<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let id = connected(&bed, "HQ").await;
    let people = ["a", "b", "c", "d", "e", "f"].map(|name| member(name, &["d1"]));
    read(&bed, id, people.to_vec(), range(&[])).await;
    let to = expand(&bed, id, &[named(RecipientKind::Member, "a")]).await.to[0].id;
    let ready = pushed(&bed, id, to).await;
    let Opened::Target(target) = bed.store.delivery_open(&ready).await.unwrap() else { panic!("no target") };
    assert_eq!(target.endpoint.canonical().reveal(), format!("office:{id}:member:a"));
    assert_eq!(target.extension.office.as_ref().unwrap().app, app(SECRET));
    assert_eq!(bed.store.delivery_waiting(vec![ready.seq]).await.unwrap(), [ready.seq]);
    read(&bed, id, people[1..].to_vec(), range(&[])).await;
    assert_eq!(bed.store.delivery_open(&ready).await.unwrap(), Opened::Gone);
    let gone = expand(&bed, id, &[named(RecipientKind::Member, "a")]).await;
    assert_eq!((gone.to[0].gone, gone.unreached[0].1), (true, Unreached::Gone));
    assert!(bed.store.connection_delete(&bed.project, id).await.unwrap());
    assert_eq!(bed.store.delivery_open(&ready).await.unwrap(), Opened::Ended, "it was cancelled");
}

pub(crate) async fn a_notice_reaches_people_whom_a_topic_names<H: Home>() {
    let bed = Bed::<H>::fresh().await;
    let id = connected(&bed, "HQ").await;
    read(&bed, id, vec![member("a", &["d1"])], range(&[])).await;
    let lane = expand(&bed, id, &[named(RecipientKind::Member, "a")]).await.to.remove(0).id;
    let topic = bed.topic("care").await;
    let endpoint = Endpoint::Office { connection: id, kind: RecipientKind::Member, id: "a".into() };
    bed.subscribe(&topic, Target { endpoint, extension: Extension::default() }).await;
    let recipients = bed.store.recipient_list(topic.id).await.unwrap().to_vec();
    assert_ne!(recipients[0].endpoint, lane, "the subscription has a lane of its own");
    let reached = bed.store.recipients_reached(recipients.clone()).await.unwrap();
    assert_eq!(reached.iter().map(|to| to.endpoint).collect::<Vec<_>>(), [lane]);
    let notice = bed.new_message(&topic, "the month is nearly used up");
    assert!(bed.store.connection_tell(id, 1, notice, recipients).await.unwrap());
    let ready = bed.store.wake().take().ready.pop().unwrap();
    assert_eq!(ready.endpoint, lane);
    assert!(matches!(bed.store.delivery_open(&ready).await.unwrap(), Opened::Target(_)));
}
