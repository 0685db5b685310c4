//! `msgKey` and the fields its `msgParam` must have (robot message types page).

use serde_json::Value;

use crate::verdict::text_at;

/// The largest `msgParam`, in bytes of its text before it is embedded.
pub(crate) const MOST_BYTES: usize = 15_000;

/// What a message says.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) kind: String,
    pub(crate) title: Option<String>,
    pub(crate) text: String,
    pub(crate) buttons: Vec<(String, String)>,
    /// The picture or the file that it shows.
    pub(crate) media: Option<String>,
    /// What kind of file that is.
    pub(crate) file_type: Option<String>,
}

/// Names the compulsory fields of a message key; `None` for a key that does not exist.
pub(crate) fn fields(key: &str) -> Option<&'static [&'static str]> {
    const CARD: &[&str] = &[
        "title",
        "text",
        "actionTitle1",
        "actionURL1",
        "actionTitle2",
        "actionURL2",
        "actionTitle3",
        "actionURL3",
        "actionTitle4",
        "actionURL4",
        "actionTitle5",
        "actionURL5",
    ];
    Some(match key {
        "sampleText" => &["content"],
        "sampleMarkdown" => &["title", "text"],
        "sampleImageMsg" => &["photoURL"],
        "sampleLink" => &["title", "text", "picUrl", "messageUrl"],
        "sampleActionCard" => &["title", "text", "singleTitle", "singleURL"],
        "sampleActionCard2" => CARD.get(..6)?,
        "sampleActionCard3" => CARD.get(..8)?,
        "sampleActionCard4" => CARD.get(..10)?,
        "sampleActionCard5" => CARD,
        "sampleActionCard6" => &["title", "text", "buttonTitle1", "buttonUrl1", "buttonTitle2", "buttonUrl2"],
        "sampleAudio" => &["mediaId", "duration"],
        "sampleFile" => &["mediaId", "fileName", "fileType"],
        "sampleVideo" => &["duration", "videoMediaId", "videoType", "picMediaId"],
        _ => return None,
    })
}

/// Says whether a field is there: text that is not blank, or a number.
pub(crate) fn has(fields: &Value, field: &str) -> bool {
    text_at(fields, field).is_some() || fields.get(field).is_some_and(Value::is_number)
}

/// Reads what the chat shows.
pub(crate) fn read(key: &str, fields: &Value) -> Content {
    let owned = |field: &str| text_at(fields, field).map(str::to_owned);
    let pairs = [
        ("singleTitle", "singleURL"),
        ("actionTitle1", "actionURL1"),
        ("actionTitle2", "actionURL2"),
        ("actionTitle3", "actionURL3"),
        ("actionTitle4", "actionURL4"),
        ("actionTitle5", "actionURL5"),
        ("buttonTitle1", "buttonUrl1"),
        ("buttonTitle2", "buttonUrl2"),
        ("title", "messageUrl"),
    ];
    let text = ["content", "text", "photoURL", "fileName", "mediaId", "videoMediaId"];
    Content {
        kind: key.to_owned(),
        title: owned("title"),
        media: owned("photoURL")
            .or_else(|| owned("mediaId"))
            .filter(|_| matches!(key, "sampleImageMsg" | "sampleFile")),
        file_type: owned("fileType"),
        text: text.into_iter().find_map(owned).unwrap_or_default(),
        buttons: pairs.into_iter().filter_map(|(label, url)| Some((owned(label)?, owned(url)?))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::fields;

    #[test]
    fn card_keys_want_their_buttons() {
        assert_eq!(fields("sampleActionCard2").unwrap().last(), Some(&"actionURL2"));
        assert_eq!(fields("sampleActionCard5").unwrap().last(), Some(&"actionURL5"));
        assert_eq!(fields("sampleFeedCard"), None);
    }
}
