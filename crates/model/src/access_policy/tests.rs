use proptest::prelude::*;
use serde_json::{Value, json};

use super::{AccessPolicy, Action, Asker, Effect, Question, fits};
use crate::clock::Timestamp;
use crate::error::Field;

const URN: &str = "urn:smn:cn-north-4:0970dd7a1300f5672ff2c003c60ae115:ops";
const ALICE: &str = "urn:csp:iam::alice:root";

fn ask(action: Action) -> Question {
    Question {
        asker: Asker { account: Some(ALICE.to_owned()), ..Asker::default() },
        action,
        resource: URN.to_owned(),
        now: Timestamp(1_735_787_045_000),
        protocol: None,
        endpoint: None,
    }
}

fn statement(sid: &str, change: &Value) -> Value {
    let mut statement = json!({ "Sid": sid, "Effect": "Allow", "Principal": { "CSP": [ALICE] },
        "Action": ["SMN:Publish", "SMN:QueryTopicDetail"], "Resource": URN });
    for (key, value) in change.as_object().unwrap() {
        if value.is_null() {
            statement.as_object_mut().unwrap().remove(key);
        } else {
            statement[key] = value.clone();
        }
    }
    statement
}

fn text(changes: &[Value]) -> String {
    let statements: Vec<Value> =
        changes.iter().enumerate().map(|(index, change)| statement(&index.to_string(), change)).collect();
    json!({ "Version": "2016-09-07", "Id": "__default_policy_ID", "Statement": statements }).to_string()
}

fn policy(changes: &[Value]) -> AccessPolicy {
    AccessPolicy::parse(&text(changes)).unwrap()
}

#[test]
fn a_denial_wins_and_silence_keeps_out() {
    let allows = policy(&[json!({})]);
    assert!(allows.allows(&ask(Action::Publish)));
    assert_eq!(allows.effect(&ask(Action::Subscribe)), None);
    let mut bob = ask(Action::Publish);
    bob.asker.account = Some("urn:csp:iam::bob:root".to_owned());
    assert_eq!(allows.effect(&bob), None);
    let denies = json!({ "Effect": "Deny", "Principal": "*", "Action": "SMN:Publish" });
    for order in [[json!({}), denies.clone()], [denies, json!({})]] {
        assert_eq!(policy(&order).effect(&ask(Action::Publish)), Some(Effect::Deny));
        assert!(policy(&order).allows(&ask(Action::QueryTopicDetail)));
    }
}

#[test]
fn negations_mean_everything_else() {
    let not_alice = json!({ "Principal": null, "NotPrincipal": { "CSP": [ALICE] } });
    let not_publish = json!({ "Action": null, "NotAction": ["smn:publish"] });
    let not_this = json!({ "Resource": null, "NotResource": ["urn:smn:*:ops"] });
    assert!(!policy(std::slice::from_ref(&not_alice)).allows(&ask(Action::Publish)));
    let mut stranger = ask(Action::Publish);
    stranger.asker.account = None;
    assert!(policy(&[not_alice]).allows(&stranger));
    assert!(!policy(std::slice::from_ref(&not_publish)).allows(&ask(Action::Publish)));
    assert!(policy(&[not_publish]).allows(&ask(Action::Subscribe)));
    assert!(!policy(&[not_this]).allows(&ask(Action::Publish)));
}

#[test]
fn services_and_organisations_are_askers_too() {
    let services = policy(&[json!({ "Principal": { "Service": ["obs"], "OrgPath": ["o-1/r-1/*"] } })]);
    let with = |asker: Asker| services.allows(&Question { asker, ..ask(Action::Publish) });
    assert!(with(Asker { service: Some("obs".to_owned()), ..Asker::default() }));
    assert!(!with(Asker { service: Some("ecs".to_owned()), ..Asker::default() }));
    assert!(with(Asker { org_path: Some("o-1/r-1/ou-2".to_owned()), ..Asker::default() }));
    assert!(!with(Asker { account: Some(ALICE.to_owned()), ..Asker::default() }));
}

