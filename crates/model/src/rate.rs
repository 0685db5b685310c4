//! How fast endpoints may be sent to: what each platform allows, and what an operator sets instead.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::office::Platform;
use crate::subscription::Target;

/// At most `count` posts in any span of `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many posts.
    pub count: u32,
    /// In which span. A twentieth longer than the platform's, since posts arrive with less distance than they leave.
    pub per: Duration,
}

/// The longest span of a rate, in seconds: an hour. What was sent within it is remembered for each endpoint.
const LONGEST: u32 = 3_600;
/// The most posts in a span, for the same reason.
const MOST: u32 = 10_000;
/// The most rates at once.
const RATES_MAX: usize = 4;

impl Rate {
    const fn of(count: u32, seconds: u32) -> Self {
        // A cast that only widens; `u64::from` is not `const`.
        Self { count, per: Duration::from_millis(seconds as u64 * 1_050) }
    }
}

/// What rates are set for: each kind of address counts for itself, at each address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RateOf {
    /// DingTalk's custom robots.
    DingtalkRobot,
    /// Groups and persons that DingTalk's internal robot reaches.
    DingtalkApp,
    /// Lark's and Feishu's custom bots.
    LarkRobot,
    /// WeCom's group robots.
    WecomRobot,
    /// Mailboxes.
    Mailbox,
    /// Somebody's own web endpoints.
    Web,
    /// Members and chats that an office app on DingTalk reaches.
    OfficeDingtalk,
    /// Members and chats that an office app on Lark or Feishu reaches.
    OfficeLark,
    /// Members and chats that an office app on WeCom reaches.
    OfficeWecom,
}

impl RateOf {
    /// Every kind, with the name that settings use and the platform's own rates.
    const ALL: [(Self, &'static str, &'static [Rate]); 9] = [
        // DingTalk, "custom robot": 20 messages a minute, then ten minutes of silence.
        (Self::DingtalkRobot, "dingtalk", &[Rate::of(20, 60)]),
        // DingTalk, "call limits": 20 calls a second for each interface of an app.
        (Self::DingtalkApp, "dingtalk_app", &[Rate::of(20, 1)]),
        // Feishu, "custom bot guide": 100 a minute and 5 a second.
        (Self::LarkRobot, "lark", &[Rate::of(5, 1), Rate::of(100, 60)]),
        // WeCom, "message push": 20 a minute.
        (Self::WecomRobot, "wecom", &[Rate::of(20, 60)]),
        // SMN, "limits": 100 mails to one address in ten minutes.
        (Self::Mailbox, "email", &[Rate::of(100, 600)]),
        (Self::Web, "http", &[]),
        (Self::OfficeDingtalk, "office_dingtalk", &[Rate::of(20, 1)]),
        // Lark, "send a message": 5 a second to one person or chat.
        (Self::OfficeLark, "office_lark", &[Rate::of(5, 1)]),
        // WeCom, "application messages": 30 a minute and 1000 an hour to one member; what is more is dropped without an
        // error.
        (Self::OfficeWecom, "office_wecom", &[Rate::of(30, 60), Rate::of(1_000, 3_600)]),
    ];

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(kind, _, _)| *kind)
    }

    /// What a target counts as; `None` for a recipient whose app is not known.
    fn kind(target: &Target) -> Option<Self> {
        Some(match &target.endpoint {
            Endpoint::DingtalkRobot { .. } => Self::DingtalkRobot,
            Endpoint::LarkRobot { .. } => Self::LarkRobot,
            Endpoint::WecomRobot { .. } => Self::WecomRobot,
            Endpoint::DingtalkConversation { .. } | Endpoint::DingtalkPerson { .. } => Self::DingtalkApp,
            Endpoint::Mailbox { .. } => Self::Mailbox,
            Endpoint::Web { .. } => Self::Web,
            Endpoint::Office { .. } => match target.extension.office.as_ref()?.app.platform() {
                Platform::Lark | Platform::Feishu => Self::OfficeLark,
                Platform::Dingtalk => Self::OfficeDingtalk,
                Platform::Wecom => Self::OfficeWecom,
            },
        })
    }
}

/// The rates in force: the platforms' own, but for those that an operator has set.
#[derive(Debug, Clone)]
pub struct Rates(BTreeMap<RateOf, Arc<[Rate]>>);

impl Default for Rates {
    fn default() -> Self {
        Self(RateOf::ALL.iter().map(|(kind, _, rates)| (*kind, Arc::from(*rates))).collect())
    }
}

impl Rates {
    /// Sets the rates of one kind of address: `dingtalk=20/60`, `lark=5/1+100/60` (posts, a slash, seconds; several at
    /// once joined by `+`), or `wecom=off` for none.
    ///
    /// # Errors
    /// What is wrong with the text, as a sentence without the setting's name.
    pub fn set(&mut self, text: &str) -> Result<(), String> {
        let names = || RateOf::ALL.map(|(_, name, _)| name).join(", ");
        let Some((name, rates)) = text.split_once('=') else {
            return Err(format!("must be NAME=COUNT/SECONDS, as in dingtalk=20/60, not {text:?}"));
        };
        let kind = RateOf::parse(name.trim())
            .ok_or_else(|| format!("knows no {:?}; there are {}", name.trim(), names()))?;
        let rates = match rates.trim() {
            "off" => Vec::new(),
            some => some.split('+').map(one).collect::<Result<Vec<_>, _>>()?,
        };
        if rates.len() > RATES_MAX {
            return Err(format!("takes at most {RATES_MAX} rates at once for {name}"));
        }
        self.0.insert(kind, Arc::from(rates));
        Ok(())
    }

