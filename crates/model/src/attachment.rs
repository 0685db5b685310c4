//! Images and files that go with a message to people and chats, and what each platform takes of them.

use serde::{Deserialize, Serialize};

use crate::error::{Field, Invalid};
use crate::id::AttachmentId;
use crate::limits;
use crate::office::Platform;

/// What an attachment is to be shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// A picture in the chat.
    Image,
    /// A file to be opened.
    File,
}

impl AttachmentKind {
    /// The kind's name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::File => "file",
        }
    }

    /// The field of a push that names such attachments.
    #[must_use]
    pub fn field(self) -> Field {
        match self {
            Self::Image => Field::Images,
            Self::File => Field::Files,
        }
    }
}

/// An attachment as a message names it; its bytes are kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its id.
    pub id: AttachmentId,
    /// What it is shown as.
    pub kind: AttachmentKind,
    /// The name of the file.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
}

/// How a picture is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say all there is")]
pub enum PictureFormat {
    Png,
    Jpeg,
    Gif,
    Bmp,
    Webp,
    Ico,
    Tiff,
    Heic,
}

impl PictureFormat {
    /// Every format.
    pub const ALL: [Self; 8] =
        [Self::Png, Self::Jpeg, Self::Gif, Self::Bmp, Self::Webp, Self::Ico, Self::Tiff, Self::Heic];

    /// Its name in the API and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::Webp => "webp",
            Self::Ico => "ico",
            Self::Tiff => "tiff",
            Self::Heic => "heic",
        }
    }

    /// The format of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// What the first bytes tell of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// How it is written down.
    pub format: PictureFormat,
    /// Width and height, in pixels, where that is easily seen.
    pub size: Option<(u32, u32)>,
}

impl Picture {
    /// Looks at the beginning of some bytes; nothing when they are no picture that any platform takes.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let at = |from: usize, mark: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(mark));
        let format = if at(0, b"\x89PNG\r\n\x1a\n") {
            PictureFormat::Png
        } else if at(0, b"\xff\xd8\xff") {
            PictureFormat::Jpeg
        } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
            PictureFormat::Gif
        } else if at(0, b"BM") {
            PictureFormat::Bmp
        } else if at(0, b"RIFF") && at(8, b"WEBP") {
            PictureFormat::Webp
        } else if at(0, b"\0\0\x01\0") {
            PictureFormat::Ico
        } else if at(0, b"II*\0") || at(0, b"MM\0*") {
            PictureFormat::Tiff
        } else if at(4, b"ftyp") && [b"heic", b"heix", b"mif1", b"heif"].iter().any(|brand| at(8, *brand)) {
            PictureFormat::Heic
        } else {
            return None;
        };
        Some(Self { format, size: size(format, bytes) })
    }
}

fn size(format: PictureFormat, bytes: &[u8]) -> Option<(u32, u32)> {
    let four = |from: usize| bytes.get(from..from + 4)?.try_into().ok();
    let two = |from: usize| bytes.get(from..from + 2)?.try_into().ok();
    match format {
        PictureFormat::Png => Some((u32::from_be_bytes(four(16)?), u32::from_be_bytes(four(20)?))),
        PictureFormat::Gif => Some((u16::from_le_bytes(two(6)?).into(), u16::from_le_bytes(two(8)?).into())),
        // The height is negative where the rows stand from the top down.
        PictureFormat::Bmp => {
            let side = |from| four(from).map(|bytes| i32::from_le_bytes(bytes).unsigned_abs());
            Some((side(18)?, side(22)?))
        }
        PictureFormat::Jpeg => jpeg_size(bytes),
        PictureFormat::Webp | PictureFormat::Ico | PictureFormat::Tiff | PictureFormat::Heic => None,
    }
}

/// Goes from segment to segment until one tells the frame's size.
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let [0xff, mark, high, low] = *bytes.get(at..at + 4)? else { return None };
        let is_frame = (0xc0..=0xcf).contains(&mark) && !matches!(mark, 0xc4 | 0xc8 | 0xcc);
        if is_frame {
            let [h1, h2, w1, w2] = *bytes.get(at + 5..at + 9)? else { return None };
            return Some((u16::from_be_bytes([w1, w2]).into(), u16::from_be_bytes([h1, h2]).into()));
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
}

/// Reads the name of a file: what a chat shows, and what stands in the header of an upload.
///
/// # Errors
/// When it is empty, long, a path, or holds what would end a header.
pub fn check_name(kind: AttachmentKind, name: &str) -> Result<(), Invalid> {
    let plain = !name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\' | '"' | '<' | '>' | '|'));
    let fits = (1..=limits::ATTACHMENT_NAME_BYTES_MAX).contains(&name.len());
    if fits && plain && name.trim() == name && name != "." && name != ".." {
        return Ok(());
    }
    Err(Invalid::new(
        kind.field(),
        "a file's name must be 1 to 200 bytes without slashes, quotes, bars, angle brackets and control characters",
    ))
}

