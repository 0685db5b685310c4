//! What the server adds for web endpoints and mailboxes: its signature, a sender's name, and links that lead back to it.

use std::sync::Arc;

use carillon_model::id::CertificateId;
use carillon_model::link::certificate_name;
use carillon_model::message::Kind;
use carillon_model::urn::{SubscriptionUrn, TopicUrn};
use carillon_model::{Channel, SecretText};
use carillon_provider::{BadKey, Origin, Seal, Signer};
use carillon_store::delivery::Ready;
use carillon_store::signing::SigningKey;

use crate::send::Sender;

/// What signs for web endpoints, and where its certificate is.
pub(crate) struct Signing {
    signer: Arc<Signer>,
    certificate_url: String,
}

/// What one delivery to a web endpoint or a mailbox says of itself; nothing of it for a chat.
#[derive(Default)]
pub(crate) struct Own {
    pub(crate) topic_urn: String,
    pub(crate) subscription_urn: String,
    subscribe: Option<SecretText>,
    unsubscribe: Option<SecretText>,
}

/// What the server adds to the posts of one attempt.
#[derive(Default)]
pub(crate) enum Added<'a> {
    /// Nothing: a chat.
    #[default]
    Nothing,
    /// Signature and links: a web endpoint.
    Signed(&'a Signing),
    /// Links, and whom it is from: a mailbox.
    Mail(Option<String>),
}

impl Added<'_> {
    /// What a delivery that says this of itself carries.
    pub(crate) fn origin<'a>(&'a self, own: &'a Own) -> Option<Origin<'a>> {
        let (subscribe_url, unsubscribe_url) = (own.subscribe.as_ref(), own.unsubscribe.as_ref());
        let origin = Origin { subscribe_url, unsubscribe_url, ..Origin::default() };
        match self {
            Self::Nothing => None,
            Self::Signed(signing) => {
                let seal = Seal { signer: &signing.signer, signing_cert_url: &signing.certificate_url };
                Some(Origin { seal: Some(seal), ..origin })
            }
            Self::Mail(sender) => Some(Origin { sender: sender.as_deref(), ..origin }),
        }
    }
}

/// Why nothing can be signed at present.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSigning {
    #[error(transparent)]
    Store(#[from] carillon_store::Error),
    #[error(transparent)]
    Key(#[from] BadKey),
    #[error("the server is stopping")]
    Stopping,
}

impl Sender {
    /// What is added to the posts of an attempt whose first delivery is `first`.
    pub(crate) async fn added(&self, channel: Channel, first: &Ready) -> Result<Added<'_>, NoSigning> {
        match channel {
            // Boxed, because most attempts are for a chat and would carry the room for it.
            Channel::Http | Channel::Https => Ok(Added::Signed(Box::pin(self.signing()).await?)),
            Channel::Email => {
                let (project, topic) = (&first.stored.message.project, &first.stored.topic_name);
                let topic = Box::pin(self.store.topic_find(project, topic)).await?;
                Ok(Added::Mail(topic.map(|topic| topic.display_name).filter(|name| !name.is_empty())))
            }
            Channel::Dingtalk
            | Channel::DingtalkPerson
            | Channel::Lark
            | Channel::Wecom
            | Channel::Office => Ok(Added::Nothing),
        }
    }

    /// What a delivery says of itself; links that confirm are the same at each attempt. Making it up, with a signature, for a
    /// chat, which shows nothing of it, was a thirtieth of an attempt's processor time.
    pub(crate) fn own(&self, added: &Added<'_>, ready: &Ready) -> Own {
        if matches!(added, Added::Nothing) {
            return Own::default();
        }
        let message = &ready.stored.message;
        let (project, topic) = (message.project.clone(), ready.stored.topic_name.clone());
        let topic = TopicUrn { region: self.region.clone(), project, topic };
        let topic_urn = topic.to_string();
        let subscription_urn = SubscriptionUrn { topic, id: ready.subscription }.to_string();
        match message.content.kind {
            Kind::Published => {
                let signature = self.store.unsubscribe_signature(&subscription_urn);
                let unsubscribe = Some(self.links.unsubscribe(&subscription_urn, &signature));
                Own { topic_urn, subscription_urn, subscribe: None, unsubscribe }
            }
            Kind::SubscriptionConfirmation | Kind::UnsubscribeConfirmation => {
                let token = self.store.confirmation_token(message.id);
                let subscribe = Some(self.links.subscribe(&token, &topic_urn));
                Own { topic_urn, subscription_urn, subscribe, unsubscribe: None }
            }
        }
    }

    /// What signs for web endpoints; the key is made when it is first needed.
    pub(crate) async fn signing(&self) -> Result<&Signing, NoSigning> {
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
}