    /// The rates of a target.
    #[must_use]
    pub fn of(&self, target: &Target) -> Arc<[Rate]> {
        let rates = RateOf::kind(target).and_then(|kind| self.0.get(&kind));
        rates.map_or_else(|| Arc::from([]), Arc::clone)
    }
}

/// Reads `COUNT/SECONDS`.
fn one(text: &str) -> Result<Rate, String> {
    let numbers = text.split_once('/');
    let numbers =
        numbers.and_then(|(count, per)| Some((count.trim().parse().ok()?, per.trim().parse().ok()?)));
    match numbers {
        Some((count @ 1..=MOST, per @ 1..=LONGEST)) => Ok(Rate::of(count, per)),
        Some(_) | None => Err(format!(
            "needs 1 to {MOST} posts in 1 to {LONGEST} seconds, as in 20/60, not {:?}",
            text.trim()
        )),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Rate, RateOf, Rates};
    use crate::endpoint::Endpoint;
    use crate::id::ConnectionId;
    use crate::office::connection::TypedApp;
    use crate::office::{App, Platform, RecipientKind};
    use crate::subscription::{Extension, OfficeApp, Target};

    pub(crate) fn dingtalk() -> Arc<[Rate]> {
        rates(&Rates::default(), RateOf::DingtalkRobot)
    }

    pub(crate) fn lark() -> Arc<[Rate]> {
        rates(&Rates::default(), RateOf::LarkRobot)
    }

    fn rates(all: &Rates, kind: RateOf) -> Arc<[Rate]> {
        all.0.get(&kind).cloned().unwrap()
    }

    #[test]
    fn an_operator_sets_some_and_the_others_stay() {
        let mut all = Rates::default();
        all.set("dingtalk = 40/60 + 2/1").unwrap();
        all.set("wecom=off").unwrap();
        all.set("http=10/1").unwrap();
        let set = rates(&all, RateOf::DingtalkRobot);
        assert_eq!(*set, [Rate::of(40, 60), Rate::of(2, 1)]);
        assert_eq!(set.first().unwrap().per, Duration::from_secs(63), "a twentieth longer");
        assert!(rates(&all, RateOf::WecomRobot).is_empty());
        assert_eq!(rates(&all, RateOf::Web).len(), 1);
        assert_eq!(rates(&all, RateOf::LarkRobot), lark());
    }

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        for (kind, name, _) in RateOf::ALL {
            assert_eq!(RateOf::parse(name), Some(kind));
        }
    }

    /// Each member and chat of an app is a lane of its own with these rates.
    #[test]
    fn people_and_chats_of_an_app_have_their_platforms_rates() {
        let of = |app: App, kind| {
            let connection = ConnectionId::parse("0123456789abcdef0123456789abcdef").unwrap();
            let endpoint = Endpoint::Office { connection, kind, id: "someone".into() };
            let office = Some(Box::new(OfficeApp { app, connection }));
            let target = Target { endpoint, extension: Extension { office, ..Extension::default() } };
            Rates::default().of(&target)
        };
        let typed = |agent_id: Option<&str>| TypedApp {
            app_id: Some("id".into()),
            app_secret: Some("secret".into()),
            agent_id: agent_id.map(str::to_owned),
            ..TypedApp::default()
        };
        let lark = || App::parse(Platform::Lark, typed(None)).unwrap();
        let feishu = App::parse(Platform::Feishu, typed(None)).unwrap();
        let wecom = App::parse(Platform::Wecom, typed(Some("7"))).unwrap();
        let dingtalk = App::parse(Platform::Dingtalk, typed(None)).unwrap();
        for kind in [RecipientKind::Member, RecipientKind::Chat] {
            assert_eq!(*of(lark(), kind), [Rate::of(5, 1)]);
        }
        assert_eq!(*of(feishu, RecipientKind::Member), [Rate::of(5, 1)]);
        assert_eq!(*of(wecom, RecipientKind::Member), [Rate::of(30, 60), Rate::of(1_000, 3_600)]);
        assert_eq!(*of(dingtalk, RecipientKind::Member), [Rate::of(20, 1)]);
    }

    #[test]
    fn what_is_no_rate_is_refused_with_the_rule() {
        for (text, rule) in [
            ("dingtalk", "NAME=COUNT/SECONDS"),
            ("sms=1/1", "office_wecom"),
            ("lark=0/1", "1 to 10000 posts"),
            ("lark=5", "1 to 10000 posts"),
            ("lark=5/3601", "1 to 3600 seconds"),
            ("lark=5/1+", "as in 20/60"),
            ("lark=1/1+2/2+3/3+4/4+5/5", "at most 4"),
            ("lark=", "as in 20/60"),
        ] {
            let mut all = Rates::default();
            let said = all.set(text).unwrap_err();
            assert!(said.contains(rule), "{text}: {said}");
            assert_eq!(rates(&all, RateOf::LarkRobot), lark(), "{text} changed something");
        }
    }
}
