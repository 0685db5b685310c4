//! Conditions: when a statement holds.
//!
//! All conditions must hold; of a condition's values any suffices, and of a negated one none may fit. A condition about
//! something that the question does not have (the endpoint of a publish) does not hold, negated or not.

use serde_json::Value;

use super::{Question, fits};
use crate::clock::Timestamp;
use crate::error::{Field, Invalid};

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    CurrentTime,
    Protocol,
    Endpoint,
}

impl Key {
    fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "csp:currenttime" => Some(Self::CurrentTime),
            "smn:protocol" => Some(Self::Protocol),
            "smn:endpoint" => Some(Self::Endpoint),
            _ => None,
        }
    }

    fn of(self, question: &Question) -> Option<String> {
        match self {
            Self::CurrentTime => Some(question.now.to_seconds_text()),
            Self::Protocol => question.protocol.clone(),
            Self::Endpoint => question.endpoint.clone(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Text,
    Number,
    Date,
    Bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Equals,
    EqualsIgnoreCase,
    Matches,
    StartsWith,
    EndsWith,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

/// A value of a policy, read for its family.
#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Text(String),
    Number(f64),
    Bool(bool),
}

impl Operand {
    fn read(family: Family, text: &str) -> Option<Self> {
        match family {
            Family::Text => Some(Self::Text(text.to_owned())),
            Family::Number => {
                text.trim().parse().ok().filter(|number: &f64| number.is_finite()).map(Self::Number)
            }
            Family::Date => seconds(text).map(Self::Number),
            Family::Bool => match text.to_ascii_lowercase().as_str() {
                "true" => Some(Self::Bool(true)),
                "false" => Some(Self::Bool(false)),
                _ => None,
            },
        }
    }
}

/// A moment in seconds since 1970; each whole second up to the year 9999 is an exact number.
fn seconds(text: &str) -> Option<f64> {
    let seconds = Timestamp::from_seconds_text(text)?.seconds();
    let (high, low) = (i32::try_from(seconds >> 24).ok()?, i32::try_from(seconds & 0x00FF_FFFF).ok()?);
    Some(f64::from(high) * f64::from(1 << 24) + f64::from(low))
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    family: Family,
    relation: Relation,
    negated: bool,
    key: Key,
    values: Vec<Operand>,
}

// Numbers are finite, so equality is total.
impl Eq for Condition {}

fn wrong(rule: &'static str) -> Invalid {
    Invalid::new(Field::PolicyCondition, rule)
}

impl Condition {
    /// Reads one operator with one key.
    pub(super) fn parse(operator: &str, key: &str, values: &Value) -> Result<Self, Invalid> {
        let (family, negated, relation) = operator_of(operator).ok_or_else(|| {
            wrong(
                "an operator is String…, Numeric…, Date… or Bool: Equals, NotEquals, EqualsIgnoreCase, \
                 NotEqualsIgnoreCase, Like, NotLike, Match, NotMatch, StartWith, NotStartWith, EndWith, NotEndWith for \
                 texts; Equals, NotEquals, LessThan, LessThanEquals, GreaterThan, GreaterThanEquals for the others",
            )
        })?;
        let key =
            Key::parse(key).ok_or_else(|| wrong("a key is csp:CurrentTime, smn:Protocol or smn:Endpoint"))?;
        let list = match values {
            Value::Array(list) => list.iter().collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                vec![values]
            }
        };
        let read = |value: &Value| {
            let text = match value {
                Value::String(text) => Some(text.clone()),
                Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
            };
            text.and_then(|text| Operand::read(family, &text)).ok_or_else(|| {
                wrong("a value is a text, a number, true or false, or a moment YYYY-MM-DDTHH:MM:SSZ, as its operator says")
            })
        };
        let values = list.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if values.is_empty() {
            return Err(wrong("a key needs at least one value"));
        }
        Ok(Self { family, relation, negated, key, values })
    }

    pub(super) fn holds(&self, question: &Question) -> bool {
        let Some(own) = self.key.of(question).and_then(|text| Operand::read(self.family, &text)) else {
            return false;
        };
        self.values.iter().any(|value| self.relation.between(&own, value)) != self.negated
    }
}

impl Relation {
    fn between(self, own: &Operand, value: &Operand) -> bool {
        match (own, value) {
            (Operand::Text(own), Operand::Text(value)) => match self {
                Self::Equals => own == value,
                Self::EqualsIgnoreCase => own.to_lowercase() == value.to_lowercase(),
                Self::Matches => fits(value, own),
                Self::StartsWith => own.starts_with(value.as_str()),
                Self::EndsWith => own.ends_with(value.as_str()),
                Self::LessThan | Self::LessThanEquals | Self::GreaterThan | Self::GreaterThanEquals => false,
            },
            (Operand::Number(own), Operand::Number(value)) => match self {
                Self::Equals => own == value,
                Self::LessThan => own < value,
                Self::LessThanEquals => own <= value,
                Self::GreaterThan => own > value,
                Self::GreaterThanEquals => own >= value,
                Self::EqualsIgnoreCase | Self::Matches | Self::StartsWith | Self::EndsWith => false,
            },
            (Operand::Bool(own), Operand::Bool(value)) => own == value,
            (Operand::Text(_) | Operand::Number(_) | Operand::Bool(_), _) => false,
        }
    }
}

fn operator_of(name: &str) -> Option<(Family, bool, Relation)> {
    if name == "Bool" {
        return Some((Family::Bool, false, Relation::Equals));
    }
    let families = [("String", Family::Text), ("Numeric", Family::Number), ("Date", Family::Date)];
    let (family, rest) =
        families.into_iter().find_map(|(word, family)| Some((family, name.strip_prefix(word)?)))?;
    let (negated, rest) = rest.strip_prefix("Not").map_or((false, rest), |rest| (true, rest));
    let relation = match (family, rest, negated) {
        (_, "Equals", _) => Relation::Equals,
        (Family::Text, "EqualsIgnoreCase", _) => Relation::EqualsIgnoreCase,
        (Family::Text, "Like" | "Match", _) => Relation::Matches,
        (Family::Text, "StartWith", _) => Relation::StartsWith,
        (Family::Text, "EndWith", _) => Relation::EndsWith,
        (Family::Number | Family::Date, "LessThan", false) => Relation::LessThan,
        (Family::Number | Family::Date, "LessThanEquals", false) => Relation::LessThanEquals,
        (Family::Number | Family::Date, "GreaterThan", false) => Relation::GreaterThan,
        (Family::Number | Family::Date, "GreaterThanEquals", false) => Relation::GreaterThanEquals,
        _ => return None,
    };
    Some((family, negated, relation))
}
