//! Lark's requests as they stand on the wire ("custom bot guide", "card JSON 2.0").

use serde::Serialize;

/// A plain message.
#[derive(Debug, Serialize)]
pub(crate) struct TextMessage<'a> {
    pub(crate) msg_type: &'static str,
    pub(crate) content: Text<'a>,
}

/// Its text.
#[derive(Debug, Serialize)]
pub(crate) struct Text<'a> {
    pub(crate) text: &'a str,
}

/// A card; by webhook it stands at the top level, not inside `content`.
#[derive(Debug, Serialize)]
pub(crate) struct CardMessage<'a> {
    pub(crate) msg_type: &'static str,
    pub(crate) card: Card<'a>,
}

/// A card of the second schema.
#[derive(Debug, Serialize)]
pub(crate) struct Card<'a> {
    pub(crate) schema: &'static str,
    pub(crate) config: Config,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) header: Option<Header<'a>>,
    pub(crate) body: Body<'a>,
}

/// How a card behaves.
#[derive(Debug, Serialize)]
pub(crate) struct Config {
    pub(crate) update_multi: bool,
}

/// The bar above a card.
#[derive(Debug, Serialize)]
pub(crate) struct Header<'a> {
    pub(crate) title: Tagged<'a>,
    pub(crate) template: &'static str,
}

/// What a card holds.
#[derive(Debug, Serialize)]
pub(crate) struct Body<'a> {
    pub(crate) elements: Vec<Element<'a>>,
}

/// A piece of a card.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Element<'a> {
    Text(Tagged<'a>),
    Button(ButtonElement<'a>),
}

/// A button.
#[derive(Debug, Serialize)]
pub(crate) struct ButtonElement<'a> {
    pub(crate) tag: &'static str,
    pub(crate) text: Tagged<'a>,
    #[serde(rename = "type")]
    pub(crate) look: &'static str,
    pub(crate) behaviors: [OpenUrl<'a>; 1],
}

/// What a button does.
#[derive(Debug, Serialize)]
pub(crate) struct OpenUrl<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) default_url: &'a str,
}

/// A post of an app, in one language.
#[derive(Debug, Serialize)]
pub(crate) struct AppPost<'a> {
    pub(crate) zh_cn: PostBody<'a>,
}

/// What a post says: paragraphs of nodes.
#[derive(Debug, Serialize)]
pub(crate) struct PostBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<&'a str>,
    pub(crate) content: Vec<[PostNode<'a>; 1]>,
}

/// A piece of a post.
#[derive(Debug, Serialize)]
pub(crate) struct PostNode<'a> {
    pub(crate) tag: &'static str,
    pub(crate) text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) href: Option<&'a str>,
}

/// A piece of text in a card.
#[derive(Debug, Serialize)]
pub(crate) struct Tagged<'a> {
    pub(crate) tag: &'static str,
    pub(crate) content: &'a str,
}

/// A signature, in the body itself.
#[derive(Debug, Serialize)]
pub(crate) struct Signature {
    pub(crate) timestamp: String,
    pub(crate) sign: String,
}
