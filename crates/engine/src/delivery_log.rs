//! The delivery log: a line, in SMN's fields, for each delivery that has ended and whose topic has a log tank. It is a
//! hook for other programs; the truth is in the store, and what cannot be written is told of and left out.

use std::sync::Arc;

use carillon_model::delivery::DeliveryState;
use carillon_model::urn::{SubscriptionUrn, TopicUrn};
use carillon_model::{Channel, Timestamp};
use carillon_store::Store;
use carillon_store::delivery::Settlement;
use carillon_store::logtank::LoggedDelivery;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::settings::Settings;

/// How many ended deliveries wait for their lines at most.
const WAITING_MAX: usize = 16_384;
/// How many are looked up at once.
const BATCH_MAX: usize = 512;

/// Writes lines, each with its end, to where the operator wants them.
pub type WriteLines = Arc<dyn Fn(&str) -> std::io::Result<()> + Send + Sync>;

/// Where the delivery log goes, if anywhere.
#[derive(Clone, Default)]
pub struct DeliveryLog(Option<WriteLines>);

impl std::fmt::Debug for DeliveryLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DeliveryLog").field(&self.0.is_some()).finish()
    }
}

impl DeliveryLog {
    /// A log that is written so.
    #[must_use]
    pub fn new(write: WriteLines) -> Self {
        Self(Some(write))
    }
}

/// How a delivery ended.
struct Ended {
    seq: i64,
    state: DeliveryState,
    code: Option<String>,
    sent_at: Option<Timestamp>,
}

/// Takes what ended, where there is a log.
#[derive(Clone, Default)]
pub(crate) struct Journal(Option<mpsc::Sender<Ended>>);

impl Journal {
    /// Notes those that have ended; the others go on. Waits for nothing.
    pub(crate) fn note(&self, settlements: &[Settlement]) {
        let Some(journal) = &self.0 else { return };
        let mut left_out = 0_usize;
        for settlement in settlements.iter().filter(|settlement| settlement.state.is_final()) {
            let tried = settlement.attempt.as_ref();
            let ended = Ended {
                seq: settlement.seq,
                state: settlement.state,
                code: tried.and_then(|tried| tried.verdict.platform_code.clone()),
                sent_at: tried.map(|tried| tried.started_at),
            };
            left_out += usize::from(journal.try_send(ended).is_err());
        }
        if left_out > 0 {
            tracing::warn!(left_out, "the delivery log cannot be written as fast as deliveries end");
        }
    }
}

/// A line.
#[derive(Serialize)]
struct Line<'a> {
    message_id: String,
    project_id: &'a str,
    topic_urn: String,
    subscriber_urn: String,
    protocol_name: &'a str,
    endpoint: &'a str,
    status: &'static str,
    http_code: Option<u16>,
    create_time: String,
    send_time: Option<String>,
    log_group_id: &'a str,
    log_stream_id: &'a str,
}

/// Turns what ended into lines.
struct Scribe {
    store: Store,
    region: String,
    write: WriteLines,
    inbox: mpsc::Receiver<Ended>,
}

/// A journal that is read until it is let go, where there is a log.
pub(crate) fn start(settings: &Settings, store: &Store, tasks: &TaskTracker) -> Journal {
    let Some(write) = &settings.delivery_log.0 else { return Journal::default() };
    let (sender, inbox) = mpsc::channel(WAITING_MAX);
    let (store, region, write) = (store.clone(), settings.region.clone(), Arc::clone(write));
    tasks.spawn(Scribe { store, region, write, inbox }.run());
    Journal(Some(sender))
}

impl Scribe {
    /// Writes until nobody can hand in any more.
    async fn run(mut self) {
        let mut batch = Vec::new();
        while self.inbox.recv_many(&mut batch, BATCH_MAX).await > 0 {
            let lines = self.lines(&batch).await;
            batch.clear();
            if lines.is_empty() {
                continue;
            }
            let write = Arc::clone(&self.write);
            let written = tokio::task::spawn_blocking(move || write(&lines)).await;
            if let Ok(Err(error)) = written {
                tracing::error!(%error, "the delivery log cannot be written");
            }
        }
    }

    async fn lines(&self, batch: &[Ended]) -> String {
        let seqs = batch.iter().map(|ended| ended.seq).collect();
        let logged = self.store.logged_deliveries(seqs).await.unwrap_or_else(|error| {
            tracing::error!(%error, "what ended cannot be looked up for the delivery log");
            Vec::new()
        });
        let mut lines = String::new();
        for one in &logged {
            let Some(ended) = batch.iter().find(|ended| ended.seq == one.seq) else { continue };
            if let Ok(line) = serde_json::to_string(&line(one, ended, &self.region)) {
                lines.push_str(&line);
                lines.push('\n');
            }
        }
        lines
    }
}

fn line<'a>(one: &'a LoggedDelivery, ended: &Ended, region: &str) -> Line<'a> {
    let topic =
        TopicUrn { region: region.to_owned(), project: one.project.clone(), topic: one.topic_name.clone() };
    // A chat answers 200 whatever it thinks of a message; its own code is no status.
    let is_status = matches!(one.channel, Channel::Http | Channel::Https);
    let code = ended.code.as_ref().filter(|_code| is_status);
    Line {
        message_id: one.message.to_string(),
        project_id: one.project.as_str(),
        topic_urn: topic.to_string(),
        subscriber_urn: SubscriptionUrn { topic, id: one.subscription }.to_string(),
        protocol_name: &one.protocol,
        endpoint: &one.endpoint_masked,
        status: match ended.state {
            DeliveryState::Delivered => "DELIVERED",
            DeliveryState::Expired => "EXPIRED",
            DeliveryState::Cancelled => "CANCELLED",
            DeliveryState::Failed | DeliveryState::Pending | DeliveryState::Sending => "FAILED",
        },
        http_code: code.and_then(|code| code.parse().ok()),
        create_time: one.created_at.to_seconds_text(),
        send_time: ended.sent_at.map(Timestamp::to_seconds_text),
        log_group_id: &one.group,
        log_stream_id: &one.stream,
    }
}
