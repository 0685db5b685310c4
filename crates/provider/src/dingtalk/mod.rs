//! DingTalk: group robots by their webhook, and the company's own robot through its app.

use carillon_model::message::Mentions;

use crate::parts::{self, Draft, Place};
use crate::render::{self, Dialect};

pub(crate) mod app;
pub(crate) mod code;
pub(crate) mod contact;
pub(crate) mod doctor;
pub(crate) mod lookup;
pub(crate) mod office;
pub(crate) mod robot;
mod wire;
pub(crate) mod work;

/// `@138...`, `@u1`, `@all`: what stands in the text for each mention.
fn mention_words(mentions: &Mentions) -> Vec<String> {
    let people = mentions.mobiles.iter().chain(&mentions.user_ids).map(|person| format!("@{person}"));
    let all = mentions.all.then(|| "@all".to_owned());
    people.chain(all).collect()
}

/// A text message's content: the title as its first line, the text, mentions, keyword.
fn text_content(draft: &Draft<'_>, piece: &str, place: &Place) -> String {
    let text =
        if place.last { parts::with_words(piece, mention_words(draft.mentions)) } else { piece.to_owned() };
    let text = match draft.heading(&place.label) {
        Some(heading) => format!("{heading}\n{text}"),
        None => text,
    };
    draft.with_keyword(text, &[])
}

/// A markdown message's text: the title again, since DingTalk shows the title only in the list; then the rest.
fn markdown_text(draft: &Draft<'_>, piece: &str, place: &Place) -> String {
    let words: Vec<String> = if place.last { mention_words(draft.mentions) } else { Vec::new() };
    let mut text = match draft.heading(&place.label) {
        Some(heading) => {
            format!("#### {}\n\n{piece}", render::escape(&heading, Dialect::DingtalkMarkdown))
        }
        None => piece.to_owned(),
    };
    // A paragraph of their own: behind a list or a quote they would belong to it.
    let missing = parts::with_words("", words.into_iter().filter(|word| !parts::holds_word(piece, word)));
    if !missing.is_empty() {
        text = format!("{text}\n\n{missing}");
    }
    draft.with_keyword(text, &[])
}
