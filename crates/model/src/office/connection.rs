//! A connection: one company's own app on one platform.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::endpoint::{FEISHU_HOST, LARK_HOST, mask};
use crate::error::{Field, Invalid};
use crate::id::ConnectionId;
use crate::limits;
use crate::office::Range;
use crate::secret::SecretText;
use crate::subscription::Fallback;

/// The platforms that have office apps. Lark and Feishu are one software on two clouds that do not know each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Lark.
    Lark,
    /// Feishu.
    Feishu,
    /// DingTalk.
    Dingtalk,
    /// WeCom.
    Wecom,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 4] = [Self::Lark, Self::Feishu, Self::Dingtalk, Self::Wecom];

    /// Its name in the API and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lark => "lark",
            Self::Feishu => "feishu",
            Self::Dingtalk => "dingtalk",
            Self::Wecom => "wecom",
        }
    }

    /// The platform of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.name() == name)
    }
}

/// Whose app it is and what proves it. All of it is sealed at rest; it differs by platform, so it is no flat table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "platform", rename_all = "snake_case")]
pub enum App {
    /// An app on Lark.
    Lark(LarkApp),
    /// An app on Feishu.
    Feishu(LarkApp),
    /// An app on DingTalk.
    Dingtalk(DingtalkApp),
    /// An app on WeCom.
    Wecom(WecomApp),
}

/// A custom app of Lark or Feishu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LarkApp {
    /// The App ID.
    pub app_id: SecretText,
    /// The App Secret.
    pub app_secret: SecretText,
}

/// An internal app of DingTalk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DingtalkApp {
    /// The `AppKey` (client id).
    pub app_key: SecretText,
    /// The `AppSecret` (client secret).
    pub app_secret: SecretText,
    /// The robot's code, often the same as the key; without it nothing goes through the robot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robot_code: Option<SecretText>,
    /// The agent's number, which work notifications need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<u64>,
    /// The company's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corp_id: Option<SecretText>,
}

/// A self-built app of WeCom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WecomApp {
    /// The company's id.
    pub corp_id: SecretText,
    /// The app's number.
    pub agent_id: u64,
    /// The app's secret.
    pub secret: SecretText,
}

/// What somebody types to make or change a connection, before it is known to be right.
#[derive(Debug, Clone, Default)]
pub struct TypedApp {
    /// App ID, `AppKey` or corp id.
    pub app_id: Option<SecretText>,
    /// App Secret or secret.
    pub app_secret: Option<SecretText>,
    /// The company's id.
    pub corp_id: Option<SecretText>,
    /// The app's number.
    pub agent_id: Option<String>,
    /// The robot's code.
    pub robot_code: Option<SecretText>,
}

impl App {
    /// Reads what was typed for `platform`.
    ///
    /// # Errors
    /// When a part is missing or cannot be right; the sentence names it and never repeats it.
    pub fn parse(platform: Platform, typed: TypedApp) -> Result<Self, Invalid> {
        let TypedApp { app_id, app_secret, corp_id, agent_id, robot_code } = typed;
        let secret =
            code(app_secret, Field::AppSecret, "app_secret is missing: copy it from the app's page")?;
        let stray = |given: bool, field, rule: &'static str| {
            if given { Err(Invalid::new(field, rule)) } else { Ok(()) }
        };
        match platform {
            Platform::Lark | Platform::Feishu => {
                stray(robot_code.is_some(), Field::RobotCode, "robot_code is for DingTalk only")?;
                stray(agent_id.is_some(), Field::AgentId, "agent_id is for DingTalk and WeCom only")?;
                let app_id = code(app_id, Field::AppId, "app_id is missing: it begins with cli_")?;
                let app = LarkApp { app_id, app_secret: secret };
                Ok(if platform == Platform::Lark { Self::Lark(app) } else { Self::Feishu(app) })
            }
            Platform::Dingtalk => Ok(Self::Dingtalk(DingtalkApp {
                app_key: code(app_id, Field::AppId, "app_id is missing: it is the app's AppKey")?,
                app_secret: secret,
                robot_code: robot_code.map(|text| code(Some(text), Field::RobotCode, "")).transpose()?,
                agent_id: agent_id.as_deref().map(number).transpose()?,
                corp_id: corp_id.map(|text| code(Some(text), Field::CorpId, "")).transpose()?,
            })),
            Platform::Wecom => {
                stray(robot_code.is_some(), Field::RobotCode, "robot_code is for DingTalk only")?;
                // Two of the three may have been typed as app_id: the company's id, or the app's number.
                let (corp_id, agent_id) = match (corp_id, agent_id, app_id) {
                    (Some(corp), Some(agent), _) => (Some(corp), Some(agent)),
                    (Some(corp), None, Some(app)) => (Some(corp), Some(app.reveal().to_owned())),
                    (None, agent, app) => (app, agent),
                    (corp, agent, None) => (corp, agent),
                };
                let missing =
                    || Invalid::new(Field::AgentId, "agent_id is missing: it stands on the app's page");
                Ok(Self::Wecom(WecomApp {
                    corp_id: code(corp_id, Field::CorpId, "corp_id is missing: it stands under My Company")?,
                    agent_id: number(&agent_id.ok_or_else(missing)?)?,
                    secret,
                }))
            }
        }
    }

    /// The platform it is on.
    #[must_use]
    pub fn platform(&self) -> Platform {
        match self {
            Self::Lark(_) => Platform::Lark,
            Self::Feishu(_) => Platform::Feishu,
            Self::Dingtalk(_) => Platform::Dingtalk,
            Self::Wecom(_) => Platform::Wecom,
        }
    }

    /// What names the app on its platform: App ID, `AppKey`, or company and number.
    #[must_use]
    pub fn id(&self) -> SecretText {
        match self {
            Self::Lark(app) | Self::Feishu(app) => app.app_id.clone(),
            Self::Dingtalk(app) => app.app_key.clone(),
            Self::Wecom(app) => format!("{}/{}", app.corp_id.reveal(), app.agent_id).into(),
        }
    }

    /// The app's id as it may be shown.
    #[must_use]
    pub fn masked(&self) -> String {
        mask(self.id().reveal())
    }

    /// Everything of it that no words of a platform, log or answer may repeat.
    #[must_use]
    pub fn secrets(&self) -> Vec<SecretText> {
        match self {
            Self::Lark(app) | Self::Feishu(app) => vec![app.app_id.clone(), app.app_secret.clone()],
            Self::Dingtalk(app) => {
                let mut secrets = vec![app.app_key.clone(), app.app_secret.clone()];
                secrets.extend(app.robot_code.iter().chain(&app.corp_id).cloned());
                secrets
            }
            Self::Wecom(app) => vec![app.corp_id.clone(), app.secret.clone()],
        }
    }

    /// The host that Lark's and Feishu's API is at.
    #[must_use]
    pub fn lark_host(&self) -> &'static str {
        if matches!(self, Self::Lark(_)) { LARK_HOST } else { FEISHU_HOST }
    }
}

