//! The machine's clock is set by hours while the engine serves: nothing is lost, nothing waits for hours, no limit is
//! overrun, and nothing ends before its time to live by the clock is over. The far ends' clocks go on as they did.

use std::time::Duration;

use carillon_model::Channel;
use carillon_model::message::Priority;
use carillon_model::office::RecipientKind;
use carillon_simulator::{Act, Robot, Simulator};
use tokio::time::sleep;

use crate::bed::{Bed, MINUTE};
use crate::penalty::{is_good, is_in_time, posts, reset_in};
use crate::storm::{self, DINGTALK, WECOM};

const HOUR: i64 = 60 * MINUTE;
/// By how much somebody sets the clock in the middle of something. Messages live for an hour.
const JUMPS: [i64; 4] = [-3 * HOUR, -40 * MINUTE, 40 * MINUTE, 2 * MINUTE];

fn wecom() -> (Simulator, String) {
    let address = format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={WECOM}");
    (Simulator::new().robot(Robot::wecom(WECOM, "ops")), address)
}

fn busy() -> Act {
    Act::Code { code: "45009".to_owned(), text: "api freq out of limit".to_owned() }
}

/// What came in the chat, each text once.
fn came(bed: &Bed, texts: &[&str]) {
    let received = bed.far.received();
    for text in texts {
        let times = received.iter().filter(|one| one.text.contains(text)).count();
        assert_eq!(times, 1, "{text}: {received:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_penalty_lasts_as_long_as_it_would_have() {
    for jump in JUMPS {
        let (simulator, address) = wecom();
        let bed = Bed::new(simulator).await;
        bed.subscribe(Channel::Wecom, &address).await;
        bed.far.script(WECOM, busy(), Some(1));
        bed.publish("First", "the first;".to_owned(), Priority::Normal).await;
        let refused = bed.until("a refusal", async || posts(&bed).into_iter().next()).await;
        bed.wall.set_by(jump);
        bed.publish("Second", "the second;".to_owned(), Priority::Normal).await;
        bed.until_calm().await;
        let later = posts(&bed).split_off(1);
        let waited = later.first().unwrap().at_ms - refused.at_ms;
        assert!(is_in_time(waited, MINUTE), "{jump}: {waited} ms");
        assert!(later.iter().all(is_good), "{later:?}");
        came(&bed, &["the first;", "the second;"]);
        bed.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_penalty_ends_although_the_program_is_restarted_after_the_clock_was_set_back() {
    let (simulator, address) = wecom();
    let mut bed = Bed::new(simulator).await;
    bed.subscribe(Channel::Wecom, &address).await;
    bed.far.script(WECOM, busy(), Some(1));
    bed.publish("First", "the first;".to_owned(), Priority::Normal).await;
    let refused = bed.until("a refusal", async || posts(&bed).into_iter().next()).await;
    sleep(Duration::from_secs(2)).await;
    bed.wall.set_by(-3 * HOUR);
    bed.restart().await;
    bed.publish("Second", "the second;".to_owned(), Priority::Normal).await;
    bed.until_calm().await;
    let later = posts(&bed).split_off(1);
    let waited = later.first().unwrap().at_ms - refused.at_ms;
    // How long the program was away cannot be known then: the whole penalty counts once more.
    assert!((MINUTE..=2 * MINUTE + MINUTE / 4).contains(&waited), "{waited} ms");
    came(&bed, &["the first;", "the second;"]);
    bed.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_holds_a_whole_app_lasts_as_long_as_it_would_have() {
    for jump in JUMPS {
        let (simulator, app) = storm::lark();
        let bed = Bed::new(simulator).await;
        let connection = bed.connect(*app).await;
        let room = bed.lane(connection, RecipientKind::Chat, "room").await;
        let zhang = bed.lane(connection, RecipientKind::Member, "zhang").await;
        bed.far.script("room", reset_in(240), Some(1));
        bed.publish_to("First", "the first;".to_owned(), Priority::Normal, vec![room]).await;
        let refused =
            bed.until("a refusal", async || posts(&bed).into_iter().find(|call| !is_good(call))).await;
        bed.wall.set_by(jump);
        bed.publish_to("Second", "the second;".to_owned(), Priority::Normal, vec![zhang]).await;
        bed.until_calm().await;
        let later = posts(&bed).split_off(1);
        assert_eq!((later.len(), later.iter().filter(|call| !is_good(call)).count()), (2, 0), "{later:?}");
        let waited = later.first().unwrap().at_ms - refused.at_ms;
        assert!(is_in_time(waited, 240_000), "{jump}: {waited} ms: {later:?}");
        bed.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_storm_comes_whole_and_within_the_limit_while_the_clock_is_set_to_and_fro() {
    let address = format!("https://oapi.dingtalk.com/robot/send?access_token={DINGTALK}");
    let bed = Bed::new(Simulator::new().robot(Robot::dingtalk(DINGTALK, "ops"))).await;
    bed.subscribe(Channel::Dingtalk, &address).await;
    let jumps = [(60, -3 * HOUR), (120, 40 * MINUTE), (180, -5 * MINUTE), (240, 30 * MINUTE)];
    for number in 0..300 {
        if let Some((_, jump)) = jumps.iter().find(|(at, _)| *at == number) {
            bed.wall.set_by(*jump);
        }
        bed.publish("Disk", format!("alert {number:04};"), Priority::Normal).await;
        sleep(Duration::from_millis(100)).await;
    }
    let begun = bed.time.passed();
    bed.until_calm().await;
    assert!(bed.time.passed() - begun < 3 * MINUTE, "it took {} ms", bed.time.passed() - begun);
    assert!(posts(&bed).iter().all(is_good), "{:?}", posts(&bed));
    let texts: Vec<String> = (0..300).map(|number| format!("alert {number:04};")).collect();
    came(&bed, &texts.iter().map(String::as_str).collect::<Vec<_>>());
    bed.end().await;
}

#[tokio::test(start_paused = true)]
async fn only_what_is_past_its_time_to_live_by_the_new_clock_ends() {
    let (simulator, address) = wecom();
    let bed = Bed::new(simulator).await;
    bed.subscribe(Channel::Wecom, &address).await;
    bed.far.script(WECOM, busy(), Some(1));
    let first = bed.publish("First", "the first;".to_owned(), Priority::Normal).await;
    bed.until("a refusal", async || posts(&bed).into_iter().next()).await;
    // Two hours on, an hour's time to live is over; what is published then has its own.
    bed.wall.set_by(2 * HOUR);
    let second = bed.publish("Second", "the second;".to_owned(), Priority::Normal).await;
    bed.until_calm().await;
    assert_eq!((bed.state(first).await, bed.state(second).await), ("expired", "delivered"));
    bed.end().await;
}
