//! Look at, set and take away a topic's attributes.

use carillon_model::access_policy::Action;
use carillon_model::audit::Deed;
use carillon_model::role::Right;
use carillon_model::topic::{Attribute, Attributes};
use carillon_model::{Field, Invalid};
use carillon_store::attribute::AttributeGone;

use crate::error::Error;
use crate::topic::NamedTopic;
use crate::{Caller, Service};

fn attribute(name: &str) -> Result<Attribute, Invalid> {
    Attribute::from_name(name)
        .ok_or_else(|| Invalid::new(Field::AttributeName, "must be access_policy or introduction"))
}

impl Service {
    /// A topic with its attributes, and the one that the caller named, if any.
    ///
    /// # Errors
    /// When there is no such topic or attribute.
    pub async fn topic_attributes(
        &self,
        caller: &Caller,
        topic_urn: &str,
        name: Option<&str>,
    ) -> Result<(NamedTopic, Attributes, Option<Attribute>), Error> {
        caller.may(Right::Look)?;
        let wanted = name.map(attribute).transpose()?;
        let named = self.usable_topic(caller, topic_urn, Action::ListTopicAttributes, None).await?;
        let attributes = self.store.attribute_list(named.topic.id).await?;
        Ok((named, attributes, wanted))
    }

    /// Sets an attribute; an empty value takes it away.
    ///
    /// # Errors
    /// When there is no such topic or attribute, or the value breaks its rule.
    pub async fn set_topic_attribute(
        &self,
        caller: &Caller,
        topic_urn: &str,
        name: &str,
        value: String,
    ) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let urn = self.usable_topic(caller, topic_urn, Action::UpdateTopicAttribute, None).await?.urn;
        let attribute = attribute(name)?;
        attribute.check(&value)?;
        let detail = attribute.name().to_owned();
        let store = self.acting_on(caller, Deed::TopicAttribute, vec![urn.to_string()], detail);
        if value.is_empty() {
            return match store.attribute_delete(&urn.project, &urn.topic, Some(attribute)).await? {
                AttributeGone::Done | AttributeGone::NotSet => Ok(()),
                AttributeGone::NoTopic => Err(Error::TopicNotFound),
            };
        }
        let there = store.attribute_set(&urn.project, &urn.topic, attribute, value).await?;
        if there { Ok(()) } else { Err(Error::TopicNotFound) }
    }

    /// Takes one attribute away, which must be set, or all, whether any is set or not.
    ///
    /// # Errors
    /// When there is no such topic or attribute, or the one named is not set.
    pub async fn delete_topic_attributes(
        &self,
        caller: &Caller,
        topic_urn: &str,
        name: Option<&str>,
    ) -> Result<(), Error> {
        caller.may(Right::Change)?;
        let action = match name {
            Some(_) => Action::DeleteTopicAttributeByName,
            None => Action::DeleteTopicAttributes,
        };
        let urn = self.usable_topic(caller, topic_urn, action, None).await?.urn;
        let attribute = name.map(attribute).transpose()?;
        let detail = attribute.map_or("all", Attribute::name).to_owned();
        let store = self.acting_on(caller, Deed::TopicAttribute, vec![urn.to_string()], detail);
        match store.attribute_delete(&urn.project, &urn.topic, attribute).await? {
            AttributeGone::NotSet if attribute.is_some() => Err(Error::AttributeNotFound),
            AttributeGone::Done | AttributeGone::NotSet => Ok(()),
            AttributeGone::NoTopic => Err(Error::TopicNotFound),
        }
    }
}
