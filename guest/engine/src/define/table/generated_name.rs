//! Names that PostgreSQL makes up for constraints and indexes: `table_column_label`, cut to 63 bytes, with a number
//! where it is taken (src/backend/commands/indexcmds.c describes the rules).

use crate::limits::IDENTIFIER_BYTES;

/// A free name of these parts.
pub fn choose(table: &str, column: &str, label: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut name = join(table, column, label);
    let mut number = 0;
    while is_taken(&name) {
        number += 1;
        name = join(table, column, &format!("{label}{number}"));
    }
    name
}

/// The part of an index's name that stands for its columns.
pub fn columns_part<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    let joined = columns.collect::<Vec<_>>().join("_");
    cut(&joined, IDENTIFIER_BYTES).to_string()
}

fn join(table: &str, column: &str, label: &str) -> String {
    let separators = if column.is_empty() { 1 } else { 2 };
    let room = IDENTIFIER_BYTES.saturating_sub(label.len() + separators);
    let (mut table_length, mut column_length) = (table.len(), column.len());
    // The longer one gives way.
    while table_length + column_length > room {
        if table_length > column_length { table_length -= 1 } else { column_length -= 1 }
    }
    let (table, column) = (cut(table, table_length), cut(column, column_length));
    if column.is_empty() { format!("{table}_{label}") } else { format!("{table}_{column}_{label}") }
}

fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_postgresql_makes_them() {
        assert_eq!(choose("t", "a", "key", |_| false), "t_a_key");
        assert_eq!(choose("t", "", "pkey", |_| false), "t_pkey");
        assert_eq!(choose("t", "a", "check", |name| name == "t_a_check"), "t_a_check1");
        let long = "x".repeat(60);
        assert_eq!(choose(&long, "column", "idx", |_| false), format!("{}_column_idx", "x".repeat(52)));
        assert_eq!(choose(&long, &long, "idx", |_| false).len(), 63);
    }
}
