//! The storm: a thousand distinct messages within a minute to one robot, and to one person or chat through the company's own
//! app, on each platform. The simulator counts, and refuses what is one too many.

use std::collections::BTreeMap;
use std::time::Duration;

use carillon_model::Channel;
use carillon_model::message::Priority;
use carillon_model::office::connection::{DingtalkApp, LarkApp, WecomApp};
use carillon_model::office::{App, RecipientKind};
use carillon_simulator::{Call, OfficeApp, OfficeMember, Platform, Robot, Simulator};
use tokio::time::{Instant, sleep_until};

use crate::bed::{Bed, MINUTE, Time};

const MESSAGES: usize = 1_000;
/// Every hundredth is urgent.
const URGENT_EVERY: usize = 100;
/// A message every so many milliseconds.
const EVERY_MS: usize = 60;
/// The longest that an urgent one takes in the middle of the storm.
const URGENT_MAX: i64 = 12_000;

pub(crate) const DINGTALK: &str = "566cc69da782ec33c1be2b1d8b2c8ee5e0c7b5b5f8b2c0d6b1a0e9d8c7b6a594";
pub(crate) const FEISHU: &str = "00000000-0000-4000-8000-00000000fe15";
pub(crate) const WECOM: &str = "00000000-0000-4000-8000-0000000000c0";

/// Who gets the storm.
enum Whom {
    /// The robot of this channel at this address.
    Robot(Channel, String),
    /// Somebody whom an app reaches: `zhang`, or the chat `room`.
    Person(Box<App>, RecipientKind),
}

/// What the far end saw, in milliseconds since the first message was published.
struct Seen {
    /// Every request, those for tokens and of the directory's reading, too.
    calls: Vec<Call>,
    /// The requests of the storm itself.
    posts: Vec<Call>,
    /// When each message was first shown.
    shown: BTreeMap<usize, i64>,
}

fn is_urgent(number: usize) -> bool {
    number % URGENT_EVERY == URGENT_EVERY / 2
}

fn mark(number: usize) -> String {
    format!("xm{number:04}x")
}

fn marks(text: &str) -> Vec<usize> {
    let read = |at: usize| {
        text.get(at + 2..at + 6)?.parse().ok().filter(|n| text.get(at..at + 7) == Some(&mark(*n)))
    };
    text.match_indices("xm").filter_map(|(at, _)| read(at)).collect()
}

/// Lets the storm pass, and gives what the far end saw.
async fn storm(simulator: Simulator, whom: Whom) -> Seen {
    let bed = Bed::new(simulator).await;
    let person = match whom {
        Whom::Robot(channel, address) => {
            bed.subscribe(channel, &address).await;
            None
        }
        Whom::Person(app, kind) => {
            let id = if kind == RecipientKind::Chat { "room" } else { "zhang" };
            let connection = bed.connect(*app).await;
            Some(vec![bed.lane(connection, kind, id).await])
        }
    };
    let calls_before = bed.far.calls().len();
    let (begin, begun) = (Instant::now(), bed.time.passed());
    for number in 0..MESSAGES {
        sleep_until(begin + Duration::from_millis(u64::try_from(number * EVERY_MS).unwrap())).await;
        let text = format!("{} 磁盘将满: disk of host-{number} is {}% full", mark(number), 80 + number % 20);
        let subject = format!("disk alert, rack {}", number % 7);
        let priority = if is_urgent(number) { Priority::Urgent } else { Priority::Normal };
        match &person {
            Some(to) => bed.publish_to(&subject, text, priority, to.clone()).await,
            None => bed.publish(&subject, text, priority).await,
        };
    }
    bed.until_calm().await;
    let mut shown = BTreeMap::new();
    for one in bed.far.received() {
        for number in marks(&one.text) {
            shown.entry(number).or_insert(Time::since_start(one.at_ms) - begun);
        }
    }
    let calls = bed.far.calls();
    let posts = calls.iter().skip(calls_before).filter(|call| !is_token(call)).cloned().collect();
    bed.end().await;
    Seen { calls, posts, shown }
}

fn is_token(call: &Call) -> bool {
    ["/accessToken", "/tenant_access_token/internal", "/gettoken"].iter().any(|end| call.path.ends_with(end))
}

/// Every text is there within three minutes of the first message, nothing was refused, and urgent ones went first.
fn check(name: &str, posts_max: usize, seen: &Seen) {
    check_within(name, posts_max, 3 * MINUTE, seen);
}

