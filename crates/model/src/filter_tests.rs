use proptest::prelude::*;

use super::{Attributes, FilterPolicies, FilterPolicy};

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn policies(list: &[(&str, &[&str])]) -> FilterPolicies {
    let one = |(name, values): &(&str, &[&str])| FilterPolicy::new(name, owned(values)).unwrap();
    FilterPolicies::new(list.iter().map(one).collect()).unwrap()
}

fn attributes(list: &[(&str, &[&str])]) -> Attributes {
    let mut attributes = Attributes::default();
    for (name, values) in list {
        attributes.add(name, &owned(values)).unwrap();
    }
    attributes
}

#[test]
fn every_policy_must_match_and_any_value_suffices() {
    let wish = policies(&[("day", &["mon", "tue"]), ("part", &["morning"])]);
    assert!(wish.match_all(&attributes(&[("day", &["tue"]), ("part", &["morning"])])));
    assert!(wish.match_all(&attributes(&[("day", &["sun", "mon"]), ("part", &["morning"]), ("x", &["y"])])));
    assert!(!wish.match_all(&attributes(&[("day", &["tue"]), ("part", &["night"])])));
    assert!(!wish.match_all(&attributes(&[("day", &["tue"])])), "part is missing");
    assert!(wish.match_all(&Attributes::default()), "without attributes nothing is filtered");
    assert!(FilterPolicies::default().match_all(&attributes(&[("day", &["tue"])])));
}

#[test]
fn rules_are_kept() {
    assert!(FilterPolicy::new("day_1", owned(&["周一", "tue", "_x1"])).is_ok());
    for name in ["", "_a", "a_", "a__b", "Day", "a-b", "smn_x", &"x".repeat(33)] {
        assert!(FilterPolicy::new(name, owned(&["v"])).is_err(), "{name}");
    }
    let eleven: Vec<String> = (0..11).map(|index| format!("v{index}")).collect();
    for values in
        [owned(&[]), owned(&[""]), owned(&["a", "a"]), owned(&["a b"]), vec!["值".repeat(33)], eleven]
    {
        assert!(FilterPolicy::new("a", values).is_err());
    }
    let a = policies(&[("a", &["1"])]);
    assert!(a.with(&a).is_err());
    assert_eq!(a.with(&policies(&[("b", &["2"])])).unwrap(), policies(&[("a", &["1"]), ("b", &["2"])]));
    let many = (0..11).map(|index| FilterPolicy::new(&format!("n{index}"), owned(&["v"])).unwrap()).collect();
    assert!(FilterPolicies::new(many).is_err());
    let mut given = attributes(&[("smn_protocol", &["x"])]);
    assert!(given.add("smn_protocol", &owned(&["y"])).is_err());
}

/// The same rule as a reader of the documents would write it down.
fn plainly(policies: &[(String, Vec<String>)], attributes: &[(String, Vec<String>)]) -> bool {
    if attributes.is_empty() {
        return true;
    }
    for (name, wanted) in policies {
        let mut found = false;
        for (given_name, given) in attributes {
            for value in given {
                if given_name == name && wanted.contains(value) {
                    found = true;
                }
            }
        }
        if !found {
            return false;
        }
    }
    true
}

fn lists() -> impl Strategy<Value = Vec<(String, Vec<String>)>> {
    let values = proptest::collection::btree_set("[xyz]", 1..4);
    proptest::collection::btree_map("[abc]", values, 0..4)
        .prop_map(|map| map.into_iter().map(|(name, set)| (name, set.into_iter().collect())).collect())
}

proptest! {
    #[test]
    fn matching_agrees_with_a_plain_reading(wish in lists(), given in lists()) {
        let policies = wish.iter().map(|(name, values)| FilterPolicy::new(name, values.clone()).unwrap());
        let policies = FilterPolicies::new(policies.collect()).unwrap();
        let mut attributes = Attributes::default();
        for (name, values) in &given {
            attributes.add(name, values).unwrap();
        }
        prop_assert_eq!(policies.match_all(&attributes), plainly(&wish, &given));
    }

    #[test]
    fn no_text_panics(name in ".{0,40}", values in proptest::collection::vec(".{0,40}", 0..12)) {
        let mut attributes = Attributes::default();
        if let Ok(policy) = FilterPolicy::new(&name, values.clone()) {
            attributes.add(&name, &values).unwrap();
            prop_assert!(FilterPolicies::new(vec![policy]).unwrap().match_all(&attributes));
        }
    }
}
