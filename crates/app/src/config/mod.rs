//! Where every setting comes from: a flag, else the environment, else `carillon.toml`, else its default.
//!
//! Each flag of `carillon serve` has an environment twin of the same name (`--data-dir`, `CARILLON_DATA_DIR`) and a
//! key of the same name in the file (`data_dir`).

mod authorities;
mod bootstrap;
mod sensitive_words;

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use carillon_model::link::Links;
use carillon_model::quota::Quotas;
use carillon_model::rate::Rates;
use carillon_model::retry::RetryPolicy;
use carillon_provider::{ConnectTo, MailSettings, ProviderSettings, Relay, Sender};
use clap::Args;
use serde::Deserialize;

pub(crate) use self::authorities::authorities;
pub(crate) use self::bootstrap::preset;
use self::sensitive_words::sensitive_words;
use carillon_model::SecretText;

use crate::log::LogFormat;

/// The file that is read when it is there and none is named.
const FILE: &str = "carillon.toml";

/// The settings of a server as flags and environment give them.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServerFlags {
    /// A file of settings [default: carillon.toml, when there is one]
    #[arg(long, env = "CARILLON_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    values: Values,
}

/// The settings that tell where the store is, for commands that work on it without a server.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct StoreFlags {
    /// A file of settings [default: carillon.toml, when there is one]
    #[arg(long, env = "CARILLON_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The directory of the database and the key file [default: carillon-data]
    #[arg(long, env = "CARILLON_DATA_DIR", value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
    /// The key file [default: master.key in the data directory]
    #[arg(long, env = "CARILLON_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The PostgreSQL database that several servers share [default: a file in the data directory]
    #[arg(long, env = "CARILLON_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<SecretText>,
}

impl StoreFlags {
    /// Where the store of a server with these settings is.
    ///
    /// # Errors
    /// As [`ServerFlags::load`].
    pub(crate) fn load(self) -> anyhow::Result<carillon_store::Settings> {
        let Self { config, data_dir, key_file, database_url } = self;
        let values = Values { data_dir, key_file, database_url, ..Values::default() };
        Ok(ServerFlags { config, values }.load()?.store())
    }
}

impl ServerConfig {
    /// Where the store is.
    pub(crate) fn store(&self) -> carillon_store::Settings {
        carillon_store::Settings {
            data_dir: self.data_dir.clone(),
            key_file: self.key_file.clone(),
            database_url: self.database_url.clone(),
        }
    }
}

