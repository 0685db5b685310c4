//! Taking back what an app sent, or putting another card in its place, by the ids that the platform gave it.
//!
//! | platform | what it takes back |
//! | --- | --- |
//! | Lark, Feishu | any message of the app ("recall a message") |
//! | DingTalk | messages to people and to chats, and work notifications, within 24 hours |
//! | WeCom | messages to members, within 24 hours; none of chats |

use carillon_model::limits::PLATFORM_TEXT_BYTES_MAX;
use carillon_model::office::{App, RecipientKind};
use carillon_model::outcome::{Outcome, Reason, Verdict};
use carillon_model::subscription::Target;
use carillon_model::text::shorten;

use crate::{Context, Part, Post, Providers, clean, dingtalk, lark, wecom};

/// What stands before an id in the words of a verdict.
pub(crate) const NAMES: [&str; 4] = ["message_id", "processQueryKey", "msgid", "task_id"];

/// What stands before the ids of parts that had arrived, behind the words of a verdict on a later one.
const ARRIVED: &str = " | sent before: ";

/// What was sent, by the outcomes and words of all attempts of a delivery: the names and ids that stand in them.
pub fn sent_words<'w>(attempts: impl IntoIterator<Item = (Outcome, &'w str)>) -> String {
    let mut sent = Vec::new();
    for (outcome, words) in attempts {
        let words = match (outcome, words.rsplit_once(ARRIVED)) {
            (_, Some((_, arrived))) => arrived,
            (Outcome::Accepted, None) => words,
            (Outcome::Refused | Outcome::Misconfigured | Outcome::Later { .. } | Outcome::Unknown, None) => {
                ""
            }
        };
        let words: Vec<&str> = words.split_whitespace().collect();
        for pair in words.windows(2) {
            if let [name, id] = pair
                && NAMES.contains(name)
            {
                sent.push(format!("{name} {id}"));
            }
        }
    }
    sent.join(" ")
}

/// The ids that stand in the words of a verdict.
fn ids(words: &str) -> Vec<(&str, &str)> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let named = words.windows(2).filter_map(|pair| match pair {
        [name, id] if NAMES.contains(name) => Some((*name, *id)),
        _ => None,
    });
    named.collect()
}

/// The verdict on a part, with the ids of the parts before it, whatever became of this one.
fn after(before: &Verdict, mut verdict: Verdict) -> Verdict {
    let words = |verdict: &Verdict| {
        let words = verdict.platform_text.clone().filter(|words| !ids(words).is_empty());
        words.filter(|_words| verdict.outcome == Outcome::Accepted)
    };
    let now = words(&verdict);
    match (words(before), now) {
        (Some(before), Some(now)) => {
            verdict.platform_text = Some(shorten(&format!("{before} {now}"), PLATFORM_TEXT_BYTES_MAX));
        }
        (Some(before), None) if verdict.outcome != Outcome::Accepted => {
            let arrived = format!("{ARRIVED}{before}");
            let room = PLATFORM_TEXT_BYTES_MAX.saturating_sub(arrived.len());
            let said = verdict.platform_text.unwrap_or_default();
            verdict.platform_text = Some(format!("{}{arrived}", shorten(&said, room)));
        }
        (Some(_) | None, _) => {}
    }
    verdict
}

impl Providers {
    /// Sends a part behind others of its delivery: the verdict names what the platform called all of them.
    pub async fn send_behind(&self, before: &Verdict, target: &Target, part: &Part) -> Verdict {
        after(before, self.send(target, part).await)
    }

    /// Puts another card in the place of the one that a verdict's words name. Nothing when that was no single message, the
    /// platform changes nothing that was sent, or the new one does not fit into one card.
    pub async fn office_replace(&self, target: &Target, post: &Post<'_>, words: &str) -> Option<Verdict> {
        let office = target.extension.office.as_ref()?;
        let ids = ids(words);
        let (App::Lark(_) | App::Feishu(_), [(_name, id)]) = (&office.app, ids.as_slice()) else {
            return None;
        };
        let parts = self.render(target, post).ok()?;
        let [card] = parts.as_slice() else { return None };
        let verdict = lark::office::replace(&self.context(), &office.app, id, card).await;
        let secrets = crate::secrets(target);
        let secrets: Vec<&str> = secrets.iter().map(carillon_model::SecretText::reveal).collect();
        Some(clean::verdict(verdict, &secrets))
    }

