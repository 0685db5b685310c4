//! Makes inputs from others by what tends to break readers, and feeds them to one. What a reader accepts joins the inputs
//! that others are made from, so that the deeper rules are reached too.
//!
//! `CARILLON_FUZZ_SECONDS` runs a target for so long, from a seed that is printed; `CARILLON_FUZZ_SEED` replays a run.
//! Without them each target gets the same few thousand inputs every time.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

/// How many inputs a target gets when nobody says.
const INPUTS: usize = 4000;
/// How many accepted inputs are kept to make others from.
const KEPT_MAX: usize = 400;
/// The longest input that is made, in bytes, unless a reader takes more.
const BYTES_MAX: usize = 20_000;

/// Randomness that a seed decides.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % (count.max(1) as u64)).unwrap_or(0)
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Letters that readers trip over.
const LETTERS: [char; 24] = [
    '\0',
    '\n',
    '\r',
    '\t',
    ' ',
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ':',
    ';',
    ',',
    '=',
    '*',
    '?',
    '%',
    '.',
    'é',
    '磁',
    '\u{feff}',
    '\u{202e}',
    '\u{1f514}',
];

/// A text made from `seeds` and `words`.
pub(crate) fn text(dice: &mut Dice, seeds: &[String], words: &[&str]) -> String {
    let mut letters: Vec<char> = dice.pick(seeds).chars().collect();
    for _change in 0..=dice.below(4) {
        let (from, to) = (dice.below(letters.len() + 1), dice.below(letters.len() + 1));
        let (from, to) = (from.min(to), from.max(to));
        let put: Vec<char> = match dice.below(8) {
            0 => Vec::new(),
            1 => vec![*dice.pick(&LETTERS)],
            2 | 3 => dice.pick(words).chars().collect(),
            4 => letters[from..to].to_vec(),
            5 => dice.pick(seeds).chars().skip(from).take(1 + dice.below(40)).collect(),
            6 => letters[from..to]
                .iter()
                .map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
                .collect(),
            _ => dice.pick(words).repeat(1 + dice.below(300)).chars().collect(),
        };
        let keep = if dice.one_in(2) { from } else { to };
        letters.splice(from..keep, put);
        letters.truncate(BYTES_MAX);
    }
    letters.into_iter().collect()
}

/// A JSON value of no particular form.
fn odd(dice: &mut Dice, words: &[&str]) -> Value {
    match dice.below(12) {
        0 => Value::Null,
        1 => Value::Bool(dice.one_in(2)),
        2 => Value::from(*dice.pick(&[0_i64, -1, 1, i64::MAX, i64::MIN, 1_735_787_045])),
        3 => Value::from(*dice.pick(&[0.5, -0.0, 1e308, 1e-308])),
        4 => Value::Array(Vec::new()),
        5 => Value::Object(Map::new()),
        6 => Value::String(dice.pick(&LETTERS).to_string()),
        7 => Value::Array(vec![Value::from(*dice.pick(words)); dice.below(4)]),
        _ => Value::from(*dice.pick(words)),
    }
}

/// Changes one place of a tree.
fn change(dice: &mut Dice, value: &mut Value, words: &[&str]) {
    let down = !dice.one_in(4);
    match value {
        Value::Object(object) if down && !object.is_empty() => {
            let keys: Vec<String> = object.keys().cloned().collect();
            let key = dice.pick(&keys).clone();
            match dice.below(10) {
                0 => drop(object.remove(&key)),
                1 => drop(object.insert((*dice.pick(words)).to_owned(), odd(dice, words))),
                2 => {
                    let moved = object.remove(&key).unwrap_or_default();
                    object.insert((*dice.pick(words)).to_owned(), moved);
                }
                _ => change(dice, &mut object[&key], words),
            }
        }
        Value::Array(list) if down && !list.is_empty() => {
            let at = dice.below(list.len());
            match dice.below(8) {
                0 => drop(list.remove(at)),
                1 => list.push(list[at].clone()),
                2 => list.push(odd(dice, words)),
                _ => change(dice, &mut list[at], words),
            }
        }
        Value::String(own) if down => *own = text(dice, std::slice::from_ref(own), words),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_)) => {
            *other = match dice.below(6) {
                0 => Value::Array(vec![other.take()]),
                1 => Value::String(other.to_string()),
                2 => (0..dice.below(200)).fold(other.take(), |inner, _| Value::Array(vec![inner])),
                _ => odd(dice, words),
            }
        }
    }
}

/// A JSON text made from `seeds`: by its tree, and now and then by its letters.
pub(crate) fn json(dice: &mut Dice, seeds: &[String], words: &[&str]) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(dice.pick::<String>(seeds)) else {
        return text(dice, seeds, words);
    };
    for _change in 0..=dice.below(3) {
        change(dice, &mut value, words);
    }
    let written = value.to_string();
    if dice.one_in(5) { text(dice, &[written], words) } else { written }
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says how long")]
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[expect(clippy::disallowed_methods, reason = "a target runs for a real while, when asked to")]
fn clock() -> Instant {
    Instant::now()
}

/// Feeds inputs to a target, which tells whether it accepted one and panics when something is wrong.
pub(crate) fn run(
    name: &str,
    seeds: &[&str],
    make: impl Fn(&mut Dice, &[String]) -> String,
    check: impl Fn(&str, &mut Dice) -> bool,
) {
    let seconds = asked("CARILLON_FUZZ_SECONDS").map(Duration::from_secs);
    let fresh = seconds.map(|_| u64::from(std::process::id()) << 20);
    let seed = asked("CARILLON_FUZZ_SEED").or(fresh).unwrap_or(1);
    let (mut dice, began) = (Dice::new(seed), clock());
    let mut kept: Vec<String> = seeds.iter().map(|text| (*text).to_owned()).collect();
    let (mut inputs, mut accepted, mut slowest) = (0_usize, 0_usize, (Duration::ZERO, String::new()));
    let more = |inputs: usize| match seconds {
        Some(seconds) => began.elapsed() < seconds,
        None => inputs < INPUTS,
    };
    while more(inputs) {
        let input = match kept.get(inputs) {
            Some(seed) if inputs < seeds.len() => seed.clone(),
            _ => make(&mut dice, &kept),
        };
        let start = clock();
        let judged = catch_unwind(AssertUnwindSafe(|| check(&input, &mut dice)));
        assert!(judged.is_ok(), "{name}, seed {seed}, input {inputs}: {input:?}");
        if start.elapsed() > slowest.0 {
            slowest = (start.elapsed(), input.chars().take(60).collect());
        }
        inputs += 1;
        if matches!(judged, Ok(true)) {
            accepted += 1;
            if input.len() <= BYTES_MAX {
                if kept.len() < KEPT_MAX {
                    kept.push(input);
                } else {
                    let at = seeds.len() + dice.below(KEPT_MAX - seeds.len());
                    kept[at] = input;
                }
            }
        }
    }
    if seconds.is_some() {
        let (time, input) = slowest;
        let line =
            format!("{name}, seed {seed}: {inputs} inputs, {accepted} accepted; slowest {time:?}: {input:?}");
        std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
    }
    assert!(accepted > 0, "{name}: nothing was ever accepted");
}
