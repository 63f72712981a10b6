//! The test itself is tested: what a real run was told, with one answer made wrong, is refused.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;

use isobar_history::{Access, History, Isolation, Kind, Operation, Outcome, Transaction, check};

use crate::judge::judge;
use crate::record::{Entry, Told};

/// Makes one answer of each kind wrong, each in a history of its own.
pub fn anomalies_are_found(told: &Told, folder: &Path, name: &str) {
    let name = format!("{name}-planted");
    let complaints = |told: &Told| judge(told, folder, &name).expect_err("an answer is wrong");

    let mut stale = told.clone();
    let last = stale.lists.iter_mut().rev().flat_map(|read| &mut read.operations);
    let mut lists = last.filter_map(|operation| match operation {
        Operation::Read { values, .. } if values.len() > 1 => Some(values),
        _ => None,
    });
    lists.next().expect("a list that was read").pop();
    drop(lists);
    let said = complaints(&stale);
    assert!(said.contains("stale read") || said.contains("lost append"), "{said}");
    // The file that is named holds the history, from which the same is found.
    let path = folder.join(format!("{name}-lists.jsonl"));
    assert!(said.contains(&path.display().to_string()), "{said}");
    let file = BufReader::new(File::open(&path).expect("the history"));
    assert!(!check(&History::read_json_lines(file).expect("a history")).is_clean());

    let mut made = told.clone();
    let balances = made.balances.last_mut().expect("a read of the bank");
    *balances.balances.values_mut().next().expect("an account") += 1;
    assert!(complaints(&made).contains("wrong total"));

    let mut garbled = told.clone();
    garbled.registers.last_mut().expect("an operation").access = Access::Read(Some(u64::MAX));
    assert!(complaints(&garbled).contains("impossible read"));

    let mut twice = told.clone();
    twice.entries.iter_mut().rev().take(1).for_each(|entry| entry.found = vec![2; 3]);
    assert!(complaints(&twice).contains("there not once as told"));

    let mut differing = told.clone();
    differing.surprises.insert("lists is not the same in all regions".into(), 1);
    assert!(complaints(&differing).contains("not the same in all regions"));

    for file in ["lists.jsonl", "bank.json", "registers.json", "log.json"] {
        fs::remove_file(folder.join(format!("{name}-{file}"))).expect("a history that was wrong");
    }
}

/// What a healthy cluster would have told two clients.
fn told() -> Told {
    let transaction = |session, begin, operations| Transaction {
        session,
        node: "oregon".into(),
        isolation: Isolation::Snapshot,
        staleness: None,
        begin,
        end: begin + 10,
        operations,
        outcome: Outcome::Committed { timestamp: None },
    };
    let append = |value| Operation::Append { key: 1, value };
    let read = |values: &[u64]| Operation::Read { key: 1, values: values.to_vec() };
    let mut told = Told::default();
    told.lists.push(transaction(0, 0, vec![append(1)]));
    told.lists.push(transaction(1, 20, vec![read(&[1]), append(2)]));
    told.lists.push(transaction(0, 40, vec![read(&[1, 2])]));
    let entry =
        Entry { node: "tokyo".into(), begin: 0, end: 1, request: 7, outcome: Outcome::Aborted, found: vec![0; 3] };
    told.entries.push(entry);
    told
}

#[test]
fn a_stale_read_is_found_and_its_history_kept() {
    let folder = tempfile::tempdir().expect("a directory");
    judge(&told(), folder.path(), "right").expect("nothing is wrong");
    let mut stale = told();
    stale.lists[2].operations = vec![Operation::Read { key: 1, values: vec![1] }];
    let said = judge(&stale, folder.path(), "wrong").expect_err("an acknowledged append is missing");
    let path = folder.path().join("wrong-lists.jsonl");
    assert!(said.contains(&path.display().to_string()), "{said}");
    let kept = History::read_json_lines(BufReader::new(File::open(&path).expect("a file"))).expect("a history");
    assert!(check(&kept).kinds().iter().any(|kind| matches!(kind, Kind::StaleRead | Kind::LostAppend)), "{said}");
    let mut refused = told();
    refused.entries[0].found = vec![1; 3];
    assert!(judge(&refused, folder.path(), "wrong").is_err_and(|said| said.contains("there not once as told")));
}
