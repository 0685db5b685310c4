//! Taking back what office apps sent: by message, by person or chat, by time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use carillon_model::audit::Deed;
use carillon_model::clock::Timestamp;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::{ConnectionId, DeliveryId, MessageId};
use carillon_model::message::{Content, Kind, Locale, Priority};
use carillon_model::office::{App, Recipient};
use carillon_model::outcome::{Advice, Outcome, Verdict};
use carillon_model::role::Right;
use carillon_model::subscription::{Extension, OfficeApp, Target};
use carillon_model::{Channel, Field, Invalid};
use carillon_provider::{Post, PostKey};
use carillon_store::recall::{Sent, SentFilter};

use crate::error::Error;
use crate::{Caller, Service};

/// How long the platforms take messages back; Lark's administrators may set less or more.
const WITHIN: Duration = Duration::from_secs(24 * 60 * 60);
/// How long it is remembered that something was taken back.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What is to be taken back: what fits all that is set; a message, or an app.
#[derive(Debug, Clone, Default)]
pub struct Recall {
    /// A message's deliveries.
    pub message: Option<MessageId>,
    /// What went through this app.
    pub connection: Option<ConnectionId>,
    /// What went to this member or chat of the app.
    pub to: Option<Recipient>,
    /// What was accepted then or later; a day ago when not set.
    pub since: Option<Timestamp>,
    /// What was accepted before.
    pub until: Option<Timestamp>,
    /// Where to go on.
    pub after: Option<DeliveryId>,
    /// What stands in its place from now on, instead of nothing: a card on Lark and Feishu.
    pub replace: Option<Content>,
}

/// What became of taking one delivery back.
#[derive(Debug, Clone)]
pub struct Recalled {
    /// The delivery.
    pub sent: Sent,
    /// Whether it is gone from the chat, or another card in its place.
    pub done: bool,
    /// The platform's code.
    pub code: Option<String>,
    /// The platform's words.
    pub text: Option<String>,
    /// What it means, when it is not gone.
    pub advice: Option<Advice>,
}

fn impossible() -> Advice {
    Advice {
        en: "This cannot be taken back: the platform takes nothing back of messages of this kind, or its id was not kept.".into(),
        zh: "无法撤回：平台不支持撤回此类消息，或未保存其消息 ID。".into(),
    }
}

fn irreplaceable() -> Advice {
    Advice {
        en: "This cannot be replaced: only a single card on Lark or Feishu that was not taken back can, by one that fits into a card.".into(),
        zh: "无法替换：仅支持替换飞书（Lark）上未撤回的单张卡片，且新内容须能放入一张卡片。".into(),
    }
}

fn late() -> Advice {
    Advice {
        en: "The platform did not take it back. It does so for 24 hours; Lark's administrators may set another time.".into(),
        zh: "平台未撤回该消息。消息可在 24 小时内撤回；飞书管理员可设置其他时限。".into(),
    }
}

