//! Readers of what strangers write, fed with what tends to break them: `cargo test -p carillon-model --test fuzz`. See
//! `mutate.rs` for how to run a target for longer.

#![expect(clippy::unwrap_used, reason = "a test may fail in any of its helpers")]

mod mutate;
mod plain;

use std::collections::BTreeMap;

use carillon_model::access_policy::AccessPolicy;
use carillon_model::limits;
use carillon_model::template::{TemplateText, Values};
use carillon_model::urn::{SubscriptionUrn, TopicUrn};
use serde_json::Value;

const TOPIC: &str = "urn:smn:cn-north-4:0970dd7a1300f5672ff2c003c60ae115:ops";

#[test]
fn urns() {
    let subscription = format!("{TOPIC}:01a2023676a47925ae554668e5be904d");
    let words =
        ["urn:", "smn:", ":", "::", "r", "0970dd7a1300f5672ff2c003c60ae115", "-", "_", "ops", "%3A", "A"];
    let make = |dice: &mut mutate::Dice, seeds: &[String]| mutate::text(dice, seeds, &words);
    mutate::run("urn", &[TOPIC, &subscription, "urn:smn:r:p:t"], make, |text, _dice| {
        let (topic, subscription) = (TopicUrn::parse(text), SubscriptionUrn::parse(text));
        assert!(topic.is_err() || subscription.is_err(), "both");
        if let Ok(topic) = &topic {
            assert_eq!(topic.to_string(), text);
            assert_eq!(text.split(':').count(), 5);
        }
        if let Ok(subscription) = &subscription {
            assert_eq!(SubscriptionUrn::parse(&subscription.to_string()).as_ref(), Ok(subscription));
            assert_eq!(TopicUrn::parse(text.rsplit_once(':').unwrap().0).as_ref(), Ok(&subscription.topic));
            assert_eq!(text.split(':').count(), 6);
        }
        topic.is_ok() || subscription.is_ok()
    });
}

/// The placeholders of a text, found by trying every place.
fn placeholders(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('{') {
        let fits = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
        let name: String = after.chars().take_while(fits).collect();
        let behind = after.strip_prefix(&name).and_then(|behind| behind.strip_prefix('}'));
        let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        rest = match behind {
            Some(behind) if begins && name.len() <= 21 => {
                found.push(name);
                behind
            }
            _ => after,
        };
    }
    found
}

#[test]
fn template_placeholders() {
    let words = [
        "{",
        "}",
        "{host}",
        "{a.b-c_d}",
        "{{",
        "}}",
        "{x",
        "x}",
        "{123456789012345678901}",
        "{-a}",
        "磁盘",
        "{}",
    ];
    let seeds = ["{host} is full", "磁盘 {a}{b} {a}", "{{a}}", "{x {y} z}"];
    let make = |dice: &mut mutate::Dice, seeds: &[String]| mutate::text(dice, seeds, &words);
    mutate::run("template", &seeds, make, |text, _dice| {
        let naive = placeholders(text);
        let mut distinct: Vec<String> = Vec::new();
        for name in &naive {
            if !distinct.contains(name) {
                distinct.push(name.clone());
            }
        }
        let template = TemplateText::parse(text);
        let within = naive.len() <= limits::PLACEHOLDER_PLACES_MAX
            && distinct.len() <= limits::PLACEHOLDERS_MAX
            && !text.trim().is_empty();
        assert_eq!(template.is_ok(), within);
        let Ok(template) = template else { return false };
        assert_eq!(template.placeholders(), distinct);
        let same = |name: &String| (name.clone(), format!("{{{name}}}"));
        let values: BTreeMap<String, String> = distinct.iter().map(same).collect();
        assert_eq!(template.render(&Values::new(values).unwrap()).unwrap(), text);
        assert_eq!(template.render(&Values::default()).is_ok(), naive.is_empty());
        true
    });
}

/// Also the property that evaluation agrees with a plain reading: half of the policies are made to be accepted.
#[test]
fn access_policies() {
    let words = plain::words();
    let seed = plain::made(&mut mutate::Dice::new(7)).to_string();
    let make = |dice: &mut mutate::Dice, seeds: &[String]| {
        if dice.one_in(2) { plain::made(dice).to_string() } else { mutate::json(dice, seeds, &words) }
    };
    mutate::run("access policy", &[&seed], make, |text, dice| {
        let Ok(policy) = AccessPolicy::parse(text) else { return false };
        let value: Value = serde_json::from_str(text).unwrap();
        for _question in 0..12 {
            let question = plain::question(dice);
            let effect = policy.effect(&question);
            assert_eq!(effect, plain::effect(&value, &question), "{question:?}");
        }
        // How it is laid out does not matter.
        let spaced = serde_json::to_string_pretty(&value).unwrap();
        if spaced.len() <= limits::ACCESS_POLICY_BYTES_MAX {
            assert_eq!(AccessPolicy::parse(&spaced), Ok(policy));
        }
        true
    });
}
