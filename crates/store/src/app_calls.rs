//! Calls that platforms count by the month. They are counted in memory and added to the month's row every few seconds, so
//! that no delivery waits for it: a server that is killed forgets the last of them. Every server adds its own, and learns
//! the sum with each write.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use carillon_model::clock::Timestamp;
use carillon_model::id::{DeliveryId, ProjectId, SubscriptionId};
use carillon_model::message::Priority;
use carillon_model::office::calls::{Limit, Month, of_app, of_target, without_reserve};
use carillon_model::outcome::{Reason, Scope};
use carillon_model::scope;
use data_encoding::HEXLOWER;

use crate::connection::open_app;
use crate::db::{Row, Tx, params};
use crate::error::Error;
use crate::setup::Store;
use crate::subscription::open_target;

/// How many apps are counted in memory at most; what is more is not counted.
const APPS_MAX: usize = 4_096;
/// How long whoever is held back waits before it is looked again: the limit may have been raised.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// How many months are kept.
const MONTHS_KEPT: i64 = 13;

/// What is known in memory of calls and limits. Keys are keyed hashes.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    /// Whether there is any limit, so that nothing is looked up while there is none.
    limited: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What was counted and is not written yet.
    waiting: BTreeMap<(String, i64), u64>,
    /// The latest sums, of the month that stands with them.
    sums: HashMap<String, (i64, u64)>,
    limits: HashMap<String, u64>,
}

impl Calls {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_limits(&self, limits: HashMap<String, u64>) {
        self.limited.store(!limits.is_empty(), Ordering::Relaxed);
        self.state().limits = limits;
    }
}

/// What the store knows of an app's month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthCalls {
    /// How many calls were made so far.
    pub used: u64,
    /// What somebody allows.
    pub limit: Limit,
    /// Until when the platform refuses, for want of quota.
    pub refused_until: Option<Timestamp>,
    /// The months before that are known, latest first.
    pub before: Vec<(Month, u64)>,
}

/// What holds back whatever is not urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBack {
    /// The limit that somebody set: so many were made of so many.
    Limit {
        /// How many were made.
        used: u64,
        /// How many may be.
        most: u64,
    },
    /// The platform, until then.
    Platform(Reason, Timestamp),
}

fn number(row: &mut Row) -> Result<u64, Error> {
    Ok(u64::try_from(row.int()?).unwrap_or(0))
}

fn read_limits(rows: Vec<Row>) -> Result<HashMap<String, u64>, Error> {
    let mut limits = HashMap::new();
    for mut row in rows {
        let (scope, calls) = (row.text()?, row.int()?);
        if let Ok(calls) = u64::try_from(calls) {
            limits.insert(scope, calls);
        }
    }
    Ok(limits)
}

impl Store {
    /// What an app is counted under at rest.
    fn calls_key(&self, name: &str) -> String {
        HEXLOWER.encode(&self.scope_key(name).bytes())
    }

    /// Counts calls that leave now. Waits for nothing.
    pub fn calls_add(&self, name: &str, count: u64) {
        let key = (self.calls_key(name), Month::of(self.clock.now()).0);
        let mut state = self.calls.state();
        let room = state.waiting.len() < APPS_MAX;
        match state.waiting.get_mut(&key) {
            Some(sum) => *sum += count,
            None if room => drop(state.waiting.insert(key, count)),
            None => {}
        }
    }

    /// Whether anything is limited, so that there is something to ask.
    #[must_use]
    pub fn calls_are_limited(&self) -> bool {
        self.calls.limited.load(Ordering::Relaxed)
    }

    /// Until when a message must wait for its app's month, as far as this server knows; it may be looked again earlier
    /// than it changes. Urgent messages may use what is kept for them.
    #[must_use]
    pub fn calls_wait(&self, name: &str, urgent: bool) -> Option<Timestamp> {
        let (key, now) = (self.calls_key(name), self.clock.now());
        let month = Month::of(now);
        let state = self.calls.state();
        let most = *state.limits.get(&key)?;
        let most = if urgent { most } else { without_reserve(most) };
        let sum = state.sums.get(&key).filter(|(of, _sum)| *of == month.0).map_or(0, |(_of, sum)| *sum);
        let used = sum + state.waiting.get(&(key, month.0)).copied().unwrap_or(0);
        (used >= most).then(|| now.plus(LOOK_AGAIN).min(month.end()))
    }

