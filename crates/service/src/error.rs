//! Every refusal a caller can get: a closed list, which each dialect of the API turns into its own codes.

use std::time::Duration;

use carillon_model::delivery::DeliveryState;
use carillon_model::office::directory::RunState;
use carillon_model::role::{Right, Role};
use carillon_model::{Field, Invalid};
use carillon_store::directory::Unreached;

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// There is neither token nor signature.
    #[error("send a token in X-Auth-Token or sign the request with an access key")]
    Missing,
    /// The Authorization header has another form or algorithm.
    #[error(
        "the Authorization header must be SDK-HMAC-SHA256 Access=…, SignedHeaders=…, Signature=… or Bearer …"
    )]
    Malformed,
    /// There is no such access key.
    #[error("the access key does not exist")]
    UnknownKey,
    /// The signature does not fit the request.
    #[error("verify aksk signature fail, the signature does not match the request")]
    WrongSignature,
    /// The request was signed too long ago or ahead of time.
    #[error("verify aksk signature fail, X-Sdk-Date is more than 15 minutes away from the server's clock")]
    Skewed,
    /// Too many wrong signatures or passwords in a row.
    #[error("locked for 5 minutes after too many failures")]
    Locked,
    /// The token is unknown or has ended.
    #[error("the token is unknown or has ended, ask for a new one")]
    UnknownToken,
    /// The name or the password is wrong.
    #[error("the user name or password is wrong")]
    WrongPassword,
}

