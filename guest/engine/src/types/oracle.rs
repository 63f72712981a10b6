//! Answers of PostgreSQL in `testdata/*.tsv`, made by the scripts beside them, against ours.

use super::cast::{CastContext, cast, castable};
use super::datetime::zone::Zone;
use super::datetime::{arithmetic, at_time_zone, extract, make, truncate};
use super::interval::Interval;
use super::numeric::Numeric;
use super::text::registered::type_named;
use super::{DataType, Value, text};
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::functions::{FunctionContext, Settings};
use crate::host::{Environment, Unrestricted};

pub(super) struct Clock;

impl Environment for Clock {
    fn transaction_time(&self) -> i64 {
        1_580_000_000_000_000
    }

    fn statement_time(&self) -> i64 {
        1_580_000_000_000_000
    }

    fn clock_time(&self) -> i64 {
        1_580_000_000_000_000
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(4);
    }
}

pub(super) fn settings() -> Settings {
    Settings { time_zone: "America/New_York".into(), ..Default::default() }
}

/// Type and modifier of `numeric(5,2)`, `interval day to second`, `varchar(3)[]`.
pub(super) fn type_and_modifier(name: &str) -> (DataType, i32) {
    match name {
        "interval day to second" => return (DataType::Interval, (0x1c08 << 16) | 0xffff),
        "interval year to month" => return (DataType::Interval, (0x6 << 16) | 0xffff),
        "interval minute" => return (DataType::Interval, (0x800 << 16) | 0xffff),
        "char" => return (DataType::Char, 5),
        _ => {}
    }
    let Some((base, rest)) = name.split_once('(') else {
        return (type_named(name).unwrap_or_else(|| panic!("the type {name}")), -1);
    };
    let (numbers, after) = rest.split_once(')').expect("a closing parenthesis");
    let numbers: Vec<i32> = numbers.split(',').map(|number| number.parse().expect("a number")).collect();
    let data_type = type_named(&format!("{base}{after}")).expect("a type");
    let modifier = match data_type.element().unwrap_or(data_type) {
        DataType::Numeric => ((numbers[0] << 16) | (numbers.get(1).unwrap_or(&0) & 0x7ff)) + 4,
        DataType::Varchar | DataType::Char => numbers[0] + 4,
        DataType::Interval => (0x7fff << 16) | numbers[0],
        _ => numbers[0],
    };
    (data_type, modifier)
}

/// An error in the form of `testdata/attempt.sql`.
fn error_text(error: &Error) -> String {
    let detail = error.0.detail.as_ref().map(|detail| format!(" / {detail}")).unwrap_or_default();
    format!("{} {}{detail}", error.sqlstate(), error.message())
}

/// The cast that SQL writes as `value::type`.
pub(super) fn explicit_cast(value: &Value, from: DataType, to: &str, context: &FunctionContext) -> Result<Value> {
    let (to, modifier) = type_and_modifier(to);
    cast(value, from, to, modifier, true, context)
}

/// What `value::text` gives.
fn as_text(value: &Result<Value>, data_type: DataType, context: &FunctionContext) -> String {
    match value {
        Err(error) => error_text(error),
        Ok(Value::Null) => "NULL".to_string(),
        Ok(value) => match cast(value, data_type, DataType::Text, -1, true, context) {
            Ok(Value::Text(text)) => text.to_string(),
            other => format!("{other:?}"),
        },
    }
}

/// Runs every line of a file, fields split, and lists what differs.
pub(super) fn compare(data: &str, at_least: usize, outcome: impl Fn(&[&str], &FunctionContext) -> String) {
    let settings = settings();
    let catalog = Catalog::default();
    let context =
        FunctionContext { environment: &Clock, authorization: &Unrestricted, settings: &settings, catalog: &catalog };
    let mut wrong = vec![];
    let mut count = 0;
    for line in data.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let Some((expected, arguments)) = fields.split_last() else { continue };
        count += 1;
        let actual = outcome(arguments, &context);
        if actual != *expected {
            wrong.push(format!("{arguments:?}: {actual}, expected {expected}"));
        }
    }
    assert!(count >= at_least, "only {count} lines");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn reads_and_prints_as_postgresql_does() {
    compare(include_str!("testdata/input.tsv"), 2000, |arguments, context| {
        let [name, input] = arguments else { panic!("type and text in {arguments:?}") };
        let value = explicit_cast(&Value::text(input), DataType::Unknown, name, context);
        as_text(&value, type_and_modifier(name).0, context)
    });
}

