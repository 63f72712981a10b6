//! `to_number`.

use super::number_template::{Node, parse};
use crate::error::{Error, Result, sqlstate};
use crate::functions::FunctionContext;
use crate::functions::arguments::Arguments;
use crate::types::{Value, numeric::Numeric};

/// Reads along the template: digits and the point where it has them, and something else to skip elsewhere.
pub fn to_number(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let template = parse(arguments.text(1)?)?;
    if template.roman {
        return Err(Error::not_supported("\"RN\" for input"));
    }
    if template.scientific {
        return Err(Error::not_supported("\"EEEE\" for input"));
    }
    let text = arguments.text(0)?;
    let mut negative = false;
    let mut number = String::new();
    let mut input = text.chars().peekable();
    let is_digit = |character: &char| character.is_ascii_digit();
    // The sign may stand on either side.
    let mut skip_sign = |input: &mut std::iter::Peekable<std::str::Chars>| {
        while let Some(sign) = input.next_if(|character| matches!(character, '-' | '+' | '<' | '>' | ' ')) {
            negative |= matches!(sign, '-' | '<');
        }
    };
    for node in &template.nodes {
        if input.peek().is_none() {
            break;
        }
        match node {
            Node::Nine | Node::Zero => {
                skip_sign(&mut input);
                if let Some(digit) = input.next_if(is_digit) {
                    number.push(digit);
                } else if input.peek() == Some(&'.') && !number.contains('.') && !template.point {
                    // What follows the point is more than the template has.
                    break;
                }
            }
            Node::Point => {
                if input.next_if_eq(&'.').is_some() {
                    number.push('.');
                }
            }
            Node::Group => {
                input.next_if_eq(&',');
            }
            Node::Minus | Node::Plus | Node::Sign => skip_sign(&mut input),
            Node::Ordinal(_) => {
                input.next();
                input.next();
            }
            Node::Currency | Node::Text(_) | Node::Roman(_) => {
                // Digits are not skipped for what the template only decorates with.
                if !input.peek().is_some_and(char::is_ascii_digit) {
                    input.next();
                }
            }
        }
    }
    skip_sign(&mut input);
    if !number.contains(|character: char| character.is_ascii_digit()) {
        return Err(Error::new(
            sqlstate::INVALID_TEXT_REPRESENTATION,
            format!("invalid input syntax for type numeric: \"{}\"", if number.is_empty() { " " } else { &number }),
        ));
    }
    let mut value = Numeric::parse(&number)?.round(template.after as i32);
    if negative {
        value = value.neg();
    }
    if let Some(shift) = template.shift {
        value = value.div(&Numeric::new(10i128.pow(shift.min(38) as u32), 0))?;
    }
    Ok(Value::Numeric(value))
}
