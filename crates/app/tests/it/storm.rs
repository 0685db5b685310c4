//! The storm in real time: the program as it is built, real connections, the strict simulator. By hand, with `scripts/storm`.

use std::collections::BTreeMap;
use std::time::Duration;

use carillon_simulator::{Platform, Running};
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::chats;
use crate::harness::{Start, home};

const MESSAGES: usize = 1_000;
/// Every hundredth is urgent.
const URGENT_EVERY: usize = 100;
/// A thousand of these are a minute.
const EVERY: Duration = Duration::from_millis(60);
/// What the program promises, from the first publish to the last text.
const WITHIN: Duration = Duration::from_secs(180);
/// The robots that the storm is for.
const CHATS: [(&str, Platform); 3] =
    [("group", Platform::Dingtalk), ("lark", Platform::Feishu), ("wecom", Platform::Wecom)];

fn mark(number: usize) -> String {
    format!("xm{number:04}x")
}

fn is_urgent(number: usize) -> bool {
    number % URGENT_EVERY == URGENT_EVERY / 2
}

/// When each text was first shown in a chat, in milliseconds of the wall clock.
fn shown(platforms: &Running, chat: &str) -> BTreeMap<usize, i64> {
    let mut found = BTreeMap::new();
    for one in platforms.received().into_iter().filter(|one| one.chat == chat) {
        for (at, _) in one.text.match_indices("xm") {
            let Some(number) = one.text.get(at + 2..at + 6).and_then(|digits| digits.parse().ok()) else {
                continue;
            };
            if one.text.get(at..at + 7) == Some(&mark(number)) {
                found.entry(number).or_insert(one.at_ms);
            }
        }
    }
    found
}

#[expect(clippy::print_stdout, reason = "whoever runs this by hand wants to see what was measured")]
fn tell(line: &str) {
    println!("{line}");
}

/// Waits until every text is in every chat, or the time that was promised is over.
async fn all_shown(platforms: &Running) {
    let all = async {
        let mut count = 1;
        while CHATS.iter().any(|(chat, _)| shown(platforms, chat).len() < MESSAGES) {
            count = platforms.received_at_least(count, WITHIN).await.len() + 1;
        }
    };
    if timeout(WITHIN, all).await.is_err() {
        tell(&format!("not everything came in {} s", WITHIN.as_secs()));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes some three minutes: scripts/storm runs it"]
async fn a_thousand_messages_in_a_minute_to_a_robot_of_each_platform() {
    let home = home();
    let platforms = chats::start().await;
    let server = Start::new().led_to(&platforms).at(home.path()).await;
    let api = server.user();
    let topic = api.create_topic("ops").await;
    for (_, body) in
        chats::subscriptions().iter().filter(|(name, _)| CHATS.iter().any(|(chat, _)| chat == name))
    {
        api.subscribe(&topic, body).await;
    }
    let mut beat = interval(EVERY);
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut published = Vec::new();
    for number in 0..MESSAGES {
        beat.tick().await;
        let text = format!("{} 磁盘将满: disk of host-{number} is {}% full", mark(number), 80 + number % 20);
        let priority = if is_urgent(number) { "urgent" } else { "normal" };
        let title = format!("disk alert, rack {}", number % 7);
        let body = json!({ "topic": "ops", "title": title, "text": text, "priority": priority });
        published.push(now_ms());
        api.post("/api/v1/messages", &body).await.expect(201);
    }
    all_shown(&platforms).await;

    tell("| robot | texts | posts | refused | last text after | urgent ones after (slowest) |");
    tell("| --- | --- | --- | --- | --- | --- |");
    let seconds = |ms: i64| format!("{}.{:03} s", ms / 1000, ms % 1000);
    let mut wrong = Vec::new();
    for (chat, platform) in CHATS {
        let shown = shown(&platforms, chat);
        let calls: Vec<_> = platforms.calls().into_iter().filter(|call| call.platform == platform).collect();
        let refused = calls.iter().filter(|call| call.code != "0").count();
        let last = shown.values().max().copied().unwrap_or_default() - published[0];
        let urgent = shown.iter().filter(|(number, _)| is_urgent(**number));
        let slowest = urgent.clone().map(|(number, at)| at - published[*number]).max().unwrap_or_default();
        let (posts, last_text, slow_text) = (calls.len(), seconds(last), seconds(slowest));
        tell(&format!(
            "| {platform:?} | {} | {posts} | {refused} | {last_text} | {slow_text} |",
            shown.len()
        ));
        let overtaken =
            urgent.map(|(urgent, at)| shown.iter().filter(|(n, when)| *n > urgent && *when < at).count());
        if shown.len() < MESSAGES || refused > 0 || overtaken.sum::<usize>() > 0 {
            wrong.push(platform);
        }
        if last > i64::try_from(WITHIN.as_millis()).unwrap() {
            wrong.push(platform);
        }
    }
    assert_eq!(wrong, []);
}

fn now_ms() -> i64 {
    use carillon_simulator::Clock as _;
    carillon_simulator::SystemClock.now_ms()
}
