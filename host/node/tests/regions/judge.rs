//! Judges what clients were told, and keeps what is wrong in files.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use isobar_history::{History, Outcome, check, check_bank, check_registers};

use crate::bank;
use crate::record::{Entry, Told};

/// A summary; or what is wrong, with the files that hold the histories.
pub fn judge(told: &Told, folder: &Path, name: &str) -> Result<String, String> {
    let mut summary = String::new();
    let mut complaints = String::new();
    let lists = History { transactions: told.lists.clone() };
    let bank = bank::bank(told);
    let reports = [
        ("lists.jsonl", check(&lists)),
        ("bank.json", check_bank(&bank)),
        ("registers.json", check_registers(&told.registers)),
    ];
    for (file, report) in reports {
        let _ = writeln!(summary, "  {file}: {:?}", report.summary);
        if !report.is_clean() {
            let path = folder.join(format!("{name}-{file}"));
            let mut bytes = vec![];
            let written = match file {
                "lists.jsonl" => lists.write_json_lines(&mut bytes).map_err(|error| error.to_string()),
                "bank.json" => serde_json::to_writer(&mut bytes, &bank).map_err(|error| error.to_string()),
                _ => serde_json::to_writer(&mut bytes, &told.registers).map_err(|error| error.to_string()),
            };
            written.and_then(|()| fs::write(&path, bytes).map_err(|error| error.to_string())).expect("a file");
            let _ = writeln!(complaints, "the history is in {}:\n{report}", path.display());
        }
    }
    let _ = writeln!(summary, "  log: {} requests", told.entries.len());
    let wrong: Vec<_> = told.entries.iter().filter(|entry| !is_right(entry)).collect();
    if !wrong.is_empty() {
        let path = folder.join(format!("{name}-log.json"));
        fs::write(&path, serde_json::to_vec(&told.entries).expect("JSON")).expect("a file");
        let _ = writeln!(complaints, "the log is in {}; there not once as told: {wrong:?}", path.display());
    }
    if !told.surprises.is_empty() {
        let _ = writeln!(complaints, "no client should hear this: {:#?}", told.surprises);
    }
    let _ = writeln!(summary, "  answers: {:?}", told.codes);
    if complaints.is_empty() { Ok(summary) } else { Err(complaints) }
}

/// What was acknowledged is there once, what was refused is not, and nothing is there twice or at one node alone.
fn is_right(entry: &Entry) -> bool {
    let same = entry.found.windows(2).all(|pair| pair[0] == pair[1]);
    same && entry.found.iter().all(|found| match entry.outcome {
        Outcome::Committed { .. } => *found == 1,
        Outcome::Aborted => *found == 0,
        Outcome::Unknown => *found <= 1,
    })
}
