//! `carillon send`: one message to one robot, its exit codes, and what it says must be changed.

use carillon_simulator::{Act, Robot, Running, Simulator};

use crate::chats::{LOOPBACK, dingtalk_url, feishu_url, wecom_url};
use crate::harness::{HOSTS, Said, free_port, home, program, run};

const SIGNED: &str = "send-signed-robot-0001";
const WORDED: &str = "send-worded-robot-0001";
const LARK: &str = "send-lark-robot-000001";
const WECOM: &str = "send-wecom-robot-00001";
const SECRET: &str = "SEC-of-the-signed-robot";

async fn robots() -> Running {
    let simulator = Simulator::new()
        .robot(Robot::dingtalk(SIGNED, "signed").with_secret(SECRET))
        .robot(Robot::dingtalk(WORDED, "worded").with_keyword("告警"))
        .robot(Robot::feishu(LARK, "lark").with_secret(SECRET))
        .robot(Robot::wecom(WECOM, "wecom"));
    simulator.start(LOOPBACK).await.unwrap()
}

async fn send_at(to: &str, line: &[&str], input: Option<&str>) -> Said {
    let home = home();
    let detours: Vec<String> = HOSTS.iter().map(|host| format!("{host}={to}")).collect();
    let mut command = program(home.path());
    command.arg("send").args(line).env("CARILLON_CONNECT_TO", detours.join(","));
    run(command, input).await
}

async fn send(platforms: &Running, line: &[&str]) -> Said {
    send_at(&platforms.url(), line, None).await
}