/// What one platform takes of a kind.
struct Taken {
    /// The least and the most bytes.
    bytes: (u64, u64),
    /// The formats of pictures, or the endings of file names; any when empty.
    pictures: &'static [PictureFormat],
    endings: &'static [&'static str],
    /// What is said of one that is too large or too small, and of one of another form.
    rules: [&'static str; 2],
}

const MIB: u64 = 1024 * 1024;

/// Lark, "upload an image" and "upload a file"; DingTalk, "upload a media file" and the robot's `sampleFile`; WeCom, "upload
/// temporary media".
fn taken(platform: Platform, kind: AttachmentKind) -> Taken {
    use PictureFormat::{Bmp, Gif, Jpeg, Png};
    match (platform, kind) {
        (Platform::Lark | Platform::Feishu, AttachmentKind::Image) => Taken {
            bytes: (1, 10 * MIB),
            pictures: &PictureFormat::ALL,
            endings: &[],
            rules: [
                "an image for Lark and Feishu must be 1 byte to 10 MiB",
                "an image for Lark and Feishu must be a jpg, png, webp, gif, bmp, ico, tiff or heic",
            ],
        },
        (Platform::Lark | Platform::Feishu, AttachmentKind::File) => Taken {
            bytes: (1, 30 * MIB),
            pictures: &[],
            endings: &[],
            rules: ["a file for Lark and Feishu must be 1 byte to 30 MiB", ""],
        },
        (Platform::Dingtalk, AttachmentKind::Image) => Taken {
            bytes: (1, 20 * MIB),
            pictures: &[Jpeg, Gif, Png, Bmp],
            endings: &[],
            rules: [
                "an image for DingTalk must be 1 byte to 20 MiB",
                "an image for DingTalk must be a jpg, gif, png or bmp",
            ],
        },
        (Platform::Dingtalk, AttachmentKind::File) => Taken {
            bytes: (1, 20 * MIB),
            pictures: &[],
            endings: &["xlsx", "pdf", "zip", "rar", "doc", "docx"],
            rules: [
                "a file for DingTalk must be 1 byte to 20 MiB",
                "the name of a file for DingTalk must end in .xlsx, .pdf, .zip, .rar, .doc or .docx",
            ],
        },
        (Platform::Wecom, AttachmentKind::Image) => Taken {
            bytes: (6, 10 * MIB),
            pictures: &[Jpeg, Png],
            endings: &[],
            rules: [
                "an image for WeCom must be 6 bytes to 10 MiB",
                "an image for WeCom must be a jpg or png",
            ],
        },
        (Platform::Wecom, AttachmentKind::File) => Taken {
            bytes: (6, 20 * MIB),
            pictures: &[],
            endings: &[],
            rules: ["a file for WeCom must be 6 bytes to 20 MiB", ""],
        },
    }
}

/// The end of a file's name behind its last dot, in small letters.
#[must_use]
pub fn ending(name: &str) -> String {
    name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default()
}

