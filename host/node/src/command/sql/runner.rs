//! Runs statements and backslash commands one after the other, and prints what they answer.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use crate::command::client::{Client, Failure};
use crate::command::sql::connection::{Connection, Status};
use crate::command::sql::describe::{self, List};
use crate::command::sql::failure;
use crate::command::sql::names::Names;
use crate::command::sql::output::{self, Style};
use crate::command::sql::scan::{Scan, blanks, scan};

/// How deep files may include files with `\i`.
const INCLUDE_DEPTH_MAX: usize = 16;

const HELP: &str = r"  \?               this help
  \d [NAME]        relations, or one of them: columns, indexes, checks
  \dt \dv \di      tables, views, indexes
  \df              functions of stored procedures
  \dn \l           schemas, databases
  \i FILE          run the statements of a file
  \timing [on|off] show how long statements take
  \x [on|off]      one line a value instead of tables
  \q               quit
A statement ends with a semicolon. Ctrl-C gives up the line or the running statement, Ctrl-D quits.
";

/// Why no further statement is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// `\q`
    Quit,
    /// A statement failed and has been reported.
    Failed,
    /// There is no node, or no file; nothing was run.
    NothingRun,
    /// Nobody reads our output any more.
    Closed,
}

pub struct Runner {
    pub connection: Connection,
    pub names: Names,
    style: Style,
    timing: bool,
    /// A statement that fails does not end the run, and Ctrl-C ends the statement only.
    pub interactive: bool,
    include_depth: usize,
}

impl Runner {
    pub fn new(client: Client, style: Style) -> Runner {
        let names = Names::default();
        let connection = Connection::new(client);
        Runner { connection, names, style, timing: false, interactive: false, include_depth: 0 }
    }

    /// Rolls back what is still open.
    pub async fn close(&mut self) {
        if self.connection.status() != Status::Idle && !self.interactive {
            eprintln!("isobar: the script ended inside a transaction, which is rolled back");
        }
        self.connection.abandon().await;
    }

    pub async fn run_file(&mut self, path: &Path) -> Result<(), Stop> {
        match std::fs::read_to_string(path) {
            Ok(script) => self.run_script(&script, Some(&path.display().to_string())).await,
            Err(error) => {
                eprintln!("isobar: cannot read {}: {error}", path.display());
                Err(if self.interactive { Stop::Failed } else { Stop::NothingRun })
            }
        }
    }

    /// Runs a whole text; errors name `source` and the line, where there is a source.
    pub async fn run_script(&mut self, script: &str, source: Option<&str>) -> Result<(), Stop> {
        let mut at = 0;
        loop {
            at += blanks(&script[at..]);
            let rest = &script[at..];
            if rest.is_empty() {
                return Ok(());
            }
            if rest.starts_with('\\') {
                let end = rest.find('\n').unwrap_or(rest.len());
                // A recursive call through `\i`.
                Box::pin(self.backslash(rest[..end].trim())).await?;
                at += end;
                continue;
            }
            let (end, next) = match scan(rest) {
                Scan::Complete { end, next } => (end, next),
                Scan::Incomplete(_) => (rest.len(), rest.len()),
            };
            let sql = rest[..end].trim_end();
            let (input, length) = if is_copy_in(sql) { copy_data(&rest[next..]) } else { (None, 0) };
            if !sql.is_empty() {
                let place = source.map(|source| (source, script, at));
                self.statement(sql, input, place).await?;
            }
            at += next + length;
        }
    }

    /// Runs one statement and prints its answer; an error stops a script.
    async fn statement(
        &mut self,
        sql: &str,
        input: Option<&str>,
        place: Option<(&str, &str, usize)>,
    ) -> Result<(), Stop> {
        if self.interactive && input.is_none() && is_copy_in(sql) {
            eprintln!("isobar: COPY … FROM STDIN takes its data from a script (isobar sql -f); isobar load reads CSV");
            return Err(Stop::Failed);
        }
        let start = Instant::now();
        let result = if self.interactive {
            tokio::select! {
                result = self.connection.run(sql, input) => Some(result),
                _ = tokio::signal::ctrl_c() => None,
            }
        } else {
            Some(self.connection.run(sql, input).await)
        };
        let Some(result) = result else {
            let open = self.connection.status() != Status::Idle;
            self.connection.abandon().await;
            eprintln!("Cancelled{}", if open { ", and the transaction is rolled back" } else { "" });
            return Err(Stop::Failed);
        };
        match result {
            Ok(answer) => {
                for notice in &answer.notices {
                    eprintln!("{}:  {}", notice.severity.to_uppercase(), notice.message);
                }
                print(&output::render(&answer, self.style))?;
                if self.timing {
                    print(&format!("Time: {:.3} ms\n", start.elapsed().as_secs_f64() * 1000.0))?;
                }
                if self.interactive && ["CREATE", "ALTER", "DROP"].iter().any(|verb| answer.command.starts_with(verb)) {
                    let (names, client) = (self.names.clone(), self.connection.client().clone());
                    tokio::spawn(async move { names.refresh(&client).await });
                }
                Ok(())
            }
            Err(failure) => {
                if let Some((source, script, start)) = place {
                    eprint!("{source}:{}: ", failure::line_of(&failure, script, start));
                }
                Err(report(&failure, sql))
            }
        }
    }

