//! The page: chats side by side, each drawn roughly as its platform draws it.

use std::collections::BTreeSet;

use askama::Template;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};

use crate::clock::civil;
use crate::markdown::{escape, render, safe_address};
use crate::record::{Call, Entry};
use crate::registry::Platform;
use crate::serve::typed;
use crate::world::{World, lock};

/// How many messages of a chat are drawn.
const MOST_MESSAGES: usize = 50;
/// How many calls are listed under the chats.
const MOST_CALLS: usize = 12;
/// A text past this many characters is drawn cut; the list has it whole.
const MOST_TEXT: usize = 20_000;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The colours a Lark card header may have.
const TONES: &[&str] = &[
    "blue",
    "wathet",
    "turquoise",
    "green",
    "yellow",
    "orange",
    "red",
    "carmine",
    "violet",
    "purple",
    "indigo",
    "grey",
];

/// The page's own words.
struct Words {
    lang: &'static str,
    title: &'static str,
    lead: &'static str,
    nothing: &'static str,
    no_chats: &'static str,
    message: &'static str,
    messages: &'static str,
    calls: &'static str,
    time: &'static str,
    platform: &'static str,
    path: &'static str,
    verdict: &'static str,
    no_answer: &'static str,
}

const ENGLISH: Words = Words {
    lang: "en",
    title: "Carillon simulator",
    lead: "What the pretend DingTalk, Lark, WeCom, webhook and mail receivers have taken.",
    nothing: "No messages yet",
    no_chats: "No chats yet. Register a robot, or post to /hook/any-name.",
    message: "message",
    messages: "messages",
    calls: "Latest calls",
    time: "Time",
    platform: "Platform",
    path: "Path",
    verdict: "Answer",
    no_answer: "no answer",
};

const CHINESE: Words = Words {
    lang: "zh-CN",
    title: "Carillon 模拟器",
    lead: "模拟的钉钉、飞书、企业微信、Webhook 和邮件接收端收到的消息。",
    nothing: "还没有消息",
    no_chats: "还没有会话。请登记一个机器人，或向 /hook/任意名称 发送请求。",
    message: "条消息",
    messages: "条消息",
    calls: "最近的调用",
    time: "时间",
    platform: "平台",
    path: "路径",
    verdict: "应答",
    no_answer: "无应答",
};

#[derive(Template)]
#[template(path = "page.html")]
struct Whole<'a> {
    words: &'a Words,
    chats: Chats<'a>,
}

#[derive(Template)]
#[template(path = "chats.html")]
struct Chats<'a> {
    words: &'a Words,
    chats: Vec<Chat>,
    calls: Vec<CallRow>,
}

struct Chat {
    class: &'static str,
    platform: &'static str,
    name: String,
    count: usize,
    bubbles: Vec<Bubble>,
}

struct Bubble {
    seq: u64,
    iso: String,
    clock: String,
    kind: String,
    /// A header's class; empty where the form has no header of its own.
    tone: String,
    title: String,
    /// Safe HTML, made by [`render`] or [`escape`].
    html: String,
    buttons: Vec<(String, Option<String>)>,
    mentions: String,
}

struct CallRow {
    iso: String,
    clock: String,
    platform: &'static str,
    path: String,
    verdict: String,
    is_refused: bool,
}

/// Draws the whole page.
pub(crate) fn whole(world: &World, parts: &Parts) -> Response<Body> {
    let words = words(parts);
    drawn(&Whole { words, chats: gather(world, words) })
}

/// Draws only the part that changes.
pub(crate) fn chats(world: &World, parts: &Parts) -> Response<Body> {
    drawn(&gather(world, words(parts)))
}

pub(crate) fn script() -> Response<Body> {
    typed(StatusCode::OK, "text/javascript; charset=utf-8", include_str!("../assets/page.js"))
}

pub(crate) fn style() -> Response<Body> {
    typed(StatusCode::OK, "text/css; charset=utf-8", include_str!("../assets/page.css"))
}

fn drawn(template: &impl Template) -> Response<Body> {
    let html = template.render().unwrap_or_else(|error| {
        tracing::error!(%error, "could not draw the page");
        String::new()
    });
    let mut answer = typed(StatusCode::OK, "text/html; charset=utf-8", html);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    answer
}

/// Chooses by which of the two languages the browser names first.
fn words(parts: &Parts) -> &'static Words {
    let wanted = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let wanted = wanted.unwrap_or_default().to_ascii_lowercase();
    match (wanted.find("zh"), wanted.find("en")) {
        (Some(zh), Some(en)) if zh < en => &CHINESE,
        (Some(_), None) => &CHINESE,
        _ => &ENGLISH,
    }
}

