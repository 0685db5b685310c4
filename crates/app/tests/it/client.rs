//! A client of the server under test, as an SDK would be one.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carillon_model::{Clock, SystemClock, Timestamp};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::harness::{ACCESS_KEY, PROJECT, REGION, SECRET_KEY, TOKEN, until};
use crate::sign::{Signed, authorization};

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Auth {
    Nobody,
    Token(String),
    Bearer(String),
    /// A key pair, and by how many seconds the client's clock is off.
    Key {
        access_key: String,
        secret_key: String,
        skew: i64,
    },
}

impl Auth {
    pub(crate) fn token() -> Self {
        Self::Token(TOKEN.to_owned())
    }

    pub(crate) fn key() -> Self {
        Self::skewed(0)
    }

    pub(crate) fn skewed(skew: i64) -> Self {
        Self::Key { access_key: ACCESS_KEY.to_owned(), secret_key: SECRET_KEY.to_owned(), skew }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text()))
    }

    /// A text of the body, or nothing.
    pub(crate) fn at(&self, pointer: &str) -> String {
        let json: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        json.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Fails unless the status is this one, and shows the body then.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

/// The client. It keeps whatever it was answered.
#[derive(Clone)]
pub(crate) struct Api {
    http: reqwest::Client,
    addr: SocketAddr,
    auth: Auth,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Api {
    pub(crate) fn new(addr: SocketAddr, auth: Auth) -> Self {
        // Another test of this process may have been first.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let builder = reqwest::Client::builder().no_proxy().tls_certs_only([]);
        let http = builder.timeout(Duration::from_secs(30)).build().unwrap();
        Self { http, addr, auth, seen: Arc::default() }
    }

    /// The same client as somebody else.
    pub(crate) fn with(&self, auth: Auth) -> Self {
        Self { auth, ..self.clone() }
    }

    /// Every byte it was answered, headers too.
    pub(crate) fn seen(&self) -> Vec<u8> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str, body: Option<&Value>) -> Answer {
        self.send(Method::DELETE, path, body).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        self.send_raw(method, path, body, &[]).await
    }

    pub(crate) async fn send_raw(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        more: &[(&str, &str)],
    ) -> Answer {
        let answer = self.try_send(method, path, body, more).await;
        answer.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// Sends a request, which a server that dies meanwhile leaves unanswered.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        more: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        let mut request = self.http.request(method.clone(), format!("http://{}{path}", self.addr));
        if !body.is_empty() {
            request = request.header("content-type", "application/json;charset=utf-8");
        }
        request = match &self.auth {
            Auth::Nobody => request,
            Auth::Token(token) => request.header("x-auth-token", token),
            Auth::Bearer(token) => request.header("authorization", format!("Bearer {token}")),
            Auth::Key { access_key, secret_key, skew } => {
                let date = basic_time(SystemClock.now(), *skew);
                let headers = [
                    ("host", self.addr.to_string()),
                    ("x-project-id", PROJECT.to_owned()),
                    ("x-sdk-date", date.clone()),
                ];
                let signed = Signed { method: method.as_str(), target: path, headers: &headers, body: &body };
                let value = authorization(access_key, secret_key, &signed);
                let request = request.header("x-project-id", PROJECT).header("x-sdk-date", date);
                request.header("authorization", value)
            }
        };
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let response = request.body(body).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await?.to_vec();
        let mut seen = self.seen.lock().unwrap();
        seen.extend(format!("{headers:?}").into_bytes());
        seen.extend_from_slice(&body);
        drop(seen);
        Ok(Answer { status, headers, body })
    }
}

fn basic_time(now: Timestamp, skew: i64) -> String {
    let moved = Timestamp(now.0 + skew * 1000);
    moved.to_seconds_text().replace(['-', ':'], "")
}

/// A path of SMN's API within the test's project.
pub(crate) fn smn(rest: &str) -> String {
    format!("/v2/{PROJECT}/notifications/{rest}")
}

pub(crate) fn topic_urn(name: &str) -> String {
    format!("urn:smn:{REGION}:{PROJECT}:{name}")
}

/// What every test asks for.
impl Api {
    pub(crate) async fn create_topic(&self, name: &str) -> String {
        self.post(&smn("topics"), &json!({ "name": name, "display_name": name }))
            .await
            .expect(201)
            .at("/topic_urn")
    }

    pub(crate) async fn subscribe(&self, topic: &str, body: &Value) -> String {
        let answer = self.post(&smn(&format!("topics/{topic}/subscriptions")), body).await;
        answer.expect(201).at("/subscription_urn")
    }

    pub(crate) async fn publish(&self, topic: &str, body: &Value) -> String {
        let answer = self.post(&smn(&format!("topics/{topic}/publish")), body).await;
        answer.expect(200).at("/message_id")
    }

    pub(crate) async fn deliveries(&self, message: &str) -> Vec<Value> {
        let answer = self.get(&format!("/api/v1/messages/{message}/deliveries?limit=200")).await.expect(200);
        answer.json()["deliveries"].as_array().unwrap().clone()
    }

    /// The deliveries of a message once each has come to its end.
    pub(crate) async fn settled(&self, message: &str) -> Vec<Value> {
        until("the end of all deliveries", async || {
            let found = self.deliveries(message).await;
            let waits = found.iter().any(|it| matches!(it["state"].as_str(), Some("pending" | "sending")));
            (!waits).then_some(found)
        })
        .await
    }

    /// The deliveries of a message once each has an attempt.
    pub(crate) async fn attempted(&self, message: &str) -> Vec<Value> {
        until("an attempt of each delivery", async || {
            let found = self.deliveries(message).await;
            let tried = found.iter().all(|it| it["attempts"].as_array().is_some_and(|all| !all.is_empty()));
            tried.then_some(found)
        })
        .await
    }
}