/// A registered app as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Its name, unique in its project.
    pub name: String,
    /// The platform.
    pub platform: Platform,
    /// The app's id, masked.
    pub app_masked: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its directory was last read to the end.
    pub updated_at: Option<Timestamp>,
    /// What it let us see then.
    pub range: Option<Range>,
    /// How many members it has, those who are gone not counted.
    pub members: u64,
    /// How many departments.
    pub departments: u64,
    /// Who is told what concerns it.
    pub notices: Option<Fallback>,
}

/// Checks a connection's name: 1 to 64 characters on one line, no blanks at its ends.
///
/// # Errors
/// When it is anything else.
pub fn check_name(name: &str) -> Result<(), Invalid> {
    let fits = (1..=limits::CONNECTION_NAME_CHARS_MAX).contains(&name.chars().count())
        && name.trim() == name
        && !name.chars().any(char::is_control);
    if fits {
        return Ok(());
    }
    Err(Invalid::new(Field::Name, "name must be 1 to 64 characters on one line, without blanks at its ends"))
}

fn code(text: Option<SecretText>, field: Field, missing: &'static str) -> Result<SecretText, Invalid> {
    let text = text.filter(|text| !text.reveal().trim().is_empty());
    let Some(text) = text else { return Err(Invalid::new(field, missing)) };
    let text = text.reveal().trim();
    let fits = text.len() <= limits::APP_SECRET_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic());
    let rule = "must be 1 to 128 letters, digits and signs, as the platform shows it";
    if fits { Ok(SecretText::new(text)) } else { Err(Invalid::new(field, rule)) }
}

fn number(text: &str) -> Result<u64, Invalid> {
    let digits = !text.trim().is_empty() && text.trim().bytes().all(|b| b.is_ascii_digit());
    let number = text.trim().parse().ok().filter(|_number| digits);
    number
        .ok_or_else(|| Invalid::new(Field::AgentId, "agent_id must be a number, as the app's page shows it"))
}

#[cfg(test)]
mod tests {
    use super::{App, Platform, TypedApp, check_name};
    use crate::error::Field;

    fn typed(app_id: Option<&str>, corp_id: Option<&str>, agent_id: Option<&str>) -> TypedApp {
        TypedApp {
            app_id: app_id.map(Into::into),
            app_secret: Some("hush-hush".into()),
            corp_id: corp_id.map(Into::into),
            agent_id: agent_id.map(str::to_owned),
            robot_code: None,
        }
    }

    #[test]
    fn each_platform_wants_its_own_parts() {
        let refused = |platform, typed| App::parse(platform, typed).unwrap_err().field;
        assert!(App::parse(Platform::Lark, typed(Some("cli_1"), None, None)).is_ok());
        assert_eq!(refused(Platform::Feishu, typed(None, None, None)), Field::AppId);
        assert_eq!(refused(Platform::Lark, typed(Some("cli_1"), None, Some("7"))), Field::AgentId);
        assert_eq!(refused(Platform::Dingtalk, typed(Some("ding1"), None, Some("x"))), Field::AgentId);
        assert_eq!(refused(Platform::Lark, TypedApp::default()), Field::AppSecret);
        assert_eq!(refused(Platform::Dingtalk, typed(Some("a b"), None, None)), Field::AppId);
    }

    #[test]
    fn wecom_takes_company_and_number_as_people_type_them() {
        let app = |app_id, corp, agent| match App::parse(Platform::Wecom, typed(app_id, corp, agent)) {
            Ok(App::Wecom(app)) => Some((app.corp_id.reveal().to_owned(), app.agent_id)),
            _ => None,
        };
        let right = Some(("ww1".to_owned(), 1_000_002));
        assert_eq!(app(None, Some("ww1"), Some("1000002")), right);
        assert_eq!(app(Some("ww1"), None, Some("1000002")), right);
        assert_eq!(app(Some("1000002"), Some("ww1"), None), right);
        assert_eq!(app(Some("ww1"), None, None), None);
    }

    #[test]
    fn nothing_prints_a_secret() {
        let app = App::parse(Platform::Lark, typed(Some("cli_1"), None, None)).unwrap();
        let printed = format!("{app:?}");
        assert!(!printed.contains("hush") && !printed.contains("cli_1"), "{printed}");
    }

    #[test]
    fn names_are_checked() {
        assert!(check_name("总部 Lark").is_ok());
        for bad in ["", " a", "a\nb", &"x".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
