//! What has been loaded, what has not, and how to go on.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::command::client::Failure;
use crate::command::load::records::Batch;
use crate::command::load::{Arguments, message_of, send};

/// The account of one run.
pub struct Report {
    began: Instant,
    rows: u64,
    /// First and last line of what is in the table.
    loaded: BTreeMap<u64, u64>,
    failed: Vec<(Batch, Failure)>,
    unreadable: Option<String>,
}

impl Report {
    pub fn new(began: Instant) -> Report {
        Report { began, rows: 0, loaded: BTreeMap::new(), failed: vec![], unreadable: None }
    }

    pub fn loaded(&mut self, batch: &Batch, rows: u64) {
        self.rows += rows;
        self.loaded.insert(batch.first_line(), batch.last_line);
    }

    pub fn failed(&mut self, batch: Batch, failure: Failure) {
        self.failed.push((batch, failure));
        self.failed.sort_by_key(|(batch, _)| batch.first_line());
    }

    /// The file could be read no further.
    pub fn unreadable(&mut self, reason: String) {
        self.unreadable = Some(reason);
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.unreadable.is_none()
    }

    /// What to tell the user.
    pub fn text(&self, arguments: &Arguments) -> String {
        let seconds = self.began.elapsed().as_secs_f64();
        let rate = self.rows as f64 / seconds.max(0.001);
        let table = &arguments.table;
        if self.is_complete() {
            return format!("{} rows loaded into {table} in {seconds:.1} s ({rate:.0} rows/s)", self.rows);
        }
        let file = arguments.file.display();
        let mut lines = vec![];
        for (batch, failure) in &self.failed {
            lines.push(format!("isobar load: {file}, {}", reason(batch, failure)));
            if let Failure::Database(error) = failure {
                let more = [("DETAIL", &error.detail), ("HINT", &error.hint), ("CONTEXT", &error.context)];
                lines.extend(more.iter().filter_map(|(label, text)| Some(format!("{label}:  {}", text.as_ref()?))));
            }
        }
        if let Some(reason) = &self.unreadable {
            lines.push(format!("isobar load: {file}: {reason}"));
        }
        lines.push(format!("{} rows are in {table}; each batch of lines is loaded whole or not at all.", self.rows));
        lines.push("To go on when the cause is mended:".into());
        lines.extend(self.missing(arguments).iter().map(|(from, to)| resume(arguments, *from, *to)));
        lines.join("\n")
    }

    /// Ranges of lines that were wanted and are not in the table.
    fn missing(&self, arguments: &Arguments) -> Vec<(u64, u64)> {
        let mut missing = vec![];
        // Line 1 is the header.
        let mut next = arguments.from_line.max(2);
        let after_last = self.loaded.values().next_back().map_or(next, |last| last + 1);
        for (first, last) in &self.loaded {
            let gap_failed = self.failed.iter().any(|(batch, _)| (next..*first).contains(&batch.first_line()));
            if gap_failed {
                missing.push((next, first - 1));
            }
            next = last + 1;
        }
        missing.push((after_last, arguments.to_line));
        missing
    }
}

fn reason(batch: &Batch, failure: &Failure) -> String {
    let Failure::Database(error) = failure else {
        let (first, last) = (batch.first_line(), batch.last_line);
        return format!("lines {first} to {last}: {}; whether they are loaded is not known", message_of(failure));
    };
    let (line, column) = send::place_of(error, batch);
    // Only an error with a CONTEXT or a column is about one row.
    let place = match (&error.context, column) {
        (_, Some(column)) => format!("line {line}, column {column}"),
        (Some(_), None) => format!("line {line}"),
        (None, None) => format!("lines {} to {}", batch.first_line(), batch.last_line),
    };
    format!("{place}: {}", message_of(failure))
}

/// The command that loads the rest.
fn resume(arguments: &Arguments, from: u64, to: u64) -> String {
    let mut words = vec!["isobar".into(), "load".into(), "--table".into(), shell_word(&arguments.table)];
    if !arguments.null.is_empty() {
        words.extend(["--null".into(), shell_word(&arguments.null)]);
    }
    if arguments.url != super::DEFAULT_URL {
        words.extend(["--url".into(), shell_word(&arguments.url)]);
    }
    if arguments.delimiter != b',' {
        let delimiter = char::from(arguments.delimiter);
        words.extend(["--delimiter".into(), shell_word(&delimiter.to_string().replace('\t', "\\t"))]);
    }
    words.extend(["--from-line".into(), from.to_string()]);
    if to != u64::MAX {
        words.extend(["--to-line".into(), to.to_string()]);
    }
    words.push(shell_word(&arguments.file.display().to_string()));
    format!("    {}", words.join(" "))
}

fn shell_word(text: &str) -> String {
    let plain = !text.is_empty()
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '/' | '_' | '-' | ':'));
    if plain { text.to_string() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::client::DatabaseError;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn batch(first: u64, last: u64) -> Batch {
        Batch { lines: (first..=last).collect(), last_line: last, ..Batch::default() }
    }

    fn report_of(words: &[&str], loaded: &[(u64, u64)], failed: (u64, u64), context: &str) -> String {
        let words = ["load", "--table", "t", "a b.csv"].iter().chain(words);
        let arguments = Program::try_parse_from(words).expect("the words are arguments").arguments;
        let mut report = Report::new(Instant::now());
        for (first, last) in loaded {
            report.loaded(&batch(*first, *last), last - first + 1);
        }
        let error = DatabaseError {
            code: "22P02".into(),
            message: "invalid input syntax for type integer: \"x\"".into(),
            context: Some(context.into()),
            ..DatabaseError::default()
        };
        report.failed(batch(failed.0, failed.1), Failure::Database(Box::new(error)));
        report.text(&arguments)
    }

    #[test]
    fn a_failure_names_line_and_column_and_the_way_on() {
        let text = report_of(&[], &[(2, 11)], (12, 21), "COPY t, line 3, column n: \"x\"");
        let expected = "isobar load: a b.csv, line 14, column n: invalid input syntax for type integer: \"x\" (22P02)\n\
            CONTEXT:  COPY t, line 3, column n: \"x\"\n\
            10 rows are in t; each batch of lines is loaded whole or not at all.\n\
            To go on when the cause is mended:\n    isobar load --table t --from-line 12 'a b.csv'";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_overtook_the_failure_is_not_loaded_twice() {
        let text = report_of(&["--null", "NA"], &[(2, 11), (22, 31)], (12, 21), "COPY t, line 1");
        let way_on = "    isobar load --table t --null NA --from-line 12 --to-line 21 'a b.csv'\n    \
            isobar load --table t --null NA --from-line 32 'a b.csv'";
        assert!(text.ends_with(way_on), "{text}");
        let text = report_of(&[], &[(12, 21)], (2, 11), "COPY t, line 1");
        let way_on = "    isobar load --table t --from-line 2 --to-line 11 'a b.csv'\n    \
            isobar load --table t --from-line 22 'a b.csv'";
        assert!(text.ends_with(way_on), "{text}");
    }
}
