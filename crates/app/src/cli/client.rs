//! Speaks to a running server over its API.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use reqwest::Method;
use serde_json::Value;

use crate::{config, install};

/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The largest page of a list of SMN's API.
const PAGE_MAX: usize = 100;

/// Which server, and as whom.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClientFlags {
    /// The server's address
    #[arg(
        long,
        global = true,
        env = "CARILLON_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8866"
    )]
    pub(crate) server: String,
    /// An API token [default: the one in bootstrap.json of the data directory]
    #[arg(long, global = true, env = "CARILLON_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Where to look for bootstrap.json [default: carillon-data]
    #[arg(long, global = true, env = "CARILLON_DATA_DIR", value_name = "DIRECTORY")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Print the API's answer as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// A server that knows us.
pub(crate) struct Client {
    http: reqwest::Client,
    server: String,
    token: String,
    project: String,
    region: String,
}

impl ClientFlags {
    /// Finds the token and asks the server who we are.
    ///
    /// # Errors
    /// When there is no token, no server, or the server does not know the token.
    pub(crate) async fn connect(&self) -> anyhow::Result<Client> {
        let token = match &self.token {
            Some(token) => token.clone(),
            None => {
                let dir = self.data_dir.clone().unwrap_or_else(|| PathBuf::from(config::DATA_DIR));
                install::read(&dir).map(|bootstrap| bootstrap.token).ok_or_else(|| {
                    anyhow!(
                        "no token: give --token or CARILLON_TOKEN, or run where {} is",
                        install::path(&dir).display()
                    )
                })?
            }
        };
        Client::connect(&self.server, token).await
    }
}

impl Client {
    /// Asks the server at `server` who the holder of `token` is.
    ///
    /// # Errors
    /// When there is no server, or it does not know the token.
    #[expect(clippy::disallowed_methods, reason = "the command line's own client speaks to our server only")]
    pub(crate) async fn connect(server: &str, token: String) -> anyhow::Result<Self> {
        let builder = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60));
        let http = builder.build().context("no HTTP client")?;
        let server = server.trim_end_matches('/').to_owned();
        let mut client = Self { http, server, token, project: String::new(), region: String::new() };
        let me = client.call(Method::GET, "/api/v1/whoami", None).await?;
        client.project = text(&me, "/project_id").to_owned();
        client.region = text(&me, "/region").to_owned();
        Ok(client)
    }

    /// A path of SMN's API within our project.
    pub(crate) fn smn(&self, rest: &str) -> String {
        format!("/v2/{}/notifications/{rest}", self.project)
    }

    /// A path of the tag service within our project.
    pub(crate) fn resource(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.project)
    }

    /// A topic's URN, from its URN or name.
    pub(crate) fn topic_urn(&self, urn_or_name: &str) -> String {
        if urn_or_name.contains(':') {
            return urn_or_name.to_owned();
        }
        format!("urn:smn:{}:{}:{urn_or_name}", self.region, self.project)
    }

    /// A whole list of Carillon's own API, page by page, as one answer. `path` has a query already.
    ///
    /// # Errors
    /// What the server refused, in its words.
    pub(crate) async fn whole_api_list(&self, path: &str, name: &str) -> anyhow::Result<Value> {
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let mut answer = self.call(Method::GET, &format!("{path}{after}"), None).await?;
            all.extend_from_slice(items(&answer, &format!("/{name}")));
            match answer.pointer("/next").and_then(Value::as_str) {
                Some(next) => after = format!("&after={}", piece(next)),
                None => {
                    if let Some(list) = answer.pointer_mut(&format!("/{name}")) {
                        *list = Value::Array(all);
                    }
                    return Ok(answer);
                }
            }
        }
    }

    /// Who we are: the account's id.
    ///
    /// # Errors
    /// What the server refused, in its words.
    pub(crate) async fn own_account(&self) -> anyhow::Result<String> {
        let me = self.call(Method::GET, "/api/v1/whoami", None).await?;
        Ok(text(&me, "/account_id").to_owned())
    }

    /// A whole list of SMN's API, which gives it page by page: its last answer with the items of all.
    ///
    /// # Errors
    /// What the server refused, in its words.
    pub(crate) async fn whole_list(&self, path: &str, name: &str) -> anyhow::Result<Value> {
        self.whole_list_of(path, "", name).await
    }

    /// The same of what filters leave; each stands in `filters` behind an `&`.
    ///
    /// # Errors
    /// What the server refused, in its words.
    pub(crate) async fn whole_list_of(&self, path: &str, filters: &str, name: &str) -> anyhow::Result<Value> {
        let mut all = Vec::new();
        loop {
            let page = format!("{path}?offset={}&limit={PAGE_MAX}{filters}", all.len());
            let mut answer = self.call(Method::GET, &page, None).await?;
            let found = items(&answer, &format!("/{name}"));
            let more = found.len() == PAGE_MAX;
            all.extend_from_slice(found);
            if !more {
                if let Some(list) = answer.get_mut(name) {
                    *list = Value::Array(all);
                }
                return Ok(answer);
            }
        }
    }

    /// Makes a call and gives its answer.
    ///
    /// # Errors
    /// What the server refused, in its words.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let mut request = self.http.request(method, format!("{}{path}", self.server));
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        self.exchange(request).await
    }

    /// Posts bytes and gives the answer.
    ///
    /// # Errors
    /// What the server refused, in its words.
    pub(crate) async fn upload(&self, path: &str, bytes: Vec<u8>) -> anyhow::Result<Value> {
        let request = self.http.post(format!("{}{path}", self.server));
        self.exchange(request.header("Content-Type", "application/octet-stream").body(bytes)).await
    }

    #[expect(clippy::disallowed_methods, reason = "the command line's own client speaks to our server only")]
    async fn exchange(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let sent = request.header("X-Auth-Token", &self.token).send().await;
        let mut answer = sent.map_err(|error| {
            anyhow!("no answer from {} ({}); is `carillon serve` running there?", self.server, cause(&error))
        })?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.context("the answer broke off")? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER_BYTES_MAX {
                bail!("the answer is larger than 16 MiB");
            }
        }
        let value: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(value);
        }
        let (code, message) = (text(&value, "/code"), text(&value, "/message"));
        if message.is_empty() {
            bail!("the server answered {status}");
        }
        bail!("{} ({code})", super::paint::plain(message))
    }
}

/// The innermost reason, which names the failure best.
fn cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// A text in an answer.
pub(crate) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list in an answer.
pub(crate) fn items<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A piece of a path or query, encoded.
pub(crate) fn piece(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
