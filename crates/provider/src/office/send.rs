//! Messages through an office app: which platform's form, and which call.

use carillon_model::office::{App, RecipientKind};
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::subscription::Target;

use crate::{Context, Part, Post, dingtalk, lark, wecom};

/// What comes of a target whose connection is gone.
fn nowhere() -> Verdict {
    Verdict::plain(Outcome::Misconfigured, Reason::Credentials)
}

/// Renders a post in the form of the target's platform.
pub(crate) fn render(target: &Target, post: &Post<'_>) -> Result<Vec<Part>, Verdict> {
    let office = target.extension.office.as_ref().ok_or_else(nowhere)?;
    match &office.app {
        App::Lark(_) | App::Feishu(_) => lark::office::render(target, post),
        App::Dingtalk(_) => dingtalk::app::render(target, post),
        App::Wecom(_) => wecom::office::render(target, post),
    }
}

/// Sends a part to one person or chat.
pub(crate) async fn send(
    context: &Context<'_>,
    to: (RecipientKind, &str),
    target: &Target,
    part: &Part,
) -> Verdict {
    let Some(office) = &target.extension.office else { return nowhere() };
    match &office.app {
        app @ (App::Lark(_) | App::Feishu(_)) => lark::office::send(context, app, to, part).await,
        app @ App::Dingtalk(_) => dingtalk::office::send(context, app, to, part).await,
        app @ App::Wecom(_) => wecom::office::send(context, app, to, part).await,
    }
}
