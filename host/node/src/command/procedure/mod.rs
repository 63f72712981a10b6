//! `isobar procedure`: stored procedures of a node.

mod deploy;
mod show;
mod trial;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::Value;

use crate::command::client::{Client, DEFAULT_URL, Failure};
use crate::command::sql::failure;

#[derive(Args)]
pub struct Arguments {
    /// The node to talk to
    #[arg(long, global = true, value_name = "URL", env = "ISOBAR_URL", default_value = DEFAULT_URL)]
    pub url: String,
    /// Print what the node answers as JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Subcommand)]
pub enum Action {
    /// Make a component the newest version of a procedure; its exported functions can be called from SQL at once
    ///
    /// FILE is a WebAssembly component, or a core module that says its WIT interface itself, as
    /// `cargo build --target wasm32-unknown-unknown` makes it with wit-bindgen.
    Deploy {
        file: PathBuf,
        /// The procedure's name [default: the file's, with underscores for what is no letter or digit]
        #[arg(long)]
        name: Option<String>,
        /// Its SQL runs with the procedure's own rights instead of its caller's
        #[arg(long)]
        definer: bool,
    },
    /// List the procedures
    List,
    /// Show a procedure: functions, imports, size, digest, versions, limits
    Show { name: String },
    /// Call a function of a procedure and roll back what it did
    ///
    /// ARGUMENTs are SQL literals without quotes: 10.5, tokyo, {1,2}; NULL is NULL. After -- they may begin with
    /// a hyphen.
    #[command(name = "test")]
    Try {
        name: String,
        function: String,
        #[arg(value_name = "ARGUMENT", allow_negative_numbers = true)]
        arguments: Vec<String>,
    },
    /// Call an earlier version again: the one before, or --version
    Rollback {
        name: String,
        #[arg(long, value_name = "N")]
        version: Option<u32>,
    },
    /// Remove a procedure and all its functions
    Drop { name: String },
}

/// Exit code when the node refused.
const REFUSED: u8 = 1;
/// Exit code when there was no node to ask, or no file to read.
const NOTHING_DONE: u8 = 2;

/// Why nothing came of it.
enum Stop {
    /// The file, or the command line.
    Here(String),
    /// The node, or the way to it; the text that it was asked to run.
    There(Failure, String),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::There(failure, String::new())
    }
}

/// Runs the command and answers the process's exit code.
pub async fn run(arguments: Arguments) -> ExitCode {
    let answer = match Client::new(&arguments.url) {
        Ok(client) => act(&client, &arguments).await,
        Err(message) => Err(Stop::Here(message)),
    };
    match answer {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(Stop::Here(message)) => {
            eprintln!("isobar: {message}");
            ExitCode::from(NOTHING_DONE)
        }
        Err(Stop::There(failure, sql)) => {
            eprint!("{}", failure::describe(&failure, &sql));
            ExitCode::from(if failure.code().is_some() { REFUSED } else { NOTHING_DONE })
        }
    }
}

/// The text to print.
async fn act(client: &Client, arguments: &Arguments) -> Result<String, Stop> {
    let (answer, say): (Value, fn(&Value) -> String) = match &arguments.action {
        Action::Deploy { file, name, definer } => {
            (deploy::run(client, file, name.as_deref(), *definer).await?, show::deployed)
        }
        Action::List => (client.request(Method::GET, "/v1/procedures").await?, show::list),
        Action::Show { name } => (client.request(Method::GET, &path(name, "")?).await?, show::whole),
        Action::Rollback { name, version } => {
            let version = version.map_or(String::new(), |version| format!("?version={version}"));
            (client.request(Method::POST, &path(name, &format!("/rollback{version}"))?).await?, show::deployed)
        }
        Action::Drop { name } => (client.request(Method::DELETE, &path(name, "")?).await?, show::dropped),
        Action::Try { name, function, arguments: given } => {
            return trial::run(client, name, function, given, arguments.json).await;
        }
    };
    if arguments.json { Ok(format!("{answer:#}\n")) } else { Ok(say(&answer)) }
}

/// Where a procedure is served.
fn path(name: &str, rest: &str) -> Result<String, Stop> {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(fine) {
        let message = format!("\"{name}\" cannot be the name of a procedure: letters, digits and underscores");
        return Err(Stop::Here(message));
    }
    Ok(format!("/v1/procedures/{name}{rest}"))
}
