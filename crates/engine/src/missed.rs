//! Tells, once for a reading of a directory, who and what is gone although subscriptions or groups name it: whoever the
//! subscriptions' fallbacks or the connection name.

use std::fmt::Write as _;

use carillon_model::id::RunId;
use carillon_model::office::RecipientKind;
use carillon_model::urn::{SubscriptionUrn, TopicUrn};
use carillon_store::Error;
use carillon_store::office_missed::{Missed, MissedToTell};

use crate::directory::Directories;
use crate::notice::compose;

/// How many are named in a notice.
const NAMED_MAX: usize = 10;

impl Directories {
    /// Tells of the readings of which nobody was told yet. What fails is made up for when it is looked again.
    pub(crate) async fn tell_of_missed(&self) -> Result<(), Error> {
        for (run, connection) in self.store.run_list_untold().await? {
            if self.is_mine(connection) {
                self.tell_of(run).await?;
            }
        }
        Ok(())
    }

    async fn tell_of(&self, run: RunId) -> Result<(), Error> {
        let Some(told) = self.store.run_to_tell(run).await? else { return Ok(()) };
        tracing::warn!(
            %run,
            connection = %told.connection,
            missed = told.missed.len(),
            notices = told.to.len(),
            "an update found people, chats or departments gone that are still named"
        );
        let now = self.clock.now();
        let subject = "Gone from the directory / 通讯录中已不存在";
        let notices = told.to.iter().map(|to| {
            let some: Vec<&Missed> = to.places.iter().filter_map(|place| told.missed.get(*place)).collect();
            let words = words(&told, &some, &self.region);
            let notice =
                compose(&told.project, to.through.clone(), subject, words, now, self.chance.as_ref());
            (notice, to.recipients.clone())
        });
        let notices = notices.collect();
        self.store.run_tell(run, &told, notices).await.map(drop)
    }
}

fn kind(kind: RecipientKind) -> (&'static str, &'static str) {
    match kind {
        RecipientKind::Member => ("member", "成员"),
        RecipientKind::Department => ("department", "部门"),
        RecipientKind::Group => ("group", "人员组"),
        RecipientKind::Chat => ("chat", "群聊"),
    }
}

fn words(told: &MissedToTell, some: &[&Missed], region: &str) -> String {
    let (name, count) = (&told.connection_name, some.len());
    let mut lines = String::new();
    for one in some.iter().take(NAMED_MAX) {
        let (en, zh) = kind(one.kind);
        let urn = |(id, topic): &(_, carillon_model::topic::TopicName)| {
            let topic =
                TopicUrn { region: region.to_owned(), project: told.project.clone(), topic: topic.clone() };
            SubscriptionUrn { topic, id: *id }.to_string()
        };
        let groups = one.groups.iter().cloned();
        let by: Vec<String> = one.subscriptions.iter().take(NAMED_MAX).map(urn).chain(groups).collect();
        writeln!(lines, "{en} / {zh} {} ({}): {}", one.name, one.id, by.join(", "))
            .expect("writing to a text does not fail");
    }
    if count > NAMED_MAX {
        writeln!(lines, "+{}", count - NAMED_MAX).expect("writing to a text does not fail");
    }
    format!(
        "The latest update of \"{name}\" found {count} gone that subscriptions or groups still name. They get nothing any \
         more. Name somebody else, delete what names them, or say who they are now: carillon directory gone \
         {connection}\n\n“{name}”最近一次更新发现 {count} 个已不存在、但仍被订阅或人员组引用的对象，他们不再收到消息。\
         请改用他人、删除相关引用，或指明其新身份：carillon directory gone {connection}\n\n{lines}",
        connection = told.connection
    )
    .trim_end()
    .to_owned()
}
