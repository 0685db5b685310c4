//! What people are known by outside a platform: a mail address or a phone number, which a platform can find its member by.

use crate::error::{Field, Invalid};
use crate::mailbox;
use crate::secret::SecretText;

/// The fewest and the most digits of a phone number (E.164 allows fifteen; some companies' own lines are longer).
const DIGITS: std::ops::RangeInclusive<usize> = 5..=20;

/// The kinds of contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContactKind {
    /// A mail address.
    Email,
    /// A mobile phone's number.
    Phone,
}

impl ContactKind {
    /// Its name in the API and at rest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Email, Self::Phone].into_iter().find(|kind| kind.name() == name)
    }
}

/// A contact in the one form that it is compared in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Contact {
    /// What it is.
    pub kind: ContactKind,
    /// The address or the number.
    pub value: SecretText,
}

impl Contact {
    /// Reads a contact. Mail addresses are compared in small letters, as the platforms do; numbers without what people put
    /// between the digits, and without the country code of the platforms' own country.
    ///
    /// # Errors
    /// When it is no address, or no number; it is not repeated.
    pub fn parse(kind: ContactKind, text: &str) -> Result<Self, Invalid> {
        let value = match kind {
            ContactKind::Email => mailbox::parse(text.trim()).map(|it| it.reveal().to_lowercase().into()),
            ContactKind::Phone => phone(text),
        };
        let rule = match kind {
            ContactKind::Email => "must be a mail address such as name@example.com",
            ContactKind::Phone => {
                "must be a phone number of 5 to 20 digits, with + and the country's code outside China"
            }
        };
        value.map(|value| Self { kind, value }).ok_or_else(|| Invalid::new(Field::Contact, rule))
    }

    /// The contact as it may be shown.
    #[must_use]
    pub fn masked(&self) -> String {
        let value = self.value.reveal();
        match self.kind {
            ContactKind::Email => mailbox::mask(value),
            ContactKind::Phone => {
                let last: Vec<char> = value.chars().rev().take(2).collect();
                format!("****{}", last.into_iter().rev().collect::<String>())
            }
        }
    }
}

fn phone(text: &str) -> Option<SecretText> {
    let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let plain = plain.strip_prefix("+86").unwrap_or(&plain);
    let digits = plain.strip_prefix('+').unwrap_or(plain);
    let fits = DIGITS.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| plain.into())
}

#[cfg(test)]
mod tests {
    use super::{Contact, ContactKind};

    #[test]
    fn one_contact_has_one_form() {
        let read = |kind, text| Contact::parse(kind, text).map(|contact| contact.value.reveal().to_owned());
        for text in ["13800000001", "+86 138-0000-0001", " +8613800000001"] {
            assert_eq!(read(ContactKind::Phone, text).as_deref(), Ok("13800000001"), "{text}");
        }
        assert_eq!(read(ContactKind::Phone, "+1 (415) 555-0100").as_deref(), Ok("+14155550100"));
        assert_eq!(read(ContactKind::Email, "Li.Lei@Example.COM").as_deref(), Ok("li.lei@example.com"));
        for text in ["", "1234", "+", "13800x00001", "1380000000113800000001", "一三八"] {
            assert!(read(ContactKind::Phone, text).is_err(), "{text}");
        }
        assert!(read(ContactKind::Email, "li lei").is_err());
    }

    #[test]
    fn little_is_shown() {
        let shown = |kind, text| Contact::parse(kind, text).unwrap().masked();
        assert_eq!(shown(ContactKind::Phone, "13800000042"), "****42");
        assert_eq!(shown(ContactKind::Email, "lilei@example.com"), "l***@example.com");
    }
}
