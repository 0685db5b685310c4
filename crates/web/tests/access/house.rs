//! Two projects: one with an operator, a reader and a publisher, and a stranger's.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use carillon_model::chance::SeededChance;
use carillon_model::clock::{TestClock, Timestamp};
use carillon_model::id::ProjectId;
use carillon_provider::{ProviderSettings, Providers};
use carillon_service::Service;
use carillon_service::install::Preset;
use carillon_store::{NoObserver, Settings, Store};
use carillon_web::App;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const PROJECT: &str = "0970dd7a1300f5672ff2c003c60ae115";
pub(crate) const OPERATOR: &str = "token-of-the-operator";
pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct House {
    pub(crate) router: axum::Router,
    pub(crate) clock: Arc<TestClock>,
    _dir: tempfile::TempDir,
    /// The other project.
    pub(crate) elsewhere: String,
    /// Tokens: the administrator who is no operator, the publisher to `ops`, the reader, the other project's.
    pub(crate) administrator: String,
    pub(crate) publisher: String,
    pub(crate) reader: String,
    pub(crate) stranger: String,
    /// The publisher's account.
    pub(crate) publisher_id: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Whether the caller's role was the reason.
    pub(crate) fn is_forbidden(&self) -> bool {
        let text = self.text("/message");
        let said = text.contains("the role ") || text.contains("only the operator");
        self.status == 403 && said
    }
}

impl House {
    pub(crate) async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::at(Timestamp(1_750_000_000_000)));
        let chance = Arc::new(SeededChance::new(23));
        let settings = Settings { data_dir: dir.path().join("data"), key_file: None, database_url: None };
        let store = Store::open(&settings, clock.clone(), chance.clone(), Arc::new(NoObserver)).unwrap();
        let providers = Arc::new(Providers::new(ProviderSettings::default(), clock.clone()));
        let service = Service::new(store, providers, clock.clone(), chance, "local");
        let preset = Preset {
            project: Some(ProjectId::parse(PROJECT).unwrap()),
            token: Some(OPERATOR.into()),
            password: Some(PASSWORD.into()),
            ..Preset::default()
        };
        service.install(preset, |_made| Ok::<_, ()>(())).await.unwrap().unwrap();
        let router = carillon_web::router(App::new(carillon_web::AppParts {
            service,
            write_metrics: Arc::new(String::new),
            console: carillon_web::console::Settings::default(),
        }));
        let mut house = Self {
            router,
            clock,
            _dir: dir,
            elsewhere: String::new(),
            administrator: String::new(),
            publisher: String::new(),
            reader: String::new(),
            stranger: String::new(),
            publisher_id: String::new(),
        };
        house.settle().await;
        house
    }

    async fn settle(&mut self) {
        self.post(OPERATOR, &smn(PROJECT, "topics"), json!({ "name": "ops" })).await.expect(201);
        (_, self.administrator) = self.member(OPERATOR, "boss", json!({ "role": "administrator" })).await;
        (_, self.reader) = self.member(OPERATOR, "rita", json!({ "role": "reader" })).await;
        let role = json!({ "role": "publisher", "topics": ["ops", "web-*"] });
        (self.publisher_id, self.publisher) = self.member(OPERATOR, "paul", role).await;
        let made = self.post(OPERATOR, "/api/v1/projects", json!({ "name": "elsewhere" })).await.expect(201);
        self.elsewhere = made.text("/id");
        let token = made.text("/token/token");
        (_, self.stranger) = self.member(&token, "sven", json!({ "role": "administrator" })).await;
    }

    /// Adds an account and makes it a token; gives its id and that.
    pub(crate) async fn member(&self, by: &str, name: &str, mut body: Value) -> (String, String) {
        body["name"] = name.into();
        body["password"] = PASSWORD.into();
        let id = self.post(by, "/api/v1/accounts", body).await.expect(201).text("/id");
        let made = self.post(by, "/api/v1/tokens", json!({ "account_id": id, "note": name })).await;
        (id, made.expect(201).text("/token"))
    }

    pub(crate) async fn call(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        // Each call has a moment of its own.
        self.clock.advance(Duration::from_millis(1));
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("X-Auth-Token", token);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.call(token, "GET", path, "").await
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> Answer {
        self.call(token, "DELETE", path, "").await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call(token, "POST", path, &body.to_string()).await
    }

    pub(crate) async fn put(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call(token, "PUT", path, &body.to_string()).await
    }

    /// Publishes and gives the message's id.
    pub(crate) async fn publish(&self, token: &str, topic: &str) -> String {
        let body = json!({ "topic": topic, "text": "disk full" });
        self.post(token, "/api/v1/messages", body).await.expect(201).text("/message_id")
    }
}

/// A path of SMN's API.
pub(crate) fn smn(project: &str, rest: &str) -> String {
    format!("/v2/{project}/notifications/{rest}")
}