/// Why the service did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule of the input was broken.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The caller is not known.
    #[error(transparent)]
    Unauthenticated(#[from] Unauthenticated),
    /// The caller may not do this.
    #[error("the caller has no right to this project")]
    NoPermission,
    /// The caller's role does not allow this.
    #[error("the role {role} may not {}", right.words())]
    RoleForbids {
        /// The role that the caller acts in.
        role: Role,
        /// What it lacks.
        right: Right,
    },
    /// Only the installation's operator may do this.
    #[error("only the operator of the installation may do this")]
    NotOperator,
    /// The project has no such account.
    #[error("there is no such account in the project")]
    AccountNotFound,
    /// There is an account of that name.
    #[error("there is an account of that name, choose another")]
    AccountExists,
    /// The project has as many accounts as it may.
    #[error("the project has 1000 accounts, the most it may have")]
    AccountsFull,
    /// The account is not this project's alone.
    #[error(
        "the account is the operator's or belongs to other projects as well, only the operator may do this"
    )]
    AccountShared,
    /// The project would be left without an administrator.
    #[error("it is the project's last administrator, make another one first")]
    LastAdministrator,
    /// The caller's present password is another.
    #[error("the present password is wrong")]
    WrongPassword,
    /// There is no such access key.
    #[error("there is no such access key")]
    KeyNotFound,
    /// The account has as many access keys as it may.
    #[error("the account has 20 access keys in the project, the most it may have")]
    KeysFull,
    /// The project keeps as many bytes of images and files as it may.
    #[error(
        "the project keeps 2 GiB of images and files, the most it may; each goes 7 days after its last push"
    )]
    AttachmentsFull,
    /// There is no such token.
    #[error("there is no such token")]
    TokenNotFound,
    /// The account has as many tokens as it may.
    #[error("the account has 1000 tokens in the project, the most it may have")]
    TokensFull,
    /// There is a project of that id or name.
    #[error("there is a project of that id or name")]
    ProjectExists,
    /// The installation has as many projects as it may.
    #[error("there are 1000 projects, the most there may be")]
    ProjectsFull,
    /// Something belongs to the project.
    #[error(
        "the project is in use: delete what belongs to it first, and act in another project while you delete it"
    )]
    ProjectInUse,
    /// There is no such project.
    #[error("there is no such project")]
    ProjectNotFound,
    /// There is no such topic.
    #[error("there is no such topic")]
    TopicNotFound,
    /// There is no such subscription.
    #[error("there is no such subscription")]
    SubscriptionNotFound,
    /// The operator has set up no delivery log.
    #[error(
        "delivery logs are not offered here: the operator must set --delivery-log (CARILLON_DELIVERY_LOG); what became \
         of each message is at /api/v1/messages/{{message_id}}/deliveries"
    )]
    NoDeliveryLog,
    /// There is no such log tank.
    #[error("there is no such log tank")]
    LogtankNotFound,
    /// The topic has as many log tanks as it may.
    #[error("the topic has 10 log tanks, the most it may have")]
    LogtanksFull,
    /// There is no such subscription user.
    #[error("there is no such subscription user")]
    SubscriptionUserNotFound,
    /// The project has as many subscription users as it may.
    #[error("the project has 1000 subscription users, the most it may have")]
    SubscriptionUsersFull,
    /// Several servers share the database, and a new master key must be in each one's key file first.
    #[error(
        "several servers may share this database: write a new key into the key file (carillon key add), give each \
         server a copy, then try again"
    )]
    NoNewKey,
    /// Old master keys are in use.
    #[error("{0} values are sealed by old keys still, run carillon key rotate first")]
    KeysInUse(u64),
    /// The key file cannot be read or written.
    #[error("{0}")]
    KeyFile(String),
    /// There is no such message.
    #[error("there is no such message")]
    MessageNotFound,
    /// There is no such delivery.
    #[error("there is no such delivery")]
    DeliveryNotFound,
    /// The project has subscribed no such endpoint.
    #[error("there is no such endpoint")]
    EndpointNotFound,
    /// A delivery stands where what was asked for is not allowed.
    #[error("the delivery is {}, only {allowed}", state.name())]
    DeliveryStands {
        /// Where it stands.
        state: DeliveryState,
        /// What would be allowed.
        allowed: &'static str,
    },
    /// A delivery's subscription is gone, so that it can go nowhere.
    #[error(
        "the subscription of the delivery was deleted, so it cannot be resent; subscribe again and publish anew"
    )]
    DeliveryNoTarget,
    /// The message holds a word that the operator keeps out.
    #[error(
        "the message holds a word that the operator of this service keeps out of messages; publish it without"
    )]
    SensitiveWords,
    /// The same idempotency key came with another content before.
    #[error(
        "the idempotency key was used for another message within 24 hours; use a new key for a new message"
    )]
    IdempotencyConflict,
    /// There is no such template.
    #[error("there is no such message template")]
    TemplateNotFound,
    /// There is a template of that name, but none that is the default.
    #[error("the message template has no variant of the protocol default")]
    DefaultTemplateNotFound,
    /// There is a template of that name and protocol.
    #[error("there is a message template of that name and protocol")]
    TemplateExists,
    /// The project has as many templates as it may.
    #[error("the project has as many message templates as it may have")]
    TemplatesFull,
    /// The topic's attribute is not set.
    #[error("the attribute is not set")]
    AttributeNotFound,
    /// The topic has no tag of that key.
    #[error("the topic has no tag of that key")]
    TagNotFound,
    /// The topic would have more tags than it may.
    #[error("a topic has at most 20 tags")]
    TagsFull,
    /// The topic is another project's, and its access policy does not let the caller in.
    #[error("the topic's access policy does not allow {}", .0.name())]
    PolicyRefuses(carillon_model::access_policy::Action),
    /// The project has as many topics as it may.
    #[error("the project has as many topics as it may have")]
    TopicsFull,
    /// The topic has as many subscriptions as it may.
    #[error("the topic has as many subscriptions as it may have")]
    SubscriptionsFull,
    /// The topic was published to as often within the minute as it may be.
    #[error("the topic takes at most {most} messages within a minute, try again in {} seconds", .wait.as_secs())]
    TooFast {
        /// How many it takes.
        most: u64,
        /// When it takes more, in whole seconds.
        wait: Duration,
    },
    /// Too many confirmations or test messages went to one address of late, or test messages from one project.
    #[error("too many confirmations or test messages went out of late, try again later")]
    Throttled,
    /// The token of a link is unknown, another topic's, or older than 48 hours.
    #[error("the link is unknown or older than 48 hours, subscribe again for a new one")]
    WrongToken,
    /// A link that ends a subscription lacks its signature, or has another one's.
    #[error("the link is not one that was handed out for this subscription")]
    WrongLink,
    /// There is no such certificate.
    #[error("there is no such certificate")]
    CertificateNotFound,
    /// There is no such detection, or it was forgotten.
    #[error("there is no such detection task")]
    DetectionNotFound,
    /// There is no such connection.
    #[error("there is no such connection")]
    ConnectionNotFound,
    /// There is a connection of that name.
    #[error("there is a connection of that name")]
    ConnectionExists,
    /// The project has as many connections as it may.
    #[error("the project has 100 connections, the most it may have")]
    ConnectionsFull,
    /// A platform refused an app's credentials, or did not answer.
    #[error("{sentence}")]
    PlatformRefuses {
        /// The part that is wrong, if the platform says which.
        field: Option<Field>,
        /// What to change, with the platform's own code and words.
        sentence: String,
        /// What to change, in Chinese.
        zh: String,
    },
    /// There is no such reading of a directory.
    #[error("there is no such update")]
    RunNotFound,
    /// A reading stands where what was asked for is not allowed.
    #[error("the update is {}, so it cannot be confirmed or cancelled", .0.name())]
    RunStands(RunState),
    /// There is no such group of people.
    #[error("there is no such group")]
    GroupNotFound,
    /// Nobody that a push names can be reached.
    #[error("nobody can be reached: {}", .0.map_or("to names nobody", Unreached::name))]
    NobodyReached(Option<Unreached>),
    /// The endpoint lies in a private network.
    #[error("the endpoint lies in a private network, which the operator has not allowed")]
    PrivateEndpoint,
    /// Nothing can be made durable at present.
    #[error("the service cannot store anything at present, nothing was accepted")]
    Unavailable(#[source] carillon_store::Error),
    /// It is done, but erased bytes are not out of the database's log yet.
    #[error("{0}")]
    Unpurged(#[source] carillon_store::Error),
    /// Something is wrong with what is stored, or with the program.
    #[error("internal error")]
    Internal(#[source] carillon_store::Error),
}

impl From<carillon_store::Error> for Error {
    fn from(error: carillon_store::Error) -> Self {
        use carillon_store::Error as Store;
        match error {
            Store::Unavailable(_) | Store::Setup(_) => Self::Unavailable(error),
            Store::Unpurged => Self::Unpurged(error),
            Store::Corrupt { .. } | Store::Sealed(_) | Store::Conflict => Self::Internal(error),
        }
    }
}
