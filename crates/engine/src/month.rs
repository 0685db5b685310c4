//! Looks after the months of office apps: writes down what was called, learns limits, and says when a month comes near
//! its limit: in the log, as a metric, and once a day to whoever is told what concerns the connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use carillon_model::id::ConnectionId;
use carillon_model::office::calls::{self, Level, Month, NEAR_PERCENT, Usage};
use carillon_model::{Chance, Clock, Timestamp};
use carillon_store::office_notice::Watched;
use carillon_store::{Error, Store};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::notice::compose;
use crate::settings::Parts;

/// How often what was counted is written.
const WRITE_EVERY: Duration = Duration::from_secs(5);
/// How often limits are learned that another server may have set, and months are looked at in which something was called.
const LOOK_EVERY: Duration = Duration::from_secs(10);
const DAY_MS: i64 = 86_400_000;

/// What looks after months.
pub(crate) struct Months {
    store: Store,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    metrics: Metrics,
    /// How near each app came when it was looked at last.
    levels: HashMap<ConnectionId, Level>,
}

impl Months {
    pub(crate) fn new(parts: &Parts) -> Self {
        Self {
            store: parts.store.clone(),
            clock: Arc::clone(&parts.clock),
            chance: Arc::clone(&parts.chance),
            metrics: parts.metrics.clone(),
            levels: HashMap::new(),
        }
    }

    /// Writes and looks until it is told to stop, and writes once more then.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        // Something may have been called before this start.
        let (mut called, mut looked) = (true, None::<Instant>);
        loop {
            if looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) && (called || self.store.calls_are_shared())
            {
                if let Err(error) = self.look(called).await {
                    tracing::error!(%error, "the months of office apps cannot be looked at yet");
                }
                (called, looked) = (false, Some(Instant::now()));
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(WRITE_EVERY) => {}
            }
            match self.store.calls_write().await {
                Ok(any) => called |= any,
                Err(error) => tracing::error!(%error, "the calls of office apps cannot be written yet"),
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    async fn look(&mut self, called: bool) -> Result<(), Error> {
        self.store.calls_learn().await?;
        if !called {
            return Ok(());
        }
        let watched = self.store.connection_watch().await?;
        let names: Vec<String> = watched.iter().map(|one| calls::of_app(&one.app)).collect();
        let known = self.store.calls_of(&names).await?;
        let now = self.clock.now();
        let mut levels = HashMap::new();
        for (one, known) in watched.iter().zip(known) {
            let usage = Usage {
                month: Month::of(now),
                used: known.used,
                limit: known.limit,
                default: calls::default_limit(one.platform),
                refused_until: known.refused_until,
            };
            let level = usage.level(now);
            levels.insert(one.id, level);
            if level > Level::Calm {
                self.warn(one, &usage, level, now).await?;
            }
        }
        for level in [Level::Near, Level::Over] {
            self.metrics.months(level, levels.values().filter(|found| **found == level).count());
        }
        self.levels = levels;
        Ok(())
    }

    async fn warn(&self, one: &Watched, usage: &Usage, level: Level, now: Timestamp) -> Result<(), Error> {
        if self.levels.get(&one.id).is_none_or(|before| *before < level) {
            tracing::warn!(
                connection = %one.id,
                level = level.name(),
                calls = usage.used,
                calls_forecast = usage.forecast(now),
                calls_max = usage.most(),
                "the month's calls of an office app come near their limit"
            );
        }
        let Some(to) = self.store.connection_notified(one.id).await? else { return Ok(()) };
        let subject = "Calls per month / 本月调用次数";
        let notice =
            compose(&to.project, to.through, subject, words(one, usage, now), now, self.chance.as_ref());
        let day = now.shifted(8 * 3_600_000).0.div_euclid(DAY_MS);
        let told = day * 4 + if level == Level::Over { 2 } else { 1 };
        self.store.connection_tell(one.id, told, notice, to.recipients).await.map(drop)
    }
}

fn words(one: &Watched, usage: &Usage, now: Timestamp) -> String {
    let (name, used, forecast) = (&one.name, usage.used, usage.forecast(now));
    let tenths = usage.tenths_of_days(now);
    let (days, end) = (format!("{}.{}", tenths / 10, tenths % 10), usage.month.end().to_seconds_text());
    let month = usage.month.name();
    let (limit_en, limit_zh) = match usage.most() {
        Some(most) => (
            format!("{most} are allowed; {NEAR_PERCENT}% of them is where this notice begins."),
            format!("限额为 {most} 次；达到限额的 {NEAR_PERCENT}% 时开始提醒。"),
        ),
        None => (String::new(), String::new()),
    };
    let (refused_en, refused_zh) = match usage.refused_until {
        Some(until) => (
            format!(" The platform refuses every call until {until}: messages wait as long as they live."),
            format!("平台在 {until} 之前拒绝所有调用：消息将在有效期内等待。"),
        ),
        None => (String::new(), String::new()),
    };
    format!(
        "The app \"{name}\" made {used} calls in the first {days} days of {month}; going on like this makes {forecast} \
         by its end at {end}. {limit_en}{refused_en} Choose digests for busy subscriptions, send less, or buy more \
         calls, and then set the limit: carillon calls set {id} --limit NUMBER\n\n应用“{name}”在 {month} 的前 {days} \
         天已调用 {used} 次；照此趋势，到月底（{end}）将达 {forecast} 次。{limit_zh}{refused_zh}可为繁忙的订阅选择合并发送、\
         减少发送，或购买更多调用次数后修改限额：carillon calls set {id} --limit NUMBER",
        id = one.id
    )
}

#[cfg(test)]
mod tests {
    use carillon_model::Timestamp;
    use carillon_model::id::{ConnectionId, ProjectId};
    use carillon_model::office::calls::{Limit, Month, Usage};
    use carillon_model::office::connection::LarkApp;
    use carillon_model::office::{App, Platform};
    use carillon_store::office_notice::Watched;

    use super::words;

    #[test]
    fn the_notice_says_how_many_and_how_that_is_known() {
        let app = App::Feishu(LarkApp { app_id: "cli_1".into(), app_secret: "hush".into() });
        let one = Watched {
            id: ConnectionId::parse("0123456789abcdef0123456789abcdef").unwrap(),
            project: ProjectId::parse("p1").unwrap(),
            name: "HQ".to_owned(),
            platform: Platform::Feishu,
            app,
        };
        let now = Timestamp::from_seconds_text("2026-11-10T16:00:00Z").unwrap();
        let month = Month::of(now);
        let limit = Limit::Calls(4_000);
        let usage = Usage { month, used: 1_200, limit, default: None, refused_until: None };
        let said = words(&one, &usage, now);
        assert!(said.contains("1200 calls in the first 10.0 days of 2026-11"), "{said}");
        assert!(said.contains("makes 3600 by its end at 2026-11-30T16:00:00Z"), "{said}");
        assert!(said.contains("达 3600 次") && !said.contains("hush") && !said.contains("cli_1"), "{said}");
    }
}
