//! A service with an engine, a router and a pretend web endpoint.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use carillon_engine::{Engine, Metrics, Parts, Settings};
use carillon_model::clock::TestClock;
use carillon_model::{Clock, SystemChance, Timestamp};
use carillon_provider::{ConnectTo, ProviderSettings, Providers};
use carillon_service::Service;
use carillon_service::install::Preset;
use carillon_simulator::{ManualClock, Received, Robot, Running, Simulator};
use carillon_store::{NoObserver, Store};
use carillon_web::App;
use http_body_util::BodyExt;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tower::ServiceExt;

const TOKEN: &str = "a-token-for-tests-only";
/// The address that every test subscribes.
pub(crate) const HOOK: &str = "https://hooks.example/hook/ops";
/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Everything a test needs.
pub(crate) struct Bed {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) far_end: Running,
    router: axum::Router,
    engine: Option<Engine>,
    store: Store,
    providers: Arc<Providers>,
    project: String,
    _dir: tempfile::TempDir,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) kind: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

impl Bed {
    /// A service whose engine runs.
    pub(crate) async fn running() -> Self {
        let mut bed = Self::idle().await;
        bed.start().await;
        bed
    }

    /// A service that accepts and sends nothing yet.
    pub(crate) async fn idle() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::at(Timestamp(1_750_000_000_000)));
        let far_end = Simulator::new()
            .with_clock(Arc::new(ManualClock::at(clock.now().0)))
            .robot(Robot::webhook("ops", "hook"))
            .start("127.0.0.1:0".parse().unwrap())
            .await
            .unwrap();
        let chance = Arc::new(SystemChance);
        let settings = carillon_store::Settings {
            data_dir: dir.path().join("data"),
            key_file: None,
            database_url: None,
        };
        let store = Store::open(&settings, clock.clone(), chance.clone(), Arc::new(NoObserver)).unwrap();
        let detour = ConnectTo::parse(&format!("hooks.example={}", far_end.url())).unwrap();
        let settings = ProviderSettings { connect_to: vec![detour], ..ProviderSettings::default() };
        let providers = Arc::new(Providers::new(settings, clock.clone()));
        let service = Service::new(store.clone(), providers.clone(), clock.clone(), chance, "local");
        let preset = Preset { token: Some(TOKEN.into()), ..Preset::default() };
        let made = service.install(preset, |_credentials| Ok::<_, ()>(())).await.unwrap().unwrap().unwrap();
        let router = carillon_web::router(App::new(carillon_web::AppParts {
            service,
            write_metrics: Arc::new(String::new),
            console: carillon_web::console::Settings::default(),
        }));
        let project = made.project.to_string();
        Self { clock, far_end, router, engine: None, store, providers, project, _dir: dir }
    }

    /// Starts the engine.
    pub(crate) async fn start(&mut self) {
        let parts = Parts {
            store: self.store.clone(),
            providers: self.providers.clone(),
            clock: self.clock.clone(),
            chance: Arc::new(SystemChance),
            metrics: Metrics::new(&mut Registry::default()),
        };
        self.engine = Some(Engine::start(parts, Settings::default()).await.unwrap());
    }

    /// Loses what was handed over to the engine in memory.
    pub(crate) fn forget(&self) {
        assert_eq!(self.store.wake().take().ready.len(), 1);
    }

    /// Sends a request as somebody whom nobody knows.
    pub(crate) async fn follow(&self, path: &str, accept: &str) -> Answer {
        let request = Request::get(path).header("accept", accept).body(Body::empty()).unwrap();
        self.answer(request).await
    }

    /// Sends a request with the token.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = Request::builder().method(method).uri(path).header("x-auth-token", TOKEN);
        self.answer(request.body(body).unwrap()).await
    }

    /// Sends any request.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status, kind: kind.unwrap_or_default(), text }
    }

    /// A path of the project.
    pub(crate) fn smn(&self, path: &str) -> String {
        format!("/v2/{}/notifications/{path}", self.project)
    }

    /// Makes a topic and gives its URN.
    pub(crate) async fn topic(&self, name: &str) -> String {
        let made = self.call("POST", &self.smn("topics"), Some(json!({ "name": name }))).await;
        made.json()["topic_urn"].as_str().unwrap().to_owned()
    }

    /// Subscribes the pretend web endpoint.
    pub(crate) async fn subscribe(&self, topic: &str) -> Answer {
        let body =
            json!({ "protocol": "https", "endpoint": HOOK, "extension": { "header": { "X-Own": "own-1" } } });
        self.call("POST", &self.smn(&format!("topics/{topic}/subscriptions")), Some(body)).await
    }

    /// Publishes a text.
    pub(crate) async fn publish(&self, topic: &str, text: &str) {
        let path = self.smn(&format!("topics/{topic}/publish"));
        let answer = self.call("POST", &path, Some(json!({ "subject": "Disk", "message": text }))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }

    /// The states of a topic's subscriptions, in SMN's numbers.
    pub(crate) async fn states(&self, topic: &str) -> Vec<i64> {
        let listed = self.call("GET", &self.smn(&format!("topics/{topic}/subscriptions")), None).await;
        let listed = listed.json()["subscriptions"].as_array().unwrap().clone();
        listed.iter().map(|it| it["status"].as_i64().unwrap()).collect()
    }

    /// What the endpoint got, once there are that many.
    pub(crate) async fn received(&self, count: usize) -> Vec<Received> {
        let received = self.far_end.received_at_least(count, PATIENCE).await;
        assert_eq!(received.len(), count, "{received:?}");
        received
    }
}

/// The path and query of a link in a body.
pub(crate) fn path_of(received: &Received, field: &str) -> String {
    let link = received.raw["body"][field].as_str().unwrap();
    link.strip_prefix("http://127.0.0.1:8866").unwrap().to_owned()
}
