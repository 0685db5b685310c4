//! The handle of a running simulator.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::mail;
use crate::office::{OfficeApp, Upload};
use crate::record::{Call, Received};
use crate::registry::{DingtalkApp, Robot};
use crate::script::Act;
use crate::serve;
use crate::world::{World, lock};

/// A simulator that serves; it ends when this is stopped or dropped.
pub struct Running {
    world: Arc<World>,
    addr: SocketAddr,
    mail_addr: Option<SocketAddr>,
    stop: CancellationToken,
    /// Holds the listener's task, which holds those of its connections.
    tasks: JoinSet<()>,
}

impl Running {
    pub(crate) async fn begin(
        world: World,
        listen: SocketAddr,
        mail: Option<SocketAddr>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let addr = listener.local_addr()?;
        let mail = match mail {
            Some(mail) => Some(TcpListener::bind(mail).await?),
            None => None,
        };
        let mail_addr = mail.as_ref().map(TcpListener::local_addr).transpose()?;
        let (world, stop) = (Arc::new(world), CancellationToken::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(serve::serve(listener, world.clone(), stop.clone()));
        if let Some(mail) = mail {
            tasks.spawn(mail::serve(mail, world.clone(), stop.clone()));
        }
        Ok(Self { world, addr, mail_addr, stop, tasks })
    }

    /// Returns the address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns its base address, such as `http://127.0.0.1:8867`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", reachable(self.addr))
    }

    /// Returns the mail relay's URL, such as `smtp://127.0.0.1:2525`, if there is one.
    #[must_use]
    pub fn mail_url(&self) -> Option<String> {
        self.mail_addr.map(|addr| format!("smtp://{}", reachable(addr)))
    }

    /// Returns every message shown in a chat, oldest first (the newest 100,000, and 20,000 of one chat).
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        lock(&self.world.records).received()
    }

    /// Returns every request that came in with its verdict, refused ones too, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.world.records).calls()
    }

    /// Makes the robot of this token do something else for the next calls, or until cleared. A DingTalk app goes
    /// by its robot code for sending and by its app key for fetching tokens; a receiver by its name, a mailbox by its address,
    /// a message of an office app on Lark or WeCom by whom it is for.
    pub fn script(&self, token: &str, act: Act, times: Option<u32>) {
        lock(&self.world.scripts).set(token, act, times);
    }

    /// Makes the robot of this token behave again.
    pub fn clear_script(&self, token: &str) {
        lock(&self.world.scripts).clear(token);
    }

    /// Registers a robot, or replaces the one of the same platform and token.
    pub fn add_robot(&self, robot: Robot) {
        lock(&self.world.registry).add_robot(robot);
    }

    /// Registers an app, or replaces the one of the same app key.
    pub fn add_app(&self, app: DingtalkApp) {
        lock(&self.world.registry).add_app(app);
    }

    /// Switches a robot off as its owner would: DingTalk then answers 400102 (an app's robot `bot.stopped`), Lark
    /// 19001, WeCom 93000; a mailbox is unknown, 550. Registering it again switches it on.
    pub fn stop_robot(&self, token: &str) {
        lock(&self.world.registry).stop_robot(token);
    }

    /// Sets which users a DingTalk app reaches only later: batchSend lists them in `flowControlledStaffIdList`.
    pub fn set_flow_controlled(&self, users: impl IntoIterator<Item = String>) {
        lock(&self.world.registry).set_flow_controlled(users.into_iter().collect());
    }

    /// Kills the access token of a DingTalk app before its time.
    pub fn expire_tokens(&self, app_key: &str) {
        lock(&self.world.dingtalk).expire_tokens(app_key);
    }

    /// Registers an office app, or replaces the one of the same platform and id.
    pub fn add_office(&self, app: OfficeApp) {
        let mut registry = lock(&self.world.registry);
        lock(&self.world.office).add(app, &mut registry);
    }

    /// Changes an office app's company, range or permissions, as an admin console would. Tells whether it is there.
    pub fn change_office(&self, app_id: &str, change: impl FnOnce(&mut OfficeApp)) -> bool {
        let mut registry = lock(&self.world.registry);
        lock(&self.world.office).change(app_id, &mut registry, change)
    }

    /// Kills the access tokens of an office app before their time.
    pub fn expire_office_tokens(&self, app_id: &str) {
        lock(&self.world.office).expire_tokens(app_id);
        lock(&self.world.dingtalk).expire_tokens(app_id);
    }

    /// Returns the chats that a message of an office app was taken back from, in order.
    #[must_use]
    pub fn recalled(&self) -> Vec<String> {
        lock(&self.world.office).recalled().to_vec()
    }

    /// Returns what office apps have uploaded, oldest first (the newest 1000).
    #[must_use]
    pub fn uploads(&self) -> Vec<Upload> {
        lock(&self.world.office).uploads().to_vec()
    }

    /// Makes everything that office apps have uploaded unknown, as if its time were over.
    pub fn expire_uploads(&self) {
        lock(&self.world.office).expire_uploads();
    }

    /// Returns the access tokens of all office apps that are good now.
    #[must_use]
    pub fn office_tokens(&self) -> Vec<String> {
        let mut tokens = lock(&self.world.office).living_tokens();
        tokens.extend(lock(&self.world.dingtalk).living_tokens());
        tokens
    }

    /// Returns how many connections the mail relay has taken.
    #[must_use]
    pub fn mail_connections(&self) -> u64 {
        self.world.mail_connections.load(Ordering::Relaxed)
    }

    /// Lets the mail relay hang up on every client that waits between two commands, as relays do with idle ones.
    pub fn hang_up_mail(&self) {
        self.world.mail_hang_up.notify_waiters();
    }

    /// Forgets all messages and calls.
    pub fn clear_received(&self) {
        lock(&self.world.records).clear();
    }

    /// Waits until that many messages are shown or the time is over, and returns what there is, oldest first.
    pub async fn received_at_least(&self, count: usize, within: Duration) -> Vec<Received> {
        let enough = async {
            loop {
                // Registered before looking, so that a message in between is not missed.
                let mut arrived = std::pin::pin!(self.world.arrived.notified());
                arrived.as_mut().enable();
                if lock(&self.world.records).len() >= count {
                    return;
                }
                arrived.await;
            }
        };
        if tokio::time::timeout(within, enough).await.is_err() {
            tracing::debug!(count, "fewer messages than waited for");
        }
        self.received()
    }

    /// Stops: answers under way get half a second, scripted waits end at once.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        self.tasks.abort_all();
    }
}

/// The address under which this machine reaches a listener.
fn reachable(mut addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        addr.set_ip(match addr.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    addr
}
