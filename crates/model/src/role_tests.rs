use proptest::prelude::*;

use super::{Grant, Granted, Right, Role, Standing, TopicPatterns, fits};
use crate::topic::TopicName;

fn patterns(list: &[&str]) -> TopicPatterns {
    TopicPatterns::new(list.iter().map(|one| (*one).to_owned()).collect()).unwrap()
}

fn name(text: &str) -> TopicName {
    TopicName::parse(text).unwrap()
}

#[test]
fn the_whole_table() {
    use Grant::{No, Own, Yes};
    let rows = [
        (Right::Own, [Yes, Yes, Yes]),
        (Right::Look, [Yes, No, Yes]),
        (Right::Trace, [Yes, Own, Yes]),
        (Right::Publish, [Yes, Own, No]),
        (Right::Change, [Yes, No, No]),
        (Right::Inspect, [Yes, No, Yes]),
        (Right::Govern, [Yes, No, No]),
    ];
    assert_eq!(rows.map(|(right, _)| right), Right::ALL);
    for (right, grants) in rows {
        assert_eq!(Role::ALL.map(|role| role.grant(right)), grants, "{right:?}");
    }
}

#[test]
fn names_read_back() {
    for role in Role::ALL {
        assert_eq!(Role::from_name(role.name()), Some(role));
    }
    assert_eq!(Role::from_name("Administrator"), None);
}

#[test]
fn patterns_fit_names() {
    for (pattern, fitting, other) in [
        ("ops", "ops", "ops-1"),
        ("ops-*", "ops-1", "ops"),
        ("*", "a", ""),
        ("*-prod", "a-prod", "a-prod-1"),
        ("a*b*c", "axxbxxc", "axxc"),
        ("a*a", "aa", "a"),
        ("**", "x", ""),
        ("a*b*b", "abb", "ab"),
    ] {
        assert!(fits(pattern, fitting), "{pattern} {fitting}");
        assert!(other.is_empty() || !fits(pattern, other), "{pattern} {other}");
    }
}

#[test]
fn bad_patterns_are_refused() {
    for bad in ["a b", "a?", "", "a/b", "*.x"] {
        assert!(TopicPatterns::new(vec![bad.to_owned()]).is_err(), "{bad}");
    }
    assert!(TopicPatterns::new(vec!["a".to_owned(); 51]).is_err());
    let read = TopicPatterns::parse("a, b-*,").unwrap();
    assert_eq!((read.text().as_str(), TopicPatterns::parse("").unwrap().as_slice().len()), ("a,b-*", 0));
}

#[test]
fn only_a_publisher_has_topics() {
    assert!(Granted::new(Role::Publisher, TopicPatterns::default()).is_err());
    assert!(Granted::new(Role::Publisher, patterns(&["a"])).is_ok());
    for role in [Role::Administrator, Role::Reader] {
        assert!(Granted::new(role, patterns(&["a"])).is_err());
        assert!(Granted::new(role, TopicPatterns::default()).is_ok());
    }
}

#[test]
fn a_credential_only_takes_away() {
    let publisher = |list| Granted { role: Role::Publisher, topics: patterns(list) };
    let both = Standing { account: publisher(&["ops-*"]), credential: Some(publisher(&["*-prod"])) };
    assert!(both.allows_publish_to(&name("ops-prod")));
    assert!(!both.allows_publish_to(&name("ops-test")));
    assert!(!both.allows_publish_to(&name("web-prod")));

    // An administrator's token outlives its demotion, but not with more than is left.
    let reader = Granted { role: Role::Reader, topics: TopicPatterns::default() };
    let demoted = Standing { account: reader, credential: Some(Granted::administrator()) };
    for right in Right::ALL {
        assert_eq!(demoted.grant(right), Role::Reader.grant(right), "{right:?}");
    }
}

fn granted() -> impl Strategy<Value = Granted> {
    prop_oneof![
        Just(Granted::administrator()),
        Just(Granted { role: Role::Reader, topics: TopicPatterns::default() }),
        prop::collection::vec("[ab*]{1,3}", 1..3)
            .prop_map(|list| Granted { role: Role::Publisher, topics: TopicPatterns::new(list).unwrap() }),
    ]
}

/// A plain reading of a pattern, slow.
fn plain(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|skipped| plain(rest, &name[skipped..])),
        Some((sign, rest)) => {
            name.split_first().is_some_and(|(first, more)| first == sign && plain(rest, more))
        }
    }
}

proptest! {
    #[test]
    fn patterns_are_read_plainly(pattern in "[ab*]{1,8}", name in "[ab]{1,8}") {
        prop_assert_eq!(fits(&pattern, &name), plain(pattern.as_bytes(), name.as_bytes()));
    }

    #[test]
    fn a_standing_is_never_more_than_either_part(account in granted(), credential in granted(), topic in "[ab]{1,4}") {
        let topic = name(&topic);
        let alone = |part: &Granted| Standing { account: part.clone(), credential: None };
        let both = Standing { account: account.clone(), credential: Some(credential.clone()) };
        let (account, credential) = (alone(&account), alone(&credential));
        let publish = account.allows_publish_to(&topic) && credential.allows_publish_to(&topic);
        prop_assert_eq!(both.allows_publish_to(&topic), publish);
        for right in Right::ALL {
            let no = account.grant(right) == Grant::No || credential.grant(right) == Grant::No;
            prop_assert_eq!(both.grant(right) == Grant::No, no);
            let yes = account.grant(right) == Grant::Yes && credential.grant(right) == Grant::Yes;
            prop_assert_eq!(both.grant(right) == Grant::Yes, yes);
        }
    }
}
