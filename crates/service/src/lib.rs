//! What a caller may ask for. Every front door (SMN's API, Carillon's own, the console, the command line) calls
//! these functions and no others; rights are checked here and nowhere else.
//!
//! | verb | room |
//! | --- | --- |
//! | who asks, and what they may do | [`caller`] |
//! | signing in, keys, tokens, lock-out, the first start | [`sign_in`], [`install`] |
//! | accounts and their roles; keys and tokens; projects | [`account`], [`credential`], [`project`] |
//! | another master key | [`rotation`] |
//! | the installation: store, servers | [`installation`] |
//! | who changed what | [`audit`] |
//! | sessions of the console | [`session`] |
//! | create, look at, change and remove topics; a list of them at a glance | [`topic`], [`glance`] |
//! | log tanks of topics | [`logtank`] |
//! | attributes and tags of topics | [`attribute`], [`tag`] |
//! | whether a caller may use a topic | `right` |
//! | subscribe, look, remove | [`subscription`] |
//! | users with several ways to be reached | [`subscription_user`] |
//! | ask subscribers, and what following a link does | [`confirmation`] |
//! | whether a web endpoint answers | [`detection`] |
//! | what subscriptions want | [`filter`] |
//! | message templates | [`template`] |
//! | publish; how often a topic may be published to | [`publish`], `flow` |
//! | office apps: connect, prove, check | [`connection`] |
//! | their directories and groups | [`directory`] |
//! | members by mail address or phone; members who are gone | [`contact`], [`merge`] |
//! | straight to people and chats; taking it back | [`push`], [`recall`] |
//! | images and files that pushes name | [`attachment`] |
//! | check, test and preview, before anything is done | [`trial`] |
//! | what became of a message | [`delivery`] |
//! | topics that send nothing equal for a while | [`equal`] |
//! | what happens, over time | [`traffic`] |
//! | how endpoints fare, resuming them, whom to tell | [`endpoint`] |
//! | send deliveries again, or cancel them | [`resend`] |
//! | why a subscription, a person or an address did or did not get a message | [`explain`], [`explain_who`] |
//! | every refusal a caller can get | [`error`] |

pub mod account;
pub mod attachment;
pub mod attribute;
pub mod audit;
pub mod callback;
pub mod caller;
pub mod calls;
pub mod chat;
pub mod confirmation;
pub mod connection;
pub mod contact;
pub mod credential;
pub mod delivery;
pub mod detection;
pub mod directory;
pub mod endpoint;
pub mod equal;
pub mod error;
pub mod explain;
pub mod explain_who;
mod explain_words;
pub mod filter;
mod flow;
pub mod glance;
pub mod install;
pub mod installation;
pub mod logtank;
pub mod merge;
mod password;
pub mod project;
pub mod publish;
pub mod push;
pub mod reach;
pub mod recall;
pub mod resend;
mod right;
pub mod rotation;
mod sensitive;
pub mod session;
pub mod sign_in;
pub mod subscription;
pub mod subscription_user;
pub mod tag;
pub mod template;
pub mod topic;
pub mod traffic;
pub mod trial;
mod trial_mail;

use std::num::NonZeroU64;
use std::sync::Arc;

use carillon_model::id::RequestId;
use carillon_model::link::Links;
use carillon_model::urn::TopicUrn;
use carillon_model::{Chance, Clock, Timestamp};
use carillon_provider::Providers;
use carillon_store::Store;

pub use caller::Caller;
pub use error::{Error, Unauthenticated};

// What lists are asked with; the front doors do not know the store.
pub use carillon_provider::{Finding, Wanted, reason_words};
pub use carillon_store::Page;
pub use carillon_store::attachment::KeptAttachment;
pub use carillon_store::audit::{AuditFilter, AuditLine};
pub use carillon_store::credential::ListedCredential;
pub use carillon_store::directory::{Addressed, Expanded, Kept, RecipientFilter, Unreached};
pub use carillon_store::member::Member;
pub use carillon_store::office_change::MemberChange;
pub use carillon_store::office_contact::Member as BoundMember;
pub use carillon_store::office_group::{Group, GroupPart, GroupPartKind};
pub use carillon_store::office_merge::Alike;
pub use carillon_store::office_missed::Missed;
pub use carillon_store::office_run::Run;
pub use carillon_store::project::Project;
pub use carillon_store::rotation::KeyUse;
pub use carillon_store::shard::Server;
pub use carillon_store::subscription::SubscriptionFilter;
pub use carillon_store::tag::FullTopic;
pub use carillon_store::template::TemplateFilter;
pub use carillon_store::topic::TopicFilter;

/// The service and the parts it is built from. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    store: Store,
    providers: Arc<Providers>,
    clock: Arc<dyn Clock>,
    chance: Arc<dyn Chance>,
    region: Arc<str>,
    failures: Arc<sign_in::Failures>,
    detections: Arc<detection::Detections>,
    flow: Arc<flow::Flow>,
    mail_tests: Arc<trial_mail::MailTests>,
    pictures: Arc<traffic::Pictures>,
    public_url: Option<Links>,
    logs_deliveries: bool,
    sensitive: Arc<sensitive::SensitiveWords>,
}

impl Service {
    /// Builds the service. `region` stands in every URN.
    pub fn new(
        store: Store,
        providers: Arc<Providers>,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        region: &str,
    ) -> Self {
        let failures = Arc::new(sign_in::Failures::default());
        let detections = Arc::new(detection::Detections::default());
        let flow = Arc::new(flow::Flow::default());
        Self {
            store,
            providers,
            clock,
            chance,
            region: region.into(),
            failures,
            detections,
            flow,
            mail_tests: Arc::default(),
            pictures: Arc::default(),
            public_url: None,
            logs_deliveries: false,
            sensitive: Arc::default(),
        }
    }

    /// The same service, which takes at most so many messages within a minute for one topic.
    #[must_use]
    pub fn with_publishes_per_minute(self, most: Option<NonZeroU64>) -> Self {
        Self { flow: Arc::new(flow::Flow::new(most)), ..self }
    }

    /// The same service, which takes no message that holds one of these words.
    #[must_use]
    pub fn with_sensitive_words(self, words: &[String]) -> Self {
        Self { sensitive: Arc::new(sensitive::SensitiveWords::new(words)), ..self }
    }

    /// The same service, reached at this address, if the operator named one.
    #[must_use]
    pub fn with_public_url(self, public_url: Option<Links>) -> Self {
        Self { public_url, ..self }
    }

    /// The address at which it is reached, if the operator named one.
    #[must_use]
    pub fn public_url(&self) -> Option<&Links> {
        self.public_url.as_ref()
    }

    /// The same service, whose deliveries are logged where topics have log tanks.
    #[must_use]
    pub fn with_delivery_log(self, logs_deliveries: bool) -> Self {
        Self { logs_deliveries, ..self }
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A fresh id for a request.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        RequestId::new(self.clock.now(), self.chance.as_ref())
    }

    /// The region that stands in URNs.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether a publish would be accepted now.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn check(&self) -> Result<(), Error> {
        Ok(self.store.check().await?)
    }

    /// The URN of a topic of `caller`'s project.
    fn urn(&self, caller: &Caller, topic: &carillon_model::topic::TopicName) -> TopicUrn {
        TopicUrn { region: self.region.to_string(), project: caller.project.clone(), topic: topic.clone() }
    }
}
