//! `carillon demo`: a server, simulated platforms, four subscribed robots, one published message.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use carillon_provider::{ConnectTo, ProviderSettings};
use carillon_service::install::Preset;
use carillon_simulator::{Received, Running};
use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Client, items, piece, text};
use super::delivery::{all_of, painted};
use super::paint::{Paint, plain};
use super::simulate::{APP_KEY, APP_SECRET, CONVERSATION, HOSTS, PretendChat, ROBOT_CODE, chats, simulator};
use super::{is_unread, say};
use crate::config::ServerConfig;
use crate::install;
use crate::log::{self, LogFormat};
use crate::run::{self, Listening, Signals};

const TITLE: &str = "Disk almost full";
const MARKDOWN: &str = "\
**db-1** is at **97 %** on `/data`.

| Mount | Used |
| --- | --- |
| /data | 97 % |
| / | 41 % |

磁盘将在 2 小时内写满。 [Runbook](https://ops.example/r/disk)";
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Debug, Args)]
pub(crate) struct DemoFlags {
    /// Where the server listens; another port is taken when this one is in use
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8866")]
    listen: SocketAddr,
    /// Where the simulated platforms listen; another port is taken when this one is in use
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8867")]
    simulate_listen: SocketAddr,
    /// End after the message has arrived
    #[arg(long)]
    once: bool,
    /// What is logged
    #[arg(long, env = "CARILLON_LOG", value_name = "FILTER", default_value = "warn,carillon=error")]
    log: String,
}

