//! The storm: a thousand distinct messages within a minute to one robot, and to one person or chat through the company's own
//! app, on each platform, in simulated time. The far end counts by a plain reading of the platform's rule and refuses what
//! is one too many.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot set its bed up has failed")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carillon_engine::{Engine, Metrics, Parts, Settings};
use carillon_model::chance::SeededChance;
use carillon_model::endpoint::Endpoint;
use carillon_model::filter::FilterPolicies;
use carillon_model::id::{MessageId, ProjectId, SubscriptionId, TopicId};
use carillon_model::message::{Body, Content, Locale, Message, Priority};
use carillon_model::office::connection::{DingtalkApp, LarkApp, WecomApp};
use carillon_model::office::{App, Chat, Member, Range, Recipient, RecipientKind};
use carillon_model::subscription::{Extension, Overflow, SubscriptionState, Target};
use carillon_model::topic::{Topic, TopicName};
use carillon_model::{Channel, Clock, Timestamp};
use carillon_provider::{Carried, ProviderSettings, Providers, Reply, Wire};
use carillon_store::account::Installation;
use carillon_store::connection::Connected;
use carillon_store::delivery::StoredMessage;
use carillon_store::office_run::Progress;
use carillon_store::office_staged::Staged;
use carillon_store::recipient::Recipient as To;
use carillon_store::subscription::NewSubscription;
use carillon_store::{Hand, NoObserver, Store};
use prometheus_client::registry::Registry;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::TaskTracker;

const MESSAGES: usize = 1_000;
/// Every hundredth is urgent.
const URGENT_EVERY: usize = 100;
const START: i64 = 1_750_000_000_000;
const MINUTE: i64 = 60_000;
/// The longest that an urgent one takes in the middle of the storm.
const URGENT_MAX: i64 = 12_000;

/// Where apps fetch their tokens, and what each platform would answer there.
const TOKEN_PATHS: [&str; 3] =
    ["/v1.0/oauth2/accessToken", "/open-apis/auth/v3/tenant_access_token/internal", "/cgi-bin/gettoken"];
const TOKEN: &str = r#"{"code":0,"errcode":0,"msg":"ok","errmsg":"ok","tenant_access_token":"t","expire":7200,
    "access_token":"t","expires_in":7200,"accessToken":"t","expireIn":7200}"#;

/// Time as the paused runtime has it.
struct Time(Instant);

impl Time {
    fn passed(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp(START + self.passed())
    }
}

/// One robot: at most so many posts in any span of so many milliseconds.
struct Robot {
    time: Arc<Time>,
    rules: &'static [(usize, i64)],
    /// The most bytes of a request.
    bytes_max: usize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    posts: Vec<i64>,
    refused: usize,
    largest: usize,
    /// When each message was first shown.
    shown: BTreeMap<usize, i64>,
}

impl Wire for Robot {
    fn carry(&self, url: String, body: String) -> Carried<'_> {
        Box::pin(async move {
            sleep(Duration::from_millis(40)).await;
            let is_token = TOKEN_PATHS.iter().any(|path| url.contains(path));
            let answer = if is_token { TOKEN } else { self.take(&body) };
            sleep(Duration::from_millis(40)).await;
            Ok(Reply { status: 200, body: answer.as_bytes().to_vec() })
        })
    }
}

impl Robot {
    fn take(&self, body: &str) -> &'static str {
        let now = self.time.passed();
        let mut seen = self.seen.lock().unwrap();
        let within = |posts: &[i64], span| posts.iter().filter(|at| **at > now - span).count();
        if self.rules.iter().any(|(count, span)| within(&seen.posts, *span) >= *count)
            || body.len() > self.bytes_max
        {
            seen.refused += 1;
            return r#"{"errcode":45009,"code":11232,"errmsg":"too many","msg":"too many"}"#;
        }
        seen.posts.push(now);
        seen.largest = seen.largest.max(body.len());
        for number in marks(body) {
            seen.shown.entry(number).or_insert(now);
        }
        r#"{"errcode":0,"code":0,"errmsg":"ok","msg":"success","msgid":"m","processQueryKey":"q","data":{"message_id":"m"}}"#
    }
}

fn mark(number: usize) -> String {
    format!("xm{number:04}x")
}

fn marks(body: &str) -> Vec<usize> {
    let read = |at: usize| {
        body.get(at + 2..at + 6)?.parse().ok().filter(|n| body.get(at..at + 7) == Some(&mark(*n)))
    };
    body.match_indices("xm").filter_map(|(at, _)| read(at)).collect()
}

async fn topic(store: &Store, now: Timestamp, chance: &SeededChance) -> Topic {
    let project = ProjectId::parse("p").unwrap();
    let installation = Installation {
        project: project.clone(),
        project_name: "p".to_owned(),
        account_name: "a".to_owned(),
        password_hash: String::new(),
        access_key: "k".to_owned(),
        secret_key: "s".into(),
        token: None,
    };
    assert!(store.install(installation).await.unwrap());
    let topic = Topic {
        id: TopicId::new(now, chance),
        project,
        name: TopicName::parse("ops").unwrap(),
        display_name: String::new(),
        enterprise_project_id: "0".to_owned(),
        created_at: now,
        updated_at: now,
    };
    store.topic_create(topic.clone()).await.unwrap();
    topic
}

