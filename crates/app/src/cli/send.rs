//! `carillon send`: one message to one robot, no server.

use std::process::ExitCode;
use std::sync::Arc;

use carillon_model::endpoint::Endpoint;
use carillon_model::id::{DeliveryId, MessageId};
use carillon_model::message::{Body, Content, Locale};
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::subscription::{Extension, Target};
use carillon_model::{Clock, SystemChance, SystemClock};
use carillon_provider::{Post, ProviderSettings, Providers};
use clap::Args;
use tokio::time::Instant;

use super::paint::{Paint, plain};
use super::{say, text_or_stdin};
use crate::config;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 delivered, 1 failed, 2 wrong use, 3 the robot's or your settings must be \
                        changed, 4 refused for good, 5 not now, try later, 6 unknown, it may have arrived."
)]
pub(crate) struct SendFlags {
    /// The robot's whole webhook address; - reads it from standard input
    #[arg(long, env = "CARILLON_TO", value_name = "URL", hide_env_values = true)]
    to: String,
    /// The robot's signing secret
    #[arg(long, env = "CARILLON_SIGN_SECRET", value_name = "SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// One of the robot's keywords; added when the message lacks it
    #[arg(long, value_name = "WORD")]
    keyword: Option<String>,
    /// What the message is about
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The message is Markdown
    #[arg(long)]
    markdown: bool,
    /// Send what would go to HOST to URL instead; URL must be a private address
    #[arg(long, env = "CARILLON_CONNECT_TO", value_name = "HOST=URL", value_delimiter = ',')]
    connect_to: Vec<String>,
    /// The message; - reads standard input
    text: String,
}

/// Runs the command.
pub(crate) async fn run(flags: SendFlags) -> anyhow::Result<ExitCode> {
    if flags.to == "-" && flags.text == "-" {
        return Ok(misused("only one of --to and the message can come from standard input"));
    }
    let endpoint = match Endpoint::recognise(&text_or_stdin(flags.to)?) {
        Ok(endpoint) => endpoint,
        Err(invalid) => return Ok(misused(&format!("--to {}", invalid.rule))),
    };
    let extension = Extension {
        keyword: flags.keyword.map(Into::into),
        sign_secret: flags.secret.map(Into::into),
        ..Extension::default()
    };
    if let Err(invalid) = extension.check(&endpoint) {
        return Ok(misused(&invalid.rule));
    }
    let text = text_or_stdin(flags.text)?;
    let body = if flags.markdown { Body::markdown(text) } else { Body::text(text) };
    let content = Content { subject: flags.title, default: body, ..Content::default() };
    if let Err(invalid) = content.check() {
        return Ok(misused(&invalid.to_string()));
    }
    let settings = ProviderSettings {
        connect_to: config::connect_to(&flags.connect_to)?,
        ..ProviderSettings::default()
    };
    let clock = Arc::new(SystemClock);
    let providers = Providers::new(settings, clock.clone());
    let target = Target { endpoint, extension };
    if providers.check_endpoint(&target.endpoint).is_err() {
        return Ok(misused("--to lies in a private network"));
    }
    let start = Instant::now();
    let (verdict, parts) = sent(&providers, &target, &content, clock.as_ref()).await;
    Ok(tell(&target, &verdict, parts, start.elapsed().as_millis()))
}

async fn sent(
    providers: &Providers,
    target: &Target,
    content: &Content,
    clock: &dyn Clock,
) -> (Verdict, usize) {
    let now = clock.now();
    let message = MessageId::new(now, &SystemChance);
    let key = DeliveryId::new(message, 1).to_string();
    let body = content.for_channel(target.endpoint.channel());
    let post = Post {
        body: &body,
        key: &key,
        message,
        subject: content.subject.as_deref(),
        topic_urn: "",
        subscription_urn: "",
        created_at: now,
        locale: Locale::English,
    };
    let parts = match providers.render(target, &post) {
        Ok(parts) => parts,
        Err(verdict) => return (verdict, 0),
    };
    let mut verdict = Verdict::plain(Outcome::Refused, Reason::Render);
    for part in &parts {
        verdict = providers.send(target, part).await;
        if verdict.outcome != Outcome::Accepted {
            break;
        }
    }
    (verdict, parts.len())
}

fn misused(text: &str) -> ExitCode {
    super::fail(text);
    ExitCode::from(2)
}

/// Says how it went, in the platform's words and ours, and picks the exit code.
fn tell(target: &Target, verdict: &Verdict, parts: usize, elapsed_ms: u128) -> ExitCode {
    let paint = Paint::of_stdout();
    let (word, code) = match verdict.outcome {
        Outcome::Accepted => (paint.green("delivered"), 0),
        Outcome::Misconfigured => (paint.red("not delivered, settings must be changed"), 3),
        Outcome::Refused => (paint.red("not delivered, refused"), 4),
        Outcome::Later { .. } => (paint.yellow("not delivered, try later"), 5),
        Outcome::Unknown => (paint.yellow("unknown, it may have arrived"), 6),
    };
    let in_parts = if parts > 1 { format!(" in {parts} parts") } else { String::new() };
    say(&format!("{word}{in_parts}  {}  {elapsed_ms} ms", paint.dim(&target.endpoint.masked())));
    let platform = [verdict.platform_code.as_deref(), verdict.platform_text.as_deref()];
    let platform: Vec<String> = platform.into_iter().flatten().map(plain).collect();
    if !platform.is_empty() {
        say(&format!("the platform answered: {}", platform.join(" ")));
    }
    if verdict.outcome != Outcome::Accepted {
        let advice = carillon_provider::advice(target.endpoint.channel(), verdict.reason);
        say(&advice.en);
        say(&advice.zh);
    }
    ExitCode::from(code)
}