#[test]
fn conditions_hold_by_family() {
    let cases = [
        (json!({ "StringEquals": { "smn:Protocol": ["http", "https"] } }), true),
        (json!({ "StringNotEquals": { "smn:Protocol": ["http", "https"] } }), false),
        (json!({ "StringNotEquals": { "smn:Protocol": "email" } }), true),
        (json!({ "StringEqualsIgnoreCase": { "smn:Protocol": "HTTPS" } }), true),
        (json!({ "StringLike": { "smn:Endpoint": "https://*.example/*" } }), true),
        (json!({ "StringNotMatch": { "smn:Endpoint": "https://*.example/*" } }), false),
        (json!({ "StringStartWith": { "smn:Endpoint": "https://hooks." } }), true),
        (json!({ "StringNotEndWith": { "smn:Endpoint": "/x" } }), false),
        (json!({ "DateLessThan": { "csp:CurrentTime": "2025-01-02T03:04:06Z" } }), true),
        (json!({ "DateLessThan": { "csp:CurrentTime": "2025-01-02T03:04:05Z" } }), false),
        (json!({ "DateGreaterThanEquals": { "csp:CurrentTime": "2025-01-02T03:04:05Z" } }), true),
        (json!({ "DateNotEquals": { "csp:CurrentTime": "2025-01-02T03:04:05Z" } }), false),
        (json!({ "NumericLessThan": { "smn:Protocol": 5 } }), false),
        (json!({ "Bool": { "smn:Protocol": true } }), false),
        (
            json!({ "StringEquals": { "smn:Protocol": "https" },
                 "DateGreaterThan": { "csp:CurrentTime": "2030-01-01T00:00:00Z" } }),
            false,
        ),
    ];
    let question = Question {
        protocol: Some("https".to_owned()),
        endpoint: Some("https://hooks.example/x".to_owned()),
        ..ask(Action::Subscribe)
    };
    for (condition, wanted) in cases {
        let policy = policy(&[json!({ "Action": "SMN:*", "Condition": condition.clone() })]);
        assert_eq!(policy.allows(&question), wanted, "{condition}");
    }
    let negated = json!({ "Action": "*", "Condition": { "StringNotEquals": { "smn:Protocol": "http" } } });
    assert!(!policy(&[negated]).allows(&ask(Action::Publish)), "a publish has no protocol");
    let numbers = json!({ "Action": "*", "Condition": { "NumericGreaterThan": { "smn:Endpoint": ["10"] } } });
    let phone = Question { endpoint: Some("13".to_owned()), ..ask(Action::Subscribe) };
    assert!(policy(&[numbers]).allows(&phone));
}

