//! `carillon account key` and `carillon account token`.

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::account::{id, role_of};
use super::client::{Client, items, piece, text};
use super::paint;
use super::table::{self, Row};

#[derive(Debug, Subcommand)]
pub(super) enum KeyAction {
    /// List the project's access keys
    List,
    /// Make a key pair; prints the access key and, this once, its secret
    Add(Wish),
    /// Take an access key away, at once
    Remove {
        /// The access key
        access_key: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenAction {
    /// List the project's tokens that are still good
    List,
    /// Make a token; prints its id and, this once, the token
    Add {
        #[command(flatten)]
        wish: Wish,
        /// How many days it is good, up to ten years [default: for ever]
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=3650))]
        days: Option<u64>,
    },
    /// End a token, at once
    Remove {
        /// The token's id
        id: String,
    },
}

/// What a key or token is to be.
#[derive(Debug, Args)]
pub(super) struct Wish {
    /// Whose it is to be [default: one's own]
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// What tells it from others
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// A narrower role than the account's: administrator, publisher or reader
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// A topic that a publisher may publish to: a name, or a pattern with *; may be given again
    #[arg(long = "topic", value_name = "PATTERN")]
    topics: Vec<String>,
}

impl Wish {
    async fn body(self, client: &Client) -> anyhow::Result<serde_json::Map<String, Value>> {
        let mut body = serde_json::Map::new();
        if let Some(name) = &self.account {
            body.insert("account_id".to_owned(), json!(id(client, name).await?));
        }
        body.insert("note".to_owned(), json!(self.note));
        body.insert("role".to_owned(), json!(self.role));
        body.insert("topics".to_owned(), json!(self.topics));
        Ok(body)
    }
}

fn listed(credentials: &[Value]) -> Vec<String> {
    let row = |credential: &Value| {
        let of = |pointer| paint::plain(text(credential, pointer));
        let ends = credential.pointer("/expires_at").and_then(Value::as_str);
        let ends = ends.map(|time| format!("until {time}")).unwrap_or_default();
        Row::new([of("/id"), of("/account"), ends, role_of(credential), of("/note")])
    };
    let rows: Vec<_> = credentials.iter().map(row).collect();
    table::lines(&["id", "account", "ends", "role", "note"], &rows)
}

/// What came of it, as JSON and as lines to print.
type Said = (Value, Vec<String>);

pub(super) async fn keys(client: &Client, action: KeyAction) -> anyhow::Result<Said> {
    Ok(match action {
        KeyAction::List => {
            let answer = client.whole_api_list("/api/v1/keys?limit=200", "keys").await?;
            let lines = listed(items(&answer, "/keys"));
            (answer, lines)
        }
        KeyAction::Add(wish) => {
            let body = Value::Object(wish.body(client).await?);
            let answer = client.call(Method::POST, "/api/v1/keys", Some(&body)).await?;
            let lines = ["/access_key", "/secret_key"].map(|pointer| text(&answer, pointer).to_owned());
            (answer, lines.to_vec())
        }
        KeyAction::Remove { access_key } => {
            let path = format!("/api/v1/keys/{}", piece(&access_key));
            (client.call(Method::DELETE, &path, None).await?, vec!["removed".to_owned()])
        }
    })
}

pub(super) async fn tokens(client: &Client, action: TokenAction) -> anyhow::Result<Said> {
    Ok(match action {
        TokenAction::List => {
            let answer = client.whole_api_list("/api/v1/tokens?limit=200", "tokens").await?;
            let lines = listed(items(&answer, "/tokens"));
            (answer, lines)
        }
        TokenAction::Add { wish, days } => {
            let mut body = wish.body(client).await?;
            body.insert("expires_in".to_owned(), json!(days.map(|days| days * 86_400)));
            let answer = client.call(Method::POST, "/api/v1/tokens", Some(&Value::Object(body))).await?;
            let lines = ["/id", "/token"].map(|pointer| text(&answer, pointer).to_owned());
            (answer, lines.to_vec())
        }
        TokenAction::Remove { id } => {
            let path = format!("/api/v1/tokens/{}", piece(&id));
            (client.call(Method::DELETE, &path, None).await?, vec!["removed".to_owned()])
        }
    })
}
