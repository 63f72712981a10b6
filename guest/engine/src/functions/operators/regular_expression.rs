//! `~ ~* !~ !~*` (PostgreSQL 15, section 9.7.3).

use super::kernel::{binary, unexpected, validity};
use crate::error::Result;
use crate::functions::arguments::Arguments;
use crate::functions::pattern::regular_expression::{Flags, compiled};
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::{Column, ColumnData, Value};

macro_rules! matches {
    ($($symbol:literal $row:ident $columns:ident $flags:literal $negated:literal;)*) => {
        pub static OPERATORS: &[ScalarFunction] = &[$(
            function($symbol, &[TEXT, TEXT], BOOLEAN, $row).columns($columns),
            function($symbol, &[CHAR, TEXT], BOOLEAN, $row).columns($columns),
        )*];

        $(
            fn $row(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
                let expression = compiled(arguments.text(1)?, Flags::parse($flags)?.options)?;
                Ok(Value::Boolean(expression.is_match(arguments.text(0)?) != $negated))
            }

            fn $columns(_: &FunctionContext, columns: &[&Column]) -> Result<Column> {
                match_columns(columns, $flags, $negated)
            }
        )*
    };
}

matches! {
    "~" matches_case matches_case_columns "" false;
    "~*" matches_any_case matches_any_case_columns "i" false;
    "!~" differs_case differs_case_columns "" true;
    "!~*" differs_any_case differs_any_case_columns "i" true;
}

fn match_columns(columns: &[&Column], flags: &str, negated: bool) -> Result<Column> {
    let (texts, patterns) = binary(columns)?;
    let (ColumnData::Text(texts), ColumnData::Text(patterns)) = (&texts.data, &patterns.data) else {
        return Err(unexpected(&texts.data, &patterns.data));
    };
    let options = Flags::parse(flags)?.options;
    let valid = validity(columns);
    let mut results = vec![false; texts.len()];
    let mut current = None;
    for row in 0..texts.len() {
        if valid.as_ref().is_some_and(|valid| !valid[row]) {
            continue;
        }
        let source = patterns.get(row);
        let expression = match &current {
            Some((known, expression)) if *known == source => expression,
            _ => &current.insert((source, compiled(source, options)?)).1,
        };
        results[row] = expression.is_match(texts.get(row)) != negated;
    }
    Ok(Column { data: ColumnData::Boolean(results), valid })
}
