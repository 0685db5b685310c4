//! A platform that wants to be left alone is left alone until its time is over, also when the program is restarted
//! meanwhile; urgent messages are no exception.

use carillon_model::Channel;
use carillon_model::message::Priority;
use carillon_model::office::RecipientKind;
use carillon_simulator::{Act, Call, Robot, Simulator};

use crate::bed::{Bed, MINUTE};
use crate::storm::{self, DINGTALK, FEISHU, WECOM};

const SECOND: i64 = 1_000;

/// How long after a refusal the engine may come again: not before, and not much later, since whoever waits for the same
/// moment is spread.
pub(crate) fn is_in_time(waited: i64, penalty: i64) -> bool {
    (penalty..=penalty + penalty / 8 + 15 * SECOND).contains(&waited)
}

fn busy(code: &str) -> Act {
    Act::Code { code: code.to_owned(), text: "api freq out of limit".to_owned() }
}

/// The answer of a gateway that counts requests.
pub(crate) fn reset_in(seconds: u32) -> Act {
    Act::Answer {
        status: 429,
        headers: vec![("x-ogw-ratelimit-reset".to_owned(), seconds.to_string())],
        body: r#"{"code":99991400,"msg":"request trigger frequency limit"}"#.to_owned(),
    }
}

pub(crate) fn is_good(call: &Call) -> bool {
    ["0", "ok", "200"].contains(&&*call.code)
}

/// The posts that are not for tokens or the directory.
pub(crate) fn posts(bed: &Bed) -> Vec<Call> {
    let is_post = |call: &Call| {
        ["/robot/send", "/bot/v2/hook/", "/webhook/send", "/hook/", "/im/v1/messages"]
            .iter()
            .any(|path| call.path.contains(path))
    };
    bed.far.calls().into_iter().filter(is_post).collect()
}

/// What was published before this meets a refusal; the program is restarted twice within the penalty, more is published, and
/// nothing leaves before the penalty's end. Then everything arrives.
async fn is_kept(bed: &mut Bed, penalty: i64) {
    let refused = bed
        .until("a refusal", async || posts(bed).into_iter().enumerate().find(|(_, call)| !is_good(call)))
        .await;
    let (place, refusal) = refused;
    bed.publish("Second", "the second;".to_owned(), Priority::Normal).await;
    bed.restart().await;
    bed.publish("Third", "the third;".to_owned(), Priority::Urgent).await;
    bed.restart().await;
    bed.until_calm().await;
    let later = posts(bed).split_off(place + 1);
    let waited = later.first().unwrap().at_ms - refusal.at_ms;
    assert!(is_in_time(waited, penalty), "{waited} ms: {later:?}");
    assert!(later.iter().all(is_good), "{later:?}");
    let received = bed.far.received();
    for text in ["the first;", "the second;", "the third;"] {
        let times = received.iter().filter(|one| one.text.contains(text)).count();
        assert_eq!(times, 1, "{text}: {received:?}");
    }
}

async fn is_kept_by(
    simulator: Simulator,
    channel: Channel,
    address: &str,
    script: (&str, Act),
    penalty: i64,
) {
    let mut bed = Bed::new(simulator).await;
    bed.subscribe(channel, address).await;
    bed.far.script(script.0, script.1, Some(1));
    bed.publish("First", "the first;".to_owned(), Priority::Normal).await;
    is_kept(&mut bed, penalty).await;
    bed.end().await;
}

// Here the platform's own count refuses, because somebody else uses the robot's address, too.
#[tokio::test(start_paused = true)]
async fn ten_minutes_of_dingtalk() {
    let address = format!("https://oapi.dingtalk.com/robot/send?access_token={DINGTALK}");
    let mut bed = Bed::new(Simulator::new().robot(Robot::dingtalk(DINGTALK, "ops"))).await;
    bed.subscribe(Channel::Dingtalk, &address).await;
    let json = [("content-type".to_owned(), "application/json".to_owned())];
    for _ in 0..20 {
        let body = r#"{"msgtype":"text","text":{"content":"somebody else's"}}"#;
        assert!(bed.far.take("POST", &address, &json, body).await.is_some());
    }
    bed.publish("First", "the first;".to_owned(), Priority::Normal).await;
    is_kept(&mut bed, 10 * MINUTE).await;
    bed.end().await;
}

#[tokio::test(start_paused = true)]
async fn sixty_seconds_of_wecom() {
    let address = format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={WECOM}");
    let simulator = Simulator::new().robot(Robot::wecom(WECOM, "ops"));
    is_kept_by(simulator, Channel::Wecom, &address, (WECOM, busy("45009")), MINUTE).await;
}

#[tokio::test(start_paused = true)]
async fn the_reset_header_of_lark() {
    let address = format!("https://open.feishu.cn/open-apis/bot/v2/hook/{FEISHU}");
    let simulator = Simulator::new().robot(Robot::feishu(FEISHU, "ops"));
    is_kept_by(simulator, Channel::Lark, &address, (FEISHU, reset_in(240)), 240 * SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn retry_after_of_a_web_hook() {
    let asks = Act::Answer {
        status: 503,
        headers: vec![("retry-after".to_owned(), "1800".to_owned())],
        body: String::new(),
    };
    let address = "https://hooks.example.com/hook/good";
    is_kept_by(Simulator::new(), Channel::Https, address, ("good", asks), 30 * MINUTE).await;
}

// A gateway counts for the whole app, so that its other chats wait, too.
#[tokio::test(start_paused = true)]
async fn the_reset_header_of_lark_holds_the_whole_app() {
    let (simulator, app) = storm::lark();
    let mut bed = Bed::new(simulator).await;
    let connection = bed.connect(*app).await;
    let room = bed.lane(connection, RecipientKind::Chat, "room").await;
    let zhang = bed.lane(connection, RecipientKind::Member, "zhang").await;
    bed.far.script("room", reset_in(240), Some(1));
    bed.publish_to("First", "the first;".to_owned(), Priority::Normal, vec![room]).await;
    let refused = bed.until("a refusal", async || posts(&bed).into_iter().find(|call| !is_good(call))).await;
    bed.publish_to("Second", "the second;".to_owned(), Priority::Normal, vec![zhang.clone()]).await;
    bed.restart().await;
    bed.publish_to("Third", "the third;".to_owned(), Priority::Urgent, vec![zhang]).await;
    bed.until_calm().await;
    let later = posts(&bed).split_off(1);
    assert_eq!((later.len(), later.iter().filter(|call| !is_good(call)).count()), (3, 0), "{later:?}");
    let waited = later.first().unwrap().at_ms - refused.at_ms;
    assert!(is_in_time(waited, 240 * SECOND), "{waited} ms: {later:?}");
    bed.end().await;
}
