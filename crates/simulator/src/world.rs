//! The state all far ends share, behind short locks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::clock::Clock;
use crate::dingtalk::Dingtalk;
use crate::lark::Lark;
use crate::office::Office;
use crate::record::{Call, Records};
use crate::registry::{Platform, Registry};
use crate::script::Scripts;
use crate::verdict::Verdict;
use crate::wecom::Wecom;

/// Everything one running simulator knows.
pub(crate) struct World {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) registry: Mutex<Registry>,
    pub(crate) scripts: Mutex<Scripts>,
    pub(crate) records: Mutex<Records>,
    pub(crate) dingtalk: Mutex<Dingtalk>,
    pub(crate) lark: Mutex<Lark>,
    pub(crate) wecom: Mutex<Wecom>,
    pub(crate) office: Mutex<Office>,
    pub(crate) arrived: Notify,
    /// How many connections the mail relay took.
    pub(crate) mail_connections: AtomicU64,
    /// Ends every connection of the mail relay.
    pub(crate) mail_hang_up: Notify,
    requests: AtomicU64,
}

impl World {
    pub(crate) fn new(clock: Arc<dyn Clock>, registry: Registry, dingtalk: Dingtalk, office: Office) -> Self {
        Self {
            clock,
            registry: Mutex::new(registry),
            scripts: Mutex::default(),
            records: Mutex::default(),
            dingtalk: Mutex::new(dingtalk),
            lark: Mutex::default(),
            wecom: Mutex::default(),
            office: Mutex::new(office),
            arrived: Notify::new(),
            mail_connections: AtomicU64::new(0),
            mail_hang_up: Notify::new(),
            requests: AtomicU64::new(0),
        }
    }

    /// Numbers a request; platforms put it into their answers as request id or hint.
    pub(crate) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Writes a call down and shows what it brought.
    pub(crate) fn settle(
        &self,
        platform: Platform,
        at_ms: i64,
        path: String,
        bytes: usize,
        verdict: &mut Verdict,
    ) {
        let mut records = lock(&self.records);
        for shown in verdict.shown.drain(..) {
            records.show(platform, at_ms, bytes, shown);
        }
        let (code, text) = (verdict.code.clone(), verdict.text.clone());
        records.note(Call {
            at_ms,
            platform,
            path,
            http_status: verdict.status,
            code,
            text,
            body_bytes: bytes,
        });
        drop(records);
        self.arrived.notify_waiters();
    }
}

/// Locks; a panic of another holder leaves state that is still good enough to test with.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
