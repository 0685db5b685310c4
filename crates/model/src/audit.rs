//! The audit log's words: every deed that changes something, except publishing, which the message itself records.

macro_rules! deeds {
    ($($(#[$doc:meta])* $deed:ident $name:literal;)+) => {
        /// What somebody did.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Deed {
            $($(#[$doc])* $deed,)+
        }

        impl Deed {
            /// Every deed.
            pub const ALL: &[Self] = &[$(Self::$deed,)+];

            /// Its name, on the wire and at rest.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$deed => $name,)+
                }
            }
        }
    };
}

deeds! {
    /// Made a topic.
    TopicCreate "topic.create";
    /// Changed a topic's display name.
    TopicUpdate "topic.update";
    /// Removed a topic.
    TopicDelete "topic.delete";
    /// Set or took away a topic's attribute.
    TopicAttribute "topic.attribute";
    /// Changed a topic's tags.
    TopicTag "topic.tag";
    /// Chose for how long a topic sends nothing that says the same again.
    TopicSuppression "topic.suppression";
    /// Subscribed an address.
    SubscriptionCreate "subscription.create";
    /// Changed a remark.
    SubscriptionUpdate "subscription.update";
    /// Removed a subscription.
    SubscriptionDelete "subscription.delete";
    /// Changed filter policies.
    SubscriptionFilter "subscription.filter";
    /// Chose who is told when a subscription's endpoint is paused.
    SubscriptionFallback "subscription.fallback";
    /// Chose what becomes of its messages when too many wait.
    SubscriptionOverflow "subscription.overflow";
    /// Made a log tank.
    LogtankCreate "logtank.create";
    /// Changed a log tank.
    LogtankUpdate "logtank.update";
    /// Removed a log tank.
    LogtankDelete "logtank.delete";
    /// Made a subscription user.
    UserCreate "subscription_user.create";
    /// Changed a subscription user.
    UserUpdate "subscription_user.update";
    /// Removed a subscription user.
    UserDelete "subscription_user.delete";
    /// Let a paused endpoint be tried again.
    EndpointResume "endpoint.resume";
    /// Made a template.
    TemplateCreate "template.create";
    /// Changed a template.
    TemplateUpdate "template.update";
    /// Removed a template.
    TemplateDelete "template.delete";
    /// Sent deliveries again.
    DeliveryResend "delivery.resend";
    /// Cancelled deliveries.
    DeliveryCancel "delivery.cancel";
    /// Took back what an office app sent.
    DeliveryRecall "delivery.recall";
    /// Connected an office app.
    ConnectionCreate "connection.create";
    /// Changed a connection.
    ConnectionUpdate "connection.update";
    /// Set or took away the secrets of a connection's callbacks.
    ConnectionCallback "connection.callback";
    /// Changed a chat's name or description.
    ChatUpdate "chat.update";
    /// Removed a connection.
    ConnectionDelete "connection.delete";
    /// Set how many calls a month an app may make.
    CallsLimit "calls.limit";
    /// Asked for a reading of a directory.
    DirectoryUpdate "directory.update";
    /// Said that what a reading would change is meant.
    DirectoryConfirm "directory.confirm";
    /// Ended a reading.
    DirectoryCancel "directory.cancel";
    /// An update found somebody gone who is still named.
    DirectoryMissed "directory.missed";
    /// Made a group of people or changed it.
    GroupUpdate "group.update";
    /// Removed a group of people.
    GroupDelete "group.delete";
    /// Bound mail addresses or phone numbers to members.
    ContactBind "contact.bind";
    /// Said that a member who is gone is another one now.
    MemberMerge "member.merge";
    /// Took that back.
    MemberUnmerge "member.unmerge";
    /// Began to seal under another master key.
    MasterKeyRotate "master_key.rotate";
    /// Took old master keys away.
    MasterKeyRetire "master_key.retire";
    /// Made a project.
    ProjectCreate "project.create";
    /// Removed a project.
    ProjectDelete "project.delete";
    /// Gave an account access to the project.
    AccountCreate "account.create";
    /// Changed an account's role.
    AccountRole "account.role";
    /// Changed a password.
    AccountPassword "account.password";
    /// Took an account's access away.
    AccountDelete "account.delete";
    /// Signed in with a password.
    AccountSignIn "account.sign_in";
    /// Made an access key.
    KeyCreate "key.create";
    /// Removed an access key.
    KeyDelete "key.delete";
    /// Made a token.
    TokenCreate "token.create";
    /// Ended a token.
    TokenDelete "token.delete";
}

impl Deed {
    /// Reads a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|deed| deed.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Deed;

    #[test]
    fn names_read_back() {
        for deed in Deed::ALL {
            assert_eq!(Deed::from_name(deed.name()), Some(*deed));
        }
    }
}
