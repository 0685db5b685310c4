//! Messages through an office app: which platform's form, and which call. Images and files come behind the text.

use carillon_model::office::{App, RecipientKind};
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::subscription::Target;

use crate::{Context, Part, Post, dingtalk, lark, parts, wecom};

/// What comes of a target whose connection is gone.
fn nowhere() -> Verdict {
    Verdict::plain(Outcome::Misconfigured, Reason::Credentials)
}

/// Renders a post in the form of the target's platform: its text, then each image and file as a part of its own.
pub(crate) fn render(target: &Target, post: &Post<'_>) -> Result<Vec<Part>, Verdict> {
    let office = target.extension.office.as_ref().ok_or_else(nowhere)?;
    let attachments = &post.body.attachments;
    let is_alone = post.body.text.trim().is_empty() && !attachments.is_empty();
    let notice = match &office.app {
        App::Dingtalk(app) => dingtalk::work::is_meant(app, &target.endpoint, post.body),
        App::Lark(_) | App::Feishu(_) | App::Wecom(_) => false,
    };
    let mut parts = match &office.app {
        _ if is_alone => Vec::new(),
        App::Lark(_) | App::Feishu(_) => lark::office::render(target, post)?,
        App::Dingtalk(_) if notice => dingtalk::work::render(target, post)?,
        App::Dingtalk(_) => dingtalk::app::render(target, post)?,
        App::Wecom(_) => wecom::office::render(target, post)?,
    };
    for attachment in attachments {
        parts.push(Part {
            body: String::new().into(),
            headers: Vec::new(),
            key: parts::key(post, parts.len()),
            secrets: Vec::new(),
            fallbacks: Vec::new(),
            attachment: Some(attachment.clone()),
            notice,
        });
    }
    Ok(parts)
}

/// Sends a part to one person or chat.
pub(crate) async fn send(
    context: &Context<'_>,
    to: (RecipientKind, &str),
    target: &Target,
    part: &Part,
) -> Verdict {
    let Some(office) = &target.extension.office else { return nowhere() };
    match &part.attachment {
        Some(attachment) => super::media::send(context, &office.app, to, part, attachment).await,
        None => post(context, &office.app, to, part).await,
    }
}

/// Posts what needs no upload any more.
pub(crate) async fn post(
    context: &Context<'_>,
    app: &App,
    to: (RecipientKind, &str),
    part: &Part,
) -> Verdict {
    match app {
        app @ (App::Lark(_) | App::Feishu(_)) => lark::office::send(context, app, to, part).await,
        app @ App::Dingtalk(_) => dingtalk::office::send(context, app, to, part).await,
        app @ App::Wecom(_) => wecom::office::send(context, app, to, part).await,
    }
}
