//! Companies' own apps: a directory, the people and chats that the app reaches, what was granted to it, and its tokens.
//!
//! One company per app. The three platforms' interfaces stand on the same company, each in its own file.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use axum::http::Method;
use serde::{Deserialize, Serialize};

use crate::limit::{Meter, Penalty, Rate};
use crate::registry::{DingtalkApp, Platform, Registry};
use crate::sign;
use crate::verdict::{Asked, Verdict};

mod change;
mod dingtalk;
mod lark;
mod lark_send;
mod media;
mod said;
mod wecom;
mod work;

pub(crate) use change::Change;
pub use media::Upload;

/// How long a token lives, in milliseconds.
const TOKEN_MS: i64 = 7_200_000;

/// A department of a pretend company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeDepartment {
    /// The platform's id: a number for DingTalk and WeCom.
    pub id: String,
    /// The department above it; the root's id, `0` (Lark) or `1`, at the top.
    pub parent: String,
    /// Its name.
    pub name: String,
}

/// A member of a pretend company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeMember {
    /// The platform's user id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The departments the member is in.
    pub departments: Vec<String>,
    /// The mobile number, if there is one.
    #[serde(default)]
    pub mobile: Option<String>,
    /// The mail address, if there is one.
    #[serde(default)]
    pub email: Option<String>,
    /// Whether the member has left the company but is still found by id.
    #[serde(default)]
    pub left: bool,
}

/// An office app with its company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeApp {
    /// `lark`, `feishu`, `dingtalk_app` or `wecom`.
    pub platform: Platform,
    /// Lark's App ID, DingTalk's `AppKey`, WeCom's corp id.
    pub app_id: String,
    /// The secret.
    pub secret: String,
    /// The app's number (WeCom).
    #[serde(default)]
    pub agent_id: u64,
    /// The robot's code (DingTalk).
    #[serde(default)]
    pub robot_code: String,
    /// The departments.
    #[serde(default)]
    pub departments: Vec<OfficeDepartment>,
    /// The members.
    #[serde(default)]
    pub members: Vec<OfficeMember>,
    /// The chats that the bot is in, each as id and name.
    #[serde(default)]
    pub chats: Vec<(String, String)>,
    /// What chats are for, by their ids.
    #[serde(default)]
    pub chat_descriptions: BTreeMap<String, String>,
    /// The permissions that were taken away, by their names; all others are granted.
    #[serde(default)]
    pub withheld: BTreeSet<String>,
    /// The departments that the app may see, with those below them; everybody when not set.
    #[serde(default)]
    pub range: Option<Vec<String>>,
    /// The addresses that may call; any when not set.
    #[serde(default)]
    pub trusted_ips: Option<Vec<IpAddr>>,
    /// Whether the bot is switched off.
    #[serde(default)]
    pub bot_off: bool,
    /// Whether the platform keeps to itself which permissions were granted (Lark).
    #[serde(default)]
    pub grants_hidden: bool,
}

impl OfficeApp {
    /// An app of a company without anybody in it.
    pub fn new(platform: Platform, app_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            platform,
            app_id: app_id.into(),
            secret: secret.into(),
            agent_id: 1_000_002,
            robot_code: String::new(),
            departments: Vec::new(),
            members: Vec::new(),
            chats: Vec::new(),
            chat_descriptions: BTreeMap::new(),
            withheld: BTreeSet::new(),
            range: None,
            trusted_ips: None,
            bot_off: false,
            grants_hidden: false,
        }
    }

    /// Fills the company: so many departments, ten in a row below each other's first, and so many members spread over
    /// them. The same numbers make the same company.
    #[must_use]
    pub fn with_company(mut self, departments: usize, members: usize) -> Self {
        let root = self.root().to_owned();
        let id = |number: usize| format!("{}", 100 + number);
        for number in 0..departments {
            let parent = if number % 10 == 0 { root.clone() } else { id(number - number % 10) };
            self.departments.push(OfficeDepartment {
                id: id(number),
                parent,
                name: format!("Department {}", number + 1),
            });
        }
        for number in 0..members {
            let departments =
                if departments == 0 { vec![root.clone()] } else { vec![id(number % departments)] };
            self.members.push(OfficeMember {
                id: format!("u{number:05}"),
                name: format!("Member {number}"),
                departments,
                mobile: Some(format!("138{number:08}")),
                email: Some(format!("u{number}@company.example")),
                left: false,
            });
        }
        self
    }

    fn root(&self) -> &'static str {
        if matches!(self.platform, Platform::Lark | Platform::Feishu) { "0" } else { "1" }
    }

    fn member(&self, id: &str) -> Option<&OfficeMember> {
        self.members.iter().find(|member| member.id == id)
    }

    fn department(&self, id: &str) -> Option<&OfficeDepartment> {
        self.departments.iter().find(|department| department.id == id)
    }

    fn children<'a>(&'a self, of: &'a str) -> impl Iterator<Item = &'a OfficeDepartment> {
        self.departments.iter().filter(move |department| department.parent == of)
    }

    fn below(&self, of: &str) -> Vec<&OfficeDepartment> {
        let (mut found, mut open) = (Vec::new(), vec![of.to_owned()]);
        while let Some(next) = open.pop() {
            for child in self.departments.iter().filter(|department| department.parent == next) {
                open.push(child.id.clone());
                found.push(child);
            }
        }
        found
    }

    /// Whether a department lies in what the app may see.
    fn sees_department(&self, id: &str) -> bool {
        let Some(range) = &self.range else { return true };
        let mut at = Some(id.to_owned());
        while let Some(here) = at {
            if range.contains(&here) {
                return true;
            }
            at = self.department(&here).map(|department| department.parent.clone());
        }
        false
    }

    fn sees(&self, member: &OfficeMember) -> bool {
        self.range.is_none() || member.departments.iter().any(|id| self.sees_department(id))
    }

    fn has(&self, any: &[&str]) -> bool {
        any.iter().any(|scope| !self.withheld.contains(*scope))
    }

    fn trusts(&self, from: IpAddr) -> bool {
        self.trusted_ips.as_ref().is_none_or(|trusted| trusted.contains(&from.to_canonical()))
    }
}