/// Whether a platform takes an attachment, before anything is sent.
///
/// # Errors
/// When it is too large, too small, or of a form that the platform refuses.
pub fn check(platform: Platform, attachment: &Attachment, picture: Option<Picture>) -> Result<(), Invalid> {
    let taken = taken(platform, attachment.kind);
    let [size_rule, form_rule] = taken.rules;
    let wrong = |rule| Err(Invalid::new(attachment.kind.field(), rule));
    if attachment.kind == AttachmentKind::Image
        && !picture.is_some_and(|picture| taken.pictures.contains(&picture.format))
    {
        return wrong(form_rule);
    }
    if !(taken.bytes.0..=taken.bytes.1).contains(&attachment.bytes) {
        return wrong(size_rule);
    }
    if !taken.endings.is_empty() && !taken.endings.contains(&ending(&attachment.name).as_str()) {
        return wrong(form_rule);
    }
    let is_lark = matches!(platform, Platform::Lark | Platform::Feishu);
    if let (true, AttachmentKind::Image, Some(Picture { format, size: Some((width, height)) })) =
        (is_lark, attachment.kind, picture)
    {
        let most = if format == PictureFormat::Gif { 2_000 } else { 12_000 };
        if width.max(height) > most {
            return wrong(
                "an image for Lark and Feishu must be at most 12000 by 12000 pixels, a gif 2000 by 2000",
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Attachment, AttachmentKind, MIB, Picture, PictureFormat, check, check_name};
    use crate::error::Field;
    use crate::id::AttachmentId;
    use crate::office::Platform;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes
    }

    fn of(kind: AttachmentKind, name: &str, bytes: u64) -> Attachment {
        Attachment { id: AttachmentId::from_bytes([1; 16]), kind, name: name.to_owned(), bytes }
    }

    #[test]
    fn pictures_are_told_by_their_first_bytes() {
        assert_eq!(
            Picture::read(&png(3, 4)),
            Some(Picture { format: PictureFormat::Png, size: Some((3, 4)) })
        );
        let gif = b"GIF89a\x03\x00\x04\x00rest";
        assert_eq!(Picture::read(gif).unwrap().size, Some((3, 4)));
        let jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc2\x00\x0b\x08\x00\x04\x00\x03";
        assert_eq!(Picture::read(jpeg), Some(Picture { format: PictureFormat::Jpeg, size: Some((3, 4)) }));
        let mut bmp = b"BM".to_vec();
        bmp.extend([0; 16]);
        bmp.extend(3_i32.to_le_bytes());
        bmp.extend((-4_i32).to_le_bytes());
        assert_eq!(Picture::read(&bmp).unwrap().size, Some((3, 4)));
        let others: [(&[u8], PictureFormat); 4] = [
            (b"RIFF\0\0\0\0WEBPVP8 ", PictureFormat::Webp),
            (b"\0\0\x01\0\x01\0", PictureFormat::Ico),
            (b"MM\0*\0", PictureFormat::Tiff),
            (b"\0\0\0\x18ftypheic", PictureFormat::Heic),
        ];
        for (bytes, format) in others {
            assert_eq!(Picture::read(bytes), Some(Picture { format, size: None }));
            assert_eq!(PictureFormat::from_name(format.name()), Some(format));
        }
        for none in [&b""[..], b"%PDF-1.7", b"\xff\xd8", b"GIF", b"RIFF\0\0\0\0AVI "] {
            assert_eq!(Picture::read(none), None);
        }
        // What breaks off tells no size, and nothing goes wrong.
        for end in 0..jpeg.len() {
            let size = Picture::read(jpeg.get(..end).unwrap()).and_then(|picture| picture.size);
            assert!(size.is_none() || end >= 19, "{end}");
        }
    }

    #[test]
    fn each_platform_takes_its_own() {
        let image = |bytes| of(AttachmentKind::Image, "a.png", bytes);
        let seen = Picture::read(&png(3, 4));
        let lark =
            |bytes, picture| check(Platform::Lark, &image(bytes), picture).map_err(|wrong| wrong.field);
        assert_eq!(lark(10 * MIB, seen), Ok(()));
        assert_eq!(lark(10 * MIB + 1, seen), Err(Field::Images));
        assert_eq!(lark(100, None), Err(Field::Images));
        assert_eq!(lark(100, Picture::read(&png(12_001, 4))), Err(Field::Images));
        assert_eq!(lark(100, Picture::read(b"GIF89a\xd1\x07\x04\x00")), Err(Field::Images));
        assert_eq!(check(Platform::Dingtalk, &image(20 * MIB), seen), Ok(()));
        assert!(check(Platform::Wecom, &image(5), seen).is_err());
        assert!(check(Platform::Wecom, &image(100), Picture::read(b"GIF89a\x04\0\x04\0")).is_err());
        let file = |platform, name, bytes| {
            check(platform, &of(AttachmentKind::File, name, bytes), None).map_err(|wrong| wrong.field)
        };
        assert_eq!(file(Platform::Feishu, "a", 30 * MIB), Ok(()));
        assert_eq!(file(Platform::Feishu, "a", 0), Err(Field::Files));
        assert_eq!(file(Platform::Dingtalk, "a.PDF", 20 * MIB), Ok(()));
        assert_eq!(file(Platform::Dingtalk, "a.txt", 10), Err(Field::Files));
        assert_eq!(file(Platform::Wecom, "a.txt", 20 * MIB), Ok(()));
        assert_eq!(file(Platform::Wecom, "a.txt", 20 * MIB + 1), Err(Field::Files));
    }

    #[test]
    fn names_are_one_piece() {
        for good in ["a", "报告 2026.pdf", &"x".repeat(200)] {
            assert!(check_name(AttachmentKind::File, good).is_ok(), "{good}");
        }
        for bad in ["", " a", "..", "a/b", "a\\b", "a\"b", "a\r\nb", &"x".repeat(201)] {
            assert_eq!(check_name(AttachmentKind::File, bad).unwrap_err().field, Field::Files, "{bad}");
        }
    }
}
