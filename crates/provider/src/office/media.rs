//! Images and files: uploaded once for each app, and from then on named by what the platform called them.
//!
//! | platform | upload | good for |
//! | --- | --- | --- |
//! | Lark, Feishu | "upload an image", "upload a file" | no end is stated: 30 days, then anew |
//! | DingTalk | "upload a media file" | as long as the organisation: 30 days, then anew |
//! | WeCom | "upload temporary media" | three days |
//!
//! An upload is known by the app, the kind, the content and, where the platform keeps it, the name. What the platform calls
//! unknown before its time is uploaded once more.

use std::time::Duration;

use carillon_model::attachment::{Attachment, AttachmentKind, ending};
use carillon_model::endpoint::{DINGTALK_ROBOT_HOST, WECOM_HOST};
use carillon_model::limits::PLATFORM_TEXT_BYTES_MAX;
use carillon_model::office::{App, RecipientKind};
use carillon_model::outcome::{Outcome, Reason, Scope, Verdict};
use carillon_model::text::shorten;
use serde_json::json;

use super::app_key;
use super::call::{Ask, call, text};
use super::send::post;
use crate::depot::Held;
use crate::http::Form;
use crate::token::{Token, digest_of, nothing_left};
use crate::{Context, Part};

/// How many uploads are under way at once: each holds its file in memory.
pub(crate) const UPLOADS_AT_ONCE: usize = 2;
/// How long WeCom keeps what was uploaded.
const WECOM_LIFE: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// After how long it is uploaded anew where the platform states no end.
const LONG_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Sends an image or a file to one person or chat; it is uploaded before, unless it was.
pub(crate) async fn send(
    context: &Context<'_>,
    app: &App,
    to: (RecipientKind, &str),
    part: &Part,
    attachment: &Attachment,
) -> Verdict {
    let key = key(app, attachment);
    let mut again = true;
    loop {
        let upload = upload(context, app, attachment);
        let media = match context.media.get_by(key, context.clock, upload).await {
            Ok(media) => media,
            Err(verdict) => return of_upload(verdict, attachment),
        };
        let body = message(app, attachment, media.text.reveal(), part.notice);
        let named = Part { body: body.into(), attachment: None, ..part.clone() };
        let verdict = post(context, app, to, &named).await;
        if !is_unknown(app, &verdict) || !std::mem::take(&mut again) {
            return verdict;
        }
        context.media.forget_by(key, &media).await;
    }
}

/// What an upload is known by. The id of an attachment is a digest of its content.
fn key(app: &App, attachment: &Attachment) -> [u8; 32] {
    let app = data_encoding::HEXLOWER.encode(&app_key(app));
    let id = attachment.id.to_string();
    let name = match attachment.kind {
        // Nobody sees the name of an image.
        AttachmentKind::Image => "",
        AttachmentKind::File => attachment.name.as_str(),
    };
    digest_of(&["media", &app, attachment.kind.name(), &id, name])
}

async fn upload(context: &Context<'_>, app: &App, attachment: &Attachment) -> Result<Token, Verdict> {
    let _turn = context.uploads.acquire().await;
    let bytes = match context.depot {
        Some(depot) => depot.bytes(attachment.id).await,
        None => Held::Gone,
    };
    let bytes = match bytes {
        Held::Bytes(bytes) => bytes,
        Held::Gone => {
            let words = "it is no longer kept; push it again";
            let verdict = Verdict::plain(Outcome::Refused, Reason::Render);
            return Err(Verdict { platform_text: Some(words.to_owned()), ..verdict });
        }
        Held::Unknown => return Err(later(Reason::Unopened)),
    };
    let answer = call(context, app, &ask(app, attachment, &bytes)).await;
    let (answer, _verdict) = answer.map_err(nothing_left)?;
    let pointer = match (app, attachment.kind) {
        (App::Lark(_) | App::Feishu(_), AttachmentKind::Image) => "/data/image_key",
        (App::Lark(_) | App::Feishu(_), AttachmentKind::File) => "/data/file_key",
        (App::Dingtalk(_) | App::Wecom(_), _) => "/media_id",
    };
    let life = match app {
        App::Wecom(_) => WECOM_LIFE,
        App::Lark(_) | App::Feishu(_) | App::Dingtalk(_) => LONG_LIFE,
    };
    let media = text(&answer, pointer).ok_or_else(|| later(Reason::Answer))?;
    Ok(Token::new(media.into(), context.clock.now(), life))
}

fn later(reason: Reason) -> Verdict {
    Verdict::plain(Outcome::Later { wait: None, scope: Scope::Endpoint }, reason)
}

