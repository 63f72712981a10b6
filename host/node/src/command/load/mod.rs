//! `isobar load`: a CSV file into a table, in batches that are each a transaction.

mod records;
mod report;
mod send;

use std::fs::File;
use std::io::{BufRead, BufReader, Seek};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use crate::command::client::{Client, DEFAULT_URL, Failure};
use records::{Batch, ReadError, Records};
use report::Report;

#[derive(Args)]
pub struct Arguments {
    /// The table, as SQL spells it: flights, shop.item, "Mixed Case"
    #[arg(long, value_name = "TABLE")]
    pub table: String,
    /// The unquoted text that stands for NULL in the file
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub null: String,
    /// The node to load into; several of one cluster with commas between them: the next one when one is gone
    #[arg(long, value_name = "URL", env = "ISOBAR_URL", default_value = DEFAULT_URL)]
    pub url: String,
    /// What stands between two values; \t is a tab
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = delimiter)]
    pub delimiter: u8,
    /// Rows in one transaction
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..))]
    pub batch_rows: u32,
    /// Transactions under way at once
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub in_flight: u32,
    /// Leave out the lines before this one (the header line is always read), to go on after an error
    #[arg(long, value_name = "LINE", default_value_t = 1)]
    pub from_line: u64,
    /// Leave out the lines after this one
    #[arg(long, value_name = "LINE", default_value_t = u64::MAX, hide_default_value = true)]
    pub to_line: u64,
    /// The CSV file; its first line names the columns
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// About how much text travels in one request at most.
const BATCH_BYTES: usize = 4 << 20;

/// Runs the command and answers the process's exit code.
pub async fn run(arguments: Arguments) -> ExitCode {
    match load(&arguments).await {
        Ok(report) => {
            let text = report.text(&arguments);
            if report.is_complete() {
                println!("{text}");
                return ExitCode::SUCCESS;
            }
            eprintln!("{text}");
        }
        Err(message) => eprintln!("isobar load: {message}"),
    }
    ExitCode::FAILURE
}

/// Loads the file. An error that comes before the first batch is the message; later ones are in the report.
async fn load(arguments: &Arguments) -> Result<Report, String> {
    let name = arguments.file.display();
    let client = Client::new(&arguments.url)?;
    let mut file = File::open(&arguments.file).map_err(|error| format!("cannot open {name}: {error}"))?;
    // A pipe has no length; the bar then shows the rows alone.
    let length = file.seek(std::io::SeekFrom::End(0)).and_then(|length| file.rewind().map(|()| length)).unwrap_or(0);
    let mut records = Records::new(BufReader::with_capacity(1 << 20, file));
    let columns = records.header(arguments.delimiter).map_err(|error| format!("{name}: {}", explain(&error)))?;
    if columns.is_empty() {
        return Err(format!("{name} is empty: its first line should name the columns"));
    }
    let sql = copy_statement(arguments, &columns);

    let (sender, batches) = mpsc::channel(1);
    let (from, to, rows) = (arguments.from_line, arguments.to_line, arguments.batch_rows as usize);
    let reader = tokio::task::spawn_blocking(move || read(records, from, to, rows, &sender));
    let bar = progress_bar(length);
    let mut report = Report::new(Instant::now());
    send_all(&client, &sql, batches, arguments.in_flight as usize, &bar, &mut report).await;
    bar.finish_and_clear();
    match reader.await {
        Ok(Err(error)) => report.unreadable(explain(&error)),
        Ok(Ok(())) => {}
        Err(error) => return Err(format!("the reader of {name} stopped: {error}")),
    }
    Ok(report)
}

/// Reads batches until the end, or until nobody takes them any more.
fn read(
    mut records: Records<impl BufRead>,
    from: u64,
    to: u64,
    rows: usize,
    batches: &mpsc::Sender<Batch>,
) -> Result<(), ReadError> {
    while let Some(batch) = records.batch(from, to, rows, BATCH_BYTES)? {
        if batches.blocking_send(batch).is_err() {
            break;
        }
    }
    Ok(())
}

/// Keeps several batches under way; after the first failure waits for those that are, and sends no more.
async fn send_all(
    client: &Client,
    sql: &str,
    mut batches: mpsc::Receiver<Batch>,
    in_flight: usize,
    bar: &ProgressBar,
    report: &mut Report,
) {
    let mut sent = FuturesUnordered::new();
    let mut ended = false;
    loop {
        while !ended && !report.has_failed() && sent.len() < in_flight {
            let Some(batch) = batches.recv().await else {
                ended = true;
                break;
            };
            sent.push(async move { (send::send(client, sql, &batch).await, batch) }.boxed_local());
        }
        let Some((result, batch)) = sent.next().await else { break };
        match result {
            Ok(rows) => {
                report.loaded(&batch, rows);
                bar.set_position(bar.position().max(batch.bytes_read));
                bar.set_message(format!("{} rows", report.rows()));
            }
            Err(failure) => report.failed(batch, failure),
        }
    }
}

fn copy_statement(arguments: &Arguments, columns: &[String]) -> String {
    let quoted = |text: &str, quote: char| format!("{quote}{}{quote}", text.replace(quote, &format!("{quote}{quote}")));
    let names: Vec<_> = columns.iter().map(|name| quoted(name, '"')).collect();
    let mut options = format!("FORMAT csv, NULL {}", quoted(&arguments.null, '\''));
    if arguments.delimiter != b',' {
        options.push_str(&format!(", DELIMITER {}", quoted(&char::from(arguments.delimiter).to_string(), '\'')));
    }
    format!("COPY {} ({}) FROM STDIN ({options})", arguments.table, names.join(", "))
}

fn explain(error: &ReadError) -> String {
    match error {
        ReadError::Io(error) => format!("cannot be read: {error}"),
        ReadError::Encoding(line) => format!("line {line} is not UTF-8"),
        ReadError::OpenQuote(line) => format!("line {line} opens a quote that is never closed"),
    }
}

fn progress_bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let template = "{bar:40} {percent:>3}% {bytes}/{total_bytes} {msg} {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// One ASCII character, or `\t`.
fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "\\t" | "tab" => Ok(b'\t'),
        _ => match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
            _ => Err("a delimiter is one ASCII character, not a quote or a line break".into()),
        },
    }
}

/// What the node says of a failed batch, in one line.
fn message_of(failure: &Failure) -> String {
    match failure {
        Failure::Database(error) => format!("{} ({})", error.message, error.code),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn arguments(words: &[&str]) -> Arguments {
        let words = ["load", "--table", "shop.item", "item.csv"].iter().chain(words);
        Program::try_parse_from(words).expect("the words are arguments").arguments
    }

    #[test]
    fn the_statement_names_columns_and_options() {
        let columns = ["id".to_string(), "a \"b\"".to_string()];
        assert_eq!(
            copy_statement(&arguments(&[]), &columns),
            r#"COPY shop.item ("id", "a ""b""") FROM STDIN (FORMAT csv, NULL '')"#
        );
        assert_eq!(
            copy_statement(&arguments(&["--null", "it's", "--delimiter", "\\t"]), &columns[..1]),
            "COPY shop.item (\"id\") FROM STDIN (FORMAT csv, NULL 'it''s', DELIMITER '\t')"
        );
    }

    #[test]
    fn delimiters_are_one_character() {
        for (text, expected) in
            [(";", Some(b';')), ("\\t", Some(b'\t')), ("", None), ("ab", None), ("\"", None), ("ß", None)]
        {
            assert_eq!(delimiter(text).ok(), expected, "{text}");
        }
    }
}
