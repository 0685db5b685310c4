//! Tells owners, once, that their endpoint is paused: through the fallback that they chose.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use carillon_model::health::Health;
use carillon_model::id::{EndpointId, SubscriptionId};
use carillon_model::urn::{SubscriptionUrn, TopicUrn};
use carillon_store::Error;
use carillon_store::delivery::StoredMessage;
use carillon_store::pause::ToTell;
use carillon_store::recipient::Recipient;

use crate::notice::compose;
use crate::send::Sender;

/// How many subscriptions a notice names.
const NAMED_MAX: usize = 10;

impl Sender {
    /// Tells the owners of a paused endpoint's subscriptions. What fails is made up for at the next start.
    pub(crate) async fn tell_of_pause(&self, endpoint: EndpointId, health: &Health) {
        tracing::warn!(
            endpoint = %endpoint,
            reason = health.reason.name(),
            broken_since = health.broken_since.map(|at| at.to_millis_text()),
            "an endpoint is paused"
        );
        if let Err(error) = self.try_to_tell(endpoint, health).await {
            tracing::error!(endpoint = %endpoint, %error, "owners of a paused endpoint could not be told");
        }
    }

    async fn try_to_tell(&self, endpoint: EndpointId, health: &Health) -> Result<(), Error> {
        let mut by_reach: BTreeMap<Vec<SubscriptionId>, Vec<ToTell>> = BTreeMap::new();
        for one in self.store.pause_to_tell(endpoint).await? {
            let reach = one.recipients.iter().map(|to| to.subscription).collect();
            by_reach.entry(reach).or_default().push(one);
        }
        let notices =
            by_reach.into_values().filter_map(|told| self.notice(endpoint, &told, health)).collect();
        self.store.pause_tell(endpoint, notices).await?;
        Ok(())
    }

    /// One notice for all whom the same fallback tells.
    fn notice(
        &self,
        endpoint: EndpointId,
        told: &[ToTell],
        health: &Health,
    ) -> Option<(StoredMessage, Vec<Recipient>)> {
        let first = told.first()?;
        let (words, now) = (self.words(endpoint, told, health), self.clock.now());
        let subject = "Endpoint paused / 订阅地址已暂停";
        let notice =
            compose(&first.project, first.through.clone(), subject, words, now, self.chance.as_ref());
        Some((notice, first.recipients.clone()))
    }

    fn words(&self, endpoint: EndpointId, told: &[ToTell], health: &Health) -> String {
        let channel = told.first().map(|one| one.channel);
        let advice = channel.map(|channel| carillon_provider::advice(channel, health.reason));
        let (en, zh) = advice.map(|advice| (advice.en, advice.zh)).unwrap_or_default();
        let waiting: u64 = told.iter().map(|one| one.waiting).sum();
        let since = health.broken_since.unwrap_or(health.since).to_seconds_text();
        let reason = carillon_provider::reason_named(health.reason);
        let (reason, reason_zh) = (reason.en, reason.zh);
        let masked = told.first().map(|one| one.masked.as_str()).unwrap_or_default();
        let mut lines = String::new();
        for one in told.iter().take(NAMED_MAX) {
            let topic = TopicUrn {
                region: self.region.clone(),
                project: one.project.clone(),
                topic: one.topic_name.clone(),
            };
            let urn = SubscriptionUrn { topic, id: one.subscription };
            writeln!(lines, "{urn}").expect("writing to a text does not fail");
        }
        if told.len() > NAMED_MAX {
            writeln!(lines, "+{}", told.len() - NAMED_MAX).expect("writing to a text does not fail");
        }
        format!(
            "Nothing more is sent to {masked}: it has been broken since {since} ({reason}). {en} {waiting} messages \
             wait until their time to live ends. When it is mended, subscribe the address again, or run: carillon \
             endpoint resume {endpoint}\n\n已暂停向 {masked} 发送：自 {since} 起持续失败（{reason_zh}）。{zh}\
             目前有 {waiting} 条消息在等待，直至超过有效期。修复后请重新添加该订阅，或执行：carillon endpoint resume \
             {endpoint}\n\n{lines}"
        )
        .trim_end()
        .to_owned()
    }
}
