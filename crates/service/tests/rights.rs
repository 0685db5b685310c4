//! Every function that a caller can reach asks for the caller's right, before it does anything else.
#![expect(clippy::unwrap_used, reason = "a test may fail in any of its helpers")]

/// How the question is asked.
const QUESTIONS: [&str; 4] =
    ["caller.may(Right::", "caller.reach(Right::", "caller.may_operate()", "visible(caller"];

/// Every public function of `text` that takes a caller, with its body.
fn functions(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for piece in text.split("\n    pub ").skip(1) {
        let Some((_, rest)) = piece.split_once("fn ") else { continue };
        let name = rest.split(['(', '<']).next().unwrap().to_owned();
        let whole = rest.split("\n    }\n").next().unwrap();
        let (signature, body) = whole.split_once("{\n").unwrap_or((whole, ""));
        if piece.starts_with("async fn ") && signature.contains("caller: &Caller") {
            found.push((name, body.to_owned()));
        }
    }
    found
}

#[test]
fn every_function_asks_for_the_callers_right_first() {
    let (mut count, mut silent) = (0, Vec::new());
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap() {
        let path = entry.unwrap().path();
        for (name, body) in functions(&std::fs::read_to_string(&path).unwrap()) {
            count += 1;
            let first = body.split(';').next().unwrap_or_default();
            let asks = QUESTIONS.iter().any(|question| first.contains(question));
            if !asks {
                silent.push(format!("{}: {name}", path.display()));
            }
        }
    }
    assert!(silent.is_empty(), "these do not begin by asking for the caller's right: {silent:?}");
    assert!(count > 50, "they are not found where they were: {count}");
}
