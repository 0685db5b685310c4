//! Access policies read as the documents put it, from the JSON, word for word and without regard for speed. What the model
//! answers must be the same. Nothing here is taken from the model but its questions.

use carillon_model::access_policy::{Action, Asker, Effect, Question};
use carillon_model::clock::Timestamp;
use serde_json::{Map, Value, json};

use crate::mutate::Dice;

const ACCOUNTS: [&str; 3] = ["urn:csp:iam::alice:root", "urn:csp:iam::bob:root", "*"];
const SERVICES: [&str; 2] = ["obs", "ces"];
const PATHS: [&str; 4] = ["o-1/r-1/ou-1", "o-1/*", "o-?/r-1/ou-?", "o-2/r-9"];
const RESOURCES: [&str; 5] = ["urn:smn:r:p:ops", "urn:smn:r:p:*", "urn:smn:*:ops", "*", "urn:smn:r:p:o?s"];
const PATTERNS: [&str; 6] = ["SMN:*", "smn:publish", "SMN:Query*", "*", "SMN:?ublish", "*Topic*"];
const KEYS: [&str; 4] = ["csp:CurrentTime", "smn:Protocol", "smn:Endpoint", "SMN:endpoint"];
const OPERATORS: [&str; 24] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "StringMatch",
    "StringNotMatch",
    "StringStartWith",
    "StringNotStartWith",
    "StringEndWith",
    "StringNotEndWith",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "Bool",
];
const VALUES: [&str; 12] = [
    "http",
    "HTTP",
    "https://a.example/*",
    "https://a.example/x",
    "*",
    "5",
    " 5.0 ",
    "-1e2",
    "2025-01-02T03:04:05Z",
    "2026-06-07T08:09:10Z",
    "true",
    "False",
];
const MOMENTS: [i64; 3] = [1_735_787_045_000, 1_735_787_045_999, 1_780_819_750_000];

/// Words for changes.
pub(crate) fn words() -> Vec<&'static str> {
    let members = [
        "Sid",
        "Effect",
        "Allow",
        "Deny",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "CSP",
        "Service",
        "OrgPath",
        "Version",
        "2016-09-07",
        "Id",
        "Statement",
    ];
    let lists: [&[&str]; 8] = [&members, &ACCOUNTS, &SERVICES, &PATHS, &RESOURCES, &PATTERNS, &KEYS, &VALUES];
    lists.into_iter().flatten().chain(&OPERATORS).copied().collect()
}

fn some(dice: &mut Dice, list: &[&str]) -> Value {
    let many: Vec<&str> = (0..=dice.below(2)).map(|_| *dice.pick(list)).collect();
    if many.len() == 1 && dice.one_in(2) { json!(many[0]) } else { json!(many) }
}

fn principals(dice: &mut Dice) -> Value {
    if dice.one_in(4) {
        return json!("*");
    }
    let mut object = Map::new();
    for (kind, list) in [("CSP", &ACCOUNTS[..]), ("Service", &SERVICES), ("OrgPath", &PATHS)] {
        if object.is_empty() || dice.one_in(3) {
            object.insert(kind.to_owned(), some(dice, list));
        }
        if dice.one_in(3) {
            break;
        }
    }
    Value::Object(object)
}

/// A policy in which every rule has its turn.
pub(crate) fn made(dice: &mut Dice) -> Value {
    let statements: Vec<Value> = (0..=dice.below(3))
        .map(|sid| {
            let mut statement =
                json!({ "Sid": sid.to_string(), "Effect": dice.pick(&["Allow", "Allow", "Deny"]) });
            let mut put = |dice: &mut Dice, names: [&str; 2], value: Value| {
                statement[names[usize::from(dice.one_in(4))]] = value;
            };
            let who = principals(dice);
            put(dice, ["Principal", "NotPrincipal"], who);
            let what =
                if dice.one_in(2) { json!(dice.pick(&Action::ALL).name()) } else { some(dice, &PATTERNS) };
            put(dice, ["Action", "NotAction"], what);
            let which = some(dice, &RESOURCES);
            put(dice, ["Resource", "NotResource"], which);
            let mut conditions = Map::new();
            for _condition in 0..dice.below(3) {
                let values = some(dice, &VALUES);
                conditions.insert((*dice.pick(&OPERATORS)).to_owned(), json!({ *dice.pick(&KEYS): values }));
            }
            if !conditions.is_empty() {
                statement["Condition"] = Value::Object(conditions);
            }
            statement
        })
        .collect();
    json!({ "Version": "2016-09-07", "Id": "made", "Statement": statements })
}

/// Somebody who asks something.
pub(crate) fn question(dice: &mut Dice) -> Question {
    let mut maybe = |list: &[&str]| {
        let absent = dice.one_in(4);
        (!absent).then(|| (*dice.pick(list)).to_owned())
    };
    let asker = Asker {
        account: maybe(&["urn:csp:iam::alice:root", "urn:csp:iam::bob:root", "urn:csp:iam::eve:root"]),
        service: maybe(&["obs", "lts"]),
        org_path: maybe(&["o-1/r-1/ou-1", "o-1/r-2", "o-2/r-9"]),
    };
    let (protocol, endpoint) = (
        maybe(&["http", "https", "email", "5"]),
        maybe(&["https://a.example/x", "https://b.example/x", "5", "2025-01-02T03:04:05Z", "TRUE", "磁"]),
    );
    let resource = (*dice.pick(&["urn:smn:r:p:ops", "urn:smn:r:p:dev", "urn:smn:x:y:ops"])).to_owned();
    let (action, now) = (*dice.pick(&Action::ALL), Timestamp(*dice.pick(&MOMENTS)));
    Question { asker, action, resource, now, protocol, endpoint }
}

