//! `format` (PostgreSQL 15, section 9.4.1).

use super::check_size;
use super::quote::{identifier, literal, printed};
use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;
use std::iter::Peekable;
use std::str::Chars;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("format", &[TEXT], TEXT, format).not_strict().stable(),
    function("format", &[TEXT, ANY], TEXT, format).variadic().not_strict().stable(),
];

fn invalid(message: impl Into<String>) -> Error {
    Error::new(sqlstate::INVALID_PARAMETER_VALUE, message)
}

fn unterminated() -> Error {
    invalid("unterminated format() type specifier").hint("For a single \"%\" use \"%%\".")
}

/// Which argument a specifier takes.
#[derive(Clone, Copy)]
enum Source {
    Next,
    Position(usize),
}

enum Width {
    None,
    Fixed(i32),
    Argument(Source),
}

/// `%[position$][-][width]type`
struct Specifier {
    source: Source,
    left: bool,
    width: Width,
    kind: char,
}

fn format(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    if arguments.is_null(0) {
        return Ok(Value::Null);
    }
    let mut input = arguments.text(0)?.chars().peekable();
    let mut output = String::new();
    // The argument used last: positions set it too.
    let mut used = 0;
    let mut take = |source: Source| {
        used = match source {
            Source::Next => used + 1,
            Source::Position(position) => position,
        };
        arguments.get(used).ok_or_else(|| invalid("too few arguments for format()"))
    };
    while let Some(character) = input.next() {
        if character != '%' {
            output.push(character);
            continue;
        }
        if input.peek() == Some(&'%') {
            input.next();
            output.push('%');
            continue;
        }
        let specifier = read(&mut input)?;
        let width = match specifier.width {
            Width::None => 0,
            Width::Fixed(width) => width,
            Width::Argument(source) => match take(source)? {
                Value::Null => 0,
                Value::SmallInt(width) => i32::from(*width),
                Value::Integer(width) => *width,
                other => printed(other, context.settings)
                    .trim()
                    .parse()
                    .map_err(|_| invalid("the width of a format() specifier must be an integer"))?,
            },
        };
        let value = take(specifier.source)?;
        let text = match (specifier.kind, value) {
            ('s', Value::Null) => String::new(),
            ('s', value) => printed(value, context.settings),
            ('I', Value::Null) => {
                return Err(Error::new(
                    sqlstate::NULL_VALUE_NOT_ALLOWED,
                    "null values cannot be formatted as an SQL identifier",
                ));
            }
            ('I', value) => identifier(&printed(value, context.settings)),
            (_, Value::Null) => "NULL".into(),
            (_, value) => literal(&printed(value, context.settings)),
        };
        let left = specifier.left || width < 0;
        let missing = (width.unsigned_abs() as usize).saturating_sub(text.chars().count());
        check_size(output.len().saturating_add(missing))?;
        let blanks = " ".repeat(missing);
        output.push_str(if left { &text } else { &blanks });
        output.push_str(if left { &blanks } else { &text });
    }
    Ok(Value::text(&output))
}

fn read(input: &mut Peekable<Chars>) -> Result<Specifier> {
    let mut specifier = Specifier { source: Source::Next, left: false, width: Width::None, kind: 's' };
    let number = read_number(input)?;
    let mut width = None;
    match (number, input.peek()) {
        (Some(position), Some('$')) => {
            input.next();
            specifier.source = position_source(position)?;
        }
        (found, _) => width = found,
    }
    if width.is_none() {
        while input.next_if_eq(&'-').is_some() {
            specifier.left = true;
        }
        if input.next_if_eq(&'*').is_some() {
            let position = read_number(input)?;
            specifier.width = Width::Argument(match position {
                Some(position) => {
                    if input.next_if_eq(&'$').is_none() {
                        return Err(invalid("width argument position must be ended by \"$\""));
                    }
                    position_source(position)?
                }
                None => Source::Next,
            });
        } else {
            width = read_number(input)?;
        }
    }
    if let Some(width) = width {
        specifier.width = Width::Fixed(width);
    }
    specifier.kind = input.next().ok_or_else(unterminated)?;
    if !matches!(specifier.kind, 's' | 'I' | 'L') {
        return Err(invalid(format!("unrecognized format() type specifier \"{}\"", specifier.kind))
            .hint("For a single \"%\" use \"%%\"."));
    }
    Ok(specifier)
}

fn position_source(position: i32) -> Result<Source> {
    if position == 0 {
        return Err(invalid("format specifies argument 0, but arguments are numbered from 1"));
    }
    Ok(Source::Position(position as usize))
}

fn read_number(input: &mut Peekable<Chars>) -> Result<Option<i32>> {
    let mut number: Option<i32> = None;
    while let Some(digit) = input.peek().and_then(|character| character.to_digit(10)) {
        input.next();
        let longer = number.unwrap_or(0).checked_mul(10).and_then(|number| number.checked_add(digit as i32));
        number =
            Some(longer.ok_or_else(|| Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range"))?);
    }
    if number.is_some() && input.peek().is_none() {
        return Err(unterminated());
    }
    Ok(number)
}
