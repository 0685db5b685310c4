//! Access policies: who beside a topic's owner may use it, and for what (SMN API reference, "Topic Policies").
//!
//! A policy is kept as the text that its owner wrote. The answer to one question about it is a pure function: an
//! explicit denial wins, then an explicit permission counts, and without either nobody is let in. The owner is always
//! let in and is not asked about here.

mod condition;
mod parse;

use crate::clock::Timestamp;
use condition::Condition;

/// What somebody may do with a topic, as policies spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say all there is")]
pub enum Action {
    UpdateTopic,
    DeleteTopic,
    QueryTopicDetail,
    ListTopicAttributes,
    UpdateTopicAttribute,
    DeleteTopicAttributes,
    DeleteTopicAttributeByName,
    ListSubscriptionsByTopic,
    Subscribe,
    Unsubscribe,
    Publish,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 11] = [
        Self::UpdateTopic,
        Self::DeleteTopic,
        Self::QueryTopicDetail,
        Self::ListTopicAttributes,
        Self::UpdateTopicAttribute,
        Self::DeleteTopicAttributes,
        Self::DeleteTopicAttributeByName,
        Self::ListSubscriptionsByTopic,
        Self::Subscribe,
        Self::Unsubscribe,
        Self::Publish,
    ];

    /// Its name in a policy.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UpdateTopic => "SMN:UpdateTopic",
            Self::DeleteTopic => "SMN:DeleteTopic",
            Self::QueryTopicDetail => "SMN:QueryTopicDetail",
            Self::ListTopicAttributes => "SMN:ListTopicAttributes",
            Self::UpdateTopicAttribute => "SMN:UpdateTopicAttribute",
            Self::DeleteTopicAttributes => "SMN:DeleteTopicAttributes",
            Self::DeleteTopicAttributeByName => "SMN:DeleteTopicAttributeByName",
            Self::ListSubscriptionsByTopic => "SMN:ListSubscriptionsByTopic",
            Self::Subscribe => "SMN:Subscribe",
            Self::Unsubscribe => "SMN:Unsubscribe",
            Self::Publish => "SMN:Publish",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asker {
    /// The account's URN, such as `urn:csp:iam::{id}:root`.
    pub account: Option<String>,
    /// The cloud service, if it is one.
    pub service: Option<String>,
    /// The account's path in an organisation, if it is in one.
    pub org_path: Option<String>,
}

/// One question to a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Who asks.
    pub asker: Asker,
    /// What for.
    pub action: Action,
    /// The topic's URN.
    pub resource: String,
    /// When (`csp:CurrentTime`).
    pub now: Timestamp,
    /// The protocol of the subscription to be made (`smn:Protocol`).
    pub protocol: Option<String>,
    /// The endpoint of the subscription to be made (`smn:Endpoint`).
    pub endpoint: Option<String>,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It lets in.
    Allow,
    /// It keeps out, whatever else is written.
    Deny,
}

/// A list, or everything but a list (`NotPrincipal`, `NotAction`, `NotResource`).
#[derive(Debug, Clone, PartialEq, Eq)]
struct Scope<T> {
    negated: bool,
    items: Vec<T>,
}

impl<T> Scope<T> {
    fn holds(&self, fits: impl Fn(&T) -> bool) -> bool {
        self.items.iter().any(fits) != self.negated
    }
}

/// Somebody whom a statement means.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Principal {
    Everybody,
    Account(String),
    Service(String),
    OrgPath(String),
}

impl Principal {
    fn means(&self, asker: &Asker) -> bool {
        let is = |own: &Option<String>, wanted: &str| own.as_deref() == Some(wanted);
        match self {
            Self::Everybody => true,
            Self::Account(urn) => is(&asker.account, urn),
            Self::Service(name) => is(&asker.service, name),
            Self::OrgPath(pattern) => asker.org_path.as_deref().is_some_and(|path| fits(pattern, path)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Statement {
    effect: Effect,
    principals: Scope<Principal>,
    actions: Scope<String>,
    resources: Scope<String>,
    conditions: Vec<Condition>,
}

impl Statement {
    fn applies(&self, question: &Question) -> bool {
        let action = question.action.name().to_ascii_lowercase();
        self.principals.holds(|principal| principal.means(&question.asker))
            && self.actions.holds(|pattern| fits(pattern, &action))
            && self.resources.holds(|pattern| fits(pattern, &question.resource))
            && self.conditions.iter().all(|condition| condition.holds(question))
    }
}

/// A policy, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPolicy {
    statements: Vec<Statement>,
}

impl AccessPolicy {
    /// The effect on a question: [`Effect::Deny`] if a statement denies, else [`Effect::Allow`] if one allows, else
    /// nothing, which keeps out.
    #[must_use]
    pub fn effect(&self, question: &Question) -> Option<Effect> {
        let mut answer = None;
        for statement in self.statements.iter().filter(|statement| statement.applies(question)) {
            match statement.effect {
                Effect::Deny => return Some(Effect::Deny),
                Effect::Allow => answer = Some(Effect::Allow),
            }
        }
        answer
    }

    /// Whether the policy lets the asker in.
    #[must_use]
    pub fn allows(&self, question: &Question) -> bool {
        self.effect(question) == Some(Effect::Allow)
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any run of characters and `?` for any one.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut from) = (0, 0);
    // Where the last star stood, and up to where it has eaten.
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(from) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == letter => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((place, eaten)) = star else { return false };
                star = Some((place, eaten + 1));
                (at, from) = (place + 1, eaten + 1);
            }
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests;