fn gather<'a>(world: &World, words: &'a Words) -> Chats<'a> {
    let registry = lock(&world.registry);
    let mut names: BTreeSet<(Platform, String)> =
        registry.robots().map(|robot| (robot.platform, robot.chat.clone())).collect();
    for app in registry.apps() {
        let groups = app.conversations.iter().map(|(_, chat)| chat.clone());
        names.extend(groups.map(|chat| (Platform::DingtalkApp, chat)));
    }
    drop(registry);
    let records = lock(&world.records);
    names.extend(records.chat_names());
    let draw = |(platform, name): (Platform, String)| Chat {
        class: class(platform),
        platform: label(platform, words.lang),
        count: records.count_in(platform, &name),
        bubbles: records.newest(platform, &name, MOST_MESSAGES).iter().map(|entry| bubble(entry)).collect(),
        name,
    };
    let chats = names.into_iter().map(draw).collect();
    let calls = records.calls().iter().rev().take(MOST_CALLS).map(|call| row(call, words)).collect();
    Chats { words, chats, calls }
}

fn bubble(entry: &Entry) -> Bubble {
    let (received, look) = (&entry.received, &entry.look);
    let is_plain =
        ["text", "sampleText", "webhook", "mail", "post", "share_chat"].contains(&received.kind.as_str());
    let cut: String = look.markup.chars().take(MOST_TEXT).collect();
    // A post has links but no other markup, so it too goes through the renderer.
    let html = if is_plain && received.kind != "post" {
        format!("<div class=\"plain\">{}</div>", escape(&cut))
    } else {
        render(&cut)
    };
    let is_card = received.kind == "interactive";
    let tone = look.tone.as_deref().filter(|tone| TONES.contains(tone)).unwrap_or("default");
    let button =
        |(label, address): &(String, String)| (label.clone(), safe_address(address).map(str::to_owned));
    // These titles are only for the list of chats and the push; the body repeats them if it wants to.
    let only_in_list = ["markdown", "sampleMarkdown", "actionCard", "sampleActionCard"];
    let has_title = !only_in_list.contains(&received.kind.trim_end_matches(|end: char| end.is_ascii_digit()));
    Bubble {
        seq: received.seq,
        iso: iso(received.at_ms),
        clock: clock(received.at_ms),
        kind: received.kind.clone(),
        tone: if is_card { format!("tone-{tone}") } else { String::new() },
        title: received.title.clone().filter(|_| has_title).unwrap_or_default(),
        html,
        buttons: look.buttons.iter().map(button).collect(),
        mentions: received.mentions.iter().map(|who| format!("@{who}")).collect::<Vec<_>>().join(" "),
    }
}

fn row(call: &Call, words: &Words) -> CallRow {
    let is_refused = !["0", "ok", "200", "250"].contains(&call.code.as_str());
    let answer =
        if call.http_status == 0 { words.no_answer.to_owned() } else { call.http_status.to_string() };
    CallRow {
        iso: iso(call.at_ms),
        clock: clock(call.at_ms),
        platform: label(call.platform, words.lang),
        path: call.path.clone(),
        verdict: format!("{answer} · {} · {}", call.code, call.text),
        is_refused,
    }
}

fn class(platform: Platform) -> &'static str {
    match platform {
        Platform::Dingtalk | Platform::DingtalkApp => "dingtalk",
        Platform::Lark | Platform::Feishu => "lark",
        Platform::Wecom => "wecom",
        Platform::Webhook => "webhook",
        Platform::Mail => "mail",
    }
}

fn label(platform: Platform, lang: &str) -> &'static str {
    let (english, chinese) = match platform {
        Platform::Dingtalk => ("DingTalk", "钉钉"),
        Platform::DingtalkApp => ("DingTalk app", "钉钉应用"),
        Platform::Lark => ("Lark", "Lark"),
        Platform::Feishu => ("Feishu", "飞书"),
        Platform::Wecom => ("WeCom", "企业微信"),
        Platform::Webhook => ("Webhook", "Webhook"),
        Platform::Mail => ("Mail", "邮件"),
    };
    if lang == "en" { english } else { chinese }
}

fn iso(at_ms: i64) -> String {
    let at = civil(at_ms);
    let (year, month, day) = (at.year, at.month, at.day);
    format!("{year:04}-{month:02}-{day:02}T{}Z", clock(at_ms))
}

fn clock(at_ms: i64) -> String {
    let at = civil(at_ms);
    format!("{:02}:{:02}:{:02}", at.hour, at.minute, at.second)
}
