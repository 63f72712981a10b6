//! The interactive shell: history, completion, statements over several lines.

use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use crate::command::sql::connection::Status;
use crate::command::sql::failure;
use crate::command::sql::names::Names;
use crate::command::sql::runner::{Runner, Stop};
use crate::command::sql::scan::{Open, Scan, scan};

const HISTORY_ENTRIES_MAX: usize = 10_000;

/// Reads and runs until the end of the input or `\q`.
pub async fn run(runner: &mut Runner) -> Result<(), Stop> {
    runner.interactive = true;
    let version = match runner.connection.ask("SELECT version()", &[]).await {
        Ok(answer) => answer.rows.into_iter().flatten().next().flatten().unwrap_or_default(),
        Err(failure) => {
            eprint!("{}", failure::describe(&failure, ""));
            return Err(Stop::NothingRun);
        }
    };
    println!("{version}, at {}", runner.connection.client().url());
    println!("\\? for help.");
    runner.names.refresh(runner.connection.client()).await;

    let mut editor = match editor(runner.names.clone()) {
        Ok(editor) => editor,
        Err(error) => {
            eprintln!("isobar: this terminal cannot be used: {error}");
            return Err(Stop::NothingRun);
        }
    };
    let history = history_file();
    if let Some(history) = &history {
        // There is none at the first start.
        let _ = editor.load_history(history);
    }
    let result = read_and_run(runner, &mut editor).await;
    if let Some(error) = history.and_then(|history| editor.save_history(&history).err()) {
        eprintln!("isobar: the history is not kept: {error}");
    }
    result
}

type LineEditor = Editor<Assistance, rustyline::history::DefaultHistory>;

async fn read_and_run(runner: &mut Runner, editor: &mut LineEditor) -> Result<(), Stop> {
    loop {
        let prompt = match runner.connection.status() {
            Status::Idle => "isobar=> ",
            Status::InTransaction => "isobar=*> ",
            Status::Failed => "isobar=!> ",
        };
        // Reading blocks the thread; the runtime moves its other work elsewhere.
        let line = tokio::task::block_in_place(|| editor.readline(prompt));
        let text = match line {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(()),
            Err(error) => {
                eprintln!("isobar: cannot read the terminal: {error}");
                return Err(Stop::Failed);
            }
        };
        if text.trim().is_empty() {
            continue;
        }
        // Only a full history or disk refuses an entry, and neither should end the shell.
        let _ = editor.add_history_entry(text.trim_end());
        match runner.run_script(&text, None).await {
            Ok(()) | Err(Stop::Failed) | Err(Stop::NothingRun) => {}
            Err(stop) => return Err(stop),
        }
    }
}

fn editor(names: Names) -> rustyline::Result<LineEditor> {
    let config = Config::builder()
        .max_history_size(HISTORY_ENTRIES_MAX)?
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Assistance { names }));
    Ok(editor)
}

/// `ISOBAR_HISTORY`, or a file in the home folder.
fn history_file() -> Option<PathBuf> {
    let named = std::env::var_os("ISOBAR_HISTORY").map(PathBuf::from);
    named.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".isobar_history")))
}

/// What the line editor asks us: how words go on, and whether a statement is whole.
struct Assistance {
    names: Names,
}

impl Completer for Assistance {
    type Candidate = String;

    fn complete(&self, line: &str, cursor: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.names.complete(line, cursor))
    }
}

impl Validator for Assistance {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let whole = is_whole(context.input());
        Ok(if whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Assistance {
    type Hint = String;
}

impl Highlighter for Assistance {}

impl Helper for Assistance {}

/// Whether Enter runs the text: a backslash command, nothing, or statements that all have their semicolon.
fn is_whole(text: &str) -> bool {
    let mut rest = text;
    if rest.trim_start().starts_with('\\') {
        return true;
    }
    loop {
        match scan(rest) {
            Scan::Complete { next, .. } => rest = &rest[next..],
            Scan::Incomplete(open) => return open == Open::Nothing || rest.trim_start().starts_with('\\'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_runs_whole_statements_only() {
        for (text, whole) in [
            ("", true),
            ("\\dt", true),
            ("select 1;", true),
            ("select 1; select 2", false),
            ("select 1; -- done", true),
            ("select ';", false),
            ("select 1; \\x", true),
            ("select", false),
        ] {
            assert_eq!(is_whole(text), whole, "{text}");
        }
    }
}
