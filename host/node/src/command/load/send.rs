//! Sends a batch until its fate is known.

use std::time::Duration;

use ulid::Ulid;

use crate::command::client::{Client, DatabaseError, Failure, Query};
use crate::command::load::records::Batch;

/// How often a batch is sent before its error is reported, with pauses that double from the first to the longest.
const ATTEMPTS_MAX: u32 = 12;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Another transaction won: the same batch may well succeed now.
const SERIALIZATION_FAILURE: &str = "40001";
/// Nobody can say yet whether the batch was applied, or there is no majority to apply it now: the same key finds out.
const UNDECIDED: [&str; 2] = ["08007", "57P03"];
/// Class 53: the node has too much to do.
const INSUFFICIENT_RESOURCES: &str = "53";

/// Loads one batch and answers how many rows that were. A connection that breaks is no reason to stop: the batch is
/// sent again under the same key, and the node applies it once.
pub async fn send(client: &Client, sql: &str, batch: &Batch) -> Result<u64, Failure> {
    let mut key = Ulid::generate().to_string();
    let mut pause = FIRST_PAUSE;
    for attempt in 1.. {
        let query = Query { sql, input: Some(&batch.text), idempotency_key: Some(&key), ..Query::default() };
        let failure = match client.query("/sql", &query).await {
            Ok(answer) => return Ok(answer.row_count.unwrap_or(batch.lines.len() as u64)),
            Err(failure) => failure,
        };
        let refused = failure.code().is_some_and(|code| !UNDECIDED.contains(&code));
        let again = !refused
            || failure
                .code()
                .is_some_and(|code| code == SERIALIZATION_FAILURE || code.starts_with(INSUFFICIENT_RESOURCES));
        if !again || attempt == ATTEMPTS_MAX {
            return Err(failure);
        }
        if refused {
            // The node remembers the refusal under the old key.
            key = Ulid::generate().to_string();
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Err(Failure::Lost("the batch was never sent".into()))
}

/// Where in the file an error lies: its line, and the column where the node names one.
pub fn place_of(error: &DatabaseError, batch: &Batch) -> (u64, Option<String>) {
    let context = error.context.as_deref().unwrap_or_default();
    let line = after(context, "line ").map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    let line = line.and_then(|digits| digits.parse().ok()).map_or(batch.first_line(), |line| batch.file_line(line));
    let column = after(context, "column ").map(|rest| rest.split([':', ',']).next().unwrap_or(rest).to_string());
    (line, column.or_else(|| error.column.clone()))
}

fn after<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    text.find(label).map(|at| &text[at + label.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_point_into_the_file() {
        let batch = Batch { lines: vec![101, 102, 105], last_line: 105, ..Batch::default() };
        for (context, column, expected) in [
            (Some("COPY flights, line 2, column distance: \"x\""), None, (102, Some("distance"))),
            (Some("COPY flights, line 5: \"1,2\""), None, (105, None)),
            (None, Some("carrier"), (101, Some("carrier"))),
            (Some("COPY flights, line 1"), Some("carrier"), (101, Some("carrier"))),
        ] {
            let error = DatabaseError {
                context: context.map(String::from),
                column: column.map(String::from),
                ..DatabaseError::default()
            };
            let (line, named) = place_of(&error, &batch);
            assert_eq!((line, named.as_deref()), expected, "{context:?}");
        }
    }
}
