//! What remains to be done after a statement has committed, in bounded transactions: building indexes beside their
//! writers, removing the rows of dropped tables, and gathering statistics.
//!
//! The statements are spelled in a way of the engine's own. They carry no state that matters: each does the next step
//! of what the catalog and the store say is to be done, whoever sends it.

use super::analyze;
use super::index::build;
use super::{rows, unfinished};
use crate::catalog::{Catalog, Relation};
use crate::encode::key::{ROW_SPACE, index_prefix};
use crate::error::{Error, Result, sqlstate};
use crate::functions::Settings;
use crate::host::Host;
use crate::limits::BACKFILL_ROWS;
use crate::statement::Outcome;
use std::fmt;

/// What every follow-up begins with; no user's statement can, as it is no SQL.
const MARK: &str = "\0isobar ";
/// The first word of those that may fail: the host tells nobody (`wit/statement.wit`).
const OPTIONAL: &str = "optional ";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowUp {
    /// Asks for what a node that died has left unfinished. The host sends it when it starts (`wit/statement.wit`).
    Resume,
    BuildIndex {
        table: u32,
        index: u32,
    },
    RemoveTable {
        table: u32,
    },
    RemoveIndex {
        table: u32,
        index: u32,
    },
    Analyze {
        table: u32,
    },
    /// Tells the client why an index could not be built, when what there was of it is gone.
    FailIndex {
        table: u32,
        index: u32,
        message: String,
        detail: String,
    },
}

impl fmt::Display for FollowUp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MARK)?;
        match self {
            FollowUp::Resume => formatter.write_str("resume"),
            FollowUp::BuildIndex { table, index } => write!(formatter, "build-index {table} {index}"),
            FollowUp::RemoveTable { table } => write!(formatter, "remove-table {table}"),
            FollowUp::RemoveIndex { table, index } => write!(formatter, "remove-index {table} {index}"),
            FollowUp::Analyze { table } => write!(formatter, "{OPTIONAL}analyze {table}"),
            FollowUp::FailIndex { table, index, message, detail } => {
                write!(formatter, "fail-index {table} {index} {message}\0{detail}")
            }
        }
    }
}

/// A follow-up, or none when the text is a user's.
pub fn parse(sql: &str) -> Option<Result<FollowUp>> {
    let rest = sql.strip_prefix(MARK)?;
    let rest = rest.strip_prefix(OPTIONAL).unwrap_or(rest);
    let (verb, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let number = |text: &str| text.parse::<u32>().ok();
    let pair = || rest.split_once(' ').and_then(|(table, index)| Some((number(table)?, number(index)?)));
    let parsed = match verb {
        "resume" => Some(FollowUp::Resume),
        "build-index" => pair().map(|(table, index)| FollowUp::BuildIndex { table, index }),
        "remove-index" => pair().map(|(table, index)| FollowUp::RemoveIndex { table, index }),
        "analyze" => number(rest).map(|table| FollowUp::Analyze { table }),
        "remove-table" => number(rest).map(|table| FollowUp::RemoveTable { table }),
        "fail-index" => failure(rest),
        _ => None,
    };
    Some(parsed.ok_or_else(|| Error::new(sqlstate::SYNTAX_ERROR, "a follow-up statement that is none of the engine's")))
}

fn failure(rest: &str) -> Option<FollowUp> {
    let mut parts = rest.splitn(3, ' ');
    let (table, index) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let (message, detail) = parts.next()?.split_once('\0')?;
    Some(FollowUp::FailIndex { table, index, message: message.into(), detail: detail.into() })
}

/// Whether nobody need know when it fails.
pub fn is_optional(sql: &str) -> bool {
    sql.strip_prefix(MARK).is_some_and(|rest| rest.starts_with(OPTIONAL))
}

pub fn run(host: &dyn Host, catalog: &Catalog, settings: &Settings, follow_up: &FollowUp) -> Result<Outcome> {
    let again = |more: bool| Outcome::Complete {
        tag: String::new(),
        follow_up: if more { vec![follow_up.to_string()] } else { vec![] },
    };
    match follow_up {
        FollowUp::Resume => {
            Ok(Outcome::Complete { tag: String::new(), follow_up: unfinished::statements(host, catalog)? })
        }
        FollowUp::BuildIndex { table, index } => Ok(Outcome::Complete {
            tag: String::new(),
            follow_up: build::step(host, catalog, settings, *table, *index)?,
        }),
        FollowUp::Analyze { table } => {
            analyze::follow_up(host, catalog, *table)?;
            Ok(again(false))
        }
        FollowUp::RemoveTable { table } => {
            if catalog.relation_by_id(*table).is_some() {
                return Ok(again(false));
            }
            // Every index of the table.
            let prefix = [&[ROW_SPACE][..], &table.to_be_bytes()].concat();
            Ok(again(rows::delete_prefix(host, &prefix, BACKFILL_ROWS)? > 0))
        }
        FollowUp::RemoveIndex { table, index } => Ok(again(remove_index(host, catalog, *table, *index)?)),
        FollowUp::FailIndex { table, index, message, detail } => {
            if remove_index(host, catalog, *table, *index)? {
                return Ok(again(true));
            }
            Err(Error::new(sqlstate::UNIQUE_VIOLATION, message).detail(detail))
        }
    }
}

/// Deletes some of the entries of an index that the catalog has no more. Answers whether it found any.
fn remove_index(host: &dyn Host, catalog: &Catalog, table: u32, index: u32) -> Result<bool> {
    let has_index = |relation: &Relation| relation.indexes.iter().any(|known| known.id == index);
    if index == 0 || catalog.relation_by_id(table).is_some_and(|relation| has_index(&relation)) {
        return Ok(false);
    }
    rows::delete_prefix(host, &build::progress_key(table, index), 1)?;
    Ok(rows::delete_prefix(host, &index_prefix(table, index), BACKFILL_ROWS)? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follow_ups_read_as_they_are_written() {
        let all = [
            FollowUp::Resume,
            FollowUp::BuildIndex { table: 16384, index: 2 },
            FollowUp::RemoveTable { table: 16384 },
            FollowUp::RemoveIndex { table: 16384, index: 2 },
            FollowUp::Analyze { table: 16384 },
            FollowUp::FailIndex {
                table: 16384,
                index: 2,
                message: "could not".into(),
                detail: "Key (a)=(1) is duplicated.".into(),
            },
        ];
        for follow_up in all {
            let sql = follow_up.to_string();
            assert_eq!(parse(&sql).unwrap().unwrap(), follow_up);
            assert_eq!(is_optional(&sql), matches!(follow_up, FollowUp::Analyze { .. }));
        }
        assert!(parse("select 1").is_none());
        assert!(parse("\0isobar build-index x").unwrap().is_err());
    }
}
