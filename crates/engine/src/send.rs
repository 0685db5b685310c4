//! One attempt of one delivery: opens the target, renders, sends the parts, decides what follows.

use std::sync::Arc;

use carillon_model::delivery::{DeliveryState, Move};
use carillon_model::id::{CertificateId, EndpointId};
use carillon_model::link::{Links, certificate_name};
use carillon_model::message::Kind;
use carillon_model::outcome::{Outcome, Reason, Scope, Verdict};
use carillon_model::retry::{self, Next, RetryPolicy};
use carillon_model::subscription::Target;
use carillon_model::urn::{SubscriptionUrn, TopicUrn};
use carillon_model::{Chance, Channel, Clock, SecretText, Timestamp};
use carillon_provider::{BadKey, Origin, Post, Providers, Signer};
use carillon_store::Store;
use carillon_store::delivery::{Ready, Settlement, Start, Tried};
use carillon_store::signing::SigningKey;
use tokio::sync::{OnceCell, mpsc, oneshot};
use tokio::time::Instant;

use crate::metrics::Metrics;
use crate::settle::Note;

/// What every attempt needs.
pub(crate) struct Sender {
    pub(crate) store: Store,
    pub(crate) providers: Arc<Providers>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) region: String,
    pub(crate) links: Links,
    pub(crate) signing: OnceCell<Signing>,
    pub(crate) retry: RetryPolicy,
    pub(crate) metrics: Metrics,
    pub(crate) notes: mpsc::Sender<Note>,
}

/// What the loop must know of an attempt that ended.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) lane: EndpointId,
    /// When and with what the same delivery is tried again; nothing when it has ended.
    pub(crate) again: Option<Again>,
}

#[derive(Debug)]
pub(crate) struct Again {
    pub(crate) attempts: u32,
    pub(crate) parts_done: u32,
    pub(crate) due_at: Timestamp,
}

/// What signs for web endpoints, and where its certificate is.
pub(crate) struct Signing {
    signer: Arc<Signer>,
    certificate_url: String,
}

/// The links of one delivery to a web endpoint.
struct OwnLinks {
    subscribe: Option<SecretText>,
    unsubscribe: Option<SecretText>,
}

struct Tally {
    verdict: Verdict,
    parts_done: u32,
}