fn check_within(name: &str, posts_max: usize, within: i64, seen: &Seen) {
    let refused: Vec<_> = seen.calls.iter().filter(|call| !["0", "ok"].contains(&&*call.code)).collect();
    assert_eq!(refused.len(), 0, "{name}: refused: {refused:?}");
    let missing: Vec<usize> = (0..MESSAGES).filter(|number| !seen.shown.contains_key(number)).collect();
    assert!(missing.is_empty(), "{name}: {missing:?} never came");
    let last = seen.shown.values().max().copied().unwrap_or_default();
    assert!(last <= within, "{name}: the last came after {last} ms");
    for (urgent, at) in seen.shown.iter().filter(|(number, _)| is_urgent(**number)) {
        let published = i64::try_from(urgent * EVERY_MS).unwrap();
        // Ten urgent ones are more than the reserve of two; the others of the rate are spread, so that they find a place.
        assert!(at - published <= URGENT_MAX, "{name}: urgent {urgent} took {} ms", at - published);
        let overtaken = seen.shown.iter().filter(|(number, shown)| *number > urgent && *shown < at);
        assert_eq!(overtaken.count(), 0, "{name}: younger ones came before urgent {urgent}");
    }
    // What was measured, and a little: more posts would be smaller digests.
    let largest = seen.posts.iter().map(|call| call.body_bytes).max();
    assert!(seen.posts.len() <= posts_max, "{name}: {} posts, largest {largest:?}", seen.posts.len());
}

#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_a_dingtalk_robot() {
    let address = format!("https://oapi.dingtalk.com/robot/send?access_token={DINGTALK}");
    let simulator = Simulator::new().robot(Robot::dingtalk(DINGTALK, "ops"));
    check("dingtalk", 30, &storm(simulator, Whom::Robot(Channel::Dingtalk, address)).await);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_a_feishu_robot() {
    let address = format!("https://open.feishu.cn/open-apis/bot/v2/hook/{FEISHU}");
    let simulator = Simulator::new().robot(Robot::feishu(FEISHU, "ops"));
    check("feishu", 165, &storm(simulator, Whom::Robot(Channel::Lark, address)).await);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_a_lark_robot() {
    let address = format!("https://open.larksuite.com/open-apis/bot/v2/hook/{FEISHU}");
    let simulator = Simulator::new().robot(Robot::lark(FEISHU, "ops"));
    check("lark", 165, &storm(simulator, Whom::Robot(Channel::Lark, address)).await);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_a_wecom_robot() {
    let address = format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={WECOM}");
    let simulator = Simulator::new().robot(Robot::wecom(WECOM, "ops"));
    check("wecom", 45, &storm(simulator, Whom::Robot(Channel::Wecom, address)).await);
}

/// A company with one member and one chat.
fn company(platform: Platform, app_id: &str) -> OfficeApp {
    let mut app = OfficeApp::new(platform, app_id, "secret");
    app.members.push(OfficeMember {
        id: "zhang".to_owned(),
        name: "Zhang".to_owned(),
        departments: vec![if platform == Platform::Lark { "0" } else { "1" }.to_owned()],
        mobile: None,
        email: None,
        left: false,
    });
    app.chats.push(("room".to_owned(), "Room".to_owned()));
    app
}

pub(crate) fn lark() -> (Simulator, Box<App>) {
    let id = "cli_a1b2c3d4e5f6a7b8";
    let app = App::Lark(LarkApp { app_id: id.into(), app_secret: "secret".into() });
    (Simulator::new().office(company(Platform::Lark, id)), Box::new(app))
}

fn dingtalk() -> (Simulator, Box<App>) {
    let mut far = company(Platform::DingtalkApp, "dingkey");
    "dingkey".clone_into(&mut far.robot_code);
    let app = App::Dingtalk(DingtalkApp {
        app_key: "dingkey".into(),
        app_secret: "secret".into(),
        robot_code: Some("dingkey".into()),
        agent_id: None,
        corp_id: None,
    });
    (Simulator::new().office(far), Box::new(app))
}

fn wecom() -> (Simulator, Box<App>) {
    let mut far = company(Platform::Wecom, "ww1");
    far.agent_id = 1;
    let app = App::Wecom(WecomApp { corp_id: "ww1".into(), agent_id: 1, secret: "secret".into() });
    (Simulator::new().office(far), Box::new(app))
}

// "Send a message": 5 a second to one person, and to one chat.
#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_somebody_on_lark() {
    let (simulator, app) = lark();
    check("lark, member", 310, &storm(simulator, Whom::Person(app, RecipientKind::Member)).await);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_a_chat_on_lark() {
    let (simulator, app) = lark();
    check("lark, chat", 310, &storm(simulator, Whom::Person(app, RecipientKind::Chat)).await);
}

// "Call limits": 20 a second.
#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_somebody_on_dingtalk() {
    let (simulator, app) = dingtalk();
    check("dingtalk, member", 1_000, &storm(simulator, Whom::Person(app, RecipientKind::Member)).await);
}

// "Application messages": 30 a minute and 1000 an hour to one member; what is more is dropped without an error.
#[tokio::test(start_paused = true)]
async fn a_thousand_messages_in_a_minute_to_somebody_on_wecom() {
    let (simulator, app) = wecom();
    let seen = storm(simulator, Whom::Person(app, RecipientKind::Member)).await;
    // The rate of an hour keeps posts apart by 3.6 seconds, however few of the minute's were used.
    check_within("wecom, member", 90, 5 * MINUTE, &seen);
}
