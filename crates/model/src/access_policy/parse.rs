//! From the text of a policy to its statements. A member that the documents do not name is refused: a condition with a
//! slip in its name would otherwise let in whom it shall keep out.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::condition::Condition;
use super::{AccessPolicy, Action, Effect, Principal, Scope, Statement, fits};
use crate::error::{Field, Invalid};
use crate::limits;

/// The one version of the policy language.
const VERSION: &str = "2016-09-07";

fn wrong(field: Field, rule: &'static str) -> Invalid {
    Invalid::new(field, rule)
}

impl AccessPolicy {
    /// Reads a policy.
    ///
    /// # Errors
    /// When the text is over 30 KB (named as [`Field::AttributeValue`]), is no JSON object, or a part of it breaks
    /// its rule; the error names the part.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > limits::ACCESS_POLICY_BYTES_MAX {
            return Err(wrong(Field::AttributeValue, "an access policy is at most 30720 bytes of UTF-8"));
        }
        let value: Value = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Invalid::new(
                Field::AccessPolicy,
                format!("must hold valid JSON, see line {line} column {column}"),
            )
        })?;
        let Value::Object(policy) = value else {
            return Err(wrong(Field::AccessPolicy, "must hold a JSON object"));
        };
        known(&policy, &["Version", "Id", "Statement"], Field::AccessPolicy)?;
        if policy.get("Version").and_then(Value::as_str) != Some(VERSION) {
            return Err(wrong(Field::PolicyVersion, "Version must be 2016-09-07"));
        }
        if policy.get("Id").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(wrong(Field::PolicyId, "Id must be a text that is not empty"));
        }
        let list = policy.get("Statement").and_then(Value::as_array).filter(|list| !list.is_empty());
        let list =
            list.ok_or_else(|| wrong(Field::PolicyStatement, "Statement must be a list that is not empty"))?;
        let mut ids = BTreeSet::new();
        let statements = list.iter().map(|item| statement(item, &mut ids)).collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }
}

fn known(object: &Map<String, Value>, names: &[&str], field: Field) -> Result<(), Invalid> {
    if object.keys().all(|key| names.contains(&key.as_str())) {
        return Ok(());
    }
    Err(Invalid::new(field, format!("has the members {} and no others", names.join(", "))))
}

fn statement<'v>(item: &'v Value, ids: &mut BTreeSet<&'v str>) -> Result<Statement, Invalid> {
    let object =
        item.as_object().ok_or_else(|| wrong(Field::PolicyStatement, "a statement must be an object"))?;
    let names = [
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ];
    known(object, &names, Field::PolicyStatement)?;
    let sid = object.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty());
    if !sid.is_some_and(|sid| ids.insert(sid)) {
        return Err(wrong(
            Field::PolicyStatementId,
            "Sid must be a text that is not empty and differs in each statement",
        ));
    }
    let effect = match object.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return Err(wrong(Field::PolicyEffect, "Effect must be Allow or Deny")),
    };
    let (negated, value) = one_of(object, "Principal", "NotPrincipal", Field::PolicyPrincipal)?;
    let principals = Scope { negated, items: principals(value)? };
    let (negated, value) = one_of(object, "Action", "NotAction", Field::PolicyAction)?;
    let actions = Scope { negated, items: actions(value)? };
    let (negated, value) = one_of(object, "Resource", "NotResource", Field::PolicyResource)?;
    let resources = Scope { negated, items: resources(value)? };
    let conditions = conditions(object.get("Condition"))?;
    Ok(Statement { effect, principals, actions, resources, conditions })
}

fn one_of<'v>(
    object: &'v Map<String, Value>,
    plain: &str,
    negated: &str,
    field: Field,
) -> Result<(bool, &'v Value), Invalid> {
    match (object.get(plain), object.get(negated)) {
        (Some(value), None) => Ok((false, value)),
        (None, Some(value)) => Ok((true, value)),
        _ => Err(Invalid::new(field, format!("a statement needs {plain} or {negated}, one of them"))),
    }
}

/// One text, or a list of texts that is not empty.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text.as_str()]),
        Value::Array(list) if !list.is_empty() => list.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
    .filter(|texts| texts.iter().all(|text| !text.is_empty()))
}

fn principals(value: &Value) -> Result<Vec<Principal>, Invalid> {
    let rule = || {
        wrong(
            Field::PolicyPrincipal,
            "a principal is \"*\" or an object with CSP (urn:csp:iam::{id}:root), Service or OrgPath, each a list of \
             texts",
        )
    };
    let object = match value {
        Value::String(text) if text == "*" => return Ok(vec![Principal::Everybody]),
        Value::Object(object) if !object.is_empty() => object,
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => return Err(rule()),
    };
    let mut found = Vec::new();
    for (kind, value) in object {
        for text in texts(value).ok_or_else(rule)? {
            found.push(match kind.as_str() {
                "CSP" if text == "*" => Principal::Everybody,
                "CSP" if text.starts_with("urn:csp:iam::") => Principal::Account(text.to_owned()),
                "Service" => Principal::Service(text.to_owned()),
                "OrgPath" => Principal::OrgPath(text.to_owned()),
                _ => return Err(rule()),
            });
        }
    }
    Ok(found)
}

/// Actions in lower case: their spelling varies in the documents.
fn actions(value: &Value) -> Result<Vec<String>, Invalid> {
    let rule = "an action is SMN: and one of SMN's topic actions, with * and ? as wildcards";
    let list = texts(value).ok_or_else(|| wrong(Field::PolicyAction, rule))?;
    let patterns: Vec<String> = list.into_iter().map(str::to_ascii_lowercase).collect();
    let any_fits =
        |pattern: &String| Action::ALL.iter().any(|one| fits(pattern, &one.name().to_ascii_lowercase()));
    if patterns.iter().all(any_fits) { Ok(patterns) } else { Err(wrong(Field::PolicyAction, rule)) }
}

fn resources(value: &Value) -> Result<Vec<String>, Invalid> {
    let rule = "a resource is a topic's URN, with * and ? as wildcards";
    let list = texts(value).ok_or_else(|| wrong(Field::PolicyResource, rule))?;
    let fits = |text: &&str| *text == "*" || text.starts_with("urn:smn:");
    if list.iter().all(fits) {
        Ok(list.into_iter().map(str::to_owned).collect())
    } else {
        Err(wrong(Field::PolicyResource, rule))
    }
}

fn conditions(value: Option<&Value>) -> Result<Vec<Condition>, Invalid> {
    let rule =
        || wrong(Field::PolicyCondition, "a condition is an object of operators, each with keys and values");
    let operators = match value {
        None => return Ok(Vec::new()),
        Some(value) => value.as_object().ok_or_else(rule)?,
    };
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        for (key, values) in keys.as_object().filter(|keys| !keys.is_empty()).ok_or_else(rule)? {
            conditions.push(Condition::parse(operator, key, values)?);
        }
    }
    Ok(conditions)
}
