//! A server without a socket, and one project's caller.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use carillon_model::chance::SeededChance;
use carillon_model::clock::{TestClock, Timestamp};
use carillon_model::delivery::DeliveryState;
use carillon_model::id::ProjectId;
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::{Clock, SecretText};
use carillon_provider::{ProviderSettings, Providers};
use carillon_service::Service;
use carillon_service::install::Preset;
use carillon_store::delivery::{Ready, Settlement, Start, Tried};
use carillon_store::{NoObserver, Settings, Store};
use carillon_web::{App, router};
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const PROJECT: &str = "0970dd7a1300f5672ff2c003c60ae115";
const TOKEN: &str = "the-token-of-a-test";
const START: Timestamp = Timestamp(1_750_000_000_000);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

pub(crate) struct Bed {
    pub(crate) store: Store,
    pub(crate) clock: Arc<TestClock>,
    router: Router,
    _dir: tempfile::TempDir,
}

impl Bed {
    pub(crate) async fn fresh() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::at(START));
        let chance = Arc::new(SeededChance::new(7));
        let settings = Settings { data_dir: dir.path().join("data"), key_file: None, database_url: None };
        let store = Store::open(&settings, clock.clone(), chance.clone(), Arc::new(NoObserver)).unwrap();
        let providers = Arc::new(Providers::new(ProviderSettings::default(), clock.clone()));
        let service = Service::new(store.clone(), providers, clock.clone(), chance, "local");
        let preset = Preset {
            project: Some(ProjectId::parse(PROJECT).unwrap()),
            token: Some(SecretText::new(TOKEN)),
            ..Preset::default()
        };
        service.install(preset, |_credentials| Ok::<_, ()>(())).await.unwrap().unwrap();
        let app = App::new(carillon_web::AppParts {
            service,
            write_metrics: Arc::new(String::new),
            console: carillon_web::console::Settings::default(),
        });
        Self { store, clock, router: router(app), _dir: dir }
    }

    /// Makes a call with the token, and these headers beside.
    pub(crate) async fn call_with(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("x-auth-token", TOKEN);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default() }
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call_with("POST", path, Some(body), &[]).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call_with("GET", path, None, &[]).await
    }

    /// Moves the clock on.
    pub(crate) fn tick(&self) {
        self.clock.advance(Duration::from_millis(1));
    }

    /// Makes a topic and gives its URN.
    pub(crate) async fn topic(&self, name: &str) -> String {
        self.tick();
        let made = self.post(&smn("topics"), json!({ "name": name })).await;
        made.text("/topic_urn").to_owned()
    }

    /// Subscribes a WeCom robot to a topic and gives the subscription's URN.
    pub(crate) async fn subscribe(&self, topic: &str, key: &str) -> String {
        self.tick();
        let endpoint = format!("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={key}");
        let body = json!({ "protocol": "wechat", "endpoint": endpoint });
        let made = self.post(&smn(&format!("topics/{topic}/subscriptions")), body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        made.text("/subscription_urn").to_owned()
    }

    /// Publishes to a topic and gives the message's id.
    pub(crate) async fn publish(&self, topic: &str, text: &str) -> String {
        self.tick();
        let made = self.post("/api/v1/messages", json!({ "topic": topic, "text": text })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        made.text("/message_id").to_owned()
    }

    /// What was handed to the engine, which is not there.
    pub(crate) fn handed(&self) -> Vec<Ready> {
        self.store.wake().take().ready
    }

    /// Says that the first attempt of a delivery is under way.
    pub(crate) async fn begin(&self, ready: &Ready) {
        let start = Start { shown: true, seq: ready.seq, attempt: 1, at: self.clock.now(), parts_done: 0 };
        self.store.delivery_settle(vec![start], Vec::new()).await.unwrap();
    }

    /// Ends the first attempt of a delivery.
    pub(crate) async fn end(&self, ready: &Ready, state: DeliveryState) {
        self.tick();
        let verdict = Verdict {
            platform_code: Some("93000".to_owned()),
            platform_text: Some("invalid webhook url".to_owned()),
            ..Verdict::plain(Outcome::Misconfigured, Reason::TokenUnknown)
        };
        let (now, verdict) = match state {
            DeliveryState::Delivered => (self.clock.now(), Verdict::plain(Outcome::Accepted, Reason::Ok)),
            DeliveryState::Pending
            | DeliveryState::Sending
            | DeliveryState::Failed
            | DeliveryState::Expired
            | DeliveryState::Cancelled => (self.clock.now(), verdict),
        };
        let settlement = Settlement {
            seq: ready.seq,
            id: ready.id,
            attempt: Some(Tried { number: 1, started_at: now, elapsed_ms: 7, verdict, merged: 1 }),
            state,
            due_at: now,
            parts_done: 0,
        };
        self.store.delivery_settle(Vec::new(), vec![settlement]).await.unwrap();
    }
}

/// A path of SMN's API.
pub(crate) fn smn(rest: &str) -> String {
    format!("/v2/{PROJECT}/notifications/{rest}")
}

/// A robot's key that looks like one.
pub(crate) fn key(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}