/// What the policy says: a denial wins, then a permission counts, and silence keeps out.
pub(crate) fn effect(policy: &Value, question: &Question) -> Option<Effect> {
    let statements = policy["Statement"].as_array().unwrap();
    let mut effects =
        statements.iter().filter(|it| applies(it, question)).map(|it| it["Effect"].as_str().unwrap());
    let all: Vec<&str> = effects.by_ref().collect();
    if all.contains(&"Deny") {
        return Some(Effect::Deny);
    }
    all.contains(&"Allow").then_some(Effect::Allow)
}

fn texts(value: &Value) -> Vec<&str> {
    let one = || vec![value.as_str().unwrap()];
    value.as_array().map_or_else(one, |list| list.iter().map(|it| it.as_str().unwrap()).collect())
}

/// The member or its opposite: whether any of it fits, turned round for the opposite.
fn member(statement: &Value, name: &str, fits: impl Fn(&Value) -> bool) -> bool {
    match statement.get(name) {
        Some(value) => fits(value),
        None => !fits(&statement[format!("Not{name}")]),
    }
}

fn applies(statement: &Value, question: &Question) -> bool {
    let who = |value: &Value| means(value, &question.asker);
    let deed = question.action.name().to_ascii_lowercase();
    let what = |value: &Value| texts(value).iter().any(|one| like(&one.to_ascii_lowercase(), &deed));
    let which = |value: &Value| texts(value).iter().any(|one| like(one, &question.resource));
    member(statement, "Principal", who)
        && member(statement, "Action", what)
        && member(statement, "Resource", which)
        && holds(statement.get("Condition"), question)
}

fn means(principals: &Value, asker: &Asker) -> bool {
    let Some(kinds) = principals.as_object() else { return principals == "*" };
    kinds.iter().any(|(kind, value)| {
        texts(value).iter().any(|text| match kind.as_str() {
            "CSP" => *text == "*" || asker.account.as_deref() == Some(text),
            "Service" => asker.service.as_deref() == Some(text),
            "OrgPath" => asker.org_path.as_deref().is_some_and(|path| like(text, path)),
            _ => false,
        })
    })
}

/// `*` for any run of letters, `?` for one: by a table of which beginnings fit which.
fn like(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for wanted in pattern.chars() {
        let mut next = vec![false; text.len() + 1];
        for at in 0..=text.len() {
            next[at] = match wanted {
                '*' => reached[..=at].contains(&true),
                '?' => at > 0 && reached[at - 1],
                letter => at > 0 && reached[at - 1] && text[at - 1] == letter,
            };
        }
        reached = next;
    }
    reached[text.len()]
}

fn holds(conditions: Option<&Value>, question: &Question) -> bool {
    let Some(operators) = conditions.and_then(Value::as_object) else { return true };
    operators.iter().all(|(operator, keys)| {
        keys.as_object().unwrap().iter().all(|(key, values)| {
            let own = match key.to_ascii_lowercase().as_str() {
                "csp:currenttime" => Some(question.now.to_seconds_text()),
                "smn:protocol" => question.protocol.clone(),
                "smn:endpoint" => question.endpoint.clone(),
                _ => None,
            };
            // About something that the question does not have, nothing holds, turned round or not.
            own.is_some_and(|own| compared(operator, &own, values))
        })
    })
}

fn compared(operator: &str, own: &str, values: &Value) -> bool {
    let one = || vec![written(values)];
    let values = values.as_array().map_or_else(one, |list| list.iter().map(written).collect());
    let (family, rest) = ["String", "Numeric", "Date", "Bool"]
        .iter()
        .find_map(|family| Some((*family, operator.strip_prefix(family)?)))
        .unwrap();
    let (turned, relation) = rest.strip_prefix("Not").map_or((false, rest), |rest| (true, rest));
    if family == "String" {
        let any = values.iter().any(|value| match relation {
            "Equals" => own == value,
            "EqualsIgnoreCase" => own.to_lowercase() == value.to_lowercase(),
            "Like" | "Match" => like(value, own),
            "StartWith" => own.starts_with(value.as_str()),
            "EndWith" => own.ends_with(value.as_str()),
            _ => unreachable!("{operator}"),
        });
        return any != turned;
    }
    let Some(own) = number(family, own) else { return false };
    let any = values.iter().map(|value| number(family, value).unwrap()).any(|value| match relation {
        "Equals" | "" => own == value,
        "LessThan" => own < value,
        "LessThanEquals" => own <= value,
        "GreaterThan" => own > value,
        "GreaterThanEquals" => own >= value,
        _ => unreachable!("{operator}"),
    });
    any != turned
}

fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A number that orders as what the text means.
fn number(family: &str, text: &str) -> Option<f64> {
    match family {
        "Numeric" => text.trim().parse::<f64>().ok().filter(|number| number.is_finite()),
        "Bool" => match text.to_ascii_lowercase().as_str() {
            "true" => Some(1.0),
            "false" => Some(0.0),
            _ => None,
        },
        _ => moment(text),
    }
}

/// `YYYY-MM-DDTHH:MM:SSZ` as its digits in a row, which order as the moments do.
fn moment(text: &str) -> Option<f64> {
    let form = "dddd-dd-ddTdd:dd:ddZ";
    let fits = text.len() == form.len()
        && text
            .bytes()
            .zip(form.bytes())
            .all(|(own, form)| if form == b'd' { own.is_ascii_digit() } else { own == form });
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    fits.then(|| digits.parse().ok())?
}