/// Every setting, as flag, environment variable and key of the file.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Values {
    /// Where to listen [default: 127.0.0.1:8866]
    #[arg(long, env = "CARILLON_LISTEN", value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The address at which subscribers reach this server, for the links in what they get [default: where it listens]
    #[arg(long, env = "CARILLON_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Where to show metrics without a token [default: nowhere]
    #[arg(long, env = "CARILLON_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    metrics_listen: Option<SocketAddr>,
    /// The directory of the database and the key file [default: carillon-data]
    #[arg(long, env = "CARILLON_DATA_DIR", value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
    /// The key file [default: master.key in the data directory]
    #[arg(long, env = "CARILLON_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The PostgreSQL database that several servers share [default: a file in the data directory]
    #[arg(long, env = "CARILLON_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<SecretText>,
    /// The region that stands in every URN; clients that ask by region must use it [default: local]
    #[arg(long, env = "CARILLON_REGION", value_name = "NAME")]
    region: Option<String>,
    /// Send what would go to HOST to URL instead, path and query unchanged; URL must be a private address
    #[arg(long, env = "CARILLON_CONNECT_TO", value_name = "HOST=URL", value_delimiter = ',')]
    connect_to: Option<Vec<String>>,
    /// Let http and https subscriptions reach this private network
    #[arg(long, env = "CARILLON_ALLOW_PRIVATE_ENDPOINTS", value_name = "CIDR", value_delimiter = ',')]
    allow_private_endpoints: Option<Vec<ipnet::IpNet>>,
    /// The mail relay: smtp://HOST:PORT, smtp+starttls://USER:PASSWORD@HOST:PORT or smtps://USER:PASSWORD@HOST:PORT;
    /// without one there are no email subscriptions
    #[arg(long, env = "CARILLON_SMTP_URL", value_name = "URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// Whom mail is from: alerts@example.com or Alerts <alerts@example.com>; goes with --smtp-url
    #[arg(long, env = "CARILLON_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// A PEM file of certificate authorities to trust beside the machine's own, for web hooks and the mail relay
    #[arg(long, env = "CARILLON_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// A file with a word on each line: a message that holds one of them is refused
    #[arg(long, env = "CARILLON_SENSITIVE_WORDS", value_name = "FILE")]
    sensitive_words: Option<PathBuf>,
    /// How many attempts may be under way at once [default: 1024]
    #[arg(long, env = "CARILLON_ATTEMPTS_AT_ONCE", value_name = "COUNT")]
    attempts_at_once: Option<usize>,
    /// How many of them to one host [default: 256]
    #[arg(long, env = "CARILLON_ATTEMPTS_PER_HOST", value_name = "COUNT")]
    attempts_per_host: Option<usize>,
    /// After how many hours of nothing but failures an address is paused [default: 24]
    #[arg(long, env = "CARILLON_PAUSE_AFTER", value_name = "HOURS")]
    pause_after: Option<u32>,
    /// How fast one address of a kind is sent to, instead of the platform's own rates: NAME=COUNT/SECONDS, several joined by
    /// +, as in lark=5/1+100/60; NAME=off for no rate [default: the platforms' own]
    #[arg(long = "rate", env = "CARILLON_RATE", value_name = "NAME=RATES", value_delimiter = ',')]
    rate: Option<Vec<String>>,
    /// How many seconds what an address's rate holds back may take to leave one by one; of more, digests are made, or the
    /// oldest dropped where a subscription wants that [default: 60]
    #[arg(long, env = "CARILLON_DIGEST_AFTER", value_name = "SECONDS")]
    digest_after: Option<u32>,
    /// Whether an attempt that nobody knows the end of is made again, although it may arrive twice [default: true]
    #[arg(long, env = "CARILLON_AGAIN_AFTER_UNKNOWN", value_name = "BOOL")]
    again_after_unknown: Option<bool>,
    /// How many times a delivery is tried [default: 13]
    #[arg(long, env = "CARILLON_ATTEMPTS_MAX", value_name = "COUNT")]
    attempts_max: Option<u32>,
    /// How many seconds a whole exchange with a platform may take [default: 10]
    #[arg(long, env = "CARILLON_PLATFORM_TIMEOUT", value_name = "SECONDS")]
    platform_timeout: Option<u64>,
    /// How many days messages and what became of them are kept, 0 for ever [default: 30]
    #[arg(long, env = "CARILLON_KEEP_DAYS", value_name = "DAYS")]
    keep_days: Option<u32>,
    /// How many topics a project may have [default: 3000]
    #[arg(long, env = "CARILLON_TOPICS_MAX", value_name = "COUNT")]
    topics_max: Option<u32>,
    /// How many subscriptions a topic may have [default: 10000]
    #[arg(long, env = "CARILLON_SUBSCRIPTIONS_MAX", value_name = "COUNT")]
    subscriptions_max: Option<u32>,
    /// How many message templates a project may have [default: 100]
    #[arg(long, env = "CARILLON_TEMPLATES_MAX", value_name = "COUNT")]
    templates_max: Option<u32>,
    /// How many messages a topic takes within a minute, 0 for any number; Huawei Cloud's takes 3000 [default: 0]
    #[arg(long, env = "CARILLON_PUBLISHES_PER_MINUTE", value_name = "COUNT")]
    publishes_per_minute: Option<u32>,
    /// Where a line is written for each delivery of a topic with a log tank: a file, or - for standard output
    #[arg(long, env = "CARILLON_DELIVERY_LOG", value_name = "FILE")]
    delivery_log: Option<PathBuf>,
    /// How many hours after its last update the directory of an office app is read again, 0 for never [default: 24]
    #[arg(long, env = "CARILLON_DIRECTORY_UPDATE_HOURS", value_name = "HOURS")]
    directory_update_hours: Option<u32>,
    /// How many seconds a stop waits for requests and attempts under way, together [default: 15]
    #[arg(long, env = "CARILLON_DRAIN_TIMEOUT", value_name = "SECONDS")]
    drain_timeout: Option<u64>,
    /// What is logged [default: info]
    #[arg(long, env = "CARILLON_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// How log lines look [default: text]
    #[arg(long, env = "CARILLON_LOG_FORMAT", value_enum)]
    log_format: Option<LogFormat>,
}