impl Service {
    /// Takes back what office apps sent, at most `limit` deliveries, and tells of each what became of it. Digests are taken
    /// back with all that is in them.
    ///
    /// # Errors
    /// When neither a message nor an app is named, or there is no such app.
    pub async fn recall(&self, caller: &Caller, recall: Recall, limit: u64) -> Result<Vec<Recalled>, Error> {
        caller.may(Right::Change)?;
        if recall.message.is_none() && recall.connection.is_none() {
            return Err(Invalid::new(Field::Body, "give message_id or connection_id").into());
        }
        if let Some(content) = &recall.replace {
            self.check_content(content)?;
        }
        let now = self.clock.now();
        let mut recipient = None;
        if let Some(id) = recall.connection {
            let connection = self.connection(caller, id).await?;
            if let Some(to) = recall.to {
                let found = self.store.recipients_expand(connection.id, vec![to]).await?.unwrap_or_default();
                let [one] = found.to.as_slice() else {
                    return Err(Invalid::new(Field::To, "to must be one member or chat").into());
                };
                recipient = Some(one.id);
            }
        } else if recall.to.is_some() {
            return Err(Invalid::new(Field::To, "to needs connection_id").into());
        }
        let day = i64::try_from(WITHIN.as_millis()).unwrap_or(i64::MAX);
        let filter = SentFilter {
            message: recall.message,
            connection: recall.connection,
            recipient,
            since: recall.since.unwrap_or(Timestamp(now.0.saturating_sub(day))),
            until: recall.until.unwrap_or(Timestamp(i64::MAX)),
        };
        let found = self.store.sent_page(&caller.project, filter, recall.after, limit).await?;
        let (mut apps, mut done, mut gone) = (HashMap::new(), Vec::with_capacity(found.len()), Vec::new());
        for sent in found {
            let app = match apps.entry(sent.connection) {
                Entry::Occupied(app) => app.into_mut(),
                Entry::Vacant(place) => place.insert(self.store.connection_open(sent.connection).await?),
            };
            let recalled = match &recall.replace {
                Some(content) => self.put_in_place(app.as_ref(), sent, content).await,
                None => self.take_back(app.as_ref(), sent).await,
            };
            if recall.replace.is_none() && recalled.done && recalled.sent.recalled_at.is_none() {
                gone.push(recalled.sent.delivery);
            }
            done.push(recalled);
        }
        if !gone.is_empty() {
            let kept = i64::try_from(REMEMBERED.as_millis()).unwrap_or(i64::MAX);
            let what = gone.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let store = self.acting(caller, Deed::DeliveryRecall, &format!("{} {what}", gone.len()));
            store.recall_note(gone, Timestamp(now.0.saturating_sub(kept))).await?;
        }
        Ok(done)
    }

    async fn put_in_place(&self, app: Option<&App>, sent: Sent, content: &Content) -> Recalled {
        let verdict = match app.filter(|_app| sent.recalled_at.is_none() && sent.merged <= 1) {
            Some(app) => {
                let endpoint = Endpoint::Office {
                    connection: sent.connection,
                    kind: sent.kind,
                    id: sent.platform_id.as_str().into(),
                };
                let office = Some(Box::new(OfficeApp { app: app.clone(), connection: sent.connection }));
                let target = Target { endpoint, extension: Extension { office, ..Extension::default() } };
                let post = Post {
                    body: &content.default,
                    key: PostKey::Named("replace"),
                    kind: Kind::Published,
                    message: sent.delivery.message,
                    subject: content.subject.as_deref(),
                    topic_urn: "",
                    subscription_urn: "",
                    created_at: self.clock.now(),
                    locale: Locale::default(),
                    priority: Priority::Normal,
                    origin: None,
                };
                self.providers.office_replace(&target, &post, &words(&sent)).await
            }
            None => None,
        };
        match verdict {
            Some(verdict) => told(sent, verdict),
            None => Recalled { sent, done: false, code: None, text: None, advice: Some(irreplaceable()) },
        }
    }

    async fn take_back(&self, app: Option<&App>, sent: Sent) -> Recalled {
        if sent.recalled_at.is_some() {
            return Recalled { sent, done: true, code: None, text: None, advice: None };
        }
        let verdict = match app {
            Some(app) => {
                let to = (sent.kind, sent.platform_id.as_str());
                self.providers.office_recall(app, to, &words(&sent)).await
            }
            None => None,
        };
        let Some(verdict) = verdict else {
            return Recalled { sent, done: false, code: None, text: None, advice: Some(impossible()) };
        };
        told(sent, verdict)
    }
}

/// What the platform called all posts of a delivery.
fn words(sent: &Sent) -> String {
    carillon_provider::sent_words(sent.attempts.iter().map(|(outcome, words)| (*outcome, words.as_str())))
}

/// What a platform's verdict means for a delivery.
fn told(sent: Sent, verdict: Verdict) -> Recalled {
    let done = verdict.outcome == Outcome::Accepted;
    let advice = if verdict.outcome == Outcome::Refused {
        late()
    } else {
        carillon_provider::advice(Channel::Office, verdict.reason)
    };
    Recalled {
        sent,
        done,
        advice: (!done).then_some(advice),
        code: verdict.platform_code.filter(|_code| !done),
        text: verdict.platform_text.filter(|_text| !done),
    }
}
