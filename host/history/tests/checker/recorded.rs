//! Histories are kept as JSON lines.

use crate::notation::history;
use crate::simulator::{Settings, simulate};
use isobar_history::{History, check};

#[test]
fn come_back_as_they_were() {
    let settings = Settings { staleness: true, serializable_percent: 50, ..Settings::of_seed(1) };
    for history in [simulate(&settings), history("0 1-2 a1:1 r1:1,2 unknown"), History::default()] {
        let mut lines = vec![];
        history.write_json_lines(&mut lines).expect("memory takes all");
        assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), history.transactions.len());
        let back = History::read_json_lines(lines.as_slice()).expect("the same");
        assert_eq!(back, history);
        assert_eq!(check(&back), check(&history));
    }
}

#[test]
fn wrong_lines_are_named() {
    let mut lines = vec![];
    history("0 1-2 a1:1").write_json_lines(&mut lines).expect("memory takes all");
    lines.extend_from_slice(b"\n{\"session\": 1}\n");
    let error = History::read_json_lines(lines.as_slice()).expect_err("a line is incomplete");
    assert!(error.to_string().starts_with("line 3 of the history: missing field"), "{error}");
}
