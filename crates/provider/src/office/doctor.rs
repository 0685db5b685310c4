//! Tries every permission that an app needs, one by one, and says of each where it is granted.
//!
//! Lark's list has the nine of the usual guide and those that it forgets: the right to send, the bot, a published version,
//! the ranges.

use carillon_model::office::App;
use carillon_model::outcome::Advice;

use crate::{Context, dingtalk, lark, wecom};

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Without it nothing works.
    Needed,
    /// Without it something less works.
    Useful,
}

/// What came of looking at one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was looked at, in few words, the same at each check.
    pub what: &'static str,
    /// The permission, by the platform's exact name, where it is one.
    pub scope: Option<&'static str>,
    /// Whether anything works without it.
    pub wanted: Wanted,
    /// What to change, or that nothing is to be changed.
    pub advice: Advice,
}

impl Finding {
    pub(crate) fn new(ok: bool, what: &'static str, scope: Option<&'static str>, advice: Advice) -> Self {
        Self { ok, what, scope, wanted: Wanted::Needed, advice }
    }

    pub(crate) fn useful(self) -> Self {
        Self { wanted: Wanted::Useful, ..self }
    }
}

/// What is said of a thing that is as it should be.
pub(crate) fn fine() -> Advice {
    Advice { en: "Nothing needs to be changed.".into(), zh: "无需更改。".into() }
}

/// Where a permission is granted.
pub(crate) fn grant(scope: &str, page: (&str, &str)) -> Advice {
    Advice {
        en: format!("Grant {scope}: {}, then publish a new version of the app.", page.0).into(),
        zh: format!("请开通权限 {scope}：{}，然后发布应用新版本。", page.1).into(),
    }
}

/// Looks at everything.
pub(crate) async fn check(context: &Context<'_>, app: &App) -> Vec<Finding> {
    match app {
        App::Lark(lark) | App::Feishu(lark) => lark::doctor::check(context, app, lark).await,
        App::Dingtalk(_) => dingtalk::doctor::check(context, app).await,
        App::Wecom(wecom) => wecom::doctor::check(context, app, wecom).await,
    }
}