/// The settings of a server, checked.
#[derive(Debug, Clone)]
pub(crate) struct ServerConfig {
    pub(crate) listen: SocketAddr,
    pub(crate) public_url: Option<Links>,
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) data_dir: PathBuf,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) database_url: Option<SecretText>,
    pub(crate) region: String,
    pub(crate) provider: ProviderSettings,
    pub(crate) quotas: Quotas,
    /// Words that no message may hold.
    pub(crate) sensitive_words: Vec<String>,
    /// Where what becomes of deliveries is logged.
    pub(crate) delivery_log: Option<PathBuf>,
    pub(crate) attempts_at_once: usize,
    pub(crate) attempts_per_host: usize,
    pub(crate) pause_after: Duration,
    pub(crate) rates: Rates,
    pub(crate) digest_after: Duration,
    pub(crate) again_after_unknown: bool,
    pub(crate) attempts_max: u32,
    /// How long messages are kept; for ever when not set.
    pub(crate) keep: Option<Duration>,
    /// How often the directories of office apps are read by themselves; never when not set.
    pub(crate) directories_every: Option<Duration>,
    pub(crate) drain_timeout: Duration,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
}

impl ServerFlags {
    /// Lays flags and environment over the file over the defaults, and checks the result.
    ///
    /// # Errors
    /// When the file cannot be read or has an unknown key, or a value is out of its range.
    pub(crate) fn load(self) -> anyhow::Result<ServerConfig> {
        let file = match &self.config {
            Some(path) => read_file(path)?,
            None if Path::new(FILE).exists() => read_file(Path::new(FILE))?,
            None => Values::default(),
        };
        check(self.values.over(file))
    }
}

fn read_file(path: &Path) -> anyhow::Result<Values> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is no valid settings file", path.display()))
}

impl Values {
    fn over(self, below: Self) -> Self {
        Self {
            listen: self.listen.or(below.listen),
            public_url: self.public_url.or(below.public_url),
            metrics_listen: self.metrics_listen.or(below.metrics_listen),
            data_dir: self.data_dir.or(below.data_dir),
            key_file: self.key_file.or(below.key_file),
            database_url: self.database_url.or(below.database_url),
            region: self.region.or(below.region),
            connect_to: self.connect_to.or(below.connect_to),
            allow_private_endpoints: self.allow_private_endpoints.or(below.allow_private_endpoints),
            smtp_url: self.smtp_url.or(below.smtp_url),
            mail_from: self.mail_from.or(below.mail_from),
            ca_file: self.ca_file.or(below.ca_file),
            sensitive_words: self.sensitive_words.or(below.sensitive_words),
            attempts_at_once: self.attempts_at_once.or(below.attempts_at_once),
            attempts_per_host: self.attempts_per_host.or(below.attempts_per_host),
            pause_after: self.pause_after.or(below.pause_after),
            rate: self.rate.or(below.rate),
            digest_after: self.digest_after.or(below.digest_after),
            again_after_unknown: self.again_after_unknown.or(below.again_after_unknown),
            attempts_max: self.attempts_max.or(below.attempts_max),
            platform_timeout: self.platform_timeout.or(below.platform_timeout),
            keep_days: self.keep_days.or(below.keep_days),
            topics_max: self.topics_max.or(below.topics_max),
            subscriptions_max: self.subscriptions_max.or(below.subscriptions_max),
            templates_max: self.templates_max.or(below.templates_max),
            publishes_per_minute: self.publishes_per_minute.or(below.publishes_per_minute),
            delivery_log: self.delivery_log.or(below.delivery_log),
            directory_update_hours: self.directory_update_hours.or(below.directory_update_hours),
            drain_timeout: self.drain_timeout.or(below.drain_timeout),
            log: self.log.or(below.log),
            log_format: self.log_format.or(below.log_format),
        }
    }
}

fn rates(texts: &[String]) -> anyhow::Result<Rates> {
    let mut rates = Rates::default();
    for text in texts {
        rates.set(text).map_err(|rule| anyhow::anyhow!("rate {rule}"))?;
    }
    Ok(rates)
}

/// A message lives a day at most, and so waits no longer.
fn digest_after(seconds: u32) -> anyhow::Result<Duration> {
    if seconds > 24 * 60 * 60 {
        bail!("digest_after must be 0 to 86400 seconds");
    }
    Ok(Duration::from_secs(u64::from(seconds)))
}