async fn subscribe(store: &Store, topic: TopicId, channel: Channel, address: &str) {
    let new = NewSubscription {
        topic,
        protocol: channel.name().to_owned(),
        target: Target {
            endpoint: Endpoint::parse(channel, address).unwrap(),
            extension: Extension::default(),
        },
        remark: None,
        state: SubscriptionState::Confirmed,
    };
    store.subscription_add(new).await.unwrap();
}

fn message(number: usize, topic: &Topic, now: Timestamp, chance: &SeededChance) -> StoredMessage {
    let urgent = number % URGENT_EVERY == URGENT_EVERY / 2;
    let text = format!("{} 磁盘将满: disk of host-{number} is {}% full", mark(number), 80 + number % 20);
    let message = Message {
        id: MessageId::new(now, chance),
        project: topic.project.clone(),
        topic: topic.id,
        content: Content {
            subject: Some(format!("disk alert, rack {}", number % 7)),
            default: Body::text(text),
            ..Content::default()
        },
        priority: if urgent { Priority::Urgent } else { Priority::Normal },
        locale: Locale::English,
        created_at: now,
        expires_at: now.plus(Duration::from_secs(3_600)),
    };
    StoredMessage { message, topic_name: topic.name.clone() }
}

async fn work(mut hand: Hand) {
    while hand.waiting().await > 0 {
        sleep(Duration::from_millis(1)).await;
        let all = hand.waiting().await;
        hand.commit(all).answer();
    }
}

/// Who gets the storm.
enum Whom<'a> {
    /// Whatever has this address of this channel.
    Address(Channel, &'a str),
    /// Somebody whom an app reaches.
    Person(App, RecipientKind),
}

/// An app with a directory of one member and one chat, and the lane of the one that is meant.
async fn lane(store: &Store, project: &ProjectId, app: App, kind: RecipientKind) -> To {
    let platform = app.platform();
    let connected = store.connection_add(project, "HQ".to_owned(), app).await.unwrap();
    let Connected::Done(connection) = connected else { panic!("{connected:?}") };
    let run = store.run_begin(connection, "somebody".to_owned()).await.unwrap();
    let member = Member {
        user_id: "zhang".to_owned(),
        open_id: Some("ou_zhang".to_owned()),
        union_id: None,
        name: "Zhang".to_owned(),
        left: false,
        departments: Vec::new(),
    };
    let chat = Chat { id: "room".to_owned(), name: "Room".to_owned(), description: String::new() };
    let staged = Staged { departments: Vec::new(), members: vec![member], chats: vec![chat] };
    let range = Some(Range { all: true, ..Range::default() });
    let progress = Progress { calls: 1, missing: Vec::new(), range };
    assert!(store.run_stage(run, platform, staged, progress).await.unwrap());
    assert_eq!(store.run_finish(run).await.unwrap(), Some(false));
    let id = if kind == RecipientKind::Chat { "room" } else { "zhang" };
    let named = vec![Recipient { kind, id: id.to_owned() }];
    let found = store.recipients_expand(connection, named).await.unwrap().unwrap();
    let endpoint = found.to.first().unwrap().id;
    To {
        subscription: SubscriptionId::parse(&endpoint.to_string()).unwrap(),
        endpoint,
        channel: Channel::Office,
        overflow: Overflow::default(),
        filter_policies: FilterPolicies::default(),
    }
}

/// Lets the storm pass, and gives what the far end saw.
async fn storm(whom: Whom<'_>, rules: &'static [(usize, i64)], bytes_max: usize) -> Seen {
    let dir = tempfile::tempdir().unwrap();
    let settings =
        carillon_store::Settings { data_dir: dir.path().to_owned(), key_file: None, database_url: None };
    let (time, chance) = (Arc::new(Time(Instant::now())), Arc::new(SeededChance::new(7)));
    let opened = Store::open_by_hand(&settings, time.clone(), chance.clone(), Arc::new(NoObserver));
    let (store, hand) = opened.unwrap();
    TaskTracker::new().spawn(work(hand));
    let topic = topic(&store, time.now(), &chance).await;
    let pushed = match whom {
        Whom::Address(channel, address) => {
            subscribe(&store, topic.id, channel, address).await;
            None
        }
        Whom::Person(app, kind) => Some(vec![lane(&store, &topic.project, app, kind).await]),
    };
    let robot = Arc::new(Robot { time: Arc::clone(&time), rules, bytes_max, seen: Mutex::default() });
    let parts = Parts {
        store: store.clone(),
        providers: Arc::new(Providers::over(robot.clone(), ProviderSettings::default(), time.clone())),
        clock: time.clone(),
        chance: chance.clone(),
        metrics: Metrics::new(&mut Registry::default()),
    };
    let engine = Engine::start(parts, Settings::default()).await.unwrap();
    let begin = Instant::now();
    for number in 0..MESSAGES {
        let at = u64::try_from(number * 60).unwrap();
        sleep_until(begin + Duration::from_millis(at)).await;
        let stored = message(number, &topic, time.now(), &chance);
        match &pushed {
            Some(to) => store.message_publish(stored, to.clone()).await.unwrap(),
            None => {
                let recipients = store.recipient_list(topic.id).await.unwrap();
                store.message_publish(stored, recipients).await.unwrap();
            }
        }
    }
    while !store.lane_list().await.unwrap().is_empty() {
        sleep(Duration::from_secs(1)).await;
        assert!(time.passed() < 60 * MINUTE, "something still waits after an hour");
    }
    assert!(engine.drain(Duration::from_secs(60)).await);
    std::mem::take(&mut *robot.seen.lock().unwrap())
}

