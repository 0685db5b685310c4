//! Style that a machine can hold: sizes, leftovers, files that nobody includes (docs/STYLE.md).

use std::path::{Path, PathBuf};

/// The longest source file, in lines.
const FILE_LINES_MAX: usize = 500;
/// The longest line of code, in characters; a line that holds a text may be longer.
const LINE_CHARS_MAX: usize = 130;

fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in a folder");
    crates.parent().expect("the folder lies in the repository").to_owned()
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    const SKIPPED: [&str; 4] = ["target", ".git", "carillon-data", "__pycache__"];
    let entries = std::fs::read_dir(dir).expect("the folder can be read");
    for entry in entries {
        let entry = entry.expect("the folder can be read");
        if SKIPPED.contains(&entry.file_name().to_string_lossy().as_ref()) {
            continue;
        }
        if entry.path().is_dir() {
            walk(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

fn files(extensions: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort();
    found
        .into_iter()
        .filter(|path| path.extension().is_some_and(|it| extensions.contains(&it.to_string_lossy().as_ref())))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("source is text");
            (path, text)
        })
        .collect()
}

#[test]
fn no_source_file_is_a_wall() {
    for (path, text) in files(&["rs", "py"]) {
        let lines = text.lines().count();
        assert!(lines <= FILE_LINES_MAX, "{}: {lines} lines, at most {FILE_LINES_MAX}", path.display());
    }
}

#[test]
fn no_line_runs_off_the_screen() {
    for (path, text) in files(&["rs", "py", "sh"]) {
        for (index, line) in text.lines().enumerate() {
            let chars = line.chars().count();
            let holds_text = line.contains('"') || line.contains('`') || line.contains('|');
            assert!(
                chars <= LINE_CHARS_MAX || holds_text,
                "{}:{}: {chars} characters",
                path.display(),
                index + 1
            );
        }
    }
}

#[test]
fn nothing_is_left_over() {
    let words =
        ["FIX".to_owned() + "ME", "XX".to_owned() + "X:", "TO".to_owned() + "DO", "HA".to_owned() + "CK"];
    for (path, text) in files(&["rs", "py", "sh", "html", "css", "js", "md", "toml"]) {
        for word in &words {
            assert!(!text.contains(word.as_str()), "{}: {word}", path.display());
        }
    }
}

#[test]
fn every_source_file_is_included() {
    let sources = files(&["rs"]);
    for (path, _) in &sources {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_root = ["lib", "main", "mod", "build"].contains(&stem.as_str());
        let is_test_root = path.parent().is_some_and(|dir| dir.ends_with("tests"));
        if is_root || is_test_root {
            continue;
        }
        let by_name = format!("mod {stem};");
        let by_path = format!("{stem}.rs\"]");
        let dir = path.parent().unwrap_or(Path::new(""));
        let included = sources.iter().any(|(other, text)| {
            let is_near = other.parent() == Some(dir) || other.with_extension("") == dir;
            is_near && (text.contains(&by_name) || text.contains(&by_path))
        });
        assert!(included, "{}: no file includes it", path.display());
    }
}

#[test]
fn migrations_are_numbered_without_a_gap() {
    let dir = std::fs::read_dir(root().join("crates/store/migrations/sqlite")).unwrap();
    let mut names: Vec<String> = dir.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    for (index, name) in names.iter().enumerate() {
        assert!(name.starts_with(&format!("{:04}_", index + 1)), "{name}");
    }
}
