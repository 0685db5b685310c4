//! The sentences that explain, in English and Chinese.

use std::time::Duration;

use carillon_model::health::{Health, Standing};
use carillon_model::outcome::Advice;
use carillon_store::app_calls::HeldBack;
use carillon_store::attempt::AttemptRecord;
use carillon_store::delivery::StoredMessage;

use crate::delivery::NamedDelivery;
use crate::explain::{Cause, Explanation, Verdict};

fn both(en: impl Into<String>, zh: impl Into<String>) -> Advice {
    Advice { en: en.into().into(), zh: zh.into().into() }
}

/// What the platform said, if it said anything.
fn answer(attempt: &AttemptRecord) -> (String, String) {
    let code = attempt.platform_code.as_deref().unwrap_or_default();
    let words = attempt.platform_text.as_deref().unwrap_or_default();
    let said = format!("{code} {words}");
    match said.trim() {
        "" => (String::new(), String::new()),
        said => (format!("; the platform answered: {said}"), format!("；平台的回答：{said}")),
    }
}

fn tried(delivery: &NamedDelivery) -> (String, String) {
    match delivery.attempts.last() {
        None => (", before any attempt".to_owned(), "，此前没有尝试过".to_owned()),
        Some((last, _advice)) => {
            let (number, outcome, reason) = (last.number, &last.outcome, last.reason.name());
            let (en, zh) = answer(last);
            let attempts = if number == 1 { "attempt" } else { "attempts" };
            (
                format!(", after {number} {attempts}, the last one {outcome} ({reason}){en}"),
                format!("，已尝试 {number} 次，最近一次为 {outcome}（{reason}）{zh}"),
            )
        }
    }
}

fn delivered(delivery: &NamedDelivery) -> Advice {
    let Some((last, _advice)) = delivery.attempts.last() else {
        return both("It was delivered.", "已送达。");
    };
    let at = last.started_at.plus(Duration::from_millis(last.elapsed_ms));
    let (en, zh) = answer(last);
    let (twice_en, twice_zh) = if delivery.may_be_double() {
        (
            " It may have arrived twice: an attempt before had no known end.",
            "此前有一次尝试结果不明，消息可能重复送达。",
        )
    } else {
        ("", "")
    };
    both(
        format!("It was delivered at {at} by attempt {}{en}.{twice_en}", last.number),
        format!("已于 {at} 送达，第 {} 次尝试成功{zh}。{twice_zh}", last.number),
    )
}

fn of_delivery(explanation: &Explanation, delivery: &NamedDelivery, stored: &StoredMessage) -> Advice {
    let record = &delivery.record;
    let (en, zh) = tried(delivery);
    match explanation.verdict {
        Verdict::Delivered => delivered(delivery),
        Verdict::Waiting => {
            let (since, due, before) =
                (stored.message.created_at, record.due_at, explanation.before.unwrap_or(0));
            let (why_en, why_zh) = match &explanation.cause {
                Some(Cause::Unwell(health)) => unwell(health),
                Some(Cause::HeldBack(held)) => held_back(*held),
                Some(_) | None => (String::new(), String::new()),
            };
            both(
                format!(
                    "It waits since {since}{en}. Its next try is due at {due}; {before} are before it in its \
                     lane.{why_en}"
                ),
                format!(
                    "自 {since} 起等待{zh}。下次尝试时间为 {due}；同一地址前面还有 {before} 条。{why_zh}"
                ),
            )
        }
        Verdict::Sending => both(format!("It is being sent now{en}."), format!("正在发送{zh}。")),
        Verdict::Failed => both(format!("It failed{en}."), format!("发送失败{zh}。")),
        Verdict::Expired => both(
            format!("Its time to live ended at {}{en}.", record.due_at),
            format!("已于 {} 超过有效期{zh}。", record.due_at),
        ),
        Verdict::Cancelled if explanation.cause == Some(Cause::SubscriptionDeleted) => both(
            format!("It was cancelled because its subscription was deleted{en}."),
            format!("因订阅已被删除而取消{zh}。"),
        ),
        Verdict::Cancelled if explanation.cause == Some(Cause::Dropped) => both(
            format!(
                "It was dropped at {}{en}: more waited for its address than the platform's limit lets through soon, and \
                 its subscription drops the oldest then (overflow drop_oldest).",
                record.due_at
            ),
            format!(
                "已于 {} 被丢弃{zh}：该地址等待的消息超出平台限流短时间内可发送的数量，而该订阅选择丢弃最旧的消息（overflow 为 drop_oldest）。",
                record.due_at
            ),
        ),
        Verdict::Cancelled => both(format!("It was cancelled{en}."), format!("已被取消{zh}。")),
        Verdict::NeverAddressed => both("It was never addressed.", "从未发往该订阅。"),
    }
}