/// Every text is there within three minutes of the storm's begin, nothing was refused, and urgent ones went first.
fn check(name: &str, posts_max: usize, seen: &Seen) {
    check_within(name, posts_max, 3 * MINUTE, seen);
}

fn check_within(name: &str, posts_max: usize, within: i64, seen: &Seen) {
    assert_eq!(seen.refused, 0, "{name}: refused by the platform's rule");
    let missing: Vec<usize> = (0..MESSAGES).filter(|number| !seen.shown.contains_key(number)).collect();
    assert!(missing.is_empty(), "{name}: {missing:?} never came");
    let last = seen.shown.values().max().copied().unwrap_or_default();
    assert!(last <= within, "{name}: the last came after {last} ms");
    for (urgent, at) in seen.shown.iter().filter(|(number, _)| *number % URGENT_EVERY == URGENT_EVERY / 2) {
        let published = i64::try_from(urgent * 60).unwrap();
        // Ten urgent ones are more than the reserve of two; the others of the rate are spread, so that they find a place.
        assert!(at - published <= URGENT_MAX, "{name}: urgent {urgent} took {} ms", at - published);
        let overtaken = seen.shown.iter().filter(|(number, shown)| *number > urgent && *shown < at);
        assert_eq!(overtaken.count(), 0, "{name}: younger ones came before urgent {urgent}");
    }
    // What was measured, and a little: more posts would be smaller digests.
    assert!(
        seen.posts.len() <= posts_max,
        "{name}: {} posts, largest {} bytes",
        seen.posts.len(),
        seen.largest
    );
}

#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_a_dingtalk_robot() {
    let token = "566cc69da782ec33c1be2b1d8b2c8ee5e0c7b5b5f8b2c0d6b1a0e9d8c7b6a594";
    let address = format!("https://oapi.dingtalk.com/robot/send?access_token={token}");
    check("dingtalk", 30, &storm(Whom::Address(Channel::Dingtalk, &address), &[(20, MINUTE)], 20_000).await);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_a_lark_robot() {
    let address = "https://open.feishu.cn/open-apis/bot/v2/hook/00000000-0000-4000-8000-00000000fe15";
    check(
        "lark",
        165,
        &storm(Whom::Address(Channel::Lark, address), &[(5, 1_000), (100, MINUTE)], 20_480).await,
    );
}

#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_a_wecom_robot() {
    let address = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=00000000-0000-4000-8000-0000000000c0";
    // Text: 2,048 bytes of content; the rest of the request is braces and names.
    check("wecom", 45, &storm(Whom::Address(Channel::Wecom, address), &[(20, MINUTE)], 4_500).await);
}

fn lark() -> App {
    App::Lark(LarkApp { app_id: "cli_a1b2c3d4e5f6a7b8".into(), app_secret: "secret".into() })
}

fn dingtalk() -> App {
    App::Dingtalk(DingtalkApp {
        app_key: "dingkey".into(),
        app_secret: "secret".into(),
        robot_code: Some("dingkey".into()),
        agent_id: None,
        corp_id: None,
    })
}

fn wecom() -> App {
    App::Wecom(WecomApp { corp_id: "ww1".into(), agent_id: 1, secret: "secret".into() })
}

// "Send a message": 5 a second to one person, and to one chat.
#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_somebody_on_lark() {
    let whom = Whom::Person(lark(), RecipientKind::Member);
    check("lark, member", 310, &storm(whom, &[(5, 1_000)], 153_600).await);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_a_chat_on_lark() {
    let whom = Whom::Person(lark(), RecipientKind::Chat);
    check("lark, chat", 310, &storm(whom, &[(5, 1_000)], 153_600).await);
}

// "Call limits": 20 a second.
#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_somebody_on_dingtalk() {
    let whom = Whom::Person(dingtalk(), RecipientKind::Member);
    check("dingtalk, member", 1_000, &storm(whom, &[(20, 1_000)], 20_000).await);
}

// "Application messages": 30 a minute and 1000 an hour to one member; what is more is dropped without an error.
#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_somebody_on_wecom() {
    let whom = Whom::Person(wecom(), RecipientKind::Member);
    let seen = storm(whom, &[(30, MINUTE), (1_000, 60 * MINUTE)], 4_500).await;
    // The rate of an hour keeps posts apart by 3.6 seconds, however few of the minute's were used.
    check_within("wecom, member", 90, 5 * MINUTE, &seen);
}