fn check(values: Values) -> anyhow::Result<ServerConfig> {
    let quotas = quotas(&values)?;
    let region = values.region.unwrap_or_else(|| "local".to_owned());
    if !carillon_model::urn::region_fits(&region) {
        bail!("region must be 1 to 64 lowercase letters, digits and hyphens");
    }
    let attempts_at_once = values.attempts_at_once.unwrap_or(1024);
    let attempts_per_host = values.attempts_per_host.unwrap_or(256);
    let pause_after = values.pause_after.unwrap_or(24);
    let attempts_max = values.attempts_max.unwrap_or(RetryPolicy::default().attempts_max);
    let timeout = values.platform_timeout.unwrap_or(10);
    if attempts_at_once == 0
        || attempts_per_host == 0
        || attempts_max == 0
        || timeout == 0
        || pause_after == 0
    {
        bail!(
            "attempts_at_once, attempts_per_host, attempts_max, platform_timeout and pause_after must be at least 1"
        );
    }
    let provider = ProviderSettings {
        connect_to: connect_to(&values.connect_to.unwrap_or_default())?,
        private_allowed: values.allow_private_endpoints.unwrap_or_default(),
        timeout: Duration::from_secs(timeout),
        mail: mail(values.smtp_url.as_deref(), values.mail_from.as_deref())?,
        authorities: authorities(values.ca_file.as_deref())?,
        ..ProviderSettings::default()
    };
    Ok(ServerConfig {
        listen: values.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8866))),
        public_url: values.public_url.as_deref().map(Links::parse).transpose()?,
        metrics_listen: values.metrics_listen,
        data_dir: values.data_dir.unwrap_or_else(|| PathBuf::from(DATA_DIR)),
        key_file: values.key_file,
        database_url: values.database_url,
        region,
        provider,
        quotas,
        sensitive_words: sensitive_words(values.sensitive_words.as_deref())?,
        delivery_log: values.delivery_log,
        attempts_at_once,
        attempts_per_host,
        pause_after: Duration::from_secs(u64::from(pause_after) * 3600),
        rates: rates(&values.rate.unwrap_or_default())?,
        digest_after: digest_after(values.digest_after.unwrap_or(60))?,
        again_after_unknown: values.again_after_unknown.unwrap_or(true),
        attempts_max,
        keep: keep(values.keep_days.unwrap_or(KEEP_DAYS)),
        directories_every: hours(values.directory_update_hours.unwrap_or(DIRECTORY_UPDATE_HOURS)),
        drain_timeout: Duration::from_secs(values.drain_timeout.unwrap_or(15)),
        log: values.log.unwrap_or_else(|| "info".to_owned()),
        log_format: values.log_format.unwrap_or(LogFormat::Text),
    })
}

/// How much of everything there may be.
fn quotas(values: &Values) -> anyhow::Result<Quotas> {
    let default = Quotas::default();
    let or = |given: Option<u32>, default: u64| given.map_or(default, u64::from);
    let quotas = Quotas {
        topics: or(values.topics_max, default.topics),
        subscriptions: or(values.subscriptions_max, default.subscriptions),
        templates: or(values.templates_max, default.templates),
        publishes_per_minute: NonZeroU64::new(or(values.publishes_per_minute, 0)),
    };
    if quotas.topics == 0 || quotas.subscriptions == 0 || quotas.templates == 0 {
        bail!("topics_max, subscriptions_max and templates_max must be at least 1");
    }
    Ok(quotas)
}

/// How many days messages are kept when the operator does not say.
const KEEP_DAYS: u32 = 30;

/// How many hours after its last update a directory is read again when the operator does not say.
const DIRECTORY_UPDATE_HOURS: u32 = 24;

fn hours(hours: u32) -> Option<Duration> {
    (hours > 0).then(|| Duration::from_secs(u64::from(hours) * 60 * 60))
}

fn keep(days: u32) -> Option<Duration> {
    (days > 0).then(|| Duration::from_secs(u64::from(days) * 24 * 60 * 60))
}

/// Takes from a command and its subcommands every environment variable that is set but empty: it counts as not set.
pub(crate) fn without_empty(command: clap::Command) -> clap::Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let command = command.mut_args(|arg| match arg.get_env() {
        Some(name) if is_empty(name) => arg.env(None::<&'static str>),
        _ => arg,
    });
    command.mut_subcommands(without_empty)
}

