//! The pretend far ends of a notification service: DingTalk, Lark and Feishu, WeCom, a plain receiver, and a mail
//! relay.
//!
//! They are as strict as the real ones: where the platform would refuse, they refuse, with the platform's own
//! code in its own answer shape. One HTTP listener stands for all hosts; the paths differ. Mail has a listener of its
//! own. What arrived is shown on a page at `/` and listed by [`Running::received`] and `GET /_simulator/received`.
//!
//! One file (or folder) per far end. Each judges a request by what is registered and what it remembers, and
//! returns a verdict; none of them knows HTTP beyond the request's parts, the page, or another far end.

mod clock;
mod control;
mod dingtalk;
mod lark;
mod limit;
mod mail;
mod markdown;
mod md5;
mod misbehave;
mod multipart;
mod office;
mod page;
mod record;
mod registry;
mod route;
mod running;
mod script;
mod serve;
mod sign;
mod unplugged;
mod verdict;
mod webhook;
mod wecom;
mod world;

use std::net::SocketAddr;
use std::sync::Arc;

pub use clock::{Clock, ManualClock, SystemClock};
pub use office::{OfficeApp, OfficeDepartment, OfficeMember, Upload};
pub use record::{Call, Received};
pub use registry::{DingtalkApp, Platform, Robot};
pub use running::Running;
pub use script::Act;
pub use unplugged::{Answered, Unplugged};

use dingtalk::Dingtalk;
use office::Office;
use registry::Registry;
use world::World;

/// A simulator being put together.
pub struct Simulator {
    clock: Arc<dyn Clock>,
    registry: Registry,
    dingtalk: Dingtalk,
    office: Office,
    mail: Option<SocketAddr>,
}

impl Default for Simulator {
    fn default() -> Self {
        Self::new()
    }
}

impl Simulator {
    /// Begins with nothing registered and the machine's clock.
    #[must_use]
    pub fn new() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            registry: Registry::default(),
            dingtalk: Dingtalk::default(),
            office: Office::default(),
            mail: None,
        }
    }

    /// Replaces the clock that all windows, rates and tokens go by.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Registers a robot.
    #[must_use]
    pub fn robot(mut self, robot: Robot) -> Self {
        self.registry.add_robot(robot);
        self
    }

    /// Registers a DingTalk internal app.
    #[must_use]
    pub fn app(mut self, app: DingtalkApp) -> Self {
        self.registry.add_app(app);
        self
    }

    /// Registers an office app with its company.
    #[must_use]
    pub fn office(mut self, app: OfficeApp) -> Self {
        self.office.add(app, &mut self.registry);
        self
    }

    /// Bounds the messages all DingTalk robots together may send in a calendar month; past it they get 90030.
    #[must_use]
    pub fn dingtalk_webhook_quota(mut self, most: u64) -> Self {
        self.dingtalk.set_webhook_quota(most);
        self
    }

    /// Bounds the sending calls all DingTalk apps together may make in a calendar month; past it they get HTTP 403
    /// `Forbidden.AccessDenied.ApiCountLimitForOrg`.
    #[must_use]
    pub fn dingtalk_api_quota(mut self, most: u64) -> Self {
        self.dingtalk.set_api_quota(most);
        self
    }

    /// Adds a mail relay that listens on an address of its own.
    #[must_use]
    pub fn mail(mut self, listen: SocketAddr) -> Self {
        self.mail = Some(listen);
        self
    }

    /// Lets the mail relay demand a login.
    #[must_use]
    pub fn mail_login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.registry.set_mail_login(user.into(), password.into());
        self
    }

    /// Listens nowhere: whoever has a request hands it in and gets the answer. With a clock that is moved by hand, hours of
    /// a platform's limits pass at once.
    #[must_use]
    pub fn unplugged(self) -> Unplugged {
        Unplugged::new(World::new(self.clock, self.registry, self.dingtalk, self.office))
    }

    /// Binds and serves until the handle is dropped or stopped. Listening on loopback only is the caller's choice.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound.
    pub async fn start(self, listen: SocketAddr) -> std::io::Result<Running> {
        let world = World::new(self.clock, self.registry, self.dingtalk, self.office);
        Running::begin(world, listen, self.mail).await
    }
}