/// Runs the command.
pub(crate) async fn run(flags: DemoFlags) -> anyhow::Result<ExitCode> {
    log::start(&flags.log, LogFormat::Text)?;
    let mut signals = Signals::catch()?;
    let dir =
        tempfile::Builder::new().prefix("carillon-demo-").tempdir().context("no temporary directory")?;
    let platforms = start_platforms(flags.simulate_listen).await?;
    let server = start_server(flags.listen, &platforms, dir.path()).await?;
    let paint = Paint::of_stdout();
    let shown = tokio::select! {
        shown = show(&server, &platforms, dir.path(), paint, flags.once) => shown,
        () = signals.arrived() => Ok(true),
    };
    let arrived = match shown {
        Ok(arrived) => arrived,
        Err(error) => {
            server.drain().await;
            return Err(error);
        }
    };
    if !flags.once && arrived {
        say(&paint.dim("Ctrl-C ends it."));
        if !is_unread() {
            signals.arrived().await;
            say("");
        }
    }
    server.drain().await;
    platforms.stop().await;
    Ok(if arrived { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The wished port may be in use, perhaps by another demo.
fn any_port(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip(), 0)
}

async fn start_platforms(listen: SocketAddr) -> anyhow::Result<Running> {
    match simulator().start(listen).await {
        Ok(running) => Ok(running),
        Err(_in_use) => {
            simulator().start(any_port(listen)).await.context("no port for the simulated platforms")
        }
    }
}

async fn start_server(listen: SocketAddr, platforms: &Running, dir: &Path) -> anyhow::Result<Listening> {
    let detour =
        |host: &&str| ConnectTo::parse(&format!("{host}={}", platforms.url())).map_err(anyhow::Error::msg);
    let listen = match tokio::net::TcpListener::bind(listen).await {
        Ok(_free) => listen,
        Err(_in_use) => any_port(listen),
    };
    let config = ServerConfig {
        listen,
        public_url: None,
        metrics_listen: None,
        data_dir: dir.to_owned(),
        key_file: None,
        database_url: None,
        region: "local".to_owned(),
        provider: ProviderSettings {
            connect_to: HOSTS.iter().map(detour).collect::<Result<_, _>>()?,
            ..ProviderSettings::default()
        },
        delivery_log: None,
        quotas: carillon_model::quota::Quotas::default(),
        sensitive_words: Vec::new(),
        attempts_per_host: 256,
        pause_after: Duration::from_secs(24 * 60 * 60),
        rates: carillon_model::rate::Rates::default(),
        digest_after: Duration::from_secs(60),
        again_after_unknown: true,
        attempts_at_once: 64,
        attempts_max: carillon_model::retry::RetryPolicy::default().attempts_max,
        keep: None,
        directories_every: None,
        drain_timeout: Duration::from_secs(5),
        log: String::new(),
        log_format: LogFormat::Text,
    };
    run::listen(config, Preset::default()).await
}

async fn show(
    server: &Listening,
    platforms: &Running,
    dir: &Path,
    paint: Paint,
    once: bool,
) -> anyhow::Result<bool> {
    let bootstrap = install::read(dir).context("the first start left no credentials")?;
    let url = format!("http://{}", server.addr);
    let client = Client::connect(&url, bootstrap.token.clone()).await?;
    let answer = client.call(Method::POST, &client.smn("topics"), Some(&json!({ "name": "ops" }))).await?;
    let topic = text(&answer, "/topic_urn").to_owned();
    say(&format!("{} {topic}", paint.bold("topic")));
    let mut urns = Vec::new();
    for chat in chats() {
        let urn = subscribe(&client, &topic, &chat).await?;
        say(&format!("  subscribed  {}", paint.cyan(chat.name)));
        urns.push((urn, chat.name));
    }
    let body = json!({ "topic": topic, "title": TITLE, "markdown": MARKDOWN });
    let answer = client.call(Method::POST, "/api/v1/messages", Some(&body)).await?;
    let message = text(&answer, "/message_id").to_owned();
    say(&format!("{} {message}  {}", paint.bold("published"), paint.dim(TITLE)));
    let received = platforms.received_at_least(urns.len(), PATIENCE).await;
    let deliveries = settled(&client, &message).await?;
    say("");
    for (urn, name) in &urns {
        let delivery = deliveries.iter().find(|delivery| text(delivery, "/subscription_urn") == urn);
        let post = received.iter().find(|received| received.chat == *name);
        show_chat(name, delivery, post, paint);
    }
    if !once {
        show_addresses(&url, &platforms.url(), dir, paint);
    }
    Ok(deliveries.iter().all(|delivery| text(delivery, "/state") == "delivered"))
}

/// Where the server and the platforms are found while they run.
fn show_addresses(url: &str, platforms: &str, dir: &Path, paint: Paint) {
    say(&format!("{}      {url}  (OpenAPI: {url}/api/openapi.json)", paint.bold("API")));
    say(&format!("{}    {platforms}", paint.bold("chats")));
    say(&format!(
        "{}    export CARILLON_SERVER={url} CARILLON_DATA_DIR={}",
        paint.bold("shell"),
        dir.display()
    ));
    say(&format!("         {}", paint.dim("then: carillon publish ops --title Hello \"from the shell\"")));
}

async fn subscribe(client: &Client, topic: &str, chat: &PretendChat) -> anyhow::Result<String> {
    let extension = if chat.endpoint == CONVERSATION {
        json!({ "app_key": APP_KEY, "app_secret": APP_SECRET, "robot_code": ROBOT_CODE })
    } else {
        json!({ "sign_secret": chat.secret })
    };
    let body = json!({ "protocol": chat.protocol, "endpoint": chat.endpoint, "extension": extension });
    let path = client.smn(&format!("topics/{}/subscriptions", piece(topic)));
    let answer = client.call(Method::POST, &path, Some(&body)).await?;
    Ok(text(&answer, "/subscription_urn").to_owned())
}

/// Waits until every delivery has its verdict: the chats show a message a moment before the record is durable.
async fn settled(client: &Client, message: &str) -> anyhow::Result<Vec<Value>> {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let deliveries = all_of(client, message).await?;
        let waiting = deliveries.iter().any(|it| matches!(text(it, "/state"), "pending" | "sending"));
        if !waiting || tokio::time::Instant::now() >= until {
            return Ok(deliveries);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn show_chat(name: &str, delivery: Option<&Value>, post: Option<&Received>, paint: Paint) {
    let state = delivery.map_or("lost", |delivery| text(delivery, "/state"));
    let attempt = delivery.and_then(|delivery| items(delivery, "/attempts").last());
    let elapsed =
        attempt.and_then(|attempt| attempt.pointer("/elapsed_ms")).and_then(Value::as_u64).unwrap_or(0);
    say(&format!("{} {}  {}", paint.cyan("┌"), paint.bold(name), paint.dim(&format!("{elapsed} ms"))));
    let verdict = attempt.map_or("", |attempt| text(attempt, "/platform_text"));
    let code = attempt.map_or("", |attempt| text(attempt, "/platform_code"));
    say(&format!(
        "{} {}  {}",
        paint.cyan("│"),
        painted(state, paint),
        paint.dim(format!("{code} {verdict}").trim())
    ));
    match post {
        Some(post) => {
            if let Some(title) = &post.title {
                say(&format!("{} {}", paint.cyan("│"), paint.bold(&plain(title))));
            }
            for line in plain(&post.text).lines() {
                say(format!("{} {line}", paint.cyan("│")).trim_end());
            }
        }
        None => {
            let advice = attempt.map_or("", |attempt| text(attempt, "/advice/en"));
            say(&format!("{} {advice}", paint.cyan("│")));
        }
    }
    say(&paint.cyan("└"));
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_port_in_use_is_no_obstacle() {
        let addr = super::any_port("127.0.0.1:8866".parse().unwrap());
        assert_eq!((addr.ip().to_string().as_str(), addr.port()), ("127.0.0.1", 0));
    }
}
