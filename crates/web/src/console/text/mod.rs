//! Every text of the console. English and Chinese stand side by side: a text that lacks one of them does not compile,
//! and neither does one that no page uses.

/// Makes a group of texts: one field each, in both languages.
macro_rules! texts {
    ($(#[$doc:meta])* $group:ident { $($key:ident: $english:literal, $chinese:literal;)* }) => {
        $(#[$doc])*
        pub(crate) struct $group { $(pub(crate) $key: &'static str,)* }

        impl $group {
            pub(super) const ENGLISH: Self = Self { $($key: $english,)* };
            pub(super) const CHINESE: Self = Self { $($key: $chinese,)* };
        }
    };
}

mod access;
mod common;
mod directory;
mod office;
mod send;
mod sure;
mod template;
mod topics;
mod users;
mod watch;

use carillon_model::message::Locale;

use self::access::{About, AccessText, AuditText};
use self::common::{ChannelText, Common, Nav, OutcomeText, ProblemText, SignIn, StateText};
use self::directory::{BindText, DirectoryText, GoneText, GroupText};
use self::office::{AppSteps, DoctorText, OfficeText, RunText};
use self::send::{GuideText, PublishText, SubscribeText, SubscriptionText};
use self::sure::SureText;
use self::template::TemplateText;
use self::topics::{ReachText, TopicText, TopicsText};
use self::users::UsersText;
use self::watch::{DeadText, DeliveryText, EndpointText, MessageText, OverviewText};

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

impl Lang {
    /// The language of a tag.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let tag = tag.trim().to_ascii_lowercase();
        match tag.split('-').next() {
            Some("en") => Some(Self::English),
            Some("zh") => Some(Self::Chinese),
            _ => None,
        }
    }

    /// The one of our languages that a browser prefers; English when it names none.
    pub(crate) fn preferred(accepted: &str) -> Self {
        let mut best = (Self::English, 0.0_f32);
        for choice in accepted.split(',') {
            let (tag, weight) = choice.split_once(";q=").unwrap_or((choice, "1"));
            let weight = weight.trim().parse().unwrap_or(0.0);
            if let Some(lang) = Self::from_tag(tag)
                && weight > best.1
            {
                best = (lang, weight);
            }
        }
        best.0
    }

    /// Its tag.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// What the service calls it.
    pub(crate) fn locale(self) -> Locale {
        match self {
            Self::English => Locale::English,
            Self::Chinese => Locale::Chinese,
        }
    }

    /// Its texts.
    pub(crate) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::Chinese => &CHINESE,
        }
    }
}

macro_rules! groups {
    ($($name:ident: $group:ident,)*) => {
        /// All texts of one language.
        pub(crate) struct Texts { $(pub(crate) $name: $group,)* }

        static ENGLISH: Texts = Texts { $($name: $group::ENGLISH,)* };
        static CHINESE: Texts = Texts { $($name: $group::CHINESE,)* };
    };
}

groups! {
    common: Common,
    nav: Nav,
    problem: ProblemText,
    sign_in: SignIn,
    state: StateText,
    channel: ChannelText,
    outcome: OutcomeText,
    overview: OverviewText,
    topics: TopicsText,
    topic: TopicText,
    reach: ReachText,
    subscribe: SubscribeText,
    guide: GuideText,
    subscription: SubscriptionText,
    publish: PublishText,
    sure: SureText,
    template: TemplateText,
    users: UsersText,
    message: MessageText,
    delivery: DeliveryText,
    dead: DeadText,
    endpoint: EndpointText,
    office: OfficeText,
    run: RunText,
    doctor: DoctorText,
    app_steps: AppSteps,
    directory: DirectoryText,
    group: GroupText,
    gone: GoneText,
    bind: BindText,
    access: AccessText,
    audit: AuditText,
    about: About,
}

impl Texts {
    /// What was just done, by the word in the address; a word that is none of ours says nothing.
    pub(crate) fn done(&self, word: &str) -> Option<&'static str> {
        Some(match word {
            "created" => self.common.created,
            "saved" => self.common.saved,
            "deleted" => self.common.deleted,
            "resent" => self.common.resent,
            "published" => self.common.published,
            "resumed" => self.common.resumed,
            "cancelled" => self.common.cancelled,
            "connected" => self.office.connected,
            "confirmed" => self.run.confirmed,
            "ended" => self.run.ended,
            "merged" => self.gone.merge_done,
            "unmerged" => self.gone.unmerge_done,
            "revoked" => self.access.revoked,
            "password" => self.access.password_done,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Lang;

    #[test]
    fn the_preferred_language_is_ours_with_the_greatest_weight() {
        assert_eq!(Lang::preferred("zh-CN,zh;q=0.9,en;q=0.8"), Lang::Chinese);
        assert_eq!(Lang::preferred("fr-FR, en;q=0.5, zh-TW;q=0.7"), Lang::Chinese);
        assert_eq!(Lang::preferred("en-GB,zh;q=0.3"), Lang::English);
        assert_eq!(Lang::preferred("fr"), Lang::English);
        assert_eq!(Lang::preferred(""), Lang::English);
    }
}
