//! `carillon send`: one message to one robot or mailbox, no server.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use carillon_model::endpoint::Endpoint;
use carillon_model::id::{DeliveryId, MessageId};
use carillon_model::message::{Body, Content, Locale, Priority};
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::subscription::{AppCredentials, Extension, Target};
use carillon_model::{Channel, Clock, SecretText, SystemChance, SystemClock};
use carillon_provider::{Post, PostKey, ProviderSettings, Providers};
use clap::Args;
use tokio::time::Instant;

use super::paint::{Paint, plain};
use super::{misused, say, text_or_stdin};
use crate::config;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 delivered, 1 failed, 2 wrong use, 3 the robot's or your settings must be \
                        changed, 4 refused for good, 5 not now, try later, 6 unknown, it may have arrived."
)]
pub(crate) struct SendFlags {
    /// The robot's whole webhook address, the openConversationId (cid...) of a group with the internal DingTalk robot,
    /// or mailto:ADDRESS; - reads it from standard input
    #[arg(
        long,
        env = "CARILLON_TO",
        value_name = "ADDRESS",
        hide_env_values = true,
        required_unless_present = "to_user"
    )]
    to: Option<String>,
    /// A person's DingTalk userId, through the internal DingTalk robot; goes before --to
    #[arg(long, value_name = "USERID")]
    to_user: Option<String>,
    /// The internal DingTalk app's key
    #[arg(long, value_name = "KEY")]
    app_key: Option<String>,
    /// The internal DingTalk app's secret
    #[arg(long, env = "CARILLON_APP_SECRET", value_name = "SECRET", hide_env_values = true)]
    app_secret: Option<String>,
    /// The internal DingTalk robot's code
    #[arg(long, value_name = "CODE")]
    robot_code: Option<String>,
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
    /// The mail relay, for mailto: addresses
    #[arg(long, env = "CARILLON_SMTP_URL", value_name = "URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// Whom mail is from
    #[arg(long, env = "CARILLON_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// A PEM file of certificate authorities to trust beside the machine's own
    #[arg(long, env = "CARILLON_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Send what would go to HOST to URL instead; URL must be a private address
    #[arg(long, env = "CARILLON_CONNECT_TO", value_name = "HOST=URL", value_delimiter = ',')]
    connect_to: Vec<String>,
    /// The message; - reads standard input
    text: String,
}

/// Runs the command.
pub(crate) async fn run(flags: SendFlags) -> anyhow::Result<ExitCode> {
    if flags.to_user.is_none() && flags.to.as_deref() == Some("-") && flags.text == "-" {
        return Ok(misused("only one of --to and the message can come from standard input"));
    }
    let target = match target(&flags)? {
        Ok(target) => target,
        Err(rule) => return Ok(misused(&rule)),
    };
    let text = text_or_stdin(flags.text)?;
    let body = if flags.markdown { Body::markdown(text) } else { Body::text(text) };
    let content = Content { subject: flags.title, default: body, ..Content::default() };
    if let Err(invalid) = content.check() {
        return Ok(misused(&invalid.to_string()));
    }
    let connect_to = match config::connect_to(&flags.connect_to) {
        Ok(connect_to) => connect_to,
        Err(error) => return Ok(misused(&error.to_string())),
    };
    let mail = match config::mail(flags.smtp_url.as_deref(), flags.mail_from.as_deref()) {
        Ok(mail) => mail,
        Err(error) => return Ok(misused(&error.to_string())),
    };
    let authorities = match config::authorities(flags.ca_file.as_deref()) {
        Ok(authorities) => authorities,
        Err(error) => return Ok(misused(&format!("{error:#}"))),
    };
    let settings = ProviderSettings { connect_to, mail, authorities, ..ProviderSettings::default() };
    let clock = Arc::new(SystemClock);
    let providers = Providers::new(settings, clock.clone());
    if !providers.offers(target.endpoint.channel()) {
        return Ok(misused("--to mailto: needs --smtp-url and --mail-from"));
    }
    if providers.check_endpoint(&target.endpoint).is_err() {
        return Ok(misused("--to lies in a private network"));
    }
    let start = Instant::now();
    let (verdict, parts) = sent(&providers, &target, &content, clock.as_ref()).await;
    Ok(tell(&target, &verdict, parts, start.elapsed().as_millis()))
}

/// Where the message goes, or which rule the flags break.
fn target(flags: &SendFlags) -> anyhow::Result<Result<Target, String>> {
    let endpoint = match (&flags.to_user, &flags.to) {
        (Some(user), _) => Endpoint::parse(Channel::DingtalkPerson, user)
            .map_err(|invalid| format!("--to-user {}", invalid.rule)),
        (None, to) => {
            let to = text_or_stdin(to.clone().unwrap_or_default())?;
            let found = match to.trim().starts_with("cid") {
                true => Endpoint::parse(Channel::Dingtalk, &to),
                false => Endpoint::recognise(&to),
            };
            found.map_err(|invalid| format!("--to {}", invalid.rule))
        }
    };
    let endpoint = match endpoint {
        Ok(endpoint) => endpoint,
        Err(rule) => return Ok(Err(rule)),
    };
    let secret = |text: &Option<String>| text.as_deref().map(SecretText::from);
    let app = match (secret(&flags.app_key), secret(&flags.app_secret), secret(&flags.robot_code)) {
        (Some(app_key), Some(app_secret), Some(robot_code)) => {
            Some(AppCredentials { app_key, app_secret, robot_code })
        }
        // The secret alone may stand in the environment for other uses.
        (None, _, None) => None,
        _ => return Ok(Err("--app-key, --app-secret and --robot-code go together".to_owned())),
    };
    let (keyword, sign_secret) = (secret(&flags.keyword), secret(&flags.secret));
    let extension = Extension { keyword, sign_secret, app, ..Extension::default() };
    let checked = extension.check(&endpoint).map_err(|invalid| invalid.rule.into_owned());
    Ok(checked.map(|()| Target { endpoint, extension }))
}

async fn sent(
    providers: &Providers,
    target: &Target,
    content: &Content,
    clock: &dyn Clock,
) -> (Verdict, usize) {
    let now = clock.now();
    let message = MessageId::new(now, &SystemChance);
    let body = content.for_channel(target.endpoint.channel());
    let post = Post {
        body: &body,
        key: PostKey::Delivery(DeliveryId::new(message, 1)),
        kind: content.kind,
        message,
        subject: content.subject.as_deref(),
        topic_urn: "",
        subscription_urn: "",
        created_at: now,
        priority: Priority::Normal,
        locale: Locale::English,
        origin: None,
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