/// Why nothing can be signed at present.
#[derive(Debug, thiserror::Error)]
enum NoSigning {
    #[error(transparent)]
    Store(#[from] carillon_store::Error),
    #[error(transparent)]
    Key(#[from] BadKey),
    #[error("the server is stopping")]
    Stopping,
}

/// What came of a delivery that could not even begin: it waits.
fn busy(ready: &Ready) -> Tally {
    let outcome = Outcome::Later { wait: None, scope: Scope::Endpoint };
    Tally { verdict: Verdict::plain(outcome, Reason::Busy), parts_done: ready.parts_done }
}

impl Sender {
    /// Carries one delivery through one attempt and has the result written down before it answers, so that the
    /// lane's next delivery never overtakes the record of this one.
    pub(crate) async fn attempt(&self, ready: Ready) -> Sent {
        let (settlement, again) = self.carry(&ready).await;
        let waited = (settlement.state == DeliveryState::Delivered)
            .then(|| self.clock.now().since(ready.stored.message.created_at));
        if settlement.state.is_final() {
            self.metrics.settled(settlement.state, waited);
        }
        let (done, durable) = oneshot::channel();
        if self.notes.send(Note::Ended(settlement, done)).await.is_ok() {
            // An error means that the engine is being cut; the record is made up for at the next start.
            drop(durable.await);
        }
        Sent { lane: ready.endpoint, again }
    }

    async fn carry(&self, ready: &Ready) -> (Settlement, Option<Again>) {
        if self.clock.now() >= ready.stored.message.expires_at {
            return (self.without_attempt(ready, Move::Expire), None);
        }
        let kind = ready.stored.message.content.kind;
        let target = match self.store.target_open_for(ready.subscription, kind).await {
            Ok(Some(target)) => target,
            Ok(None) => return (self.without_attempt(ready, Move::Cancel), None),
            Err(error) => {
                tracing::error!(delivery = %ready.id, %error, "a target cannot be opened");
                return self.decide(ready, &self.retry, self.clock.now(), Instant::now(), busy(ready));
            }
        };
        let started_at = self.clock.now();
        let start = Instant::now();
        let began = Start { seq: ready.seq, attempt: ready.attempts + 1, at: started_at };
        // The mark is written while the attempt runs; an error means that the engine is being cut.
        drop(self.notes.send(Note::Began(began)).await);
        self.metrics.sending.inc();
        let tally = self.send_parts(ready, &target).await;
        self.metrics.sending.dec();
        let channel = target.endpoint.channel();
        self.metrics.attempted(channel, tally.verdict.outcome, start.elapsed());
        if tally.verdict.outcome != Outcome::Accepted {
            tracing::warn!(
                delivery = %ready.id,
                %channel,
                outcome = tally.verdict.outcome.name(),
                reason = tally.verdict.reason.name(),
                platform_code = tally.verdict.platform_code.as_deref(),
                "an attempt was not accepted"
            );
        }
        let policy = self.retry.on(channel, tally.verdict.reason);
        self.decide(ready, &policy, started_at, start, tally)
    }

    async fn send_parts(&self, ready: &Ready, target: &Target) -> Tally {
        let message = &ready.stored.message;
        let topic = TopicUrn {
            region: self.region.clone(),
            project: message.project.clone(),
            topic: ready.stored.topic_name.clone(),
        };
        let topic_urn = topic.to_string();
        let subscription_urn = SubscriptionUrn { topic, id: ready.subscription }.to_string();
        let channel = target.endpoint.channel();
        let body = message.content.for_channel(channel);
        let web = matches!(channel, Channel::Http | Channel::Https);
        let signing = match if web { self.signing().await.map(Some) } else { Ok(None) } {
            Ok(signing) => signing,
            Err(error) => {
                tracing::error!(delivery = %ready.id, %error, "there is no key to sign with");
                return busy(ready);
            }
        };
        let links = self.links(ready, &topic_urn, &subscription_urn);
        let post = Post {
            body: &body,
            kind: message.content.kind,
            delivery: ready.id,
            message: message.id,
            subject: message.content.subject.as_deref(),
            topic_urn: &topic_urn,
            subscription_urn: &subscription_urn,
            created_at: message.created_at,
            locale: message.locale,
            origin: signing.map(|signing| Origin {
                signer: &signing.signer,
                signing_cert_url: &signing.certificate_url,
                subscribe_url: links.subscribe.as_ref(),
                unsubscribe_url: links.unsubscribe.as_ref(),
            }),
        };
        let parts = match self.providers.render(target, &post) {
            Ok(parts) => parts,
            Err(verdict) => return Tally { verdict, parts_done: ready.parts_done },
        };
        let mut tally =
            Tally { verdict: Verdict::plain(Outcome::Refused, Reason::Render), parts_done: ready.parts_done };
        for part in parts.iter().skip(usize::try_from(ready.parts_done).unwrap_or(usize::MAX)) {
            tally.verdict = self.providers.send(target, part).await;
            if tally.verdict.outcome != Outcome::Accepted {
                break;
            }
            tally.parts_done += 1;
        }
        tally
    }

    /// The links that a delivery carries; those that confirm are the same at each attempt.
    fn links(&self, ready: &Ready, topic_urn: &str, subscription_urn: &str) -> OwnLinks {
        match ready.stored.message.content.kind {
            Kind::Published => {
                let signature = self.store.unsubscribe_signature(subscription_urn);
                let link = self.links.unsubscribe(subscription_urn, &signature);
                OwnLinks { subscribe: None, unsubscribe: Some(link) }
            }
            Kind::SubscriptionConfirmation | Kind::UnsubscribeConfirmation => {
                let token = self.store.confirmation_token(ready.stored.message.id);
                let link = self.links.subscribe(&token, topic_urn);
                OwnLinks { subscribe: Some(link), unsubscribe: None }
            }
        }
    }

    /// What signs for web endpoints; the key is made when it is first needed.
    async fn signing(&self) -> Result<&Signing, NoSigning> {
        let open = || async {
            let key = match self.store.signing_key_find().await? {
                Some(key) => key,
                None => self.store.signing_key_add(self.make_key().await?).await?,
            };
            let signer = Arc::new(Signer::open(&key.private_key)?);
            let certificate_url = self.links.certificate(&certificate_name(&self.region, key.id));
            Ok(Signing { signer, certificate_url })
        };
        self.signing.get_or_try_init(open).await
    }

    async fn make_key(&self) -> Result<SigningKey, NoSigning> {
        let now = self.clock.now();
        let id = CertificateId::new(now, self.chance.as_ref());
        let host = self.links.host().to_owned();
        let made = tokio::task::spawn_blocking(move || Signer::make(&host, id, now));
        let made = made.await.map_err(|_stopping| NoSigning::Stopping)??;
        tracing::info!(certificate = %id, "made a key that signs what web endpoints get");
        Ok(SigningKey { id, private_key: made.private_key, certificate: made.certificate })
    }

    fn decide(
        &self,
        ready: &Ready,
        policy: &RetryPolicy,
        started_at: Timestamp,
        start: Instant,
        tally: Tally,
    ) -> (Settlement, Option<Again>) {
        let number = ready.attempts + 1;
        let now = self.clock.now();
        let next = retry::next(policy, number, tally.verdict.outcome, now, self.chance.number());
        let (step, due_at) = match next {
            Next::Delivered => (Move::Accept, now),
            Next::Failed => (Move::Fail, now),
            Next::Again(at) if at >= ready.stored.message.expires_at => (Move::Expire, now),
            Next::Again(at) => (Move::Postpone, at),
        };
        let state =
            DeliveryState::Sending.after(step).expect("every step that ends an attempt is in the table");
        let again = (step == Move::Postpone).then_some(Again {
            attempts: number,
            parts_done: tally.parts_done,
            due_at,
        });
        let tried = Tried {
            number,
            started_at,
            elapsed_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            verdict: tally.verdict,
        };
        let settlement = Settlement {
            seq: ready.seq,
            id: ready.id,
            attempt: Some(tried),
            state,
            due_at,
            parts_done: tally.parts_done,
        };
        (settlement, again)
    }

    fn without_attempt(&self, ready: &Ready, step: Move) -> Settlement {
        let state = DeliveryState::Pending.after(step).expect("what waits can expire and be cancelled");
        Settlement {
            seq: ready.seq,
            id: ready.id,
            attempt: None,
            state,
            due_at: self.clock.now(),
            parts_done: ready.parts_done,
        }
    }
}