/// What keeps a whole app back.
fn held_back(held: HeldBack) -> (String, String) {
    match held {
        HeldBack::Limit { used, most } => (
            format!(
                " Its app has made {used} of {most} calls of this month (in China's time), and what is left is for \
                 urgent messages: it waits for the next month, or until the limit is raised, as long as it lives."
            ),
            format!(
                "所属应用本月（北京时间）已调用 {used} 次，限额 {most} 次，余量留给紧急消息：将在有效期内等待下月或限额提高。"
            ),
        ),
        HeldBack::Platform(reason, until) => (
            format!(
                " The platform refuses whatever its app or host sends until {until} ({}): it waits as long as it lives.",
                reason.name()
            ),
            format!("平台在 {until} 之前拒绝该应用或主机的发送（{}）：将在有效期内等待。", reason.name()),
        ),
    }
}

/// What keeps an address from being sent to.
fn unwell(health: &Health) -> (String, String) {
    let (since, reason, failures) = (health.since, health.reason.name(), health.failures);
    let until = health.until.unwrap_or(since);
    match health.standing {
        Standing::Failing => (
            format!(" Its address fails since {since} ({reason})."),
            format!("该地址自 {since} 起发送失败（{reason}）。"),
        ),
        Standing::Limited => (
            format!(" The platform asked to wait: nothing is sent to its address before {until} ({reason})."),
            format!("平台要求等待：在 {until} 之前不向该地址发送（{reason}）。"),
        ),
        Standing::Open => (
            format!(
                " Its address failed {failures} times in a row ({reason}): only single tries are made, the next at \
                 {until}."
            ),
            format!("该地址连续失败 {failures} 次（{reason}）：仅作单次试探，下一次在 {until}。"),
        ),
        Standing::Paused => (
            format!(
                " Its address is paused since {since} ({reason}): nothing is sent until somebody resumes it, but for a \
                 rare try, the next at {until} at the earliest."
            ),
            format!(
                "该地址自 {since} 起已暂停（{reason}）：恢复之前不再发送，仅偶尔试探，下一次不早于 {until}。"
            ),
        ),
    }
}

/// Why a message has no delivery for the subscription.
fn of_cause(cause: &Cause, explanation: &Explanation, stored: &StoredMessage) -> Advice {
    let accepted = stored.message.created_at;
    let (en, zh) = match cause {
        Cause::SubscribedLater(at) => (
            format!("the subscription was made at {at}, the message was accepted before, at {accepted}"),
            format!("订阅创建于 {at}，而消息早在 {accepted} 就已受理"),
        ),
        Cause::Unconfirmed => (
            format!("the subscription was not confirmed when the message was accepted, at {accepted}"),
            format!("消息于 {accepted} 受理时，该订阅尚未确认"),
        ),
        Cause::Unsubscribed => {
            ("its owner had ended the subscription".to_owned(), "该订阅已被其所有者取消".to_owned())
        }
        Cause::Excluded => {
            let only = stored.message.content.only.iter().flatten().map(|channel| channel.name());
            let only = only.collect::<Vec<_>>().join(", ");
            (
                format!("the message was published for these channels only: {only}"),
                format!("该消息只发往以下渠道：{only}"),
            )
        }
        Cause::Filtered => (
            "the subscription has filter policies, and the message's attributes did not match them"
                .to_owned(),
            "该订阅设有过滤策略，而消息的属性与之不符".to_owned(),
        ),
        Cause::OtherTopic => {
            let (theirs, ours) = (&explanation.subscription_urn.topic.topic, &stored.topic_name);
            (
                format!(
                    "the subscription belongs to the topic {}, the message was published to {}",
                    theirs.as_str(),
                    ours.as_str()
                ),
                format!("该订阅属于主题 {}，而消息发布到主题 {}", theirs.as_str(), ours.as_str()),
            )
        }
        Cause::NoSubscription
        | Cause::SubscriptionDeleted
        | Cause::Dropped
        | Cause::Unwell(_)
        | Cause::HeldBack(_) => (
            "there is no such subscription; it had been deleted or never existed".to_owned(),
            "没有这个订阅：它在此之前已被删除，或从未存在".to_owned(),
        ),
    };
    both(
        format!("The message was never addressed to this subscription: {en}."),
        format!("该消息从未发往该订阅：{zh}。"),
    )
}

/// The answer as a sentence.
pub(crate) fn sentence(explanation: &Explanation, stored: &StoredMessage) -> Advice {
    match (&explanation.delivery, &explanation.cause) {
        (Some(delivery), _) => of_delivery(explanation, delivery, stored),
        (None, Some(cause)) => of_cause(cause, explanation, stored),
        (None, None) => both("It was never addressed.", "从未发往该订阅。"),
    }
}
