//! Words that the operator keeps out of messages.

use carillon_model::message::{Body, Content};

use crate::Service;
use crate::error::Error;

/// The words, of which none may stand in what is published, in capitals or small letters.
#[derive(Debug, Clone, Default)]
pub(crate) struct SensitiveWords(Vec<String>);

impl SensitiveWords {
    pub(crate) fn new(words: &[String]) -> Self {
        Self(words.iter().map(|word| word.to_lowercase()).filter(|word| !word.is_empty()).collect())
    }

    /// Looks through the subject and every text.
    fn check<'c>(&self, content: &'c Content) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let bodies = std::iter::once(&content.default).chain(content.channels.values());
        let buttons = |body: &'c Body| body.buttons.iter().map(|button| &button.text);
        let files = |body: &'c Body| body.attachments.iter().map(|attachment| &attachment.name);
        let texts = bodies
            .flat_map(|body| body.title.iter().chain([&body.text]).chain(buttons(body)).chain(files(body)));
        let found = |text: &String| {
            let text = text.to_lowercase();
            self.0.iter().any(|word| text.contains(word))
        };
        if content.subject.iter().chain(texts).any(found) {
            return Err(Error::SensitiveWords);
        }
        Ok(())
    }
}

impl Service {
    /// Whether a text that somebody hands in to be sent keeps the rules of messages, and the operator's.
    pub(crate) fn check_content(&self, content: &Content) -> Result<(), Error> {
        content.check()?;
        self.sensitive.check(content)
    }
}

#[cfg(test)]
mod tests {
    use carillon_model::Channel;
    use carillon_model::message::{Body, Button, Content};

    use super::SensitiveWords;

    #[test]
    fn a_word_is_found_wherever_it_stands() {
        let words = SensitiveWords::new(&["Secret".to_owned(), "绝密".to_owned(), String::new()]);
        let plain = || Content { default: Body::text("disk full"), ..Content::default() };
        assert!(words.check(&plain()).is_ok());
        let subject = Content { subject: Some("top SECRET".to_owned()), ..plain() };
        let text = Content { default: Body::text("这是绝密文件"), ..Content::default() };
        let titled = Body { title: Some("secrets".to_owned()), ..Body::text("disk") };
        let own = Content { channels: [(Channel::Lark, titled)].into(), ..plain() };
        let button = Button { text: "Secret".to_owned(), url: "https://example.com".to_owned() };
        let card = Content { default: Body { buttons: vec![button], ..Body::text("disk") }, ..plain() };
        for content in [subject, text, own, card] {
            assert!(words.check(&content).is_err(), "{content:?}");
            assert!(SensitiveWords::default().check(&content).is_ok());
        }
    }
}
