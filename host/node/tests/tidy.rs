//! The project's own rules of style, which neither rustfmt nor clippy knows.

use std::fs;
use std::path::{Path, PathBuf};

const LINE_COLUMNS_MAX: usize = 120;
const FILE_LINES_MAX: usize = 500;

/// Words that are not names: whole words are, one word per thing.
const REFUSED_WORDS: &[(&str, &str)] = &[
    ("txn", "transaction"),
    ("stmt", "statement"),
    ("expr", "expression"),
    ("ctx", "context"),
    ("msg", "message"),
    ("cfg_", "configuration"),
    ("conn", "connection"),
    ("mgr", "a name for what it does"),
];

/// File and folder names that say nothing of what is inside.
const REFUSED_FILES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc"];

/// Left-overs, spelled in two halves so that this file does not find itself.
const REFUSED_CODE: &[(&str, &str)] =
    &[("todo", "!("), ("unimplemented", "!("), ("dbg", "!("), ("#[ign", "ore"), ("// FIX", "ME")];

/// What `host/replica` must not reach: time, randomness and the network come in from outside.
const REFUSED_IN_REPLICA: &[&str] = &["SystemTime::now", "std::net", "tokio::net", "wasmtime::"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | "node_modules" | ".git") {
                sources(&path, found);
            }
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

fn is_word_at(line: &str, start: usize, length: usize) -> bool {
    let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let before = line[..start].chars().next_back();
    let after = line[start + length..].chars().next();
    // `$x:expr` is the language's word, `server::conn` and `{msg}` are libraries'.
    let foreign = matches!(before, Some(':' | '{')) || after == Some(':') && line[start + length..].starts_with("::");
    !foreign && !before.is_some_and(word) && !after.is_some_and(word)
}

#[test]
fn sources_keep_the_rules() {
    let mut files = vec![];
    for folder in ["host", "guest"] {
        sources(&root().join(folder), &mut files);
    }
    assert!(files.len() > 50, "only {} sources found", files.len());
    let mut complaints = vec![];
    for path in files {
        let shown = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        let text = fs::read_to_string(&path).expect("a source is text");
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if REFUSED_FILES.contains(&stem.as_str()) {
            complaints.push(format!("{shown}: the name says nothing of what is inside"));
        }
        let in_tests = shown.contains("/tests/") || shown.contains("/benches/") || stem == "tests";
        if !in_tests && shown.contains("/src/") && !text.starts_with("//!") {
            complaints.push(format!("{shown}: does not open with a line of //! that says what it is"));
        }
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX && !in_tests {
            let allowed = LONG_FILES.iter().find(|(name, _)| shown.ends_with(name)).map(|(_, lines)| *lines);
            if lines > allowed.unwrap_or(FILE_LINES_MAX) {
                complaints.push(format!("{shown}: {lines} lines, more than {FILE_LINES_MAX}; two ideas share a room"));
            }
        }
        for (number, line) in text.lines().enumerate() {
            let place = format!("{shown}:{}", number + 1);
            if line.chars().count() > LINE_COLUMNS_MAX && !line.contains('"') && !in_tests {
                complaints.push(format!("{place}: longer than {LINE_COLUMNS_MAX} columns"));
            }
            if shown.ends_with("tidy.rs") {
                continue;
            }
            for (first, second) in REFUSED_CODE {
                if line.contains(&format!("{first}{second}")) {
                    complaints.push(format!("{place}: {first}{second} is left over"));
                }
            }
            let code = line.split("//").next().unwrap_or_default();
            for (word, instead) in REFUSED_WORDS {
                for (start, _) in code.match_indices(word) {
                    // sqlparser's trees have fields of that name.
                    let is_foreign = *word == "expr" && text.contains("use sqlparser::");
                    if is_word_at(code, start, word.len()) && !is_foreign {
                        complaints.push(format!("{place}: `{word}`: write {instead}"));
                    }
                }
            }
            if shown.starts_with("host/replica/src") {
                for refused in REFUSED_IN_REPLICA {
                    if code.contains(refused) {
                        complaints.push(format!("{place}: {refused} has no place in the deciding half"));
                    }
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

/// Files over the limit, each with a limit of its own that may only go down.
const LONG_FILES: &[(&str, usize)] = &[];
