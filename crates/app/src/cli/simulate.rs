//! `carillon simulate`: the pretend platforms, for anyone's tests.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Context;
use carillon_simulator::{DingtalkApp, Robot, Running, Simulator};
use clap::Args;

use super::paint::Paint;
use super::say;
use crate::run::Signals;

#[derive(Debug, Args)]
pub(crate) struct SimulateFlags {
    /// Where to listen
    #[arg(
        long,
        env = "CARILLON_SIMULATE_LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8867"
    )]
    listen: SocketAddr,
    /// Where the mail relay listens [default: port 2525 beside the platforms, or any when that is in use]
    #[arg(long, env = "CARILLON_SIMULATE_MAIL_LISTEN", value_name = "ADDRESS:PORT")]
    mail_listen: Option<SocketAddr>,
}

/// One pretend chat, with what a subscriber needs to reach it.
#[derive(Debug, Clone)]
pub(crate) struct PretendChat {
    /// SMN's protocol.
    pub(crate) protocol: &'static str,
    /// The address.
    pub(crate) endpoint: String,
    /// The signing secret.
    pub(crate) secret: Option<&'static str>,
    /// The platform's and the chat's name.
    pub(crate) name: &'static str,
}

pub(crate) const APP_KEY: &str = "dingpretendapp0001";
pub(crate) const APP_SECRET: &str = "pretend-app-secret-0001";
pub(crate) const ROBOT_CODE: &str = "dingpretendrobot0001";
pub(crate) const CONVERSATION: &str = "cidPretendGroup0001==";
/// The one person that the pretend company has.
const PERSON: &str = "u001";
const DINGTALK_TOKEN: &str = "00000000000000000000000000000000000000000000000000000000000d1a60";
const DINGTALK_SECRET: &str = "SEC0000000000000000000000000000000000000000000000000000000000000000";
const LARK_TOKEN: &str = "00000000-0000-4000-8000-00000000fe15";
const LARK_SECRET: &str = "pretend-lark-secret";
/// Where the mail relay listens when nobody says.
const MAIL_PORT: u16 = 2525;
/// The mailbox that is shown from the start.
pub(crate) const MAILBOX: &str = "ops@example.com";
/// Whom mail to the pretend relay is from.
pub(crate) const MAIL_FROM: &str = "Carillon <carillon@example.com>";
const WECOM_KEY: &str = "00000000-0000-4000-8000-0000000000c0";

/// The hosts whose requests must be led to the simulator.
pub(crate) const HOSTS: [&str; 5] =
    ["oapi.dingtalk.com", "api.dingtalk.com", "open.feishu.cn", "open.larksuite.com", "qyapi.weixin.qq.com"];

/// The chats that are there from the start.
pub(crate) fn chats() -> [PretendChat; 4] {
    [
        PretendChat {
            protocol: "dingding",
            endpoint: format!("https://oapi.dingtalk.com/robot/send?access_token={DINGTALK_TOKEN}"),
            secret: Some(DINGTALK_SECRET),
            name: "DingTalk group",
        },
        PretendChat {
            protocol: "dingding",
            endpoint: CONVERSATION.to_owned(),
            secret: None,
            name: "DingTalk internal group",
        },
        PretendChat {
            protocol: "feishu",
            endpoint: format!("https://open.feishu.cn/open-apis/bot/v2/hook/{LARK_TOKEN}"),
            secret: Some(LARK_SECRET),
            name: "Lark group",
        },
        PretendChat {
            protocol: "wechat",
            endpoint: format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={WECOM_KEY}"),
            secret: None,
            name: "WeCom group",
        },
    ]
}

/// A simulator that knows these chats.
pub(crate) fn simulator() -> Simulator {
    let [ding, internal, lark, wecom] = chats();
    Simulator::new()
        .robot(Robot::dingtalk(DINGTALK_TOKEN, ding.name).with_secret(DINGTALK_SECRET))
        .robot(Robot::feishu(LARK_TOKEN, lark.name).with_secret(LARK_SECRET))
        .robot(Robot::wecom(WECOM_KEY, wecom.name))
        .robot(Robot::webhook("demo", "Web hook"))
        .robot(Robot::mailbox(MAILBOX, "Mailbox"))
        .app(DingtalkApp {
            app_key: APP_KEY.to_owned(),
            app_secret: APP_SECRET.to_owned(),
            robot_code: ROBOT_CODE.to_owned(),
            conversations: vec![(CONVERSATION.to_owned(), internal.name.to_owned())],
            users: vec![(PERSON.to_owned(), "Li Lei".to_owned())],
        })
}

fn say_app() {
    say(&format!("  app       --app-key {APP_KEY} --app-secret {APP_SECRET} --robot-code {ROBOT_CODE}"));
}

/// Listens. A relay's port that nobody asked for may be another simulator's.
pub(crate) async fn start(listen: SocketAddr, mail_listen: Option<SocketAddr>) -> anyhow::Result<Running> {
    let wished = mail_listen.unwrap_or_else(|| SocketAddr::new(listen.ip(), MAIL_PORT));
    let started = simulator().mail(wished).start(listen).await;
    let started = match (started, mail_listen) {
        (Err(_in_use), None) => simulator().mail(SocketAddr::new(listen.ip(), 0)).start(listen).await,
        (started, _) => started,
    };
    started.with_context(|| format!("cannot listen on {listen} or {wished}"))
}

/// Runs the command.
pub(crate) async fn run(flags: SimulateFlags) -> anyhow::Result<ExitCode> {
    let mut signals = Signals::catch()?;
    let running = start(flags.listen, flags.mail_listen).await?;
    let paint = Paint::of_stdout();
    let url = running.url();
    say(&format!("{} {url}", paint.bold("Simulated platforms:")));
    say(&format!("What arrived, as chats: {url}/"));
    say(&format!("What arrived, as JSON: {url}/_simulator/received"));
    say("");
    for chat in chats() {
        say(&format!("{} ({})", paint.cyan(chat.name), chat.protocol));
        say(&format!("  endpoint  {}", chat.endpoint));
        if let Some(secret) = chat.secret {
            say(&format!("  secret    {secret}"));
        }
        if chat.endpoint == CONVERSATION {
            say_app();
        }
    }
    say(&format!("{} (dingTalkBot)", paint.cyan("DingTalk person")));
    say(&format!("  endpoint  {PERSON}"));
    say_app();
    say(&format!("{} (http, with --allow-private-endpoints 127.0.0.0/8)", paint.cyan("Web hook")));
    say(&format!("  endpoint  {url}/hook/demo"));
    let mail_url = running.mail_url().unwrap_or_default();
    say(&format!("{} (email, through {mail_url})", paint.cyan("Mailbox")));
    say(&format!("  endpoint  {MAILBOX}"));
    let detours: Vec<String> = HOSTS.iter().map(|host| format!("{host}={url}")).collect();
    say("");
    say("Lead Carillon here with:");
    say(&format!("  export CARILLON_SMTP_URL={mail_url} CARILLON_MAIL_FROM='{MAIL_FROM}'"));
    say(&format!("  export CARILLON_CONNECT_TO={}", detours.join(",")));
    signals.arrived().await;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}
