//! The form of the platforms' tables: code, outcome, reason.

use std::fmt;
use std::time::Duration;

use carillon_model::office::Platform;
use carillon_model::office::calls::Month;
use carillon_model::outcome::{Advice, Outcome, Reason, Scope, Verdict};
use carillon_model::{Channel, Clock, Timestamp};

use crate::http::Answer;
use crate::{advice, dingtalk, email, lark, webhook, wecom};

/// How long a code asks to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// As long as our own patience says.
    Ours,
    /// So many seconds.
    Seconds(u64),
    /// What a header of the answer says, in seconds; else as long as our own patience says.
    Header(&'static str),
    /// Until the next month begins in China, where the platforms count.
    NextMonth,
}

/// What a code means for the delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It was taken.
    Accepted,
    /// It will never be taken.
    Refused,
    /// A person must change something.
    Misconfigured,
    /// Not now.
    Later(Wait, Scope),
    /// It may have arrived.
    Unknown,
}

/// One row of a platform's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedCode {
    /// The platform's code; a `*` at its end stands for any rest.
    pub code: &'static str,
    /// If set, the row holds only when the platform's words contain it.
    pub fragment: Option<&'static str>,
    /// What it means for the delivery.
    pub ruling: Ruling,
    /// Why.
    pub reason: Reason,
}

impl ListedCode {
    /// Tells what to change on `channel` after this code.
    #[must_use]
    pub fn advice(&self, channel: Channel) -> Advice {
        advice(channel, self.reason)
    }

    pub(crate) fn holds(&self, code: &str, text: &str) -> bool {
        let code_fits = match self.code.strip_suffix('*') {
            Some(beginning) => code.starts_with(beginning),
            None => code == self.code,
        };
        code_fits && self.fragment.is_none_or(|fragment| text.contains(fragment))
    }
}

impl fmt::Display for ListedCode {
    /// Writes one line: code, fragment if any, outcome with wait and scope, reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)?;
        if let Some(fragment) = self.fragment {
            write!(f, " \"{fragment}\"")?;
        }
        match self.ruling {
            Ruling::Accepted => f.write_str(" accepted")?,
            Ruling::Refused => f.write_str(" refused")?,
            Ruling::Misconfigured => f.write_str(" misconfigured")?,
            Ruling::Unknown => f.write_str(" unknown")?,
            Ruling::Later(wait, scope) => {
                f.write_str(" later")?;
                match wait {
                    Wait::Ours => {}
                    Wait::Seconds(seconds) => write!(f, " {seconds}s")?,
                    Wait::Header(name) => write!(f, " {name}")?,
                    Wait::NextMonth => f.write_str(" next month")?,
                }
                match scope {
                    Scope::Endpoint => {}
                    Scope::Host => f.write_str(" host")?,
                    Scope::Organisation => f.write_str(" organisation")?,
                }
            }
        }
        write!(f, " {}", self.reason.name())
    }
}

/// A row without a fragment.
pub(crate) const fn row(code: &'static str, ruling: Ruling, reason: Reason) -> ListedCode {
    ListedCode { code, fragment: None, ruling, reason }
}

/// A row that holds only when the platform's words contain `fragment`.
pub(crate) const fn row_with(
    code: &'static str,
    fragment: &'static str,
    ruling: Ruling,
    reason: Reason,
) -> ListedCode {
    ListedCode { code, fragment: Some(fragment), ruling, reason }
}

/// Lists every code that is known of `channel`, in the order in which they are tried.
#[must_use]
pub fn listed_codes(channel: Channel) -> Vec<ListedCode> {
    match channel {
        Channel::Dingtalk => [dingtalk::code::ROBOT, dingtalk::code::APP].concat(),
        Channel::DingtalkPerson => dingtalk::code::APP.to_vec(),
        Channel::Lark => lark::code::TABLE.to_vec(),
        Channel::Wecom => wecom::code::TABLE.to_vec(),
        Channel::Http | Channel::Https => webhook::TABLE.to_vec(),
        Channel::Email => [email::code::ENHANCED, email::code::REPLIES].concat(),
        Channel::Office => [lark::code::APP, dingtalk::code::APP, wecom::code::APP].concat(),
    }
}

/// Lists every code that is known of the office apps of `platform`, in the order in which they are tried.
#[must_use]
pub fn listed_office_codes(platform: Platform) -> Vec<ListedCode> {
    match platform {
        Platform::Lark | Platform::Feishu => lark::code::APP.to_vec(),
        Platform::Dingtalk => dingtalk::code::APP.to_vec(),
        Platform::Wecom => wecom::code::APP.to_vec(),
    }
}

