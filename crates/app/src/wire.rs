//! Builds every part of a server, in order, by hand.

use std::sync::{Arc, Mutex};

use anyhow::Context;
use carillon_engine::{Engine, Metrics, Parts, Settings};
use carillon_model::health::HealthPolicy;
use carillon_model::link::Links;
use carillon_model::retry::RetryPolicy;
use carillon_model::{Chance, Clock, SystemChance, SystemClock};
use carillon_provider::Providers;
use carillon_service::Service;
use carillon_service::install::Preset;
use carillon_store::Store;
use carillon_web::{App, AppParts};
use prometheus_client::registry::Registry;

use crate::config::ServerConfig;
use crate::meter::CountedCalls;
use crate::shelf::{KeptFiles, SharedTokens};
use crate::{delivery_log, install};

/// A server's parts, running but not listening.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) engine: Engine,
}

/// Opens the store, makes what a first start makes, starts the engine. `links` lead to where the server listens.
///
/// # Errors
/// When a part cannot be built; the sentence says what to change.
pub(crate) async fn build(config: &ServerConfig, links: Links, preset: Preset) -> anyhow::Result<Server> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let chance: Arc<dyn Chance> = Arc::new(SystemChance);
    let mut registry = Registry::default();
    let metrics = Metrics::new(&mut registry);
    for detour in &config.provider.connect_to {
        tracing::warn!(
            host = detour.host(),
            to = detour.url(),
            "requests to this host go to another address"
        );
    }
    let store = Store::open(&config.store(), clock.clone(), chance.clone(), Arc::new(metrics.clone()))?
        .with_quotas(config.quotas);
    let providers = Providers::new(config.provider.clone(), clock.clone())
        .with_meter(Arc::new(CountedCalls(store.clone())))
        .with_depot(Arc::new(KeptFiles(store.clone())), Arc::new(SharedTokens(store.clone())));
    let providers = Arc::new(match config.database_url {
        Some(_) => providers.with_shelf(Arc::new(SharedTokens(store.clone()))),
        None => providers,
    });
    let service =
        Service::new(store.clone(), providers.clone(), clock.clone(), chance.clone(), &config.region)
            .with_publishes_per_minute(config.quotas.publishes_per_minute)
            .with_sensitive_words(&config.sensitive_words)
            .with_public_url(config.public_url.clone())
            .with_delivery_log(config.delivery_log.is_some());
    install::install(&service, preset, &config.data_dir).await?;
    let parts = Parts { store, providers, clock, chance, metrics };
    let secure = links.is_https();
    let settings = Settings {
        region: config.region.clone(),
        links,
        retry: RetryPolicy {
            attempts_max: config.attempts_max,
            again_after_unknown: config.again_after_unknown,
            ..RetryPolicy::default()
        },
        health: HealthPolicy { pause_after: config.pause_after, ..HealthPolicy::default() },
        rates: config.rates.clone(),
        digest_after: config.digest_after,
        attempts_at_once: config.attempts_at_once,
        attempts_per_host: config.attempts_per_host,
        keep: config.keep,
        directories_every: config.directories_every,
        delivery_log: delivery_log::open(config.delivery_log.as_ref())?,
    };
    let engine = Engine::start(parts, settings).await.context("the engine cannot start")?;
    let registry = Mutex::new(registry);
    let write_metrics = Arc::new(move || {
        let mut text = String::new();
        let registry = registry.lock().expect("no code panics while it holds the registry");
        let written = prometheus_client::encoding::text::encode(&mut text, &registry);
        written.expect("writing to a text does not fail");
        text
    });
    let console = carillon_web::console::Settings { secure, version: env!("CARGO_PKG_VERSION") };
    Ok(Server { app: App::new(AppParts { service, write_metrics, console }), engine })
}