#[test]
fn casts_as_postgresql_does() {
    compare(include_str!("testdata/cast.tsv"), 1500, |arguments, context| {
        let [source, input, target] = arguments else { panic!("two types and a text in {arguments:?}") };
        let value = explicit_cast(&Value::text(input), DataType::Unknown, source, context);
        let value = value.and_then(|value| explicit_cast(&value, type_and_modifier(source).0, target, context));
        as_text(&value, type_and_modifier(target).0, context)
    });
}

#[test]
fn the_same_types_convert_as_in_postgresql() {
    let types = "boolean smallint integer bigint real numeric text varchar bpchar name \"char\" bytea uuid date time \
                 timetz timestamp timestamptz interval json jsonb oid regclass regtype integer[] bigint[] text[] date[]";
    let types: Vec<&str> = types.split(' ').chain(["double precision"]).collect();
    let mut expected = std::collections::HashMap::new();
    for line in include_str!("testdata/castable.tsv").lines() {
        let [source, target, context] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line:?}") };
        expected.insert((source, target), context);
    }
    let named = |name: &str| type_named(name).unwrap_or_else(|| panic!("the type {name}"));
    let mut wrong = vec![];
    for source in &types {
        for target in &types {
            let actual = castable(named(source), named(target)).map(|context| match context {
                CastContext::Implicit => "implicit",
                CastContext::Assignment => "assignment",
                CastContext::Explicit => "explicit",
            });
            let expected = expected.get(&(*source, *target)).copied();
            if actual != expected {
                wrong.push(format!("{source} to {target}: {actual:?}, expected {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn read(text: &str, data_type: DataType, context: &FunctionContext) -> Value {
    text::parse(text, data_type, -1, context).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn interval(text: &str, context: &FunctionContext) -> Interval {
    match read(text, DataType::Interval, context) {
        Value::Interval(interval) => interval,
        other => panic!("{other:?}"),
    }
}

fn timestamp(text: &str, context: &FunctionContext) -> i64 {
    match read(text, DataType::Timestamp, context) {
        Value::Timestamp(timestamp) => timestamp,
        other => panic!("{other:?}"),
    }
}

/// What a line of `testdata/datetime.sql` asks for.
fn datetime_function(arguments: &[&str], context: &FunctionContext) -> (DataType, Result<Value>) {
    let [function, first, second] = arguments else { panic!("a function and two arguments in {arguments:?}") };
    let zone = Zone::named(&context.settings.time_zone).expect("the session's zone");
    let (name, of) = function.split_once(' ').unwrap_or((function, ""));
    let as_interval = |result: Result<Interval>| (DataType::Interval, result.map(Value::Interval));
    let number = || second.parse::<f64>().expect("a number");
    match name {
        "extract" => {
            let (data_type, _) = type_and_modifier(of);
            let field: Result<Option<Numeric>> = match read(second, data_type, context) {
                Value::Timestamp(value) => extract::from_timestamp(first, value),
                Value::Timestamptz(value) => extract::from_timestamptz(first, value, &zone),
                Value::Date(value) => extract::from_date(first, value),
                Value::Time(value) => extract::from_time(first, value),
                Value::TimeTz(value, offset) => extract::from_timetz(first, value, offset),
                Value::Interval(value) => extract::from_interval(first, &value),
                other => panic!("{other:?}"),
            };
            (DataType::Numeric, field.map(|field| field.map_or(Value::Null, Value::Numeric)))
        }
        "date_trunc" => {
            let (data_type, _) = type_and_modifier(of);
            let truncated = match read(second, data_type, context) {
                Value::Timestamp(value) => truncate::timestamp(first, value).map(Value::Timestamp),
                Value::Timestamptz(value) => truncate::timestamptz(first, value, &zone).map(Value::Timestamptz),
                Value::Interval(value) => truncate::interval(first, &value).map(Value::Interval),
                other => panic!("{other:?}"),
            };
            (data_type, truncated)
        }
        "add" if of == "interval" => {
            as_interval(arithmetic::add_intervals(&interval(first, context), &interval(second, context)))
        }
        "add" => {
            let (data_type, _) = type_and_modifier(of);
            let span = interval(second, context);
            let sum = match read(first, data_type, context) {
                Value::Timestamp(value) => arithmetic::add_to_timestamp(value, &span).map(Value::Timestamp),
                Value::Timestamptz(value) => {
                    arithmetic::add_to_timestamptz(value, &span, &zone).map(Value::Timestamptz)
                }
                other => panic!("{other:?}"),
            };
            (data_type, sum)
        }
        "subtract" => {
            as_interval(arithmetic::timestamp_difference(timestamp(first, context), timestamp(second, context)))
        }
        "age" => as_interval(arithmetic::age(timestamp(first, context), timestamp(second, context))),
        "compare" => {
            let ordering = interval(first, context).cmp(&interval(second, context));
            (DataType::Integer, Ok(Value::Integer(ordering as i32)))
        }
        "multiply" => as_interval(arithmetic::multiply_interval(&interval(first, context), number())),
        "divide" => as_interval(arithmetic::divide_interval(&interval(first, context), number())),
        "justify_hours" => as_interval(arithmetic::justify_hours(&interval(first, context))),
        "justify_days" => as_interval(arithmetic::justify_days(&interval(first, context))),
        "justify_interval" => as_interval(arithmetic::justify_interval(&interval(first, context))),
        "at" => {
            let (data_type, _) = type_and_modifier(of.strip_prefix("time zone ").expect("AT TIME ZONE"));
            let value = read(first, data_type, context);
            let result = Zone::for_expression(second).and_then(|zone| at_time_zone(&value, &zone, 0));
            let other = if data_type == DataType::Timestamp { DataType::Timestamptz } else { DataType::Timestamp };
            (other, result)
        }
        "date_bin" => {
            let origin = timestamp("2001-01-01", context);
            let bin = arithmetic::bin(&interval(first, context), timestamp(second, context), origin);
            (DataType::Timestamp, bin.map(Value::Timestamp))
        }
        "make_date" | "make_time" => {
            let fields: Vec<f64> = first.split(',').map(|field| field.parse().expect("a number")).collect();
            let [first, second, third] = fields[..] else { panic!("three numbers in {first}") };
            if name == "make_date" {
                let date = make::date(first as i32, second as i32, third as i32);
                (DataType::Date, date.map(Value::Date))
            } else {
                (DataType::Time, make::time(first as i32, second as i32, third).map(Value::Time))
            }
        }
        "style" => {
            let settings = Settings { interval_style: of.to_string(), ..settings() };
            let printed = text::to_string(&read(first, DataType::Interval, context), DataType::Interval, &settings);
            (DataType::Text, Ok(Value::text(&printed)))
        }
        _ => panic!("the function {function}"),
    }
}

#[test]
fn calculates_with_times_as_postgresql_does() {
    compare(include_str!("testdata/datetime.tsv"), 1000, |arguments, context| {
        let (data_type, value) = datetime_function(arguments, context);
        as_text(&value, data_type, context)
    });
}

/// Types whose input functions take any text.
pub(super) const READABLE: &[DataType] = &[
    DataType::Boolean,
    DataType::SmallInt,
    DataType::BigInt,
    DataType::Real,
    DataType::Double,
    DataType::Numeric,
    DataType::Varchar,
    DataType::Char,
    DataType::Name,
    DataType::InternalChar,
    DataType::Bytea,
    DataType::Uuid,
    DataType::Date,
    DataType::Time,
    DataType::TimeTz,
    DataType::Timestamp,
    DataType::Timestamptz,
    DataType::Interval,
    DataType::Json,
    DataType::Jsonb,
    DataType::Oid,
    DataType::Regtype,
    DataType::Array(&DataType::Integer),
    DataType::Array(&DataType::Text),
];

proptest::proptest! {
    /// Whatever reads must print, and what it prints must read as the same value.
    #[test]
    fn no_text_breaks_an_input_function(
        text in proptest::prop_oneof![
            "\\PC{0,20}",
            "[-+0-9.:eE/ TZ]{0,24}",
            "[-+0-9.:a-z ]{0,24}",
            "[{}\\[\\]\",:0-9a-cun\\\\ -]{0,20}",
            "[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,2}[ T][0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\\.[0-9]{0,8})?)?( ?[-+][0-9]{1,2})?( BC)?",
            "P?[-0-9.]{0,9}[YMWDTHS][-0-9.]{0,9}[YMWDTHS]?",
            "[-+]?[0-9]{1,10}(\\.[0-9]{1,3})? (years?|mons?|days?|hours?|weeks?|century|us)( [-0-9]{1,6}:[0-9]{1,2})?( ago)?",
        ],
    ) {
        let settings = settings();
        let catalog = Catalog::default();
        let (environment, authorization) = (&Clock, &Unrestricted);
        let context = FunctionContext { environment, authorization, settings: &settings, catalog: &catalog };
        for &data_type in READABLE {
            let Ok(value) = text::parse(&text, data_type, -1, &context) else { continue };
            let printed = text::to_string(&value, data_type, &settings);
            let again = text::parse(&printed, data_type, -1, &context);
            let again = again.unwrap_or_else(|error| panic!("{data_type:?} {text:?} {printed:?}: {error}"));
            proptest::prop_assert_eq!(super::compare::compare(&value, &again), std::cmp::Ordering::Equal, "{:?} {:?}", data_type, text);
            proptest::prop_assert_eq!(text::to_string(&again, data_type, &settings), printed);
        }
    }
}