    /// Runs `\…`.
    async fn backslash(&mut self, line: &str) -> Result<(), Stop> {
        let (command, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let argument = argument.trim();
        let list = match command {
            "\\q" => return Err(Stop::Quit),
            "\\?" | "\\h" => return print(HELP),
            "\\x" => {
                self.style.expanded = switched(argument, self.style.expanded);
                return print(&format!("Expanded display is {}.\n", on_or_off(self.style.expanded)));
            }
            "\\timing" => {
                self.timing = switched(argument, self.timing);
                return print(&format!("Timing is {}.\n", on_or_off(self.timing)));
            }
            "\\i" => return self.include(argument).await,
            "\\d" if !argument.is_empty() => {
                let text = describe::describe(&mut self.connection, argument).await;
                return self.print_or_report(text);
            }
            "\\d" => List::Relations,
            "\\dt" => List::Tables,
            "\\dv" => List::Views,
            "\\di" => List::Indexes,
            "\\df" => List::Functions,
            "\\dn" => List::Schemas,
            "\\l" => List::Databases,
            _ => {
                eprintln!("isobar: {command} is no command; \\? lists them");
                return Err(Stop::Failed);
            }
        };
        let text = describe::list(&mut self.connection, list).await;
        self.print_or_report(text)
    }

    async fn include(&mut self, file: &str) -> Result<(), Stop> {
        if file.is_empty() || self.include_depth >= INCLUDE_DEPTH_MAX {
            let reason = if file.is_empty() { "\\i needs a file" } else { "files include each other too deep" };
            eprintln!("isobar: {reason}");
            return Err(Stop::Failed);
        }
        self.include_depth += 1;
        let result = self.run_file(Path::new(file.trim_matches('\''))).await;
        self.include_depth -= 1;
        result
    }

    fn print_or_report(&self, text: Result<String, Failure>) -> Result<(), Stop> {
        match text {
            Ok(text) => print(&text),
            Err(failure) => Err(report(&failure, "")),
        }
    }
}

fn report(failure: &Failure, sql: &str) -> Stop {
    eprint!("{}", failure::describe(failure, sql));
    match failure {
        Failure::Unreachable(_) => Stop::NothingRun,
        _ => Stop::Failed,
    }
}

fn print(text: &str) -> Result<(), Stop> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|_| Stop::Closed)
}

fn switched(argument: &str, before: bool) -> bool {
    match argument {
        "on" => true,
        "off" => false,
        _ => !before,
    }
}

fn on_or_off(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

/// Whether a statement is COPY … FROM STDIN, whose data follows it.
fn is_copy_in(sql: &str) -> bool {
    let words: Vec<_> = sql.split_whitespace().map(str::to_ascii_uppercase).collect();
    words.first().is_some_and(|word| word == "COPY") && words.windows(2).any(|pair| pair == ["FROM", "STDIN"])
}

/// The lines after the statement's own, up to a line `\.`, and how many bytes all of that has.
fn copy_data(rest: &str) -> (Option<&str>, usize) {
    let start = rest.find('\n').map_or(rest.len(), |newline| newline + 1);
    let mut end = start;
    for line in rest[start..].split_inclusive('\n') {
        if line.trim_end() == "\\." {
            return (Some(&rest[start..end]), end + line.len());
        }
        end += line.len();
    }
    (Some(&rest[start..end]), end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_follows_its_copy() {
        assert!(is_copy_in("copy t (a,\n b) from stdin (format csv)"));
        assert!(!is_copy_in("copy t to stdout") && !is_copy_in("select 'copy from stdin'"));
        assert_eq!(copy_data("\n1\n2\n\\.\nselect"), (Some("1\n2\n"), 8));
        assert_eq!(copy_data("\n1\n2"), (Some("1\n2"), 4));
        assert_eq!(copy_data(""), (Some(""), 0));
    }

    #[test]
    fn switches_toggle_or_obey() {
        assert!(switched("", false) && switched("on", true) && !switched("off", true) && !switched("", true));
    }
}
