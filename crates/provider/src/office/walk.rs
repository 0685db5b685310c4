//! Reading a directory: a list of steps, each one request, which may add more of them. Whoever drives it can stop
//! between any two, keep what was found, and go on.

use std::collections::{BTreeSet, VecDeque};

use carillon_model::office::{App, Chat, Department, Member, Range};

use super::Fault;
use crate::{Context, dingtalk, lark, wecom};

/// The most steps that may wait: more departments than any company has.
const STEPS_MAX: usize = 200_000;

/// Something that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// What the app may see; comes before everything else.
    Range(Range),
    /// A department.
    Department(Department),
    /// A member, as often as there are departments that the person is found in.
    Member(Member),
    /// A chat that the bot is in.
    Chat(Chat),
}

/// One request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// What the app may see, from a page on.
    Range { page: String },
    /// Whether the whole tree may be seen.
    Root,
    /// One department.
    Department(String),
    /// The departments below one, from a page on; with all below those, where `deep`.
    Children { of: String, page: String, deep: bool },
    /// The members directly in a department, from a page on.
    Members { of: String, page: String },
    /// One member.
    Person(String),
    /// The chats that the bot is in, from a page on.
    Chats { page: String },
}

/// A reading that is under way.
#[derive(Debug)]
pub struct Walk {
    pub(crate) steps: VecDeque<Step>,
    pub(crate) range: Range,
    pub(crate) listed: BTreeSet<String>,
    missing: BTreeSet<String>,
    calls: u64,
}

impl Default for Walk {
    fn default() -> Self {
        let steps = VecDeque::from([Step::Range { page: String::new() }]);
        Self { steps, range: Range::default(), listed: BTreeSet::new(), missing: BTreeSet::new(), calls: 0 }
    }
}

impl Walk {
    /// How many calls were made.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// The permissions that turned out to be missing, by their exact names.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        self.missing.iter().cloned().collect()
    }

    /// Notes that a permission is missing.
    pub(crate) fn lacks(&mut self, scope: impl Into<String>) {
        self.missing.insert(scope.into());
    }

    /// Adds steps for a department that was not met yet: the members in it.
    pub(crate) fn enter(&mut self, department: &str) {
        if self.listed.insert(department.to_owned()) && self.steps.len() < STEPS_MAX {
            self.steps.push_back(Step::Members { of: department.to_owned(), page: String::new() });
        }
    }

    /// Takes the next step. One that failed is the next again.
    pub(crate) async fn next(
        &mut self,
        context: &Context<'_>,
        app: &App,
    ) -> Result<Option<Vec<Found>>, Fault> {
        let Some(step) = self.steps.pop_front() else { return Ok(None) };
        self.calls += 1;
        let taken = match app {
            App::Lark(_) | App::Feishu(_) => lark::contact::take(context, app, self, step.clone()).await,
            App::Dingtalk(_) => dingtalk::contact::take(context, app, self, step.clone()).await,
            App::Wecom(wecom) => wecom::contact::take(context, app, wecom, self, step.clone()).await,
        };
        match taken {
            Ok(found) => Ok(Some(found)),
            Err(fault) => {
                self.steps.push_front(step);
                Err(fault)
            }
        }
    }
}
