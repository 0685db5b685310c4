//! What was rendered of a message for one endpoint, kept for the others that get the same: a message to a thousand groups is
//! brought into a platform's form once. It is a few slots, each with what was rendered last; nothing has to be thrown out.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

use carillon_model::SecretText;
use carillon_model::endpoint::Endpoint;
use carillon_model::id::MessageId;
use carillon_model::office::{App, RecipientKind};
use carillon_model::subscription::Target;

use crate::Part;
use crate::key::{PartKey, PostKey};

/// How many are kept.
const SLOTS: usize = 64;
/// The most bytes of one, so that all of them are 16 MiB at most.
const BYTES_MAX: usize = 256 * 1024;

/// All of a target that a rendering depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Form {
    kind: FormKind,
    keyword: Option<SecretText>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum FormKind {
    DingtalkRobot,
    DingtalkInternal,
    LarkRobot,
    WecomRobot,
    LarkApp(RecipientKind),
    WecomApp(RecipientKind),
}

impl Form {
    /// The form of a target; nothing where each post says something of its endpoint or depends on more.
    fn of(target: &Target) -> Option<Self> {
        let kind = match &target.endpoint {
            Endpoint::DingtalkRobot { .. } => FormKind::DingtalkRobot,
            Endpoint::DingtalkConversation { .. } | Endpoint::DingtalkPerson { .. } => {
                FormKind::DingtalkInternal
            }
            Endpoint::LarkRobot { .. } => FormKind::LarkRobot,
            Endpoint::WecomRobot { .. } => FormKind::WecomRobot,
            Endpoint::Office { kind, .. } => match target.extension.office.as_ref()?.app {
                App::Lark(_) | App::Feishu(_) => FormKind::LarkApp(*kind),
                App::Wecom(_) => FormKind::WecomApp(*kind),
                // Its settings say which of two forms a member gets.
                App::Dingtalk(_) => return None,
            },
            Endpoint::Web { .. } | Endpoint::Mailbox { .. } => return None,
        };
        Some(Self { kind, keyword: target.extension.keyword.clone() })
    }
}

/// The message of a post that others may get, too: its first delivery may be its only one, and is neither looked up nor kept.
fn shared(post: PostKey) -> Option<MessageId> {
    match post {
        PostKey::Delivery(id) if id.number > 1 => Some(id.message),
        PostKey::Delivery(_) | PostKey::Digest(..) | PostKey::Named(_) => None,
    }
}

struct Kept {
    message: MessageId,
    form: Form,
    parts: Arc<[Part]>,
}

/// What was rendered lately.
pub(crate) struct Rendered {
    slots: [Mutex<Option<Kept>>; SLOTS],
}

impl Default for Rendered {
    fn default() -> Self {
        Self { slots: std::array::from_fn(|_slot| Mutex::new(None)) }
    }
}

impl Rendered {
    /// The parts of a post, as they were rendered for another delivery of the same message.
    pub(crate) fn find(&self, target: &Target, post: PostKey) -> Option<Vec<Part>> {
        let (message, form) = (shared(post)?, Form::of(target)?);
        let kept = self.slot(message, &form)?.lock().expect("no code panics while it holds a slot");
        let same = kept.as_ref().filter(|kept| kept.message == message && kept.form == form);
        let parts = same.map(|kept| Arc::clone(&kept.parts));
        drop(kept);
        let named = |(index, part): (usize, &Part)| Part { key: PartKey { post, index }, ..part.clone() };
        Some(parts?.iter().enumerate().map(named).collect())
    }

    /// Keeps what was rendered, in the place of what had its slot.
    pub(crate) fn keep(&self, target: &Target, post: PostKey, parts: &[Part]) {
        let (Some(message), Some(form)) = (shared(post), Form::of(target)) else { return };
        let Some(slot) = self.slot(message, &form) else { return };
        if parts.iter().map(Part::bytes).sum::<usize>() <= BYTES_MAX {
            let kept = Kept { message, form, parts: parts.into() };
            *slot.lock().expect("no code panics while it holds a slot") = Some(kept);
        }
    }

    fn slot(&self, message: MessageId, form: &Form) -> Option<&Mutex<Option<Kept>>> {
        let mut hasher = DefaultHasher::new();
        (message, form).hash(&mut hasher);
        self.slots.get(usize::try_from(hasher.finish()).unwrap_or_default() % SLOTS)
    }
}

#[cfg(test)]
#[path = "rendered_tests.rs"]
mod tests;
