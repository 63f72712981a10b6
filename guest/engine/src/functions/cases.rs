//! Expressions in `testdata/*.cases` against PostgreSQL's answers, which `testdata/answer.sh` fetched.

use super::{FunctionContext, FunctionKind, Resolved, ScalarFunction, Settings, resolve};
use crate::catalog::Catalog;
use crate::error::Result;
use crate::host::{Environment, Unrestricted};
use crate::types::text::registered::type_named;
use crate::types::{Column, ColumnBuilder, DataType, Value, cast, text};

struct Clock;

impl Environment for Clock {
    fn transaction_time(&self) -> i64 {
        1_600_000_000_000_000
    }

    fn statement_time(&self) -> i64 {
        1_600_000_000_000_000
    }

    fn clock_time(&self) -> i64 {
        1_600_000_000_000_000
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(4);
    }
}

/// A call as a line of a file spells it: `name(operand, …)`, `operand symbol operand` or `symbol operand`.
#[derive(Debug)]
struct Call<'a> {
    name: &'a str,
    is_operator: bool,
    operands: Vec<(Option<String>, DataType)>,
}

fn parse(line: &str) -> Call<'_> {
    let is_symbol = |character: char| "+-*/<>=~!@#%^&|`?".contains(character);
    let starts_operand = |rest: &str| {
        rest.starts_with(['\'', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
            || ["null", "true", "false"].iter().any(|word| rest.starts_with(word))
    };
    let mut operands = vec![];
    if starts_operand(line) {
        let (left, rest) = operand(line);
        operands.push(left);
        let rest = rest.trim_start();
        let end = rest.find(|character| !is_symbol(character)).unwrap_or(rest.len());
        let (right, _) = operand(rest[end..].trim_start());
        operands.push(right);
        return Call { name: &rest[..end], is_operator: true, operands };
    }
    if line.starts_with(is_symbol) {
        let end = line.find(|character| !is_symbol(character)).unwrap_or(line.len());
        operands.push(operand(line[end..].trim_start()).0);
        return Call { name: &line[..end], is_operator: true, operands };
    }
    let (name, mut rest) = line.split_once('(').unwrap_or_else(|| panic!("a call: {line}"));
    while !rest.starts_with(')') {
        let (found, after) = operand(rest.trim_start());
        operands.push(found);
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    Call { name, is_operator: false, operands }
}

/// A literal and what follows it.
fn operand(line: &str) -> ((Option<String>, DataType), &str) {
    let (literal, natural, mut rest) = if let Some(quoted) = line.strip_prefix('\'') {
        let mut literal = String::new();
        let mut characters = quoted.char_indices().peekable();
        let mut end = quoted.len();
        while let Some((index, character)) = characters.next() {
            if character != '\'' {
                literal.push(character);
            } else if characters.next_if(|(_, next)| *next == '\'').is_some() {
                literal.push('\'');
            } else {
                end = index + 1;
                break;
            }
        }
        (Some(literal), DataType::Unknown, &quoted[end..])
    } else {
        let end = line.find([' ', ',', ')', ':']).unwrap_or(line.len());
        let (word, rest) = line.split_at(end);
        match word {
            "null" => (None, DataType::Unknown, rest),
            "true" | "false" => (Some(word.to_string()), DataType::Boolean, rest),
            _ if word.contains('.') => (Some(word.to_string()), DataType::Numeric, rest),
            _ if word.parse::<i32>().is_ok() => (Some(word.to_string()), DataType::Integer, rest),
            _ => (Some(word.to_string()), DataType::BigInt, rest),
        }
    };
    let mut data_type = natural;
    if let Some(named) = rest.strip_prefix("::") {
        let end = named.find([',', ')', ' ']).unwrap_or(named.len());
        data_type = type_named(&named[..end]).unwrap_or_else(|| panic!("the type {}", &named[..end]));
        rest = &named[end..];
    }
    ((literal, data_type), rest)
}

fn answer(line: &str, context: &FunctionContext) -> Result<String> {
    let call = parse(line);
    let types: Vec<DataType> = call.operands.iter().map(|(_, data_type)| *data_type).collect();
    let values = |wanted: &[DataType]| -> Result<Vec<Value>> {
        let operands = call.operands.iter().zip(wanted);
        operands
            .map(|((literal, data_type), wanted)| match literal {
                None => Ok(Value::Null),
                Some(literal) if *data_type == DataType::Unknown => text::parse(literal, *wanted, -1, context),
                Some(literal) => {
                    let value = text::parse(literal, *data_type, -1, context)?;
                    cast::cast(&value, *data_type, *wanted, -1, false, context)
                }
            })
            .collect()
    };
    if resolve::kind(call.name) == Some(FunctionKind::Set) {
        let resolved = resolve::set(call.name, &types)?;
        let values = values(&resolved.argument_types)?;
        let columns = resolve::set_columns(&resolved)?;
        if resolved.function.strict && values.iter().any(Value::is_null) {
            return Ok("no rows".into());
        }
        let mut rows = vec![];
        for row in (resolved.function.evaluate)(context, &values)? {
            let mut row = row?;
            assert_eq!(row.len(), columns.len(), "columns of {line}");
            rows.push(match columns[..] {
                [(_, data_type)] => printed(&row.remove(0), data_type, context)?,
                _ => printed(&Value::Record(row.into()), DataType::Record, context)?,
            });
        }
        return Ok(if rows.is_empty() { "no rows".into() } else { rows.join(" ; ") });
    }
    let resolved = match (call.is_operator, &types[..]) {
        (true, [right]) => resolve::operator(call.name, None, *right)?,
        (true, [left, right]) => resolve::operator(call.name, Some(*left), *right)?,
        _ => resolve::scalar(call.name, &types)?,
    };
    let values = values(&resolved.argument_types)?;
    let value = if resolved.function.strict && values.iter().any(Value::is_null) {
        Ok(Value::Null)
    } else {
        (resolved.function.evaluate)(context, &values)
    };
    if let Some(evaluate_columns) = resolved.function.evaluate_columns {
        check_columns(line, &resolved, &values, &value, |columns| evaluate_columns(context, columns));
    }
    printed(&value?, resolved.result, context)
}

/// The kernel has to answer as the function does, NULL beside it or not.
fn check_columns(
    line: &str,
    resolved: &Resolved<ScalarFunction>,
    values: &[Value],
    expected: &Result<Value>,
    evaluate: impl Fn(&[&Column]) -> Result<Column>,
) {
    for with_null in [false, true] {
        let columns: Vec<Column> = values
            .iter()
            .zip(&resolved.argument_types)
            .map(|(value, data_type)| {
                let mut builder = ColumnBuilder::new(*data_type);
                for _ in 0..3 {
                    builder.push(value);
                }
                if with_null {
                    builder.push_null();
                }
                builder.finish()
            })
            .collect();
        let columns: Vec<&Column> = columns.iter().collect();
        match (evaluate(&columns), expected) {
            (Err(found), Err(expected)) => assert_eq!(found.message(), expected.message(), "{line} over columns"),
            (Ok(found), Ok(expected)) => {
                for row in 0..3 {
                    assert_eq!(format!("{:?}", found.value(row)), format!("{expected:?}"), "{line} over columns");
                }
                assert!(!with_null || found.is_null(3), "{line} over columns with NULL");
            }
            (found, expected) => panic!("{line} over columns: {found:?} instead of {expected:?}"),
        }
    }
}

/// As `value::text` prints.
fn printed(value: &Value, data_type: DataType, context: &FunctionContext) -> Result<String> {
    Ok(match cast::cast(value, data_type, DataType::Text, -1, true, context)? {
        Value::Text(text) => text.to_string(),
        _ => "NULL".into(),
    })
}

fn check(answers: &str) {
    let settings = Settings { time_zone: "America/New_York".into(), ..Settings::default() };
    let catalog = Catalog::default();
    let context =
        FunctionContext { environment: &Clock, authorization: &Unrestricted, settings: &settings, catalog: &catalog };
    let mut wrong = String::new();
    for line in answers.lines() {
        let (expression, expected) = line.split_once('\t').unwrap_or_else(|| panic!("a tab in {line}"));
        let found = match answer(expression, &context) {
            Ok(text) => text,
            Err(error) => format!("{} {}", error.sqlstate(), error.message()),
        };
        let found = found.replace('\\', "\\\\").replace('\n', "\\n");
        if found != expected {
            wrong.push_str(&format!("\n{expression}\n  gives    {found}\n  not      {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

macro_rules! files {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(include_str!(concat!("testdata/", stringify!($name), ".tsv")));
        })*
    };
}

files!(operators strings expressions numbers dates arrays json sets formatting);