    /// Takes back what a verdict's words name. Nothing when they name nothing, or the platform takes nothing of the kind
    /// back; else the first refusal, or the last success.
    pub async fn office_recall(
        &self,
        app: &App,
        (kind, to): (RecipientKind, &str),
        words: &str,
    ) -> Option<Verdict> {
        let context = self.context();
        let mut last = None;
        for id in ids(words) {
            let verdict = one(&context, app, (kind, to), id).await?;
            let secrets = app.secrets();
            let mut secrets: Vec<&str> = secrets.iter().map(carillon_model::SecretText::reveal).collect();
            secrets.push(to);
            let verdict = clean::verdict(verdict, &secrets);
            let refused = verdict.outcome != Outcome::Accepted;
            last = Some(verdict);
            if refused {
                break;
            }
        }
        last
    }
}

async fn one(
    context: &Context<'_>,
    app: &App,
    to: (RecipientKind, &str),
    (name, id): (&str, &str),
) -> Option<Verdict> {
    match app {
        App::Dingtalk(_) if name == "task_id" => Some(dingtalk::work::recall(context, app, id).await),
        App::Lark(_) | App::Feishu(_) => Some(lark::office::recall(context, app, id).await),
        App::Dingtalk(_) => Some(dingtalk::office::recall(context, app, to, id).await),
        App::Wecom(_) if to.0 == RecipientKind::Chat => None,
        App::Wecom(_) => Some(wecom::office::recall(context, app, id).await),
    }
}

/// A refusal that stands in a list of an answer that is a success as a whole.
pub(crate) fn refused(code: &str, text: &str) -> Verdict {
    Verdict {
        platform_code: Some(code.to_owned()),
        platform_text: Some(text.to_owned()),
        ..Verdict::plain(Outcome::Refused, Reason::Unlisted)
    }
}

#[cfg(test)]
mod tests {
    use carillon_model::outcome::{Outcome, Reason, Verdict};

    use super::{after, ids, sent_words};

    #[test]
    fn ids_are_found_in_the_words() {
        assert_eq!(ids("message_id om_1 message_id om_2"), [("message_id", "om_1"), ("message_id", "om_2")]);
        assert_eq!(ids("processQueryKey a/b+c="), [("processQueryKey", "a/b+c=")]);
        assert!(ids("the message_id").is_empty() && ids("ok").is_empty());
    }

    #[test]
    fn every_post_of_a_delivery_is_found() {
        let failed = Verdict {
            platform_text: Some("no message_id here".to_owned()),
            ..Verdict::plain(Outcome::Refused, Reason::Permission)
        };
        let first = Verdict {
            platform_text: Some("message_id om_1".to_owned()),
            ..Verdict::plain(Outcome::Accepted, Reason::Ok)
        };
        let second = after(&first, failed.clone());
        assert_eq!(
            second.platform_text.as_deref(),
            Some("no message_id here | sent before: message_id om_1")
        );
        let words = |verdict: &Verdict| verdict.platform_text.clone().unwrap();
        let all = [(second.outcome, words(&second)), (Outcome::Accepted, "message_id om_2".to_owned())];
        let all = all.iter().map(|(outcome, words)| (*outcome, words.as_str()));
        assert_eq!(sent_words(all), "message_id om_1 message_id om_2");
        // What a platform refuses is none of ours.
        assert_eq!(sent_words([(failed.outcome, words(&failed).as_str())]), "");
    }

    #[test]
    fn parts_are_named_together() {
        let accepted = |words: &str| Verdict {
            platform_text: Some(words.to_owned()),
            ..Verdict::plain(Outcome::Accepted, Reason::Ok)
        };
        let both = after(&accepted("msgid 1"), accepted("msgid 2"));
        assert_eq!(both.platform_text.as_deref(), Some("msgid 1 msgid 2"));
        let first = after(&Verdict::plain(Outcome::Refused, Reason::Render), accepted("msgid 1"));
        assert_eq!(first.platform_text.as_deref(), Some("msgid 1"));
        assert_eq!(after(&accepted("ok"), accepted("ok")).platform_text.as_deref(), Some("ok"));
    }
}
