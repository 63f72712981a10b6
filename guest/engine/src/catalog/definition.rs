//! Definitions as SQL text: types, indexes, constraints, defaults.

use super::{Catalog, Check, Index, Relation, TableColumn, quote_identifier};
use crate::parse;
use crate::types::DataType;
use sqlparser::ast::{Expr, Value};

/// A type with its modifier, as `format_type` prints it.
pub fn type_name(data_type: DataType, modifier: i32) -> String {
    if let DataType::Array(element) = data_type {
        return format!("{}[]", type_name(*element, modifier));
    }
    if modifier < 0 {
        return match data_type {
            DataType::Char => "bpchar".into(),
            other => other.name(),
        };
    }
    match data_type {
        DataType::Varchar | DataType::Char => format!("{}({})", data_type.name(), modifier - 4),
        DataType::Numeric => {
            let packed = modifier - 4;
            // The scale has eleven bits, and may be negative.
            let scale = ((packed & 0x7ff) ^ 1024) - 1024;
            format!("numeric({},{scale})", (packed >> 16) & 0xffff)
        }
        DataType::Time | DataType::TimeTz | DataType::Timestamp | DataType::Timestamptz => {
            let name = data_type.name();
            let (first, rest) = name.split_once(' ').unwrap_or((&name, ""));
            format!("{first}({modifier}) {rest}")
        }
        other => other.name(),
    }
}

/// A relation's name after its schema's.
pub fn qualified_name(catalog: &Catalog, relation: &Relation) -> String {
    let schema = catalog.schema_by_id(relation.schema_id).map_or("", |schema| &schema.name);
    format!("{}.{}", quote_identifier(schema), quote_identifier(&relation.name))
}

/// CREATE INDEX, as `pg_get_indexdef` prints it.
pub fn index(catalog: &Catalog, relation: &Relation, index: &Index) -> String {
    let unique = if index.unique || index.primary { "UNIQUE " } else { "" };
    let columns: Vec<String> = (0..index.columns.len()).map(|at| index_column(relation, index, at, true)).collect();
    let mut text = format!(
        "CREATE {unique}INDEX {} ON {} USING btree ({})",
        quote_identifier(&index.name),
        qualified_name(catalog, relation),
        columns.join(", ")
    );
    if !index.include.is_empty() {
        text.push_str(&format!(" INCLUDE ({})", column_names(relation, index.include.iter().copied())));
    }
    if index.nulls_not_distinct {
        text.push_str(" NULLS NOT DISTINCT");
    }
    text
}

/// A column of an index, counted from 0, with its order.
pub fn index_column(relation: &Relation, index: &Index, at: usize, with_order: bool) -> String {
    let Some(column) = index.columns.get(at) else {
        let included = index.include.get(at - index.columns.len());
        return included.map(|position| quote(&relation.columns[*position])).unwrap_or_default();
    };
    let order = match (column.descending, column.nulls_first) {
        _ if !with_order => "",
        (false, false) => "",
        (false, true) => " NULLS FIRST",
        (true, true) => " DESC",
        (true, false) => " DESC NULLS LAST",
    };
    quote(&relation.columns[column.column]) + order
}

/// PRIMARY KEY or UNIQUE, as `pg_get_constraintdef` prints it.
pub fn key_constraint(relation: &Relation, index: &Index) -> String {
    let kind = match (index.primary, index.nulls_not_distinct) {
        (true, _) => "PRIMARY KEY",
        (false, true) => "UNIQUE NULLS NOT DISTINCT",
        (false, false) => "UNIQUE",
    };
    let mut text = format!("{kind} ({})", column_names(relation, index.columns.iter().map(|column| column.column)));
    if !index.include.is_empty() {
        text.push_str(&format!(" INCLUDE ({})", column_names(relation, index.include.iter().copied())));
    }
    text
}

pub fn check_constraint(check: &Check) -> String {
    format!("CHECK ({})", parenthesized(&check.expression))
}

/// DEFAULT's expression: a bare literal gets its type, as PostgreSQL shows it.
pub fn default(column: &TableColumn) -> Option<String> {
    let text = column.default.as_ref()?;
    let is_literal = matches!(
        parse::parse_expression(text),
        Ok(Expr::Value(value)) if matches!(value.value, Value::SingleQuotedString(_))
    );
    Some(if is_literal { format!("{text}::{}", type_name(column.data_type, -1)) } else { text.clone() })
}

/// In parentheses of its own unless it is one word or call.
fn parenthesized(expression: &str) -> String {
    let is_whole = matches!(
        parse::parse_expression(expression),
        Ok(Expr::Identifier(_) | Expr::Function(_) | Expr::Nested(_) | Expr::Value(_))
    );
    if is_whole { expression.into() } else { format!("({expression})") }
}

fn column_names(relation: &Relation, positions: impl Iterator<Item = usize>) -> String {
    positions.map(|position| quote(&relation.columns[position])).collect::<Vec<_>>().join(", ")
}

fn quote(column: &TableColumn) -> String {
    quote_identifier(&column.name).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_print_with_their_modifiers() {
        let cases = [
            (DataType::Integer, -1, "integer"),
            (DataType::Varchar, 24, "character varying(20)"),
            (DataType::Varchar, -1, "character varying"),
            (DataType::Char, 7, "character(3)"),
            (DataType::Numeric, (10 << 16) + 2 + 4, "numeric(10,2)"),
            (DataType::Numeric, (3 << 16) + (-2 & 0x7ff) + 4, "numeric(3,-2)"),
            (DataType::Timestamptz, 3, "timestamp(3) with time zone"),
            (DataType::Array(&DataType::Varchar), 9, "character varying(5)[]"),
        ];
        for (data_type, modifier, name) in cases {
            assert_eq!(type_name(data_type, modifier), name);
        }
    }
}