#[track_caller]
fn advised(said: &Said, code: i32, chinese: &str) {
    assert_eq!(said.code, code, "{said:?}");
    assert!(said.out.contains(chinese), "no {chinese}: {said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    let is_chinese = |line: &&&str| line.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    assert!(lines.len() >= 3 && lines.last().is_some_and(|line| is_chinese(&line)), "{said:?}");
    assert!(lines[lines.len() - 2].is_ascii(), "English stands above the Chinese: {said:?}");
    assert_eq!(said.err, "");
}

#[track_caller]
fn misused(said: &Said, words: &str) {
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
    assert!(said.err.contains(words), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn delivered() {
    let platforms = robots().await;
    let (signed, worded, lark) = (dingtalk_url(SIGNED), dingtalk_url(WORDED), feishu_url(LARK));
    for line in [
        &["--to", &signed, "--secret", SECRET, "--title", "磁盘", "hello"][..],
        &["--to", &worded, "--keyword", "告警", "hello"],
        &["--to", &worded, "hello 告警"],
        &["--to", &lark, "--secret", SECRET, "--markdown", "**bold**"],
        &["--to", &wecom_url(WECOM), "hello"],
    ] {
        let said = send(&platforms, line).await;
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:?}");
        assert!(said.out.starts_with("delivered  https://") && said.out.contains("****"), "{said:?}");
    }
    let said =
        send_at(&platforms.url(), &["--to", "-", "hello"], Some(&format!("{}\n", wecom_url(WECOM)))).await;
    assert_eq!(said.code, 0, "{said:?}");
    let said = send_at(&platforms.url(), &["--to", &wecom_url(WECOM), "-"], Some("from a pipe\n")).await;
    assert_eq!(said.code, 0, "{said:?}");
    let received = platforms.received();
    assert_eq!(received.len(), 7);
    assert_eq!(received[6].text, "from a pipe");
    let long = "磁盘".repeat(2_000);
    let said = send(&platforms, &["--to", &wecom_url(WECOM), &long]).await;
    assert!(said.code == 0 && said.out.contains(" parts"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_must_be_changed() {
    let platforms = robots().await;
    let (signed, worded, lark) = (dingtalk_url(SIGNED), dingtalk_url(WORDED), feishu_url(LARK));
    for (line, chinese) in [
        (&["--to", &signed, "--secret", "wrong", "hello"][..], "签名"),
        (&["--to", &signed, "hello"], "签名"),
        (&["--to", &worded, "hello"], "关键词"),
        (&["--to", &worded, "--keyword", "其他", "hello"], "关键词"),
        (&["--to", &dingtalk_url("nobody-knows-it-0001"), "hello"], "机器人"),
        (&["--to", &feishu_url("nobody-knows-it-0001"), "hello"], "机器人"),
        (&["--to", &wecom_url("nobody-knows-it-0001"), "hello"], "机器人"),
        (&["--to", &lark, "--secret", "wrong", "hello"], "签名"),
    ] {
        advised(&send(&platforms, line).await, 3, chinese);
    }
    let text = "description:机器人发送签名过期;solution:-;".to_owned();
    platforms.script(SIGNED, Act::Code { code: "310000".to_owned(), text }, Some(1));
    advised(&send(&platforms, &["--to", &signed, "--secret", SECRET, "x"]).await, 3, "时间");
    platforms.stop_robot(WORDED);
    advised(&send(&platforms, &["--to", &worded, "告警"]).await, 3, "机器人");
    assert!(platforms.received().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn scripted_codes_and_their_exit_codes() {
    let platforms = robots().await;
    let code = |code: &str| Act::Code { code: code.to_owned(), text: "scripted".to_owned() };
    let wecom = wecom_url(WECOM);
    let ding = dingtalk_url(SIGNED);
    for (token, url, act, exit) in [
        (SIGNED, &ding, code("460101"), 4),
        (SIGNED, &ding, code("430102"), 4),
        (SIGNED, &ding, code("7777777"), 4),
        (WECOM, &wecom, code("45002"), 4),
        (SIGNED, &ding, code("410100"), 5),
        (SIGNED, &ding, code("90030"), 5),
        (WECOM, &wecom, code("45009"), 5),
        (WECOM, &wecom, code("-1"), 5),
        (WECOM, &wecom, Act::Answer { status: 502, headers: Vec::new(), body: "gateway".to_owned() }, 5),
        (WECOM, &wecom, Act::Garbage, 6),
        (WECOM, &wecom, Act::Gone, 6),
        (WECOM, &wecom, Act::Drop, 6),
        (WECOM, &wecom, Act::LoseAnswer, 6),
    ] {
        platforms.script(token, act, Some(1));
        advised(&send(&platforms, &["--to", url, "--", "hello"]).await, exit, "");
    }
    let nobody = format!("http://{}", free_port());
    advised(&send_at(&nobody, &["--to", &wecom, "hello"], None).await, 5, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_use() {
    let platforms = robots().await;
    let (ding, lark, wecom) = (dingtalk_url(SIGNED), feishu_url(LARK), wecom_url(WECOM));
    let workflow = "https://www.feishu.cn/flow/api/trigger-webhook/0123456789abcdef";
    let old = "https://open.feishu.cn/open-apis/bot/hook/0123456789abcdef";
    for (line, words) in [
        (&["--to", workflow, "x"][..], "workflow"),
        (&["--to", old, "x"], "first version"),
        (&["--to", "https://oapi.dingtalk.com/robot/send", "x"], "access_token"),
        (&["--to", "not a URL", "x"], "whole URL"),
        (&["--to", "http://127.0.0.1:9/hook", "x"], "private network"),
        (&["--to", "http://169.254.169.254/latest", "x"], "private network"),
        (&["--to", &lark, "--app-key", "k", "x"], "app"),
        (&["--to", &wecom, "--secret", "s", "x"], "sign_secret"),
        (&["--to", &ding, ""], "must not be empty"),
        (&["--to", &ding, "--title", "two\nlines", "x"], "one line"),
        (&["--to", &ding], "<TEXT>"),
        (&["x"], "--to"),
        (&["--to", &ding, "--colour", "x"], "--colour"),
    ] {
        misused(&send(&platforms, line).await, words);
    }
    assert!(platforms.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pipes_are_wrong_use() {
    let platforms = robots().await;
    misused(&send(&platforms, &["--to", "-", "-"]).await, "only one of");
}