/// The data directory when none is named.
pub(crate) const DATA_DIR: &str = "carillon-data";

/// Reads what mail needs.
///
/// # Errors
/// When one of the two is missing or has another form; a URL is not repeated, since it may hold a password.
pub(crate) fn mail(smtp_url: Option<&str>, mail_from: Option<&str>) -> anyhow::Result<Option<MailSettings>> {
    match (smtp_url, mail_from) {
        (None, None) => Ok(None),
        (Some(_), None) => bail!("smtp-url needs mail-from: whom mail is from"),
        (None, Some(_)) => bail!("mail-from needs smtp-url: the relay that takes the mail"),
        (Some(url), Some(from)) => {
            let relay = Relay::parse(url).map_err(|rule| anyhow::anyhow!("smtp-url {rule}"))?;
            let from = Sender::parse(from).map_err(|rule| anyhow::anyhow!("mail-from {rule}"))?;
            Ok(Some(MailSettings { relay, from }))
        }
    }
}

/// Reads detours, each `HOST=URL`.
///
/// # Errors
/// When one has another form or leads to a public address.
pub(crate) fn connect_to(texts: &[String]) -> anyhow::Result<Vec<ConnectTo>> {
    texts
        .iter()
        .map(|text| ConnectTo::parse(text).map_err(|rule| anyhow::anyhow!("connect-to: {rule}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use carillon_model::quota::Quotas;

    use super::{ServerFlags, Values, check, mail, read_file};

    #[test]
    fn flags_stand_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        std::fs::write(&path, "region = \"file\"\nattempts_max = 3\nlisten = \"127.0.0.1:9000\"\n").unwrap();
        let values = Values { region: Some("flag".to_owned()), ..Values::default() };
        let config = ServerFlags { config: Some(path), values }.load().unwrap();
        assert_eq!((config.region.as_str(), config.attempts_max, config.listen.port()), ("flag", 3, 9000));
    }

    #[test]
    fn messages_are_kept_for_the_days_given() {
        let keep = |keep_days| check(Values { keep_days, ..Values::default() }).unwrap().keep;
        let days = |count: u64| Some(std::time::Duration::from_secs(count * 86_400));
        assert_eq!((keep(None), keep(Some(1)), keep(Some(0))), (days(30), days(1), None));
    }

    #[test]
    fn quotas_are_those_of_the_cloud_unless_set() {
        let quotas = |values| check(values).unwrap().quotas;
        assert_eq!(quotas(Values::default()), Quotas::default());
        let (topics_max, publishes_per_minute) = (Some(5), Some(3000));
        let set = quotas(Values { topics_max, publishes_per_minute, ..Values::default() });
        assert_eq!((set.topics, set.subscriptions, set.templates), (5, 10_000, 100));
        assert_eq!(set.publishes_per_minute, std::num::NonZeroU64::new(3000));
    }

    #[test]
    fn mail_needs_both_a_relay_and_a_sender() {
        let from = Some("Alerts <alerts@example.com>");
        assert!(mail(Some("smtp://127.0.0.1:2525"), from).unwrap().is_some());
        assert!(mail(None, None).unwrap().is_none());
        for (url, from) in [
            (Some("smtp://127.0.0.1:2525"), None),
            (None, from),
            (Some("smtp://u:hush-hush@"), from),
            (Some("imap://u:hush-hush@127.0.0.1"), from),
            (Some("smtp://127.0.0.1"), Some("alerts")),
        ] {
            let said = format!("{:#}", mail(url, from).unwrap_err());
            assert!(said.contains("smtp-url") || said.contains("mail-from"), "{said}");
            assert!(!said.contains("hush-hush"), "{said}");
        }
    }

    #[test]
    fn unknown_keys_and_wrong_values_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        std::fs::write(&path, "regoin = \"x\"\n").unwrap();
        assert!(format!("{:#}", read_file(&path).unwrap_err()).contains("regoin"));
        let wrong = [
            Values { region: Some("A B".to_owned()), ..Values::default() },
            Values { attempts_max: Some(0), ..Values::default() },
            Values { topics_max: Some(0), ..Values::default() },
            Values { public_url: Some("bells.example".to_owned()), ..Values::default() },
            Values {
                connect_to: Some(vec!["open.feishu.cn=https://example.com".to_owned()]),
                ..Values::default()
            },
        ];
        for values in wrong {
            assert!(check(values).is_err());
        }
    }
}
