//! What office apps upload: Lark's images and files, DingTalk's and WeCom's media, with their limits and refusals.

use serde_json::{Value, json};

use super::{Office, OfficeApp};
use crate::multipart;
use crate::sign;
use crate::verdict::{Asked, Verdict};

const MIB: usize = 1024 * 1024;
/// How long WeCom keeps media, in milliseconds.
const WECOM_MS: i64 = 3 * 86_400_000;
/// The most that are remembered.
const MOST_KEPT: usize = 1000;
/// How much of each is remembered, in bytes.
const MOST_CONTENT: usize = 64 * 1024;
/// The kinds of files that DingTalk takes.
const DINGTALK_FILES: [&str; 9] = ["doc", "docx", "xls", "xlsx", "ppt", "pptx", "zip", "pdf", "rar"];

/// Something that an office app uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// What it is called from then on.
    pub id: String,
    /// `image` or `file`.
    pub kind: String,
    /// The name of the file.
    pub name: String,
    /// How many bytes it has.
    pub bytes: usize,
    /// Its beginning: 64 KiB at most.
    pub content: Vec<u8>,
    /// Whose it is, and until when it can be sent.
    app: String,
    until_ms: i64,
}

impl Office {
    /// Everything that was uploaded, oldest first (the newest 1000).
    pub(crate) fn uploads(&self) -> &[Upload] {
        &self.uploads
    }

    /// Makes everything that was uploaded unknown.
    pub(crate) fn expire_uploads(&mut self) {
        for upload in &mut self.uploads {
            upload.until_ms = 0;
        }
    }

    /// Something that an app uploaded and that can be sent still.
    pub(crate) fn uploaded(&self, app: &str, id: &str, now_ms: i64) -> Option<&Upload> {
        self.uploads.iter().find(|upload| upload.id == id && upload.app == app && now_ms < upload.until_ms)
    }

    fn keep(
        &mut self,
        app: &OfficeApp,
        prefix: &str,
        (kind, name): (&str, &str),
        content: &[u8],
        until_ms: i64,
    ) -> String {
        let number = self.uploads.len() + usize::try_from(self.made).unwrap_or_default();
        self.made += 1;
        let id = format!("{prefix}{}", sign::derive(&app.secret, &format!("media {number} {name}")));
        if self.uploads.len() >= MOST_KEPT {
            self.uploads.remove(0);
        }
        self.uploads.push(Upload {
            id: id.clone(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            bytes: content.len(),
            content: content.get(..content.len().min(MOST_CONTENT)).unwrap_or_default().to_vec(),
            app: app.app_id.clone(),
            until_ms,
        });
        id
    }
}

fn begins(content: &[u8], marks: &[&[u8]]) -> bool {
    marks.iter().any(|mark| content.starts_with(mark))
}

const PNG: &[u8] = b"\x89PNG";
const JPEG: &[u8] = b"\xff\xd8\xff";
const GIF: &[u8] = b"GIF8";
const BMP: &[u8] = b"BM";

/// "Upload an image", "upload a file".
pub(super) fn lark(
    office: &mut Office,
    app: &OfficeApp,
    asked: &Asked<'_>,
    image: bool,
) -> Result<Verdict, Verdict> {
    let fault = |code, text| super::lark::fault(400, code, text);
    let wrong = || fault(234_001, "Invalid request param.");
    if app.bot_off {
        return Err(fault(234_007, "App does not enable bot feature."));
    }
    let pieces = multipart::read(asked);
    let (field, most) = if image { ("image", 10 * MIB) } else { ("file", 30 * MIB) };
    let (name, content) = multipart::content(&pieces, field).ok_or_else(wrong)?;
    let text = |field| multipart::text(&pieces, field);
    let fits = if image {
        matches!(text("image_type"), Some("message" | "avatar"))
    } else {
        let kinds = ["opus", "mp4", "pdf", "doc", "xls", "ppt", "stream"];
        text("file_type").is_some_and(|kind| kinds.contains(&kind)) && text("file_name").is_some()
    };
    if !fits {
        return Err(wrong());
    }
    if content.is_empty() {
        return Err(fault(234_010, "File's size can't be 0."));
    }
    if content.len() > most {
        return Err(fault(234_006, "The file size exceed the max value."));
    }
    let forms: [&[u8]; 8] = [PNG, JPEG, GIF, BMP, b"RIFF", b"\0\0\x01\0", b"II*\0", b"MM\0*"];
    if image && !begins(content, &forms) && content.get(4..8) != Some(b"ftyp") {
        return Err(fault(234_011, "Can't regonnize the image format."));
    }
    let name = if image { name } else { text("file_name") }.unwrap_or(field);
    let (kind, prefix, answer) =
        if image { ("image", "img_v3_", "image_key") } else { ("file", "file_v3_", "file_key") };
    let id = office.keep(app, prefix, (kind, name), content, i64::MAX);
    Ok(Verdict::accepted("0", json!({ "code": 0, "msg": "success", "data": { answer: id } })))
}

/// "Upload a media file".
pub(super) fn dingtalk(office: &mut Office, app: &OfficeApp, asked: &Asked<'_>) -> Result<Verdict, Verdict> {
    let kind = asked.query("type").filter(|kind| ["image", "file"].contains(kind));
    let kind = kind.ok_or_else(|| Verdict::errcode(40_004, "不合法的媒体文件类型"))?;
    let pieces = multipart::read(asked);
    let (name, content) = multipart::file(&pieces, "media")
        .filter(|(_, content)| !content.is_empty())
        .ok_or_else(|| Verdict::errcode(40_005, "不合法的文件类型"))?;
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default();
    let fits = match kind {
        "image" => begins(content, &[PNG, JPEG, GIF, BMP]),
        _ => DINGTALK_FILES.contains(&ending.as_str()),
    };
    if !fits {
        return Err(Verdict::errcode(40_005, "不合法的文件类型"));
    }
    if content.len() > 20 * MIB {
        return Err(Verdict::errcode(40_006, "不合法的文件大小"));
    }
    let id = office.keep(app, "@", (kind, name), content, i64::MAX);
    let answer =
        json!({ "errcode": 0, "errmsg": "ok", "media_id": id, "type": kind, "created_at": asked.now_ms });
    Ok(Verdict::accepted("0", answer))
}

/// "Upload temporary media": the code and the words of a refusal.
pub(super) fn wecom(
    office: &mut Office,
    app: &OfficeApp,
    asked: &Asked<'_>,
) -> Result<Value, (i64, &'static str)> {
    let kind = asked.query("type").filter(|kind| ["image", "file"].contains(kind));
    let kind = kind.ok_or((40_004, "invalid media type"))?;
    let pieces = multipart::read(asked);
    let (name, content) = multipart::file(&pieces, "media").ok_or((41_005, "media data missing"))?;
    let most = if kind == "image" { 10 * MIB } else { 20 * MIB };
    if content.len() <= 5 || content.len() > most {
        return Err((40_006, "invalid file size"));
    }
    if kind == "image" && !begins(content, &[PNG, JPEG]) {
        return Err((40_005, "invalid file type"));
    }
    let id = office.keep(app, "", (kind, name), content, asked.now_ms + WECOM_MS);
    Ok(json!({ "type": kind, "media_id": id, "created_at": (asked.now_ms / 1000).to_string() }))
}
