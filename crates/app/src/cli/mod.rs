//! The commands.

mod about;
mod account;
mod calls;
mod client;
mod completion;
mod connection;
mod copy;
mod credential;
mod delivery;
mod demo;
mod directory;
mod doctor;
mod endpoint;
mod explain;
mod key;
mod migrate;
mod paint;
mod people;
mod project;
mod publish;
mod push;
mod recall;
mod send;
mod simulate;
mod subscription;
mod subscription_set;
mod table;
mod template;
mod topic;
mod topic_part;
mod traffic;
mod user;
mod which;

use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::client::ClientFlags;
use crate::config::{self, ServerFlags};
use crate::{log, run};

/// Carillon: publish a message once; every DingTalk, Lark, WeCom chat and web hook that subscribed gets it.
#[derive(Debug, Parser)]
#[command(name = "carillon", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try it: a server, simulated platforms, four subscribed robots, one published message
    Demo(demo::DemoFlags),
    /// Run the server
    Serve(Box<ServerFlags>),
    /// Send one message to one robot, without a server
    Send(send::SendFlags),
    /// Run the simulated platforms, for anyone's tests
    Simulate(simulate::SimulateFlags),
    /// Publish a message to a topic
    Publish(publish::PublishFlags),
    /// Send a message straight to people and chats of an office app
    Push(push::PushFlags),
    /// Connect the company's own office app, check it, update its directory
    Connection(connection::ConnectionFlags),
    /// Calls per month of office apps and DingTalk robots: how many, by the month's end, their limits
    Calls(calls::CallsFlags),
    /// Look at the people, departments, chats and groups that an office app reaches
    Directory(directory::DirectoryFlags),
    /// Create, list, show, change and delete topics; their tags and log tanks
    Topic(topic::TopicFlags),
    /// Add, list, change and delete subscriptions
    Subscription(subscription::SubscriptionFlags),
    /// Subscription users: people with several ways to be reached, subscribed to topics as a whole
    User(user::UserFlags),
    /// Create, list, show, change, preview and delete message templates
    Template(template::TemplateFlags),
    /// Who got a message, who did not, and why
    Delivery(delivery::DeliveryFlags),
    /// What happened lately: messages, and what became of them on each platform
    Traffic(traffic::TrafficFlags),
    /// Which addresses are not well; try one again
    Endpoint(endpoint::EndpointFlags),
    /// Why a subscription did or did not get a message
    Explain(explain::ExplainFlags),
    /// Who has access to the project: accounts, roles, keys, tokens; and who changed what
    Account(account::AccountFlags),
    /// Create, list and delete projects, as the installation's operator
    Project(project::ProjectFlags),
    /// The installation that a server belongs to: version, store, servers
    About(about::AboutFlags),
    /// Check this machine, the settings, the store, its key file, the clock, and what must be reached
    Doctor(Box<doctor::DoctorFlags>),
    /// The installation's master keys: seal everything anew under another one
    Key(key::KeyFlags),
    /// Bring the database to this program's version, before servers of it are started
    Migrate(migrate::MigrateFlags),
    /// Move an installation to another database
    Copy(copy::CopyFlags),
    /// Print a completion script for a shell
    Completion(completion::CompletionFlags),
}

impl Cli {
    /// Reads the command line, or ends the program with what is wrong with it.
    pub(crate) fn read() -> Self {
        let matches = config::without_empty(Self::command()).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// Runs a command and turns its end into an exit code: 0 done, 1 failed, 2 wrong use; `send` has more.
pub(crate) async fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Demo(flags) => demo::run(flags).await,
        Command::Serve(flags) => serve(*flags).await,
        Command::Send(flags) => send::run(flags).await,
        Command::Simulate(flags) => simulate::run(flags).await,
        Command::Publish(flags) => publish::run(flags).await,
        Command::Push(flags) => push::run(flags).await,
        Command::Connection(flags) => connection::run(flags).await,
        Command::Calls(flags) => calls::run(flags).await,
        Command::Directory(flags) => directory::run(flags).await,
        Command::Topic(flags) => topic::run(flags).await,
        Command::Subscription(flags) => subscription::run(flags).await,
        Command::User(flags) => user::run(flags).await,
        Command::Template(flags) => template::run(flags).await,
        Command::Delivery(flags) => delivery::run(flags).await,
        Command::Traffic(flags) => traffic::run(flags).await,
        Command::Endpoint(flags) => endpoint::run(flags).await,
        Command::Explain(flags) => explain::run(flags).await,
        Command::Account(flags) => account::run(flags).await,
        Command::Project(flags) => project::run(flags).await,
        Command::About(flags) => about::run(flags).await,
        Command::Doctor(flags) => doctor::run(*flags).await,
        Command::Key(flags) => key::run(flags).await,
        Command::Migrate(flags) => migrate::run(flags),
        Command::Copy(flags) => copy::run(&flags),
        Command::Completion(flags) => Ok(completion::run(&flags)),
    };
    match done {
        Ok(code) => code,
        Err(error) => fail(&format!("{error:#}")),
    }
}

async fn serve(flags: ServerFlags) -> anyhow::Result<ExitCode> {
    let config = flags.load()?;
    log::start(&config.log, config.log_format)?;
    run::serve(config, config::preset()?).await
}

/// Says what went wrong.
#[expect(clippy::print_stderr, reason = "this is where the command line speaks")]
pub(crate) fn fail(text: &str) -> ExitCode {
    eprintln!("{} {text}", paint::Paint::of_stderr().red("error:"));
    ExitCode::FAILURE
}

/// Says that a command was used wrongly.
fn misused(text: &str) -> ExitCode {
    fail(text);
    ExitCode::from(2)
}

/// Whether whoever read the command's result has gone.
static UNREAD: AtomicBool = AtomicBool::new(false);

/// Prints a line of a command's result, without blanks at its end. Nobody need read it to its end (`| head`); where it cannot
/// be written for another reason, the command ends as failed.
fn say(line: &str) {
    match writeln!(std::io::stdout(), "{}", line.trim_end()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => UNREAD.store(true, Ordering::Relaxed),
        Err(error) => {
            fail(&format!("the result cannot be written: {error}"));
            std::process::exit(1);
        }
    }
}

/// Whether nobody reads what is said any more.
fn is_unread() -> bool {
    UNREAD.load(Ordering::Relaxed)
}

/// A text argument, or standard input where it is `-`.
fn text_or_stdin(text: String) -> anyhow::Result<String> {
    if text != "-" {
        return Ok(text);
    }
    let mut read = String::new();
    std::io::stdin().read_to_string(&mut read).context("standard input is no UTF-8 text")?;
    Ok(read.trim_end_matches(['\r', '\n']).to_owned())
}

/// The lines of a file, or of standard input where it is `-`, but for empty ones.
fn lines_of(path: &Path) -> anyhow::Result<Vec<String>> {
    let read = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(path)
    };
    let read = read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(read.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::{Cli, Command};

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_flags_of_all_client_commands_may_stand_behind_the_action() {
        for words in ["topic list --json", "topic --json list", "delivery list --server http://a --token t x"]
        {
            let words = ["carillon"].into_iter().chain(words.split(' '));
            let matches = Cli::command().try_get_matches_from(words).unwrap();
            let cli = Cli::from_arg_matches(&matches).unwrap();
            assert!(matches!(cli.command, Command::Topic(_) | Command::Delivery(_)));
        }
    }
}
