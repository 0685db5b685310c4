//! What is wrong with a connection: which part of it, and what to change.

use std::borrow::Cow;

use carillon_model::outcome::{Advice, Outcome, Reason, Verdict};

/// The part of a connection that a platform refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// The app's id or key.
    AppId,
    /// The app's secret.
    AppSecret,
    /// The app's key or its secret; the platform does not say which.
    AppIdOrSecret,
    /// The app is on the other of the two clouds, Lark or Feishu.
    Domain,
    /// The company's id.
    CorpId,
    /// The app's number.
    AgentId,
    /// The robot's code.
    RobotCode,
    /// This server's address is not on the app's list.
    Address,
    /// These permissions are missing, by their exact names.
    Scopes(Vec<String>),
    /// The app is stopped, not published, or its bot is switched off.
    Stopped,
    /// What was asked for lies outside of what the app may see.
    Range,
    /// The platform could not be reached, or had no time.
    Later,
    /// Something else, told by the verdict.
    Other,
}

/// A refusal of a platform, or no answer of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which part.
    pub wrong: Wrong,
    /// What the platform said.
    pub verdict: Verdict,
}

impl Fault {
    /// From a verdict that is no success.
    pub(crate) fn new(wrong: Wrong, verdict: Verdict) -> Self {
        Self { wrong, verdict }
    }

    /// From a verdict alone, by its reason.
    pub(crate) fn plain(verdict: Verdict) -> Self {
        let later = matches!(verdict.outcome, Outcome::Later { .. } | Outcome::Unknown);
        let wrong = if verdict.reason == Reason::Address {
            Wrong::Address
        } else if matches!(verdict.reason, Reason::Credentials | Reason::AccessToken) {
            Wrong::AppIdOrSecret
        } else if verdict.reason == Reason::Permission {
            Wrong::Scopes(Vec::new())
        } else if later {
            Wrong::Later
        } else {
            Wrong::Other
        };
        Self { wrong, verdict }
    }

    /// What to change, with the platform's own words where they help.
    #[must_use]
    pub fn advice(&self) -> Advice {
        let (en, zh): (Cow<'static, str>, Cow<'static, str>) = match &self.wrong {
            Wrong::AppId => (
                "The app's id is not known to the platform. Copy it from the app's page (Credentials) again.".into(),
                "平台无法识别该应用 ID。请从应用的“凭证与基础信息”页面重新复制。".into(),
            ),
            Wrong::AppSecret => (
                "The app's secret is wrong. Copy it from the app's page again; it may have been reset.".into(),
                "应用密钥错误。请从应用页面重新复制，密钥可能已被重置。".into(),
            ),
            Wrong::AppIdOrSecret => (
                "The app's key or its secret is wrong; the platform does not say which. Copy both again.".into(),
                "应用的 Key 或 Secret 错误，平台未说明是哪一个。请重新复制两者。".into(),
            ),
            Wrong::Domain => (
                "The app is on the other cloud: Lark and Feishu do not know each other's apps. Change the platform of \
                 the connection."
                    .into(),
                "该应用位于另一个云：Lark 与飞书互不相通。请更改连接的平台。".into(),
            ),
            Wrong::CorpId => (
                "The company's id is wrong. It stands in the admin console under My Company.".into(),
                "企业 ID 错误。请在管理后台“我的企业”中查看。".into(),
            ),
            Wrong::AgentId => (
                "The app's number (AgentId) is wrong, or it belongs to another app than the secret.".into(),
                "应用的 AgentId 错误，或与密钥不属于同一应用。".into(),
            ),
            Wrong::RobotCode => (
                "The robot's code is wrong or belongs to another app, or the app with its robot is not published.".into(),
                "RobotCode 错误或属于其他应用，或带机器人的应用尚未发布。".into(),
            ),
            Wrong::Address => (
                "This server's public address is not on the app's list of trusted addresses. The platform's words name \
                 it as ***; add the address that your network shows to the outside."
                    .into(),
                "服务器的公网出口 IP 不在应用的可信 IP 列表中。请将网络的出口 IP 添加到该列表。".into(),
            ),
            Wrong::Scopes(scopes) if scopes.is_empty() => (
                "The app lacks a permission. Grant it on the app's permission page and publish a new version.".into(),
                "应用缺少权限。请在应用的权限管理页面开通，并发布新版本。".into(),
            ),
            Wrong::Scopes(scopes) => {
                let names = scopes.join(", ");
                (
                    format!("The app lacks {names}. Grant it on the app's permission page and publish a new version.")
                        .into(),
                    format!("应用缺少权限 {names}。请在应用的权限管理页面开通，并发布新版本。").into(),
                )
            }
            Wrong::Stopped => (
                "The app is stopped, not published, or its bot is switched off. Switch the bot on and publish a version."
                    .into(),
                "应用已停用、未发布或未启用机器人能力。请启用机器人并发布版本。".into(),
            ),
            Wrong::Range => (
                "This lies outside of what the app may see. Widen the app's contact range and publish a new version."
                    .into(),
                "超出应用的通讯录权限范围。请扩大范围并发布新版本。".into(),
            ),
            Wrong::Later => (
                "The platform could not be reached or had no time. Try again.".into(),
                "无法连接平台或平台繁忙。请稍后重试。".into(),
            ),
            Wrong::Other => (
                "The platform refused; its own code and words say why.".into(),
                "平台拒绝了请求，原因见平台返回码。".into(),
            ),
        };
        Advice { en, zh }
    }

    /// What to change as one English sentence with the platform's code and words behind it.
    #[must_use]
    pub fn sentence(&self) -> String {
        let code = self.verdict.platform_code.as_deref().unwrap_or_default();
        let text = self.verdict.platform_text.as_deref().unwrap_or_default();
        match (code, text) {
            ("", "") => self.advice().en.into_owned(),
            ("", text) => format!("{} ({text})", self.advice().en),
            (code, "") => format!("{} (code {code})", self.advice().en),
            (code, text) => format!("{} (code {code}: {text})", self.advice().en),
        }
    }
}