/// What all office apps remember.
#[derive(Debug, Default)]
pub(crate) struct Office {
    apps: Vec<OfficeApp>,
    tokens: HashMap<String, (Platform, String, i64)>,
    meters: HashMap<String, Meter>,
    /// What was sent under a key, or as the same request: the message's id and until when that counts.
    sent: HashMap<String, (String, i64)>,
    /// Messages that can be taken back: the app, the chat, and since when it is there.
    shown: HashMap<String, (String, String, i64)>,
    /// The chats that a message was taken back from, in order.
    recalled: Vec<String>,
    uploads: Vec<Upload>,
    /// Work notifications by their tasks.
    tasks: HashMap<String, work::Task>,
    made: u64,
}

/// How long a message can be taken back, in milliseconds.
const RECALL_MS: i64 = 24 * 3_600_000;

impl Office {
    /// Registers an app, or replaces the one of the same platform and id.
    pub(crate) fn add(&mut self, app: OfficeApp, registry: &mut Registry) {
        self.apps.retain(|known| known.platform != app.platform || known.app_id != app.app_id);
        self.apps.push(app);
        self.mirror(registry);
    }

    /// The robot of a DingTalk app reaches the company's people and chats.
    fn mirror(&self, registry: &mut Registry) {
        for app in self.apps.iter().filter(|app| app.platform == Platform::DingtalkApp) {
            let reached = app.members.iter().filter(|member| !member.left && app.sees(member));
            registry.add_app(DingtalkApp {
                app_key: app.app_id.clone(),
                app_secret: app.secret.clone(),
                robot_code: app.robot_code.clone(),
                conversations: app.chats.clone(),
                users: reached.map(|member| (member.id.clone(), member.name.clone())).collect(),
            });
        }
    }

    /// Changes an app and tells whether it is there.
    pub(crate) fn change(
        &mut self,
        app_id: &str,
        registry: &mut Registry,
        change: impl FnOnce(&mut OfficeApp),
    ) -> bool {
        let Some(app) = self.apps.iter_mut().find(|app| app.app_id == app_id) else { return false };
        change(app);
        self.mirror(registry);
        true
    }

    pub(crate) fn apps(&self) -> &[OfficeApp] {
        &self.apps
    }

    /// Kills the tokens of an app before their time.
    pub(crate) fn expire_tokens(&mut self, app_id: &str) {
        self.tokens.retain(|_token, (_, of, _)| of != app_id);
    }

    pub(crate) fn living_tokens(&self) -> Vec<String> {
        self.tokens.keys().cloned().collect()
    }

    /// Whether a permission of the robot of a DingTalk app was taken away.
    pub(crate) fn withholds(&self, app_key: &str, scope: &str) -> bool {
        self.apps.iter().any(|app| app.app_id == app_key && app.withheld.contains(scope))
    }

    fn issue(&mut self, app: &OfficeApp, prefix: &str, now_ms: i64) -> String {
        self.made += 1;
        let token =
            format!("{prefix}{}", sign::derive(&app.secret, &format!("office {now_ms} {}", self.made)));
        self.tokens.retain(|_token, (_, _, until)| *until > now_ms);
        self.tokens.insert(token.clone(), (app.platform, app.app_id.clone(), now_ms + TOKEN_MS));
        token
    }

    fn by_token(&self, token: &str, now_ms: i64) -> Option<&OfficeApp> {
        let (platform, app_id, until) = self.tokens.get(token)?;
        let of = |app: &&OfficeApp| app.platform == *platform && app.app_id == *app_id;
        self.apps.iter().find(of).filter(|_app| now_ms < *until)
    }

    /// Counts a call against a limit.
    fn take(&mut self, key: String, rates: &'static [Rate], now_ms: i64) -> bool {
        self.meters.entry(key).or_insert_with(|| Meter::new(rates, Penalty::Nothing)).take(now_ms)
    }

