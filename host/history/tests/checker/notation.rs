//! Histories in a short notation, one transaction a line:
//!
//! `0 10-20 r1:5,6 a1:7 serializable` is a transaction of session 0 from 10 to 20 ns which read key 1 as [5, 6] and
//! appended 7 to it. Further words: `aborted`, `unknown`, `@17` (commit timestamp), `~5` (may be 5 ns stale).

use isobar_history::{Class, History, Isolation, Kind, Operation, Outcome, Report, Transaction, check};

pub fn history(text: &str) -> History {
    History { transactions: text.lines().filter(|line| !line.trim().is_empty()).map(transaction).collect() }
}

fn transaction(line: &str) -> Transaction {
    let mut words = line.split_whitespace();
    let session: u64 = number(words.next().expect("a session"));
    let (begin, end) = words.next().and_then(|times| times.split_once('-')).expect("begin-end");
    let mut transaction = Transaction {
        session,
        node: format!("node {session}"),
        isolation: Isolation::Snapshot,
        staleness: None,
        begin: number(begin),
        end: number(end),
        operations: vec![],
        outcome: Outcome::Committed { timestamp: None },
    };
    for word in words {
        let pair = |text: &str| {
            let (key, rest) = text.split_once(':').expect("key:values");
            let values = rest.split(',').filter(|value| !value.is_empty()).map(number).collect::<Vec<u64>>();
            (number(key), values)
        };
        if word == "serializable" {
            transaction.isolation = Isolation::Serializable;
        } else if word == "aborted" {
            transaction.outcome = Outcome::Aborted;
        } else if word == "unknown" {
            transaction.outcome = Outcome::Unknown;
        } else if let Some(timestamp) = word.strip_prefix('@') {
            transaction.outcome = Outcome::Committed { timestamp: Some(number(timestamp)) };
        } else if let Some(staleness) = word.strip_prefix('~') {
            transaction.staleness = Some(number(staleness));
        } else if let Some(append) = word.strip_prefix('a') {
            let (key, values) = pair(append);
            transaction.operations.push(Operation::Append { key, value: values[0] });
        } else if let Some(read) = word.strip_prefix('r') {
            let (key, values) = pair(read);
            transaction.operations.push(Operation::Read { key, values });
        } else {
            panic!("{word}?");
        }
    }
    transaction
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

/// Checks a history and requires exactly these kinds of findings.
pub fn expect(text: &str, kinds: &[Kind]) -> Report {
    let report = check(&history(text));
    assert_eq!(report.kinds(), kinds, "{text}\n{report}");
    assert_cycles_are_whole(&report);
    report
}

/// A cycle has at expected two transactions, and the right number of antidependencies for its class.
pub fn assert_cycles_are_whole(report: &Report) {
    for finding in &report.findings {
        let Kind::Cycle(class, _) = finding.kind else { continue };
        let is_shown_in_full = !finding.explanation.contains("and so on");
        let expected = match class {
            Class::G0 | Class::G1c => 0..=0,
            Class::GSingle => 1..=1,
            Class::GNonadjacent | Class::G2Item => 2..=usize::MAX,
        };
        let antidependencies = finding.explanation.matches("-rw->").count();
        assert!(finding.transactions.len() > 1, "{report}");
        assert!(expected.contains(&antidependencies) || !is_shown_in_full, "{report}");
    }
}
