//! What subscriptions want: create, replace and remove their filter policies.

use carillon_model::Invalid;
use carillon_model::audit::Deed;
use carillon_model::filter::FilterPolicies;
use carillon_model::role::Right;
use carillon_model::urn::SubscriptionUrn;
use carillon_store::filter::{FilterChange, FilterChanged};

use crate::error::Error;
use crate::{Caller, Service};

/// What is to become of a subscription's filter policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterWish {
    /// These come to those that are there; one of a name that is there is refused.
    Create(FilterPolicies),
    /// These take the place of those that are there.
    Update(FilterPolicies),
    /// All are removed.
    Delete,
}

impl Service {
    /// Changes the filter policies of subscriptions, each with its own answer, all in one transaction. A wish that is
    /// an error already gets that error as its answer.
    ///
    /// # Errors
    /// When the store fails; each subscription's own refusal stands in the list.
    pub async fn change_filters(
        &self,
        caller: &Caller,
        wishes: Vec<(String, Result<FilterWish, Invalid>)>,
    ) -> Result<Vec<Result<(), Error>>, Error> {
        caller.may(Right::Change)?;
        let mut answers = Vec::with_capacity(wishes.len());
        let (mut places, mut changes, mut urns) = (Vec::new(), Vec::new(), Vec::new());
        for (urn, wish) in wishes {
            let known = SubscriptionUrn::parse(&urn).map_err(Error::from).and_then(|urn| {
                let own = caller.owns(&urn.topic, self.region());
                if own { Ok(urn) } else { Err(Error::SubscriptionNotFound) }
            });
            match known.and_then(|urn| Ok((urn, wish?))) {
                Ok((urn, wish)) => {
                    let change = match wish {
                        FilterWish::Create(policies) => FilterChange::Add(policies),
                        FilterWish::Update(policies) => FilterChange::Replace(policies),
                        FilterWish::Delete => FilterChange::Replace(FilterPolicies::default()),
                    };
                    places.push(answers.len());
                    urns.push(urn.to_string());
                    changes.push((urn.id, urn.topic.topic, change));
                    answers.push(Ok(()));
                }
                Err(error) => answers.push(Err(error)),
            }
        }
        let store = self.acting_on(caller, Deed::SubscriptionFilter, urns, String::new());
        let changed = store.filter_change(&caller.project, changes).await?;
        for (place, changed) in places.into_iter().zip(changed) {
            let answer = match changed {
                FilterChanged::Done => Ok(()),
                FilterChanged::NoSubscription => Err(Error::SubscriptionNotFound),
                FilterChanged::Refused(rule) => Err(rule.into()),
            };
            if let Some(slot) = answers.get_mut(place) {
                *slot = answer;
            }
        }
        Ok(answers)
    }
}
