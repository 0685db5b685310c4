//! What the server adds for web endpoints: its signature, and links that lead back to it.

use std::sync::Arc;

use carillon_model::SecretText;
use carillon_model::id::CertificateId;
use carillon_model::link::certificate_name;
use carillon_model::message::Kind;
use carillon_provider::{BadKey, Origin, Signer};
use carillon_store::delivery::Ready;
use carillon_store::signing::SigningKey;

use crate::send::Sender;

/// What signs for web endpoints, and where its certificate is.
pub(crate) struct Signing {
    signer: Arc<Signer>,
    certificate_url: String,
}

/// The links of one delivery to a web endpoint.
pub(crate) struct OwnLinks {
    subscribe: Option<SecretText>,
    unsubscribe: Option<SecretText>,
}

impl Signing {
    /// What a delivery with these links carries.
    pub(crate) fn origin<'a>(&'a self, links: &'a OwnLinks) -> Origin<'a> {
        Origin {
            signer: &self.signer,
            signing_cert_url: &self.certificate_url,
            subscribe_url: links.subscribe.as_ref(),
            unsubscribe_url: links.unsubscribe.as_ref(),
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
    /// The links that a delivery carries; those that confirm are the same at each attempt.
    pub(crate) fn own_links(&self, ready: &Ready, topic_urn: &str, subscription_urn: &str) -> OwnLinks {
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
