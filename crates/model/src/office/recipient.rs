//! Whom a message through an office app is for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Field, Invalid};
use crate::id::ConnectionId;
use crate::office::Platform;
use crate::office::connection::check_name;

/// The kinds of recipients. An id is good only together with its kind: the platforms' ids of different kinds look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientKind {
    /// One person.
    Member,
    /// Everybody of a department and of those below it.
    Department,
    /// Everybody of a group of our own.
    Group,
    /// A chat that the app's bot is in.
    Chat,
}

impl RecipientKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Member, Self::Department, Self::Group, Self::Chat];

    /// Its name in the API and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Department => "department",
            Self::Group => "group",
            Self::Chat => "chat",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A recipient: kind and id, ours or the platform's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Recipient {
    /// What it is.
    pub kind: RecipientKind,
    /// Its id.
    pub id: String,
}

impl Recipient {
    /// Reads a recipient.
    ///
    /// # Errors
    /// When the id cannot be one of that kind; the reason is said, the id never repeated.
    pub fn parse(kind: RecipientKind, id: &str) -> Result<Self, Invalid> {
        match kind {
            RecipientKind::Member => check_member_id(id)?,
            // A group of our own goes by its name, too.
            RecipientKind::Group => check_name(id)?,
            RecipientKind::Department => check_id(id, 64, "a department's id")?,
            RecipientKind::Chat => check_id(id, 256, "a chat's id")?,
        }
        Ok(Self { kind, id: id.to_owned() })
    }

    /// Reads the endpoint of an `office` subscription, `office:{connection}:{kind}:{id}`.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse_endpoint(text: &str) -> Result<(ConnectionId, Self), Invalid> {
        const RULE: &str =
            "must be office:{connection id}:{member, department, group or chat}:{the platform's id}";
        let wrong = || Invalid::new(Field::Endpoint, RULE);
        let mut parts = text.splitn(4, ':');
        let (Some("office"), Some(connection), Some(kind), Some(id)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let connection = ConnectionId::parse(connection).map_err(|_id| wrong())?;
        let kind = RecipientKind::from_name(kind).ok_or_else(wrong)?;
        let recipient =
            Self::parse(kind, id).map_err(|invalid| Invalid::new(Field::Endpoint, invalid.rule))?;
        Ok((connection, recipient))
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.name(), self.id)
    }
}

/// Checks a member's id: 1 to 64 ASCII letters, digits, `-`, `_`, `.` and `@`. Others break the platforms' own rules
/// (WeCom "userid", Lark "user id") and fail a single sign-on.
///
/// # Errors
/// When it is empty, too long, or holds another character; the sentence says which kind.
pub fn check_member_id(id: &str) -> Result<(), Invalid> {
    let wrong = |rule| Err(Invalid::new(Field::Id, rule));
    if id.is_empty() || id.len() > 64 {
        return wrong("a member's id must be 1 to 64 characters");
    }
    if !id.is_ascii() {
        return wrong("a member's id must not hold Chinese or other characters beyond ASCII");
    }
    if !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'@')) {
        return wrong("a member's id must not hold special characters: only letters, digits, -, _, . and @");
    }
    Ok(())
}

fn check_id(id: &str, most: usize, what: &'static str) -> Result<(), Invalid> {
    let fits = (1..=most).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'<' | b'>' | b':' | b'|'));
    if fits {
        return Ok(());
    }
    Err(Invalid::new(Field::Id, format!("{what} must be 1 to {most} letters, digits and signs")))
}

/// A member's id in the form it is compared in: WeCom's are the same in any case of letters.
#[must_use]
pub fn folded(platform: Platform, id: &str) -> String {
    match platform {
        Platform::Wecom => id.to_ascii_lowercase(),
        Platform::Lark | Platform::Feishu | Platform::Dingtalk => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Recipient, RecipientKind, check_member_id, folded};
    use crate::error::Field;
    use crate::office::Platform;

    #[test]
    fn member_ids_are_refused_with_the_reason() {
        for good in ["u001", "ou_0a", "Zhang.San@x", &"x".repeat(64)] {
            assert!(check_member_id(good).is_ok(), "{good}");
        }
        let reason = |id: &str| check_member_id(id).unwrap_err().to_string();
        assert!(reason("张三").contains("Chinese"));
        assert!(reason("a b").contains("special"));
        assert!(reason("a|b").contains("special"));
        assert!(reason(&"x".repeat(65)).contains("64"));
    }

    #[test]
    fn endpoints_name_connection_kind_and_id() {
        let id = "0123456789abcdef0123456789abcdef";
        let (connection, recipient) =
            Recipient::parse_endpoint(&format!("office:{id}:chat:cidA/b+==")).unwrap();
        assert_eq!(connection.to_string(), id);
        assert_eq!(recipient, Recipient { kind: RecipientKind::Chat, id: "cidA/b+==".to_owned() });
        for bad in [
            "",
            "office",
            "office:x:member:a",
            &format!("office:{id}:person:a"),
            &format!("office:{id}:member:张"),
        ] {
            assert_eq!(Recipient::parse_endpoint(bad).unwrap_err().field, Field::Endpoint, "{bad}");
        }
    }

    #[test]
    fn wecom_ids_are_compared_without_case() {
        assert_eq!(folded(Platform::Wecom, "ZhangSan"), "zhangsan");
        assert_eq!(folded(Platform::Dingtalk, "ZhangSan"), "ZhangSan");
    }
}
