//! One function for each thing that a procedure can ask of its host.

use crate::{Circumstances, Error};
use isobar_procedure::bindings::sql as raw;
use isobar_procedure::{Value, context, log, params, sql};

pub fn circumstances() -> Circumstances {
    Circumstances {
        caller: context::caller(),
        role: context::role(),
        region: context::region(),
        transaction_id: context::transaction_id(),
        now: context::now(),
        random: context::random(16),
    }
}

/// To the log on every level, and to the client with every severity.
pub fn say(message: &str) {
    log::debug(message);
    log::info(message);
    log::warning(message);
    log::error(message);
    for severity in [log::Severity::Debug, log::Severity::Info, log::Severity::Notice, log::Severity::Warning] {
        log::notice(severity, message);
    }
}

/// The columns with their types, then the rows, as Rust prints them.
pub fn ask(sql: &str) -> Result<String, Error> {
    let rows = sql::query(sql, &[])?;
    let columns: Vec<String> =
        rows.columns().iter().map(|column| format!("{} {}", column.name, column.type_name)).collect();
    let lines: Vec<String> = rows.map(|row| format!("{:?}", row.values())).collect();
    Ok(format!("{}\n{}", columns.join(", "), lines.join("\n")))
}

/// A statement that fails is undone alone: what was written before it stays, and the procedure goes on.
pub fn caught(sql: &str) -> Result<String, Error> {
    match sql::execute(sql, &[]) {
        Ok(count) => Ok(format!("{count} rows")),
        Err(error) => {
            let one: i32 = sql::query("SELECT 1 AS one", &[])?.only()?.get("one")?;
            Ok(format!("{} {}; {one} row after it", error.sqlstate, error.message))
        }
    }
}

/// The sizes of the batches in which the host hands over a result.
pub fn batches(rows: i64, most: u32) -> Result<Vec<(u32,)>, Error> {
    let parameters: [Value; 1] = params![rows];
    let source = raw::query("SELECT g FROM generate_series(1, $1::bigint) g", &parameters)?;
    let mut sizes = vec![];
    loop {
        let batch = source.next(most);
        if batch.is_empty() {
            return Ok(sizes);
        }
        sizes.push((batch.len() as u32,));
    }
}
