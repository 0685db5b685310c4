//! The sentences that explain, in English and Chinese.

use std::time::Duration;

use carillon_model::Timestamp;
use carillon_model::audit::Deed;
use carillon_model::health::{Health, Standing};
use carillon_model::id::MessageId;
use carillon_model::outcome::Advice;
use carillon_model::subscription::Subscription;
use carillon_provider::reason_named;
use carillon_store::app_calls::HeldBack;
use carillon_store::attempt::AttemptRecord;
use carillon_store::delivery::StoredMessage;
use carillon_store::person::Person;

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

/// What an attempt came back as, in both languages.
fn outcome(name: &str) -> (&str, &'static str) {
    let chinese = match name {
        "accepted" => "已接收",
        "refused" => "被拒绝",
        "misconfigured" => "配置有误",
        "later" => "需稍后重试",
        _ => "结果未知",
    };
    (name, chinese)
}

fn tried(delivery: &NamedDelivery) -> (String, String) {
    match delivery.attempts.last() {
        None => (", before any attempt".to_owned(), "，此前没有尝试过".to_owned()),
        Some((last, _advice)) => {
            let (number, reason) = (last.number, reason_named(last.reason));
            let (outcome, outcome_zh) = outcome(&last.outcome);
            let (en, zh) = answer(last);
            let attempts = if number == 1 { "attempt" } else { "attempts" };
            (
                format!(", after {number} {attempts}, the last one {outcome} ({}){en}", reason.en),
                format!("，已尝试 {number} 次，最近一次{outcome_zh}（{}）{zh}", reason.zh),
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
            let (ahead_en, ahead_zh) = match before {
                0 => (String::new(), String::new()),
                1 => ("; 1 is before it in its lane".to_owned(), "；同一地址前面还有 1 条".to_owned()),
                more => {
                    (format!("; {more} are before it in its lane"), format!("；同一地址前面还有 {more} 条"))
                }
            };
            both(
                format!("It waits since {since}{en}. Its next try is due at {due}{ahead_en}.{why_en}"),
                format!("自 {since} 起等待{zh}。下次尝试时间为 {due}{ahead_zh}。{why_zh}"),
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
        // The numbers are of all projects that use the app, and shown to those who may look at connections.
        HeldBack::Limit { .. } => (
            " Its app has used up the calls of this month (in China's time), and what is left is for urgent messages: it \
             waits for the next month, or until the limit is raised, as long as it lives."
                .to_owned(),
            "所属应用本月（北京时间）的调用次数已用完，余量留给紧急消息：将在有效期内等待下月或限额提高。".to_owned(),
        ),
        HeldBack::Platform(reason, until) => (
            format!(
                " The platform refuses whatever its app or host sends until {until} ({}): it waits as long as it lives.",
                reason_named(reason).en
            ),
            format!("平台在 {until} 之前拒绝该应用或主机的发送（{}）：将在有效期内等待。", reason_named(reason).zh),
        ),
    }
}

/// What keeps an address from being sent to.
fn unwell(health: &Health) -> (String, String) {
    let (since, failures) = (health.since, health.failures);
    let Advice { en: reason, zh: reason_zh } = reason_named(health.reason);
    let until = health.until.unwrap_or(since);
    match health.standing {
        Standing::Failing => (
            format!(" Its address fails since {since} ({reason})."),
            format!("该地址自 {since} 起发送失败（{reason_zh}）。"),
        ),
        Standing::Limited => (
            format!(" The platform asked to wait: nothing is sent to its address before {until} ({reason})."),
            format!("平台要求等待：在 {until} 之前不向该地址发送（{reason_zh}）。"),
        ),
        Standing::Open => (
            format!(
                " Its address failed {failures} times in a row ({reason}): only single tries are made, the next at \
                 {until}."
            ),
            format!("该地址连续失败 {failures} 次（{reason_zh}）：仅作单次试探，下一次在 {until}。"),
        ),
        Standing::Paused => (
            format!(
                " Its address is paused since {since} ({reason}): nothing is sent until somebody resumes it, but for a \
                 rare try, the next at {until} at the earliest."
            ),
            format!(
                "该地址自 {since} 起已暂停（{reason_zh}）：恢复之前不再发送，仅偶尔试探，下一次不早于 {until}。"
            ),
        ),
    }
}

fn suppressed(first: MessageId) -> Advice {
    both(
        format!(
            "The message went to nobody: it says the same as message {first}, which was sent shortly before, and the topic \
             leaves equal messages out for a while."
        ),
        format!("该消息未发往任何人：其内容与不久前已发送的消息 {first} 相同，而该主题设有相同消息抑制。"),
    )
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
            let urn = explanation.subscription_urn.as_ref();
            let theirs = urn.map_or("", |urn| urn.topic.topic.as_str());
            let ours = stored.topic_name.as_str();
            (
                format!(
                    "the subscription belongs to the topic {theirs}, the message was published to {ours}"
                ),
                format!("该订阅属于主题 {theirs}，而消息发布到主题 {ours}"),
            )
        }
        Cause::Suppressed(first) => return suppressed(*first),
        Cause::NotNamed => {
            return both(
                "The message was never addressed to this person: nothing that it was sent to names them, a department \
                 or a group that they were in.",
                "该消息从未发往此人：它的接收方没有指名此人，也没有指名其所在的部门或人员组。",
            );
        }
        Cause::SeenLater(at) => {
            return both(
                format!(
                    "The message was never addressed to this person: the directory knows them since {at} only, and the \
                     message was accepted before, at {accepted}."
                ),
                format!("该消息从未发往此人：通讯录自 {at} 起才有此人，而消息早在 {accepted} 就已受理。"),
            );
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

/// A subscription by what may be shown of it.
pub(crate) fn named_subscription(subscription: Option<&Subscription>) -> Advice {
    let Some(subscription) = subscription else {
        return both("A subscription that is gone", "已不存在的订阅");
    };
    let (masked, remark) = (&subscription.endpoint_masked, &subscription.remark);
    let shown = if remark.is_empty() { masked.clone() } else { format!("{remark} · {masked}") };
    both(shown.clone(), shown)
}

/// A person or chat of a directory.
pub(crate) fn named_person(person: &Person) -> Advice {
    let name = if person.name.is_empty() { &person.platform_id } else { &person.name };
    let (id, connection) = (&person.platform_id, &person.connection_name);
    let (mut en, mut zh) = (format!("{name} ({id}, {connection})"), format!("{name}（{id}，{connection}）"));
    if let Some(gone) = person.gone_at {
        en.push_str(&format!(", gone since {gone}"));
        zh.push_str(&format!("，自 {gone} 起已离开"));
    }
    if let Some((_id, now)) = person.merged.last() {
        en.push_str(&format!(", now {now}"));
        zh.push_str(&format!("，现为 {now}"));
    }
    both(en, zh)
}

/// What a change of a subscription touched; nothing when it cannot have mattered to who gets a message.
fn touched(deed: Deed) -> Option<(&'static str, &'static str)> {
    const MATTER: [(Deed, &str, &str); 4] = [
        (Deed::SubscriptionUpdate, "its remark", "备注"),
        (Deed::SubscriptionFilter, "its filter policies", "过滤策略"),
        (Deed::SubscriptionOverflow, "what happens when too much waits", "积压处理方式"),
        (Deed::SubscriptionFallback, "who is told of a pause", "暂停通知对象"),
    ];
    MATTER.into_iter().find(|(one, ..)| *one == deed).map(|(_, en, zh)| (en, zh))
}

fn policies(subscription: &Subscription) -> (String, String) {
    let all = subscription.filter_policies.as_slice();
    let shown = all.iter().map(|policy| format!("{} = {}", policy.name, policy.values.join(" | ")));
    let shown = shown.collect::<Vec<_>>().join(", ");
    if all.is_empty() {
        return ("it wants every message".to_owned(), "接收所有消息".to_owned());
    }
    (format!("it wants messages with {shown}"), format!("只接收符合以下条件的消息：{shown}"))
}

/// What a subscription was when a message was accepted, if it `was_there`: as it is now, but for what was changed since.
pub(crate) fn then(subscription: &Subscription, was_there: bool, changes: &[(Deed, Timestamp)]) -> Advice {
    let made = subscription.created_at;
    if !was_there {
        return both(
            format!(
                "When the message was accepted there was no such subscription yet: it was made at {made}."
            ),
            format!("消息受理时还没有这个订阅：它创建于 {made}。"),
        );
    }
    let (en, zh) = policies(subscription);
    let told = |(deed, at): &(Deed, Timestamp)| {
        touched(*deed).map(|(en, zh)| (format!("{en} at {at}"), format!("{zh}（{at}）")))
    };
    let (since_en, since_zh): (Vec<String>, Vec<String>) = changes.iter().filter_map(told).unzip();
    if since_en.is_empty() {
        return both(
            format!(
                "When the message was accepted the subscription was there, made at {made}; {en}. Nobody has changed it \
                 since."
            ),
            format!("消息受理时该订阅已存在，创建于 {made}；{zh}。此后没有人改动过它。"),
        );
    }
    both(
        format!(
            "When the message was accepted the subscription was there, made at {made}. Today {en}; changed since then, and \
             so perhaps different at that time: {}.",
            since_en.join(", ")
        ),
        format!(
            "消息受理时该订阅已存在，创建于 {made}。目前{zh}；此后改动过、当时可能有所不同的有：{}。",
            since_zh.join("，")
        ),
    )
}
