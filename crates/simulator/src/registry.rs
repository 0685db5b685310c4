//! Who is known: robots and apps, with what guards them.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The far ends that can be pretended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// A DingTalk group robot, reached by its access token.
    Dingtalk,
    /// A DingTalk internal app, reached by app key and app secret.
    DingtalkApp,
    /// A Lark custom bot, on `open.larksuite.com`.
    Lark,
    /// A Feishu custom bot, on `open.feishu.cn`.
    Feishu,
    /// A WeCom group robot, reached by its key.
    Wecom,
    /// A plain HTTP receiver.
    Webhook,
    /// A mailbox behind an SMTP relay.
    Mail,
}

/// A group robot (or plain receiver) and its security settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Robot {
    /// The platform it belongs to.
    pub platform: Platform,
    /// The credential in its webhook address: access token, hook token, key, or receiver name.
    pub token: String,
    /// The shown name of the chat it posts to.
    pub chat: String,
    /// The secret that every call must be signed with, if signing is on (DingTalk, Lark, Feishu).
    pub sign_secret: Option<String>,
    /// The words of which a message must hold one, if any are set (DingTalk, Lark, Feishu).
    pub keywords: Vec<String>,
    /// The addresses that may call, if any are set (DingTalk, Lark, Feishu).
    pub allowed_ips: Vec<IpAddr>,
}

impl Robot {
    fn new(platform: Platform, token: impl Into<String>, chat: impl Into<String>) -> Self {
        Self {
            platform,
            token: token.into(),
            chat: chat.into(),
            sign_secret: None,
            keywords: Vec::new(),
            allowed_ips: Vec::new(),
        }
    }

    /// Makes an unguarded DingTalk group robot.
    pub fn dingtalk(token: impl Into<String>, chat: impl Into<String>) -> Self {
        Self::new(Platform::Dingtalk, token, chat)
    }

    /// Makes an unguarded Lark custom bot.
    pub fn lark(token: impl Into<String>, chat: impl Into<String>) -> Self {
        Self::new(Platform::Lark, token, chat)
    }

    /// Makes an unguarded Feishu custom bot.
    pub fn feishu(token: impl Into<String>, chat: impl Into<String>) -> Self {
        Self::new(Platform::Feishu, token, chat)
    }

    /// Makes a WeCom group robot.
    pub fn wecom(token: impl Into<String>, chat: impl Into<String>) -> Self {
        Self::new(Platform::Wecom, token, chat)
    }

    /// Makes a plain receiver at `/hook/{name}`.
    pub fn webhook(name: impl Into<String>, chat: impl Into<String>) -> Self {
        Self::new(Platform::Webhook, name, chat)
    }

    /// Makes a mailbox; its token is its address.
    pub fn mailbox(address: impl Into<String>, chat: impl Into<String>) -> Self {
        Self::new(Platform::Mail, address, chat)
    }

    /// Turns signing on.
    #[must_use]
    pub fn with_secret(mut self, secret: impl Into<String>) -> Self {
        self.sign_secret = Some(secret.into());
        self
    }

    /// Adds a keyword; one of all keywords must be in every message.
    #[must_use]
    pub fn with_keyword(mut self, keyword: impl Into<String>) -> Self {
        self.keywords.push(keyword.into());
        self
    }

    /// Adds an address to those that may call.
    #[must_use]
    pub fn with_allowed_ip(mut self, address: IpAddr) -> Self {
        self.allowed_ips.push(address);
        self
    }

    /// Says whether the message texts hold one of the keywords, or none is wanted.
    pub(crate) fn keyword_found<'a>(&self, mut texts: impl Iterator<Item = &'a str>) -> bool {
        self.keywords.is_empty()
            || texts.any(|text| self.keywords.iter().any(|word| text.contains(word.as_str())))
    }

    /// Says whether the caller's address may call.
    pub(crate) fn admits(&self, from: IpAddr) -> bool {
        self.allowed_ips.is_empty() || self.allowed_ips.contains(&from.to_canonical())
    }
}

/// A DingTalk internal app with the conversations and people its robot reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DingtalkApp {
    /// The app key (client id).
    pub app_key: String,
    /// The app secret (client secret).
    pub app_secret: String,
    /// The code of the app's robot.
    pub robot_code: String,
    /// The groups that hold the robot, each as `openConversationId` and chat name.
    pub conversations: Vec<(String, String)>,
    /// The people it may write to, each as `userId` and name.
    pub users: Vec<(String, String)>,
}

/// All that is registered.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    robots: BTreeMap<(Platform, String), Robot>,
    stopped: HashSet<String>,
    apps: Vec<DingtalkApp>,
    flow_controlled: HashSet<String>,
    mail_login: Option<(String, String)>,
}

impl Registry {
    pub(crate) fn add_robot(&mut self, robot: Robot) {
        self.stopped.remove(&robot.token);
        self.robots.insert((robot.platform, robot.token.clone()), robot);
    }

    pub(crate) fn add_app(&mut self, app: DingtalkApp) {
        self.apps.retain(|known| known.app_key != app.app_key);
        self.apps.push(app);
    }

    pub(crate) fn robot(&self, platform: Platform, token: &str) -> Option<&Robot> {
        self.robots.get(&(platform, token.to_owned()))
    }

    pub(crate) fn robots(&self) -> impl Iterator<Item = &Robot> {
        self.robots.values()
    }

    pub(crate) fn stop_robot(&mut self, token: &str) {
        self.stopped.insert(token.to_owned());
    }

    pub(crate) fn is_stopped(&self, token: &str) -> bool {
        self.stopped.contains(token)
    }

    pub(crate) fn app_by_key(&self, app_key: &str) -> Option<&DingtalkApp> {
        self.apps.iter().find(|app| app.app_key == app_key)
    }

    pub(crate) fn app_by_robot(&self, robot_code: &str) -> Option<&DingtalkApp> {
        self.apps.iter().find(|app| app.robot_code == robot_code)
    }

    pub(crate) fn apps(&self) -> &[DingtalkApp] {
        &self.apps
    }

    pub(crate) fn set_mail_login(&mut self, user: String, password: String) {
        self.mail_login = Some((user, password));
    }

    /// User and password that the mail relay demands, if it does.
    pub(crate) fn mail_login(&self) -> Option<&(String, String)> {
        self.mail_login.as_ref()
    }

    pub(crate) fn set_flow_controlled(&mut self, users: HashSet<String>) {
        self.flow_controlled = users;
    }

    pub(crate) fn is_flow_controlled(&self, user: &str) -> bool {
        self.flow_controlled.contains(user)
    }
}

/// Shortens a credential to what may be shown: its ends if it is long, nothing of it otherwise.
pub(crate) fn masked(token: &str) -> String {
    let letters: Vec<char> = token.chars().collect();
    if letters.len() < 16 {
        return "****".to_owned();
    }
    let ends = |part: &[char]| part.iter().collect::<String>();
    format!("{}****{}", ends(&letters[..4]), ends(&letters[letters.len() - 4..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tokens_are_hidden_whole() {
        assert_eq!(masked("abc"), "****");
        assert_eq!(masked("0f0e0d0c-0b0a-4908-8706-050403020100"), "0f0e****0100");
        assert_eq!(masked(&"密".repeat(20)), "密密密密****密密密密");
    }
}
