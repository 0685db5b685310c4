//! Filter policies: which messages a subscription wants, by the attributes that a publisher gives them (SMN API
//! reference, "Creating Message Filter Policies").
//!
//! Every policy of a subscription must match; any of its values suffices. A message without attributes goes to every
//! subscription. A message that has attributes but lacks one that a policy names does not match: the subscriber asked
//! for certain values and the message has none (the documents leave this open).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::error::{Field, Invalid};
use crate::limits;

/// What a publisher says of a message beside its text: names and their values. A single text is a list of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Attributes(BTreeMap<String, BTreeSet<String>>);

impl Attributes {
    /// Adds an attribute.
    ///
    /// # Errors
    /// When its name or a value breaks its rule, there are no values or too many, or the name is there already.
    pub fn add(&mut self, name: &str, values: &[String]) -> Result<(), Invalid> {
        let wrong = |rule: &'static str| Invalid::new(Field::MessageAttributes, rule);
        if !name_fits(name) {
            return Err(wrong("a name is 1 to 32 lowercase letters, digits and single inner underscores"));
        }
        let values = distinct(values).ok_or_else(|| {
            wrong("a value is one text, or a list of 1 to 10 different ones, of 1 to 32 letters, digits and underscores")
        })?;
        if self.0.insert(name.to_owned(), values).is_some() {
            return Err(wrong("the names of attributes must differ"));
        }
        Ok(())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One wish: the attribute `name` has one of these values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterPolicy {
    /// The attribute.
    pub name: String,
    /// The values, any of which suffices, in the order in which they were given.
    pub values: Vec<String>,
}

impl FilterPolicy {
    /// Makes a policy.
    ///
    /// # Errors
    /// When the name or a value breaks its rule, or there are no values, more than 10, or equal ones.
    pub fn new(name: &str, values: Vec<String>) -> Result<Self, Invalid> {
        let wrong = |rule: &'static str| Invalid::new(Field::FilterPolicy, rule);
        if !name_fits(name) || name.starts_with("smn_") {
            return Err(wrong(
                "a name is 1 to 32 lowercase letters, digits and single inner underscores and does not begin with \
                 smn_",
            ));
        }
        if distinct(&values).is_none() {
            return Err(wrong(
                "a policy takes 1 to 10 different values of 1 to 32 letters, digits and underscores",
            ));
        }
        Ok(Self { name: name.to_owned(), values })
    }

    fn matches(&self, attributes: &Attributes) -> bool {
        attributes
            .0
            .get(&self.name)
            .is_some_and(|given| self.values.iter().any(|value| given.contains(value)))
    }
}

/// All policies of a subscription, each of another name; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FilterPolicies(Vec<FilterPolicy>);

impl FilterPolicies {
    /// Puts policies together.
    ///
    /// # Errors
    /// When two have one name or there are more than 10.
    pub fn new(policies: Vec<FilterPolicy>) -> Result<Self, Invalid> {
        let names: BTreeSet<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
        if names.len() != policies.len() {
            return Err(Invalid::new(Field::FilterPolicy, "a subscription has one policy of a name"));
        }
        if policies.len() > limits::FILTER_POLICIES_MAX {
            return Err(Invalid::new(Field::FilterPolicy, "a subscription takes at most 10 policies"));
        }
        Ok(Self(policies))
    }

    /// These and `more`.
    ///
    /// # Errors
    /// When two have one name or there are more than 10.
    pub fn with(&self, more: &Self) -> Result<Self, Invalid> {
        Self::new(self.0.iter().chain(&more.0).cloned().collect())
    }

    /// Whether a message with these attributes is wanted.
    #[must_use]
    pub fn match_all(&self, attributes: &Attributes) -> bool {
        attributes.is_empty() || self.0.iter().all(|policy| policy.matches(attributes))
    }

    /// The policies, in the order in which they were given.
    #[must_use]
    pub fn as_slice(&self) -> &[FilterPolicy] {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn name_fits(name: &str) -> bool {
    (1..=limits::FILTER_NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !name.starts_with('_')
        && !name.ends_with('_')
        && !name.contains("__")
}

fn value_fits(value: &str) -> bool {
    (1..=limits::FILTER_VALUE_CHARS_MAX).contains(&value.chars().count())
        && value.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// The values as a set, if each keeps its rule and there are 1 to 10 different ones.
fn distinct(values: &[String]) -> Option<BTreeSet<String>> {
    let set: BTreeSet<String> = values.iter().cloned().collect();
    let fits = (1..=limits::FILTER_VALUES_MAX).contains(&values.len())
        && set.len() == values.len()
        && values.iter().all(|value| value_fits(value));
    fits.then_some(set)
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
