//! A server without a socket, and a browser without a script: it keeps cookies and fills in forms.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use carillon_model::SecretText;
use carillon_model::chance::SeededChance;
use carillon_model::clock::{TestClock, Timestamp};
use carillon_model::id::ProjectId;
use carillon_provider::{ProviderSettings, Providers};
use carillon_service::install::Preset;
use carillon_service::{Caller, Service};
use carillon_store::{NoObserver, Settings, Store};
use carillon_web::{App, console, router};
use tower::ServiceExt;

pub(crate) const PROJECT: &str = "0970dd7a1300f5672ff2c003c60ae115";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
const TOKEN: &str = "the-token-of-a-test";
const START: Timestamp = Timestamp(1_750_000_000_000);

/// What a browser is shown.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Shown {
    /// Where it leads on.
    pub(crate) fn to(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    /// The hidden value that its forms send along.
    pub(crate) fn csrf(&self) -> String {
        let start = self.html.split("name=\"csrf\" value=\"").nth(1).unwrap_or_default();
        start.split('"').next().unwrap_or_default().to_owned()
    }

    /// What its form for an action says by itself: the hidden fields.
    pub(crate) fn hidden(&self, action: &str) -> Vec<(String, String)> {
        let form = self.html.split(&format!("action=\"{action}\"")).nth(1).unwrap_or_default();
        let form = form.split("</form>").next().unwrap_or_default();
        let fields = form.split("<input type=\"hidden\" name=\"").skip(1);
        let fields = fields.filter_map(|field| field.split_once("\" value=\""));
        let pair = |(name, rest): (&str, &str)| (name.to_owned(), rest.split('"').next().unwrap().to_owned());
        fields.map(pair).filter(|(name, _)| name != "csrf").collect()
    }

    /// What a person reads: no tags, no script, one space between words.
    pub(crate) fn words(&self) -> String {
        let body = self.html.split("</defs></svg>").nth(1).unwrap_or(&self.html);
        let mut text = String::new();
        for piece in body.split('<') {
            text.push_str(piece.split_once('>').map_or(piece, |(_tag, text)| text));
            text.push(' ');
        }
        let plain = text.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"");
        let plain =
            plain.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace("&quot;", "\"");
        plain.replace("&amp;", "&").split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

pub(crate) struct Bed {
    pub(crate) service: Service,
    pub(crate) store: Store,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) caller: Caller,
    router: Router,
    _dir: tempfile::TempDir,
}

impl Bed {
    pub(crate) async fn fresh() -> Self {
        Self::with(console::Settings { version: "1.2.3", ..console::Settings::default() }).await
    }

    pub(crate) async fn with(console: console::Settings) -> Self {
        Self::made(console, false).await
    }

    /// One whose server writes a delivery log.
    pub(crate) async fn logging() -> Self {
        Self::made(console::Settings::default(), true).await
    }

    async fn made(console: console::Settings, logs: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::at(START));
        let chance = Arc::new(SeededChance::new(7));
        let settings = Settings { data_dir: dir.path().join("data"), key_file: None, database_url: None };
        let store = Store::open(&settings, clock.clone(), chance.clone(), Arc::new(NoObserver)).unwrap();
        let providers = Arc::new(Providers::new(ProviderSettings::default(), clock.clone()));
        let service = Service::new(store.clone(), providers, clock.clone(), chance, "local");
        let service = service.with_delivery_log(logs);
        let preset = Preset {
            project: Some(ProjectId::parse(PROJECT).unwrap()),
            token: Some(SecretText::new(TOKEN)),
            password: Some(SecretText::new(PASSWORD)),
            ..Preset::default()
        };
        service.install(preset, |_credentials| Ok::<_, ()>(())).await.unwrap().unwrap();
        let caller = service.caller_by_token(&TOKEN.into()).await.unwrap();
        let app = App { service: service.clone(), write_metrics: Arc::new(String::new), console };
        Self { service, store, clock, caller, router: router(app), _dir: dir }
    }

    /// A browser that prefers a language.
    pub(crate) fn browser(&self, lang: &str) -> Browser {
        Browser {
            router: self.router.clone(),
            lang: lang.to_owned(),
            cookies: BTreeMap::new(),
            csrf: String::new(),
        }
    }

    /// A browser whose owner has signed in.
    pub(crate) async fn signed_in(&self, lang: &str) -> Browser {
        let mut browser = self.browser(lang);
        browser.get("/console/sign-in").await;
        let shown = browser.post("/console/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await;
        assert_eq!(shown.to(), "/console", "{}", shown.words());
        browser.get("/console").await;
        browser
    }
}

pub(crate) struct Browser {
    router: Router,
    lang: String,
    pub(crate) cookies: BTreeMap<String, String>,
    /// The hidden value of the page that was seen last.
    pub(crate) csrf: String,
}

impl Browser {
    pub(crate) async fn get(&mut self, path: &str) -> Shown {
        self.ask("GET", path, String::new()).await
    }

    /// Asks for something that goes on.
    pub(crate) async fn open(&mut self, path: &str) -> axum::response::Response {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder().uri(path).header(header::COOKIE, cookies.join("; "));
        self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    /// Sends a form as the page that was seen last would.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let mut all = vec![("csrf", self.csrf.clone())];
        all.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let quote = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let pairs: Vec<String> = all.iter().map(|(name, value)| format!("{name}={}", quote(value))).collect();
        self.ask("POST", path, pairs.join("&")).await
    }

    async fn ask(&mut self, method: &str, path: &str, body: String) -> Shown {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT_LANGUAGE, &self.lang)
            .header(header::COOKIE, cookies.join("; "))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        for cookie in headers.get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let bytes = to_bytes(response.into_body(), 1 << 22).await.unwrap();
        let shown = Shown { status, headers, html: String::from_utf8(bytes.to_vec()).unwrap() };
        let csrf = shown.csrf();
        if !csrf.is_empty() {
            self.csrf = csrf;
        }
        shown
    }
}
