//! The names that clients see: `urn:smn:{region}:{project}:{topic}` and, with a subscription's id behind it,
//! `urn:smn:{region}:{project}:{topic}:{subscription}` (SMN API reference).

use std::fmt;

use crate::error::{Field, Invalid};
use crate::id::{ProjectId, SubscriptionId};
use crate::topic::TopicName;

/// The name of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TopicUrn {
    /// The installation's region, which the operator chooses.
    pub region: String,
    /// The project that owns the topic.
    pub project: ProjectId,
    /// The topic's name within the project.
    pub topic: TopicName,
}

impl TopicUrn {
    /// Reads a topic's URN.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong =
            || Invalid::new(Field::TopicUrn, "must look like urn:smn:{region}:{project_id}:{topic_name}");
        let parts: Vec<&str> = text.split(':').collect();
        let [urn, smn, region, project, topic] = parts.as_slice() else { return Err(wrong()) };
        if *urn != "urn" || *smn != "smn" || !region_fits(region) {
            return Err(wrong());
        }
        let project = ProjectId::parse(project).map_err(|_rule| wrong())?;
        let topic = TopicName::parse(topic).map_err(|_rule| wrong())?;
        Ok(Self { region: (*region).to_owned(), project, topic })
    }
}

impl fmt::Display for TopicUrn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "urn:smn:{}:{}:{}", self.region, self.project, self.topic)
    }
}

/// The name of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SubscriptionUrn {
    /// The topic it belongs to.
    pub topic: TopicUrn,
    /// Which subscription of it.
    pub id: SubscriptionId,
}

impl SubscriptionUrn {
    /// Reads a subscription's URN.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let wrong = || {
            let rule = "must look like urn:smn:{region}:{project_id}:{topic_name}:{32 hexadecimal digits}";
            Invalid::new(Field::SubscriptionUrn, rule)
        };
        let (topic, id) = text.rsplit_once(':').ok_or_else(wrong)?;
        let topic = TopicUrn::parse(topic).map_err(|_rule| wrong())?;
        let id = SubscriptionId::parse(id).map_err(|_rule| wrong())?;
        Ok(Self { topic, id })
    }
}

impl fmt::Display for SubscriptionUrn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.topic, self.id)
    }
}

/// Whether `region` can stand in a URN: 1 to 64 lowercase letters, digits and hyphens.
#[must_use]
pub fn region_fits(region: &str) -> bool {
    (1..=64).contains(&region.len())
        && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{SubscriptionUrn, TopicUrn};

    proptest! {
        #[test]
        fn round_trips(region in "[a-z0-9-]{1,20}", project in "[0-9a-f]{32}", topic in "[A-Za-z0-9][A-Za-z0-9_-]{0,40}",
            id in "[0-9a-f]{32}") {
            let topic = format!("urn:smn:{region}:{project}:{topic}");
            prop_assert_eq!(TopicUrn::parse(&topic).unwrap().to_string(), topic.as_str());
            let subscription = format!("{topic}:{id}");
            prop_assert_eq!(SubscriptionUrn::parse(&subscription).unwrap().to_string(), subscription);
        }

        #[test]
        fn never_panics(text in ".{0,80}") {
            let topic = TopicUrn::parse(&text);
            let subscription = SubscriptionUrn::parse(&text);
            prop_assert!(topic.is_err() || subscription.is_err());
        }
    }

    #[test]
    fn refuses_other_forms() {
        for bad in ["", "urn:smn:r:p", "urn:sns:r:p:t", "urn:smn:R:p:t", "urn:smn:r:p:-t", "urn:smn:r:p:t:zz"]
        {
            assert!(TopicUrn::parse(bad).is_err(), "{bad}");
            assert!(SubscriptionUrn::parse(bad).is_err(), "{bad}");
        }
    }
}
