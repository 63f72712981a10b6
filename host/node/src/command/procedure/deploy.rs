//! `isobar procedure deploy`: a file to a node.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::Value;

use crate::command::client::Client;
use crate::command::procedure::{Stop, path};

/// Sends the file; the answer is the procedure as it is now.
pub async fn run(client: &Client, file: &Path, name: Option<&str>, definer: bool) -> Result<Value, Stop> {
    let component =
        std::fs::read(file).map_err(|error| Stop::Here(format!("cannot read {}: {error}", file.display())))?;
    if !component.starts_with(b"\0asm") {
        let message = format!("{} is not WebAssembly: give the .wasm file that your build made", file.display());
        return Err(Stop::Here(message));
    }
    let name = match name {
        Some(name) => name.to_owned(),
        None => name_of(file)?,
    };
    let address = path(&name, if definer { "?definer=true" } else { "" })?;
    let progress = progress(component.len());
    let answer = client.upload(&address, component.into()).await;
    progress.finish_and_clear();
    Ok(answer?)
}

/// Big components take seconds to compile: a sign of life for whoever looks on.
fn progress(bytes: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let spinner = ProgressBar::new_spinner();
    spinner.set_message(format!("checking and compiling {:.1} MiB", bytes as f64 / f64::from(1 << 20)));
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// `target/…/text-statistics.wasm` is `text_statistics`.
fn name_of(file: &Path) -> Result<String, Stop> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name: String = stem.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(Stop::Here(format!("{} makes no name for a procedure: give one with --name", file.display())));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_give_their_names() {
        for (file, name) in [("a/text-statistics.wasm", Some("text_statistics")), ("Ledger.wasm", Some("ledger"))] {
            assert_eq!(name_of(Path::new(file)).ok().as_deref(), name, "{file}");
        }
        assert!(name_of(Path::new("1.wasm")).is_err());
    }
}