    /// The message that was sent under a key before, if that still counts.
    fn sent_before(&self, key: &str, now_ms: i64) -> Option<String> {
        self.sent.get(key).filter(|(_, until)| now_ms < *until).map(|(id, _)| id.clone())
    }

    fn remember(&mut self, key: String, id: String, until_ms: i64) {
        self.sent.insert(key, (id, until_ms));
    }

    /// Notes that a message is in a chat.
    pub(crate) fn note_shown(&mut self, id: &str, app: &str, chat: &str, now_ms: i64) {
        self.shown.retain(|_id, (_, _, at)| now_ms - *at < RECALL_MS);
        self.shown.insert(id.to_owned(), (app.to_owned(), chat.to_owned(), now_ms));
    }

    /// Takes a message of an app back and tells whether it was there.
    fn take_back(&mut self, id: &str, app: &str, now_ms: i64) -> bool {
        let fits = |(of, _, at): &(String, String, i64)| of == app && now_ms - *at < RECALL_MS;
        if !self.shown.get(id).is_some_and(fits) {
            return false;
        }
        self.recalled.extend(self.shown.remove(id).map(|(_, chat, _)| chat));
        true
    }

    /// The chat that a message of an app is in, if it is still there.
    fn chat_of(&self, id: &str, app: &str, now_ms: i64) -> Option<String> {
        let fits = |(of, _, at): &&(String, String, i64)| of == app && now_ms - *at < RECALL_MS;
        self.shown.get(id).filter(fits).map(|(_, chat, _)| chat.clone())
    }

    pub(crate) fn recalled(&self) -> &[String] {
        &self.recalled
    }

    fn next_id(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}{:032x}", self.made)
    }
}

/// A call to an office app's interface: platform, and path in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) platform: Platform,
    method: Method,
    pieces: Vec<String>,
}

/// Finds the interface that a method and a path mean; none for paths that belong to robots.
pub(crate) fn find(method: &Method, host: &str, pieces: &[&str]) -> Option<Call> {
    let platform = match pieces {
        ["open-apis", "auth" | "contact" | "im" | "application", ..] | ["open-apis", "bot", "v3", "info"] => {
            if host == "open.larksuite.com" {
                Platform::Lark
            } else {
                Platform::Feishu
            }
        }
        ["topapi", "v2", "department" | "user", _]
        | ["topapi", "message", "corpconversation", _]
        | ["auth", "scopes"]
        | ["media", "upload"]
        | ["v1.0", "robot", "otoMessages", "batchRecall"]
        | ["v1.0", "robot", "groupMessages", "recall"] => Platform::DingtalkApp,
        ["cgi-bin", "gettoken"]
        | ["cgi-bin", "agent" | "department" | "user" | "message" | "appchat" | "media", _] => {
            Platform::Wecom
        }
        _ => return None,
    };
    let pieces = pieces.iter().map(|&piece| piece.to_owned()).collect();
    Some(Call { platform, method: method.clone(), pieces })
}

impl Call {
    /// The hosts that the interface is at.
    pub(crate) fn hosts(&self) -> &'static [&'static str] {
        match self.platform {
            Platform::Lark | Platform::Feishu => &["open.feishu.cn", "open.larksuite.com"],
            Platform::Wecom => &["qyapi.weixin.qq.com"],
            Platform::Dingtalk | Platform::DingtalkApp | Platform::Webhook | Platform::Mail => {
                let newer = self.pieces.first().is_some_and(|piece| piece == "v1.0");
                if newer { &["api.dingtalk.com"] } else { &["oapi.dingtalk.com"] }
            }
        }
    }

    fn path(&self) -> Vec<&str> {
        self.pieces.iter().map(String::as_str).collect()
    }

    fn is(&self, method: &Method) -> bool {
        self.method == *method
    }
}

/// Judges a call.
pub(crate) fn judge(
    office: &mut Office,
    dingtalk: &mut crate::dingtalk::Dingtalk,
    registry: &Registry,
    call: &Call,
    asked: &Asked<'_>,
) -> Verdict {
    match call.platform {
        Platform::Lark | Platform::Feishu => lark::judge(office, call, asked),
        Platform::Wecom => wecom::judge(office, call, asked),
        Platform::Dingtalk | Platform::DingtalkApp | Platform::Webhook | Platform::Mail => {
            dingtalk::judge(office, dingtalk, registry, call, asked)
        }
    }
}

/// A page of a list: the items from a place on, and the next place.
fn page<T>(items: &[T], from: usize, size: usize) -> (&[T], Option<usize>) {
    let end = (from + size).min(items.len());
    (items.get(from..end).unwrap_or_default(), (end < items.len()).then_some(end))
}

/// How a directory looks to whoever controls the simulator.
pub(crate) fn described(app: &OfficeApp) -> serde_json::Value {
    let states: BTreeMap<&str, usize> =
        BTreeMap::from([("members", app.members.len()), ("departments", app.departments.len())]);
    serde_json::json!({ "platform": app.platform, "app_id": app.app_id, "counts": states, "withheld": app.withheld,
        "range": app.range, "bot_off": app.bot_off })
}