/// What is asked of a table.
pub(crate) struct Question<'a> {
    /// The table.
    pub(crate) table: &'a [ListedCode],
    /// The platform's code.
    pub(crate) code: &'a str,
    /// The platform's words, as they came.
    pub(crate) text: &'a str,
    /// The whole answer.
    pub(crate) answer: &'a Answer,
    /// The time.
    pub(crate) clock: &'a dyn Clock,
}

impl Question<'_> {
    /// Finds outcome and reason. A code that no row lists is refused: it may be final, and a person will see it.
    pub(crate) fn verdict(&self) -> Verdict {
        let found = self.table.iter().find(|row| row.holds(self.code, self.text));
        let (ruling, reason) =
            found.map_or((Ruling::Refused, Reason::Unlisted), |row| (row.ruling, row.reason));
        let outcome = match ruling {
            // A success marker in an answer that is no success otherwise proves nothing.
            Ruling::Accepted if !(200..300).contains(&self.answer.status) => {
                return Verdict::plain(Outcome::Unknown, Reason::Answer);
            }
            Ruling::Accepted => Outcome::Accepted,
            Ruling::Refused => Outcome::Refused,
            Ruling::Misconfigured => Outcome::Misconfigured,
            Ruling::Unknown => Outcome::Unknown,
            Ruling::Later(wait, scope) => Outcome::Later { wait: self.wait(wait), scope },
        };
        Verdict {
            outcome,
            reason,
            platform_code: Some(self.code.to_owned()),
            platform_text: Some(self.text.to_owned()).filter(|text| !text.is_empty()),
        }
    }

    fn wait(&self, wait: Wait) -> Option<Duration> {
        match wait {
            Wait::Ours => None,
            Wait::Seconds(seconds) => Some(Duration::from_secs(seconds)),
            Wait::Header(name) => self.answer.seconds(name),
            Wait::NextMonth => Some(until_next_month(self.clock.now())),
        }
    }
}

/// How long it is until a month begins in China.
fn until_next_month(now: Timestamp) -> Duration {
    Month::of(now).end().since(now)
}

/// A verdict for an answer without a platform's body.
pub(crate) fn without_body(answer: &Answer) -> Verdict {
    if let Some(cut) = answer.cut {
        return cut.verdict();
    }
    let later = |reason| {
        let outcome = Outcome::Later { wait: answer.seconds("retry-after"), scope: Scope::Endpoint };
        Verdict { platform_code: Some(answer.status.to_string()), ..Verdict::plain(outcome, reason) }
    };
    match answer.status {
        // A gateway waited in vain for the platform, which may have taken the message all the same.
        504 => Verdict::plain(Outcome::Unknown, Reason::Timeout),
        // A gateway answered in the platform's place: nothing was accepted.
        500.. => later(Reason::Busy),
        429 => later(Reason::RateLimited),
        _ => Verdict::plain(Outcome::Unknown, Reason::Answer),
    }
}

#[cfg(test)]
mod tests {
    use carillon_model::outcome::Reason;
    use carillon_model::{Channel, Timestamp};

    use super::{Ruling, listed_codes, until_next_month};
    use crate::{dingtalk, email, lark, webhook, wecom};

    #[test]
    fn no_row_hides_another() {
        let platforms = [dingtalk::code::ROBOT, dingtalk::code::APP, lark::code::TABLE, wecom::code::TABLE];
        let others = [lark::code::APP, wecom::code::APP, email::code::ENHANCED, email::code::REPLIES];
        for table in platforms.into_iter().chain(others) {
            for row in table {
                let code = row.code.replace('*', "x");
                let found = table.iter().find(|other| other.holds(&code, row.fragment.unwrap_or_default()));
                assert_eq!(found, Some(row));
            }
        }
        assert_eq!(webhook::TABLE.iter().find(|row| row.holds("503", "")), webhook::TABLE.get(2));
    }

    #[test]
    fn every_channel_lists_its_codes_with_advice() {
        for channel in Channel::ALL {
            let codes = listed_codes(channel);
            assert!(codes.len() > 3);
            for code in codes {
                assert_eq!(code.ruling == Ruling::Accepted, code.reason == Reason::Ok, "{code}");
                assert!(!code.advice(channel).en.is_empty());
            }
        }
    }

    #[test]
    fn months_begin_in_china() {
        let now = |text| Timestamp::from_basic_text(text).unwrap();
        assert_eq!(until_next_month(now("20250131T155959Z")).as_secs(), 1);
        assert_eq!(until_next_month(now("20250131T160000Z")).as_secs(), 28 * 86_400);
        assert_eq!(until_next_month(now("20251215T160000Z")).as_secs(), 16 * 86_400);
    }
}