#[test]
fn refusals_name_the_part() {
    let parts = [
        (json!({ "Sid": "" }), Field::PolicyStatementId),
        (json!({ "Sid": "1" }), Field::PolicyStatementId),
        (json!({ "Effect": "allow" }), Field::PolicyEffect),
        (json!({ "Principal": null }), Field::PolicyPrincipal),
        (json!({ "Principal": "me" }), Field::PolicyPrincipal),
        (json!({ "Principal": { "CSP": ["alice"] } }), Field::PolicyPrincipal),
        (json!({ "Principal": { "AWS": ["*"] } }), Field::PolicyPrincipal),
        (json!({ "NotPrincipal": "*" }), Field::PolicyPrincipal),
        (json!({ "Action": "SMN:Fly" }), Field::PolicyAction),
        (json!({ "Action": [] }), Field::PolicyAction),
        (json!({ "Resource": "arn:aws:sns" }), Field::PolicyResource),
        (json!({ "Resource": [1] }), Field::PolicyResource),
        (json!({ "Condition": [] }), Field::PolicyCondition),
        (json!({ "Condition": { "StringEquals": {} } }), Field::PolicyCondition),
        (json!({ "Condition": { "StringLessThan": { "smn:Protocol": "a" } } }), Field::PolicyCondition),
        (json!({ "Condition": { "StringEquals": { "smn:Color": "a" } } }), Field::PolicyCondition),
        (json!({ "Condition": { "StringEquals": { "smn:Protocol": [] } } }), Field::PolicyCondition),
        (
            json!({ "Condition": { "DateLessThan": { "csp:CurrentTime": "tomorrow" } } }),
            Field::PolicyCondition,
        ),
        (json!({ "Conditions": {} }), Field::PolicyStatement),
    ];
    for (change, field) in parts {
        let error = AccessPolicy::parse(&text(&[change.clone(), json!({})])).unwrap_err();
        assert_eq!(error.field, field, "{change}");
    }
    let whole = [
        ("", Field::AccessPolicy),
        ("[]", Field::AccessPolicy),
        (r#"{"Version":"2012-10-17","Id":"a","Statement":[{}]}"#, Field::PolicyVersion),
        (r#"{"Version":"2016-09-07","Id":"","Statement":[{}]}"#, Field::PolicyId),
        (r#"{"Version":"2016-09-07","Id":"a","Statement":[]}"#, Field::PolicyStatement),
        (r#"{"Version":"2016-09-07","Id":"a","Statement":[1]}"#, Field::PolicyStatement),
        (r#"{"Version":"2016-09-07","Id":"a","Statement":[{}],"x":1}"#, Field::AccessPolicy),
        (&" ".repeat(30_721), Field::AttributeValue),
    ];
    for (text, field) in whole {
        assert_eq!(AccessPolicy::parse(text).unwrap_err().field, field, "{text:.60}");
    }
}

#[test]
fn wildcards() {
    for (pattern, text) in
        [("*", ""), ("a*c", "abbc"), ("a?c", "abc"), ("**", "x"), ("*b*", "abc"), ("磁?", "磁盘")]
    {
        assert!(fits(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in [("", "a"), ("a", ""), ("a?c", "ac"), ("a*c", "ab"), ("?", "")] {
        assert!(!fits(pattern, text), "{pattern} {text}");
    }
}

/// What one statement of the property test says: denies, means alice, negated; which action, negated; which protocol.
type Plain = (bool, (bool, bool), (usize, bool), Option<usize>);

const ACTIONS: [Action; 3] = [Action::Publish, Action::Subscribe, Action::QueryTopicDetail];
const PROTOCOLS: [&str; 2] = ["http", "https"];

fn written(plain: &Plain) -> Value {
    let (denies, (alice, not_principal), (action, not_action), protocol) = *plain;
    let who = if alice { json!({ "CSP": [ALICE] }) } else { json!({ "CSP": ["urn:csp:iam::bob:root"] }) };
    let mut change =
        json!({ "Effect": if denies { "Deny" } else { "Allow" }, "Principal": null, "Action": null });
    change[if not_principal { "NotPrincipal" } else { "Principal" }] = who;
    change[if not_action { "NotAction" } else { "Action" }] = json!(ACTIONS[action].name());
    if let Some(protocol) = protocol {
        change["Condition"] = json!({ "StringEquals": { "smn:Protocol": PROTOCOLS[protocol] } });
    }
    change
}

/// The same rule as a reader of the documents would write it down, for alice.
fn plainly(statements: &[Plain], action: usize, protocol: Option<usize>) -> bool {
    let mut allowed = false;
    for (denies, (alice, not_principal), (wanted, not_action), condition) in statements {
        let person = if *not_principal { !alice } else { *alice };
        let deed = if *not_action { *wanted != action } else { *wanted == action };
        let held = condition.is_none() || *condition == protocol;
        if person && deed && held {
            if *denies {
                return false;
            }
            allowed = true;
        }
    }
    allowed
}

proptest! {
    #[test]
    fn evaluation_agrees_with_a_plain_reading(
        statements in proptest::collection::vec((any::<bool>(), any::<(bool, bool)>(), (0_usize..3, any::<bool>()),
            proptest::option::of(0_usize..2)), 1..5),
        action in 0_usize..3,
        protocol in proptest::option::of(0_usize..2),
    ) {
        let changes: Vec<Value> = statements.iter().map(written).collect();
        let question = Question { protocol: protocol.map(|index| PROTOCOLS[index].to_owned()), ..ask(ACTIONS[action]) };
        prop_assert_eq!(policy(&changes).allows(&question), plainly(&statements, action, protocol));
    }

    #[test]
    fn no_text_panics(text in ".{0,200}", part in ".{0,30}") {
        prop_assert!(AccessPolicy::parse(&text).is_err());
        for key in ["Sid", "Effect", "Action", "Resource", "Principal"] {
            if let Ok(policy) = AccessPolicy::parse(&self::text(&[json!({ key: part })])) {
                prop_assert!(policy.effect(&ask(Action::Publish)).is_none_or(|effect| effect == Effect::Allow));
            }
        }
        for operator in ["StringLike", "DateLessThan", "NumericEquals", "Bool", part.as_str()] {
            let condition = json!({ "Condition": { operator: { "smn:Endpoint": [part] } } });
            if let Ok(policy) = AccessPolicy::parse(&self::text(&[condition])) {
                let question = Question { endpoint: Some(part.clone()), ..ask(Action::Publish) };
                prop_assert!(policy.effect(&question).is_none_or(|effect| effect == Effect::Allow));
            }
        }
    }

    #[test]
    fn wildcards_agree_with_a_plain_reading(pattern in "[ab*?]{0,7}", text in "[ab]{0,7}") {
        fn plainly(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern, text) {
                ([], text) => text.is_empty(),
                ([b'*', rest @ ..], text) => (0..=text.len()).any(|from| plainly(rest, &text[from..])),
                ([b'?', rest @ ..], [_, text @ ..]) => plainly(rest, text),
                ([one, rest @ ..], [letter, text @ ..]) => one == letter && plainly(rest, text),
                (_, []) => false,
            }
        }
        prop_assert_eq!(fits(&pattern, &text), plainly(pattern.as_bytes(), text.as_bytes()));
    }
}
