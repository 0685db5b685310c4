//! The message forms a webhook takes, with their compulsory fields and who they mention.

use serde_json::Value;

use crate::record::{Look, Shown};
use crate::verdict::{Verdict, text_at, texts_at};

/// How many people one message may mention.
const MOST_MENTIONED: usize = 50;

/// A message whose form is right.
#[derive(Debug, Default)]
pub(crate) struct Message {
    kind: String,
    title: Option<String>,
    text: String,
    /// The texts in which a keyword may stand: addresses do not count.
    pub(crate) words: Vec<String>,
    buttons: Vec<(String, String)>,
    mentions: Vec<String>,
}

impl Message {
    pub(crate) fn into_shown(self, chat: String, token_masked: String, raw: Value) -> Shown {
        let look = Look { markup: self.text.clone(), tone: None, buttons: self.buttons.clone() };
        let mut text = self.text;
        for (label, address) in self.buttons {
            text.push_str(&format!("\n[{label}]({address})"));
        }
        let (kind, title, mentions) = (self.kind, self.title, self.mentions);
        Shown { chat, token_masked, kind, title, text, mentions, raw, look }
    }
}

/// Reads a webhook body, or says what is missing as the platform does.
pub(crate) fn read(body: &Value) -> Result<Message, Verdict> {
    let kind = text_at(body, "msgtype").ok_or_else(|| missing("msgtype"))?;
    let part = body.get(kind).unwrap_or(&Value::Null);
    let read = match kind {
        "text" => {
            let content = need(part, kind, "content")?;
            Message { text: content.to_owned(), words: vec![content.to_owned()], ..Message::default() }
        }
        "markdown" => titled(need(part, kind, "title")?, need(part, kind, "text")?),
        "link" => read_link(part)?,
        "actionCard" => read_action_card(part)?,
        "feedCard" => read_feed_card(part)?,
        _ => return Err(Verdict::errcode(400_105, format!("unsupported msgtype: {}", short(kind)))),
    };
    let mentions = read_mentions(body, kind, &read.text)?;
    Ok(Message { kind: kind.to_owned(), mentions, ..read })
}

fn titled(title: &str, text: &str) -> Message {
    let (title, text) = (title.to_owned(), text.to_owned());
    Message { words: vec![title.clone(), text.clone()], title: Some(title), text, ..Message::default() }
}

fn read_link(part: &Value) -> Result<Message, Verdict> {
    let (title, text) = (need(part, "link", "title")?, need(part, "link", "text")?);
    let address = need(part, "link", "messageUrl")?;
    Ok(Message { buttons: vec![(title.to_owned(), address.to_owned())], ..titled(title, text) })
}

fn read_action_card(part: &Value) -> Result<Message, Verdict> {
    let (title, text) = (need(part, "actionCard", "title")?, need(part, "actionCard", "text")?);
    // With a single button given, the platform ignores the list.
    let buttons = if let Some(label) = text_at(part, "singleTitle") {
        vec![(label.to_owned(), need(part, "actionCard", "singleURL")?.to_owned())]
    } else {
        let listed = need_list(part, "actionCard", "btns")?;
        let read = |button| {
            let label = need(button, "actionCard.btns", "title")?;
            Ok((label.to_owned(), need(button, "actionCard.btns", "actionURL")?.to_owned()))
        };
        listed.iter().map(read).collect::<Result<_, Verdict>>()?
    };
    Ok(Message { buttons, ..titled(title, text) })
}

fn read_feed_card(part: &Value) -> Result<Message, Verdict> {
    let mut message = Message::default();
    for link in need_list(part, "feedCard", "links")? {
        let title = need(link, "feedCard.links", "title")?;
        let address = need(link, "feedCard.links", "messageURL")?;
        need(link, "feedCard.links", "picURL")?;
        message.words.push(title.to_owned());
        message.buttons.push((title.to_owned(), address.to_owned()));
    }
    Ok(message)
}

/// Whom the platform notifies: who stands both in `at` and, as `@…`, in the text.
fn read_mentions(body: &Value, kind: &str, text: &str) -> Result<Vec<String>, Verdict> {
    let Some(at) = body.get("at").filter(|at| !at.is_null()) else { return Ok(Vec::new()) };
    if !at.is_object() {
        return Err(Verdict::errcode(40_035, "不合法的参数 at"));
    }
    let (mobiles, users) = (texts_at(at, "atMobiles"), texts_at(at, "atUserIds"));
    if mobiles.len() + users.len() > MOST_MENTIONED {
        return Err(Verdict::errcode(40_035, "不合法的参数 at: 最多 @ 50 人"));
    }
    let all = at.get("isAtAll").is_some_and(|all| all == &Value::Bool(true) || all == "true");
    let (by_mobile, by_user, by_all) = match kind {
        "text" | "markdown" => (true, true, true),
        "actionCard" => (false, true, false),
        _ => (false, false, false),
    };
    let mut mentioned: Vec<String> = Vec::new();
    for (list, honoured) in [(mobiles, by_mobile), (users, by_user)] {
        let named = list.into_iter().filter(|id| honoured && text.contains(&format!("@{id}")));
        mentioned.extend(named.map(str::to_owned));
    }
    if all && by_all {
        mentioned.push("all".to_owned());
    }
    Ok(mentioned)
}

fn need<'a>(part: &'a Value, object: &str, field: &str) -> Result<&'a str, Verdict> {
    text_at(part, field).ok_or_else(|| missing(&format!("{object}.{field}")))
}

fn need_list<'a>(part: &'a Value, object: &str, field: &str) -> Result<&'a [Value], Verdict> {
    let list = part.get(field).and_then(Value::as_array).filter(|list| !list.is_empty());
    list.map(Vec::as_slice).ok_or_else(|| missing(&format!("{object}.{field}")))
}

fn missing(field: &str) -> Verdict {
    Verdict::errcode(40_035, format!("缺少参数 {field}"))
}

fn short(kind: &str) -> String {
    kind.chars().take(40).collect()
}
