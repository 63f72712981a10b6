//! Completion: keywords, the shell's own commands, and the names of tables and columns that the node knows.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::command::client::{Client, Query};

/// The words that statements are made of, as far as one would type them.
const KEYWORDS: &[&str] = &[
    "ABORT",
    "ADD",
    "ALL",
    "ALTER",
    "ANALYZE",
    "AND",
    "ANY",
    "ARRAY",
    "AS",
    "ASC",
    "BEGIN",
    "BETWEEN",
    "BIGINT",
    "BOOLEAN",
    "BY",
    "BYTEA",
    "CASCADE",
    "CASE",
    "CAST",
    "CHECK",
    "COALESCE",
    "COLUMN",
    "COMMIT",
    "CONFLICT",
    "CONSTRAINT",
    "COPY",
    "CREATE",
    "CROSS",
    "CUBE",
    "CURRENT_DATE",
    "CURRENT_TIMESTAMP",
    "DATE",
    "DEFAULT",
    "DELETE",
    "DESC",
    "DISTINCT",
    "DO",
    "DOUBLE",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FETCH",
    "FILTER",
    "FIRST",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "GROUPING",
    "HAVING",
    "ILIKE",
    "IN",
    "INDEX",
    "INNER",
    "INSERT",
    "INTEGER",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "ISOLATION",
    "JOIN",
    "JSONB",
    "KEY",
    "LAST",
    "LATERAL",
    "LEFT",
    "LEVEL",
    "LIKE",
    "LIMIT",
    "NATURAL",
    "NOT",
    "NOTHING",
    "NULL",
    "NULLIF",
    "NULLS",
    "NUMERIC",
    "OFFSET",
    "ON",
    "ONLY",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PRECISION",
    "PRIMARY",
    "READ",
    "REAL",
    "RECURSIVE",
    "RELEASE",
    "RENAME",
    "REPEATABLE",
    "RETURNING",
    "RIGHT",
    "ROLLBACK",
    "ROLLUP",
    "ROWS",
    "SAVEPOINT",
    "SCHEMA",
    "SELECT",
    "SERIALIZABLE",
    "SET",
    "SETS",
    "SHOW",
    "SMALLINT",
    "START",
    "TABLE",
    "TEXT",
    "THEN",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMPTZ",
    "TO",
    "TRANSACTION",
    "TRUE",
    "TRUNCATE",
    "UNION",
    "UNIQUE",
    "UPDATE",
    "USING",
    "UUID",
    "VALUES",
    "VARCHAR",
    "VIEW",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
    "WRITE",
];

const COMMANDS: &[&str] =
    &["\\?", "\\d", "\\df", "\\di", "\\dn", "\\dt", "\\dv", "\\i", "\\l", "\\q", "\\timing", "\\x"];

const QUERY: &str = "SELECT table_schema, table_name, column_name FROM information_schema.columns \
                     WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'sys')";

/// Names that the completion knows; clones are the same set.
#[derive(Clone, Default)]
pub struct Names(Arc<RwLock<BTreeSet<String>>>);

impl Names {
    /// Asks the node for its tables and columns again. Without an answer the old names stay.
    pub async fn refresh(&self, client: &Client) {
        let Ok(answer) = client.query("/sql", &Query { sql: QUERY, ..Query::default() }).await else { return };
        let mut names = BTreeSet::new();
        for row in &answer.rows {
            let [Some(schema), Some(table), Some(column)] = row.as_slice() else { continue };
            let table = identifier(table);
            if schema != "public" {
                names.insert(format!("{}.{table}", identifier(schema)));
                names.insert(identifier(schema));
            }
            names.insert(table);
            names.insert(identifier(column));
        }
        *self.0.write() = names;
    }

    /// Where the word before byte `cursor` starts, and what it may become.
    pub fn complete(&self, line: &str, cursor: usize) -> (usize, Vec<String>) {
        let typed = &line[..cursor];
        let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '"' | '\\' | '?');
        let start = typed.char_indices().rev().find(|(_, letter)| !is_word(*letter));
        let start = start.map_or(0, |(at, letter)| at + letter.len_utf8());
        let word = &typed[start..];
        if word.is_empty() {
            return (cursor, vec![]);
        }
        if word.starts_with('\\') {
            let commands = COMMANDS.iter().filter(|command| command.starts_with(word));
            return (start, commands.map(|command| command.to_string()).collect());
        }
        // `alias.col`: only what follows the dot is a name that we know, unless the whole is schema.table.
        let names = self.0.read();
        let whole: Vec<_> = names.iter().filter(|name| name.starts_with(word)).cloned().collect();
        if let (true, Some(dot)) = (whole.is_empty(), word.rfind('.')) {
            let part = &word[dot + 1..];
            let columns = names.iter().filter(|name| name.starts_with(part) && !name.contains('.'));
            return (start + dot + 1, columns.cloned().collect());
        }
        let upper = word.to_uppercase();
        let lower = word.chars().all(|letter| !letter.is_uppercase());
        let keywords = KEYWORDS.iter().filter(|keyword| keyword.starts_with(&upper));
        let keywords = keywords.map(|keyword| if lower { keyword.to_lowercase() } else { keyword.to_string() });
        let mut found = whole;
        found.extend(keywords);
        found.dedup();
        (start, found)
    }
}

/// A name as it must be typed: in quotes unless it reads the same without.
fn identifier(name: &str) -> String {
    let plain = name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_')
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
        && !KEYWORDS.contains(&name.to_uppercase().as_str());
    if plain { name.to_string() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_completed_from_the_cursor_back() {
        let names = Names::default();
        names.0.write().extend(["flights", "flight", "shop.item", "shop", "item", "\"Mixed\""].map(String::from));
        for (line, start, expected) in [
            ("sel", 0, vec!["select"]),
            ("SEL", 0, vec!["SELECT"]),
            ("select * from fl", 14, vec!["flight", "flights"]),
            ("select f.fli", 9, vec!["flight", "flights"]),
            ("select * from shop.i", 14, vec!["shop.item"]),
            ("select \"M", 7, vec!["\"Mixed\""]),
            ("\\ti", 0, vec!["\\timing"]),
            ("select ", 7, vec![]),
            ("été", 0, vec![]),
        ] {
            assert_eq!(
                names.complete(line, line.len()),
                (start, expected.into_iter().map(String::from).collect()),
                "{line}"
            );
        }
    }

    #[test]
    fn names_are_quoted_where_they_must() {
        for (name, expected) in [
            ("plain_1", "plain_1"),
            ("Mixed", "\"Mixed\""),
            ("a b", "\"a b\""),
            ("select", "\"select\""),
            ("q\"", "\"q\"\"\""),
        ] {
            assert_eq!(identifier(name), expected);
        }
    }
}
