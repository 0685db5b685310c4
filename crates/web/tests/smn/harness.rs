//! A front door with one project behind it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use carillon_model::chance::SeededChance;
use carillon_model::clock::{TestClock, Timestamp};
use carillon_model::id::ProjectId;
use carillon_model::quota::Quotas;
use carillon_provider::{ProviderSettings, Providers};
use carillon_service::Service;
use carillon_service::install::Preset;
use carillon_store::{NoObserver, Settings, Store};
use carillon_web::App;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const PROJECT: &str = "0970dd7a1300f5672ff2c003c60ae115";
const TOKEN: &str = "token-of-the-wire-tests";
pub(crate) const PASSWORD: &str = "correct horse battery";
/// 2025-06-15T15:06:40Z.
pub(crate) const START: Timestamp = Timestamp(1_750_000_000_000);

pub(crate) struct Door {
    pub(crate) router: axum::Router,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) store: Store,
    pub(crate) dir: tempfile::TempDir,
}

/// A status with its body; null where there is none.
pub(crate) type Answer = (StatusCode, Value);

impl Door {
    pub(crate) async fn open() -> Self {
        Self::open_with(Quotas::default(), |service| service).await
    }

    /// A front door whose operator has set something.
    pub(crate) async fn open_with(quotas: Quotas, build: impl FnOnce(Service) -> Service) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::at(START));
        let chance = Arc::new(SeededChance::new(11));
        let settings = Settings { data_dir: dir.path().join("data"), key_file: None, database_url: None };
        let store = Store::open(&settings, clock.clone(), chance.clone(), Arc::new(NoObserver))
            .unwrap()
            .with_quotas(quotas);
        let providers = Arc::new(Providers::new(ProviderSettings::default(), clock.clone()));
        let service = build(Service::new(store.clone(), providers, clock.clone(), chance, "local"));
        let preset = Preset {
            project: Some(ProjectId::parse(PROJECT).unwrap()),
            token: Some(TOKEN.into()),
            password: Some(PASSWORD.into()),
            ..Preset::default()
        };
        service.install(preset, |_made| Ok::<_, ()>(())).await.unwrap().unwrap();
        let app = App::new(carillon_web::AppParts {
            service,
            write_metrics: Arc::new(String::new),
            console: carillon_web::console::Settings::default(),
        });
        Self { router: carillon_web::router(app), clock, store, dir }
    }

    /// Makes a call within the project: the path begins behind its id.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.call_with(method, &format!("/v2/{PROJECT}/{path}"), &[], body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &Value::Null).await
    }

    pub(crate) async fn call_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        // Each call has a moment of its own, so that lists in order of time have one order.
        self.clock.advance(Duration::from_millis(1));
        let mut request = Request::builder().method(method).uri(path).header("X-Auth-Token", TOKEN);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        assert!(response.headers().contains_key("x-request-id"));
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// Makes a topic and tells its URN.
    pub(crate) async fn topic(&self, name: &str) -> String {
        let (status, made) = self.call("POST", "notifications/topics", &json!({ "name": name })).await;
        assert_eq!(status, StatusCode::CREATED);
        made["topic_urn"].as_str().unwrap().to_owned()
    }

    /// Subscribes a Feishu robot and tells the subscription's URN.
    pub(crate) async fn robot(&self, topic: &str, hook: &str) -> String {
        let endpoint = format!("https://open.feishu.cn/open-apis/bot/v2/hook/{hook}");
        self.subscribe(topic, &json!({ "protocol": "feishu", "endpoint": endpoint })).await
    }

    pub(crate) async fn subscribe(&self, topic: &str, body: &Value) -> String {
        let path = format!("notifications/topics/{topic}/subscriptions");
        let (status, made) = self.call("POST", &path, body).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        made["subscription_urn"].as_str().unwrap().to_owned()
    }

    /// Publishes and tells whom it goes to, by the ids of the subscriptions, and with which texts by channel.
    pub(crate) async fn publish(&self, topic: &str, body: &Value) -> Vec<(String, String)> {
        let (status, made) = self.call("POST", &format!("notifications/topics/{topic}/publish"), body).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        let ready = self.store.wake().take().ready;
        let sent = ready.into_iter().map(|one| {
            let content = &one.stored.message.content;
            let texts: Vec<String> = std::iter::once(&content.default)
                .chain(content.channels.values())
                .map(|body| body.text.clone())
                .collect();
            (one.subscription.to_string(), texts.join("|"))
        });
        sent.collect()
    }
}

/// That an answer is a refusal with this status and code, in both pairs of names.
#[track_caller]
pub(crate) fn refused((status, body): &Answer, wanted: u16, code: &str) {
    assert_eq!((status.as_u16(), body["code"].as_str()), (wanted, Some(code)), "{body}");
    assert_eq!((&body["error_code"], &body["error_msg"]), (&body["code"], &body["message"]));
    assert_eq!(body["request_id"].as_str().map(str::len), Some(32));
}