    /// Adds what was counted to the month's rows, and learns their sums; tells whether there was anything. What cannot be
    /// written is kept for the next time.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn calls_write(&self) -> Result<bool, Error> {
        let taken = std::mem::take(&mut self.calls.state().waiting);
        if taken.is_empty() {
            return Ok(false);
        }
        let rows: Vec<_> = taken.iter().map(|((key, month), count)| (key, month, count)).collect();
        let rows = serde_json::to_string(&rows).map_err(|_json| Error::Conflict)?;
        let write = move |tx: &mut Tx<'_>| {
            // The rows come in the order of their keys, so that servers never wait for each other in a circle.
            let sql = "INSERT INTO app_calls (scope, month, count)
                 SELECT json_extract(value, '$[0]'), CAST(json_extract(value, '$[1]') AS BIGINT),
                 CAST(json_extract(value, '$[2]') AS BIGINT) FROM json_each($1) WHERE true
                 ON CONFLICT (scope, month) DO UPDATE SET count = app_calls.count + excluded.count
                 RETURNING scope, month, count";
            let rows = tx.query("app_calls", sql, params![rows])?;
            rows.into_iter().map(|mut row| Ok((row.text()?, row.int()?, number(&mut row)?))).collect()
        };
        let written: Result<Vec<(String, i64, u64)>, Error> = self.db.write_beside(write, |_sums| ()).await;
        let mut state = self.calls.state();
        match written {
            Ok(sums) => {
                for (key, month, sum) in sums {
                    let known = state.sums.entry(key).or_insert((month, sum));
                    *known = (*known).max((month, sum));
                }
                Ok(true)
            }
            Err(error) => {
                for (key, count) in taken {
                    *state.waiting.entry(key).or_default() += count;
                }
                Err(error)
            }
        }
    }

    /// Learns the limits that are set, and how much of them is used; tells whether there are any.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn calls_learn(&self) -> Result<bool, Error> {
        let month = Month::of(self.clock.now()).0;
        let read = move |tx: &mut Tx<'_>| {
            let limits = tx.query("app_limit", "SELECT scope, calls FROM app_limit WHERE calls >= 0", &[])?;
            let sql = "SELECT c.scope, c.count FROM app_calls c JOIN app_limit l ON l.scope = c.scope WHERE c.month = $1";
            Ok((limits, tx.query("app_calls", sql, params![month])?))
        };
        let (limits, sums) = self.db.read(read).await?;
        let limits = read_limits(limits)?;
        let any = !limits.is_empty();
        for mut row in sums {
            let (key, sum) = (row.text()?, number(&mut row)?);
            self.calls.state().sums.insert(key, (month, sum));
        }
        self.calls.set_limits(limits);
        Ok(any)
    }

    /// Whether other servers count and set limits, too.
    #[must_use]
    pub fn calls_are_shared(&self) -> bool {
        self.db.is_shared()
    }

    /// Sets how many calls a month an app may make, for all who use it.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn calls_limit_set(&self, name: &str, limit: Limit) -> Result<(), Error> {
        let key = self.calls_key(name);
        let set = move |tx: &mut Tx<'_>| {
            let calls = match limit {
                Limit::Default => {
                    return tx.execute("DELETE FROM app_limit WHERE scope = $1", params![key]);
                }
                Limit::Unlimited => -1,
                Limit::Calls(calls) => i64::try_from(calls).unwrap_or(i64::MAX),
            };
            let sql = "INSERT INTO app_limit (scope, calls) VALUES ($1, $2)
                 ON CONFLICT (scope) DO UPDATE SET calls = excluded.calls";
            tx.execute(sql, params![key, calls])
        };
        self.db.write(set).await?;
        self.calls_learn().await.map(drop)
    }

    /// What is known of the month of each of these apps, what this server has not written yet among it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn calls_of(&self, names: &[String]) -> Result<Vec<MonthCalls>, Error> {
        let now = self.clock.now();
        let month = Month::of(now).0;
        let keys: Vec<String> = names.iter().map(|name| self.calls_key(name)).collect();
        let asked = keys.clone();
        let read = move |tx: &mut Tx<'_>| {
            let sql = "SELECT scope, month, count FROM app_calls
                 WHERE scope IN (SELECT value FROM json_each($1)) ORDER BY month DESC";
            let calls = tx.query("app_calls", sql, params![asked.clone()])?;
            let sql = "SELECT scope, calls FROM app_limit WHERE scope IN (SELECT value FROM json_each($1))";
            Ok((calls, tx.query("app_limit", sql, params![asked])?))
        };
        let (calls, limits) = self.db.read(read).await?;
        let (mut by_key, mut set) = (HashMap::<String, Vec<(Month, u64)>>::new(), HashMap::new());
        for mut row in calls {
            let (key, of) = (row.text()?, Month(row.int()?));
            by_key.entry(key).or_default().push((of, number(&mut row)?));
        }
        for mut row in limits {
            let (key, calls) = (row.text()?, row.int()?);
            set.insert(key, u64::try_from(calls).map_or(Limit::Unlimited, Limit::Calls));
        }
        let holds = self.hold_list().await?;
        let state = self.calls.state();
        let known = names.iter().zip(&keys).map(|(name, key)| {
            let mut months = by_key.remove(key).unwrap_or_default();
            let waiting = state.waiting.get(&(key.clone(), month)).copied().unwrap_or(0);
            let this = months.iter().position(|(of, _count)| of.0 == month).map(|at| months.remove(at));
            let scope = self.scope_key(name);
            let refused = holds.iter().find(|hold| hold.scope == scope && hold.reason == Reason::Quota);
            MonthCalls {
                used: this.map_or(0, |(_of, count)| count) + waiting,
                limit: set.get(key).copied().unwrap_or(Limit::Default),
                refused_until: refused.map(|hold| hold.until),
                before: months,
            }
        });
        Ok(known.collect())
    }

    /// What holds back a delivery for more than its own address: the month of its app, or a wish of the platform for its
    /// host or organisation.
    ///
    /// # Errors
    /// When the store cannot be read or an address not be opened.
    pub async fn delivery_held_back(&self, id: DeliveryId) -> Result<Option<HeldBack>, Error> {
        let find = move |tx: &mut Tx<'_>| {
            let sql = "SELECT m.project_id, m.priority, s.id, x.bytes, r.connection_id, y.bytes FROM delivery d
                 JOIN message m ON m.id = d.message_id
                 LEFT JOIN subscription s ON s.id = d.subscription_id LEFT JOIN sealed x ON x.seq = s.sealed_seq
                 LEFT JOIN office_recipient r ON r.id = d.endpoint_id
                 LEFT JOIN connection c ON c.id = r.connection_id LEFT JOIN sealed y ON y.seq = c.sealed_seq
                 WHERE d.message_id = $1 AND d.number = $2";
            tx.query_one("delivery", sql, params![id.message.to_string(), id.number])
        };
        let Some(mut row) = self.db.read(find).await? else { return Ok(None) };
        let project = row.parsed(|text| ProjectId::parse(text).ok())?;
        let urgent = row.int()? == Priority::Urgent.number();
        let (subscription, sealed) = (row.maybe_text()?, row.maybe_bytes()?);
        let (connection, app) = (row.maybe_text()?, row.maybe_bytes()?);
        let names = match (connection.zip(app), subscription.zip(sealed)) {
            (Some((connection, app)), _) => vec![of_app(&open_app(&self.vault, &connection, &app)?)],
            (None, Some((subscription, sealed))) => {
                let subscription =
                    SubscriptionId::parse(&subscription).map_err(|_id| row.corrupt("it is no id"))?;
                let target = open_target(&self.vault, &subscription, &sealed)?;
                let host = scope::name(&target, Scope::Host).map(Cow::into_owned);
                host.into_iter().chain(of_target(&target, &project)).collect()
            }
            (None, None) => return Ok(None),
        };
        self.held_back(&names, urgent).await
    }

    async fn held_back(&self, names: &[String], urgent: bool) -> Result<Option<HeldBack>, Error> {
        let scopes: Vec<_> = names.iter().map(|name| self.scope_key(name)).collect();
        if let Some(hold) = self.hold_list().await?.into_iter().find(|hold| scopes.contains(&hold.scope)) {
            return Ok(Some(HeldBack::Platform(hold.reason, hold.until)));
        }
        let known = self.calls_of(names).await?;
        Ok(known.into_iter().find_map(|month| match month.limit {
            Limit::Calls(most) => {
                let may = if urgent { most } else { without_reserve(most) };
                (month.used >= may).then_some(HeldBack::Limit { used: month.used, most })
            }
            Limit::Default | Limit::Unlimited => None,
        }))
    }

    /// Forgets months long past, and tells how many rows went.
    ///
    /// # Errors
    /// When nothing can be written.
    pub async fn calls_forget(&self, limit: u64) -> Result<u64, Error> {
        let before = Month::of(self.clock.now()).0 - MONTHS_KEPT;
        let forget = move |tx: &mut Tx<'_>| {
            let sql = "DELETE FROM app_calls WHERE month < $1
                 AND scope IN (SELECT scope FROM app_calls WHERE month < $1 ORDER BY scope LIMIT $2)";
            tx.execute(sql, params![before, limit])
        };
        self.db.write_beside(forget, |_gone| ()).await
    }
}
