//! Every limit of the product, as a named constant with its unit. SMN's own are marked so.

use std::time::Duration;

/// The longest topic name, in characters (SMN).
pub const TOPIC_NAME_CHARS_MAX: usize = 255;
/// The longest display name, in bytes of UTF-8 (SMN).
pub const DISPLAY_NAME_BYTES_MAX: usize = 192;
/// The longest remark, in bytes of UTF-8 (SMN).
pub const REMARK_BYTES_MAX: usize = 128;
/// The longest subject, in bytes of UTF-8 (SMN).
pub const SUBJECT_BYTES_MAX: usize = 512;
/// The largest message, in bytes of UTF-8, and the largest message structure (SMN: 256 KB).
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// The longest address, in bytes.
pub const ENDPOINT_BYTES_MAX: usize = 2048;
/// The longest keyword of a robot, in bytes of UTF-8.
pub const KEYWORD_BYTES_MAX: usize = 256;
/// The longest signing secret, in bytes.
pub const SIGN_SECRET_BYTES_MAX: usize = 256;
/// The longest application key (SMN).
pub const APP_KEY_BYTES_MAX: usize = 64;
/// The longest application secret (SMN).
pub const APP_SECRET_BYTES_MAX: usize = 128;
/// The longest robot code (SMN).
pub const ROBOT_CODE_BYTES_MAX: usize = 64;
/// The most custom headers of an HTTP subscription (SMN).
pub const HEADERS_MAX: usize = 10;
/// All custom header names and values together, in characters (SMN).
pub const HEADERS_CHARS_MAX: usize = 1024;
/// The longest a message may wait, in seconds (SMN: one day).
pub const TIME_TO_LIVE_SECONDS_MAX: u64 = 86_400;
/// How long a message may wait when the publisher does not say (SMN: one hour).
pub const TIME_TO_LIVE_SECONDS_DEFAULT: u64 = 3_600;
/// The most topics of a project (SMN).
pub const TOPICS_MAX: u64 = 3_000;
/// The most subscriptions of a topic (SMN).
pub const SUBSCRIPTIONS_MAX: u64 = 10_000;
/// The most subscriptions added in one call (SMN).
pub const SUBSCRIPTIONS_BATCH_MAX: usize = 50;
/// The largest page of a list (SMN).
pub const PAGE_MAX: u64 = 100;
/// The most message attributes of one publish.
pub const MESSAGE_ATTRIBUTES_MAX: usize = 10;
/// The longest idempotency or platform text kept with an attempt, in bytes.
pub const PLATFORM_TEXT_BYTES_MAX: usize = 500;
/// The largest request body of the API, in bytes: a message with every character escaped as `\uXXXX` (SMN's gateway
/// takes up to 12 MB).
pub const REQUEST_BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// How far a signed request's clock may be off (SMN's gateway).
pub const SIGNATURE_SKEW_MAX: Duration = Duration::from_secs(15 * 60);
/// How many wrong signatures or passwords in a row, from one client address, lock a key or an account for that address
/// (SMN's gateway; it does not say whether addresses count).
pub const SIGN_IN_FAILURES_MAX: u32 = 5;
/// How many of them within [`SIGN_IN_LOCK`], from all addresses together, lock a key or an account for everybody.
pub const SIGN_IN_FAILURES_EVERYWHERE_MAX: u32 = 50;
/// How long it stays locked (SMN's gateway).
pub const SIGN_IN_LOCK: Duration = Duration::from_secs(5 * 60);
/// How long a token of the small IAM is good (SMN: 24 hours).
pub const TOKEN_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a session of the console lasts at most.
pub const SESSION_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long a session lasts that nobody uses.
pub const SESSION_IDLE: Duration = Duration::from_secs(8 * 60 * 60);
/// How old the note may be of when a session was used last.
pub const SESSION_NOTE_EVERY: Duration = Duration::from_secs(5 * 60);
/// The longest key that a publisher may give a publish, in bytes of printable ASCII.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 128;
/// How long the same key means the same publish.
pub const IDEMPOTENCY_KEY_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest time for which a topic sends nothing that says the same again, in seconds: a day.
pub const SUPPRESSION_SECONDS_MAX: u32 = 24 * 60 * 60;
/// The most deliveries that one call resends or cancels.
pub const MOVE_BATCH_MAX: u64 = 1_000;
/// How long the link is good that confirms a subscription (SMN: 48 hours).
pub const CONFIRMATION_LIFE: Duration = Duration::from_secs(48 * 60 * 60);
/// How many confirmations go to one web endpoint within [`WEB_CONFIRMATIONS_WINDOW`] (SMN).
pub const WEB_CONFIRMATIONS_MAX: u64 = 200;
/// The time in which they are counted.
pub const WEB_CONFIRMATIONS_WINDOW: Duration = Duration::from_secs(10 * 60);
/// How many confirmations go to one mailbox within [`MAIL_CONFIRMATIONS_WINDOW`] (SMN).
pub const MAIL_CONFIRMATIONS_MAX: u64 = 20;
/// The time in which they are counted.
pub const MAIL_CONFIRMATIONS_WINDOW: Duration = Duration::from_secs(60 * 60);
/// How many confirmations go to one mailbox within [`MAIL_CONFIRMATIONS_LONG_WINDOW`] (SMN).
pub const MAIL_CONFIRMATIONS_LONG_MAX: u64 = 40;
/// The longer time in which they are counted.
pub const MAIL_CONFIRMATIONS_LONG_WINDOW: Duration = Duration::from_secs(2 * 24 * 60 * 60);
/// How many test messages go to one mailbox within [`MAIL_TESTS_WINDOW`].
pub const MAIL_TESTS_MAX: u64 = 6;
/// The time in which they are counted.
pub const MAIL_TESTS_WINDOW: Duration = Duration::from_secs(24 * 60 * 60);
/// How many test messages go from one project to mailboxes within [`MAIL_TESTS_PROJECT_WINDOW`].
pub const MAIL_TESTS_PROJECT_MAX: u64 = 30;
/// The time in which they are counted.
pub const MAIL_TESTS_PROJECT_WINDOW: Duration = Duration::from_secs(60 * 60);
/// How many times a message is tried at a web endpoint (SMN).
pub const WEB_ATTEMPTS_MAX: u32 = 6;
/// How many detections are remembered.
pub const DETECTIONS_MAX: usize = 1_000;
/// How many detections are under way at once.
pub const DETECTIONS_AT_ONCE: usize = 16;
/// The most filter policies of a subscription.
pub const FILTER_POLICIES_MAX: usize = 10;
/// The most subscriptions whose filter policies one call changes.
pub const FILTER_POLICIES_BATCH_MAX: usize = 100;
/// The most values of a filter policy or of a message attribute (SMN).
pub const FILTER_VALUES_MAX: usize = 10;
/// The longest name of a filter policy or of a message attribute, in characters (SMN).
pub const FILTER_NAME_CHARS_MAX: usize = 32;
/// The longest value of a filter policy or of a message attribute, in characters (SMN).
pub const FILTER_VALUE_CHARS_MAX: usize = 32;
/// The most message templates of a project (SMN).
pub const TEMPLATES_MAX: u64 = 100;
/// The longest name of a message template, in characters (SMN).
pub const TEMPLATE_NAME_CHARS_MAX: usize = 64;
/// The longest placeholder of a message template, in characters (SMN).
pub const PLACEHOLDER_CHARS_MAX: usize = 21;
/// The most different placeholders of a message template (SMN).
pub const PLACEHOLDERS_MAX: usize = 90;
/// The most places of a message template that hold a placeholder (SMN).
pub const PLACEHOLDER_PLACES_MAX: usize = 256;
/// The longest value that a publish gives for a placeholder, in bytes of UTF-8 (SMN: 1 KB).
pub const PLACEHOLDER_VALUE_BYTES_MAX: usize = 1024;
/// The largest access policy, in bytes of UTF-8 (SMN: 30 KB).
pub const ACCESS_POLICY_BYTES_MAX: usize = 30 * 1024;
/// The longest introduction of a topic, in bytes of UTF-8 (SMN).
pub const INTRODUCTION_BYTES_MAX: usize = 120;
/// The most tags of a topic (SMN; its older documents say 10).
pub const TAGS_MAX: usize = 20;
/// The longest key of a tag, in characters (SMN).
pub const TAG_KEY_CHARS_MAX: usize = 128;
/// The longest value of a tag, in characters (SMN).
pub const TAG_VALUE_CHARS_MAX: usize = 256;
/// The most keys of one tag filter, and the most values of each (SMN).
pub const TAG_FILTER_MAX: usize = 10;
/// The largest page of a list of tagged topics (SMN).
pub const TAG_PAGE_MAX: u64 = 1_000;
/// How far back statistics reach (SMN: 31 days).
pub const STATISTICS_SPAN: Duration = Duration::from_secs(31 * 24 * 60 * 60);
/// The most names and patterns of topics that a publisher is given.
pub const TOPIC_PATTERNS_MAX: usize = 50;
/// The longest name of an account, in bytes.
pub const ACCOUNT_NAME_BYTES_MAX: usize = 64;
/// The shortest password, in bytes.
pub const PASSWORD_BYTES_MIN: usize = 12;
/// The longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// The longest note of a key or token, in bytes.
pub const NOTE_BYTES_MAX: usize = 128;
/// The most projects of an installation.
pub const PROJECTS_MAX: u64 = 1_000;
/// The most accounts of a project.
pub const ACCOUNTS_MAX: u64 = 1_000;
/// The most access keys of an account in a project.
pub const KEYS_MAX: u64 = 20;
/// The most tokens of an account in a project that have not ended.
pub const TOKENS_MAX: u64 = 1_000;
/// The longest life of a token that ends, in seconds: ten years.
pub const TOKEN_SECONDS_MAX: u64 = 10 * 366 * 24 * 60 * 60;
/// How long the audit log is kept.
pub const AUDIT_LIFE: Duration = Duration::from_secs(400 * 24 * 60 * 60);
/// The longest text that a line of the audit log says of its deed, in bytes.
pub const AUDIT_WHAT_BYTES_MAX: usize = 512;
/// The longest name of a connection or of a group of people, in characters.
pub const CONNECTION_NAME_CHARS_MAX: usize = 64;
/// The most connections of a project.
pub const CONNECTIONS_MAX: u64 = 100;
/// The most log tanks of a topic.
pub const LOGTANKS_MAX: u64 = 10;
/// The longest id of a log group or stream, in bytes.
pub const LOG_ID_BYTES_MAX: usize = 64;
/// The most subscription users of a project.
pub const USERS_MAX: u64 = 1_000;
/// The longest name or group of a subscription user, in characters (SMN).
pub const USER_NAME_CHARS_MAX: usize = 32;
/// The most members that one push pings.
pub const MENTIONS_MAX: usize = 50;
/// The most mail addresses and phone numbers that are bound to members at once: DingTalk and WeCom are asked for one after
/// the other, twenty a second.
pub const CONTACTS_MAX: usize = 200;
/// The most recipients that one push names.
pub const PUSH_RECIPIENTS_MAX: usize = 1_000;
/// The most people and chats that one message is expanded into.
pub const PUSH_EXPANDED_MAX: usize = 50_000;
/// The largest image or file, in bytes: the most that any platform takes (Lark, "upload a file").
pub const ATTACHMENT_BYTES_MAX: usize = 30 * 1024 * 1024;
/// The most bytes of images and files that a project keeps.
pub const ATTACHMENTS_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// The longest name of an image or a file, in bytes.
pub const ATTACHMENT_NAME_BYTES_MAX: usize = 200;
/// The most images and files of one push.
pub const ATTACHMENTS_MAX: usize = 10;
/// How long the bytes of an image or a file are kept after the last push that named it: longer than any push may wait, so
/// that it can be sent again.
pub const ATTACHMENT_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long they are kept when no push names them.
pub const ATTACHMENT_UNUSED_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