/// The call that uploads.
fn ask(app: &App, attachment: &Attachment, bytes: &[u8]) -> Ask {
    let (image, name) = (attachment.kind == AttachmentKind::Image, attachment.name.as_str());
    let kind = attachment.kind.name();
    match app {
        App::Lark(_) | App::Feishu(_) if image => {
            let form = Form::new(&[("image_type", "message")], ("image", name), bytes);
            Ask::upload("im/v1/images", app.lark_host(), "/open-apis/im/v1/images", form)
        }
        App::Lark(_) | App::Feishu(_) => {
            let fields = [("file_type", lark_type(name)), ("file_name", name)];
            let form = Form::new(&fields, ("file", name), bytes);
            Ask::upload("im/v1/files", app.lark_host(), "/open-apis/im/v1/files", form)
        }
        App::Dingtalk(_) => {
            let form = Form::new(&[], ("media", name), bytes);
            Ask::upload("media/upload", DINGTALK_ROBOT_HOST, format!("/media/upload?type={kind}"), form)
        }
        App::Wecom(_) => {
            let form = Form::new(&[], ("media", name), bytes);
            Ask::upload("media/upload", WECOM_HOST, format!("/cgi-bin/media/upload?type={kind}"), form)
        }
    }
}

/// Lark's word for the form of a file, which decides how it is opened.
fn lark_type(name: &str) -> &'static str {
    match ending(name).as_str() {
        "pdf" => "pdf",
        "doc" | "docx" => "doc",
        "xls" | "xlsx" => "xls",
        "ppt" | "pptx" => "ppt",
        _ => "stream",
    }
}

/// The message that shows what was uploaded.
fn message(app: &App, attachment: &Attachment, media: &str, notice: bool) -> String {
    let (image, name) = (attachment.kind == AttachmentKind::Image, attachment.name.as_str());
    let message = match app {
        // JSON text inside JSON.
        App::Lark(_) | App::Feishu(_) if image => {
            json!({ "msg_type": "image", "content": json!({ "image_key": media }).to_string() })
        }
        App::Lark(_) | App::Feishu(_) => {
            json!({ "msg_type": "file", "content": json!({ "file_key": media }).to_string() })
        }
        App::Dingtalk(_) if notice => {
            let kind = attachment.kind.name();
            json!({ "msg": { "msgtype": kind, kind: { "media_id": media } } })
        }
        App::Dingtalk(_) if image => {
            json!({ "msgKey": "sampleImageMsg", "msgParam": json!({ "photoURL": media }).to_string() })
        }
        App::Dingtalk(_) => {
            let param = json!({ "mediaId": media, "fileName": name, "fileType": ending(name) });
            json!({ "msgKey": "sampleFile", "msgParam": param.to_string() })
        }
        App::Wecom(_) if image => json!({ "msgtype": "image", "image": { "media_id": media } }),
        App::Wecom(_) => json!({ "msgtype": "file", "file": { "media_id": media } }),
    };
    message.to_string()
}

/// Whether the platform says that it knows nothing of what was uploaded. DingTalk does not say.
fn is_unknown(app: &App, verdict: &Verdict) -> bool {
    match (app, verdict.platform_code.as_deref()) {
        (App::Lark(_) | App::Feishu(_), Some("230017")) | (App::Wecom(_), Some("40007")) => true,
        (App::Lark(_) | App::Feishu(_) | App::Dingtalk(_) | App::Wecom(_), _) => false,
    }
}

/// The verdict on an upload, which names what was to be uploaded.
fn of_upload(verdict: Verdict, attachment: &Attachment) -> Verdict {
    let words = verdict.platform_text.as_deref().unwrap_or("it could not be uploaded");
    let words = format!("{} {}: {words}", attachment.kind.name(), attachment.name);
    Verdict { platform_text: Some(shorten(&words, PLATFORM_TEXT_BYTES_MAX)), ..verdict }
}

#[cfg(test)]
mod tests {
    use carillon_model::attachment::{Attachment, AttachmentKind};
    use carillon_model::id::AttachmentId;
    use carillon_model::office::App;
    use carillon_model::office::connection::LarkApp;

    use super::{key, lark_type};

    #[test]
    fn an_upload_is_known_by_app_content_and_name() {
        let app = |secret: &str| App::Lark(LarkApp { app_id: "a".into(), app_secret: secret.into() });
        let of = |kind, byte, name: &str| Attachment {
            id: AttachmentId::from_bytes([byte; 16]),
            kind,
            name: name.to_owned(),
            bytes: 1,
        };
        let image = |byte, name| key(&app("s"), &of(AttachmentKind::Image, byte, name));
        let file = |byte, name| key(&app("s"), &of(AttachmentKind::File, byte, name));
        assert_eq!(image(1, "a.png"), image(1, "b.png"));
        assert_ne!(image(1, "a.png"), image(2, "a.png"));
        assert_ne!(file(1, "a.pdf"), file(1, "b.pdf"));
        assert_ne!(file(1, ""), image(1, ""));
        assert_ne!(image(1, "a"), key(&app("t"), &of(AttachmentKind::Image, 1, "a")));
    }

    #[test]
    fn a_form_is_named_by_the_ending() {
        assert_eq!(["a.PDF", "b.xlsx", "c.txt", "d"].map(lark_type), ["pdf", "xls", "stream", "stream"]);
    }
}
