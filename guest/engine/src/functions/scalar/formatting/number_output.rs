//! `to_char` of numbers.

use super::number_template::{Node, SignPlace, Template, parse};
use super::ordinal_suffix;
use crate::error::{Error, Result};
use crate::functions::FunctionContext;
use crate::functions::arguments::Arguments;
use crate::types::{Value, numeric::Numeric};

pub fn to_char(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let source = arguments.text(1)?;
    if source.is_empty() {
        return Ok(Value::Null);
    }
    let mut template = parse(source)?;
    if template.roman {
        return Ok(Value::text(&roman(&template, &arguments[0])?));
    }
    if template.scientific {
        return Ok(Value::text(&scientific(&template, &arguments[0])?));
    }
    let printed = decimal(&mut template, &arguments[0])?;
    let (negative, mut number) = match printed.strip_prefix('-') {
        Some(number) => (true, number.to_string()),
        None => (false, printed),
    };
    let digits_before = number.find('.').unwrap_or(number.len());
    let mut blanks = 0;
    if digits_before < template.before {
        blanks = template.before - digits_before;
    } else if digits_before > template.before {
        number = format!("{}.{}", "#".repeat(template.before), "#".repeat(template.after));
    }
    Ok(Value::text(&Writer::new(&template, number, blanks, negative).write()))
}

/// The number, shifted as V says and rounded to the template's digits.
fn decimal(template: &mut Template, value: &Value) -> Result<String> {
    let shift = template.shift.unwrap_or(0);
    template.before += shift;
    let float = |template: &mut Template, value: f64, precision: usize| {
        let value = value * 10f64.powi(shift as i32);
        if value.is_nan() {
            return "NaN".to_string();
        }
        if value.is_infinite() {
            return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_string();
        }
        // No more digits than the type tells apart.
        let digits = format!("{:.0}", value.abs()).len();
        template.after = template.after.min(precision.saturating_sub(digits));
        format!("{value:.*}", template.after)
    };
    Ok(match value {
        Value::Real(value) => float(template, f64::from(*value), 6),
        Value::Double(value) => float(template, *value, 15),
        other => {
            let factor = Numeric::new(10i128.pow(shift.min(38) as u32), 0);
            let shifted = as_numeric(other)?.mul(&factor)?;
            shifted.round(template.after as i32).to_string()
        }
    })
}

fn as_numeric(value: &Value) -> Result<Numeric> {
    Ok(match value {
        Value::Integer(value) => Numeric::from_i64(i64::from(*value)),
        Value::BigInt(value) => Numeric::from_i64(*value),
        Value::Numeric(value) => value.clone(),
        Value::Real(value) => Numeric::from_f32(*value),
        Value::Double(value) => Numeric::from_f64(*value),
        other => return Err(Error::internal(format!("to_char takes a number, not {other:?}"))),
    })
}

/// In fifteen places, flush right, unless FM says otherwise.
fn roman(template: &Template, value: &Value) -> Result<String> {
    let rounded = as_numeric(value)?.round(0).to_i64().filter(|number| (1..=3999).contains(number));
    let spelled = rounded.map(|number| {
        let mut rest = number;
        let mut spelled = String::new();
        for (worth, letters) in [
            (1000, "M"),
            (900, "CM"),
            (500, "D"),
            (400, "CD"),
            (100, "C"),
            (90, "XC"),
            (50, "L"),
            (40, "XL"),
            (10, "X"),
            (9, "IX"),
            (5, "V"),
            (4, "IV"),
            (1, "I"),
        ] {
            while rest >= worth {
                spelled.push_str(letters);
                rest -= worth;
            }
        }
        spelled
    });
    let mut out = String::new();
    for node in &template.nodes {
        match node {
            Node::Roman(upper) => {
                let number = spelled.clone().unwrap_or_else(|| "#".repeat(15));
                let number = if *upper { number } else { number.to_lowercase() };
                out.push_str(&if template.fill { number } else { format!("{number:>15}") });
            }
            Node::Text(character) => out.push(*character),
            _ => {}
        }
    }
    Ok(out)
}

/// `1.23e+04`, with a blank where a minus sign would be.
fn scientific(template: &Template, value: &Value) -> Result<String> {
    let number = as_numeric(value)?;
    if !number.is_finite() {
        let digits = |count: usize| "#".repeat(count);
        return Ok(format!(" {}.{}####", digits(template.before), digits(template.after)));
    }
    let digits = template.after;
    let sign = if number.is_negative() { "-" } else { " " };
    let magnitude = number.abs();
    if magnitude.is_zero() {
        let zeros = Numeric::ZERO.round(digits as i32);
        return Ok(format!("{sign}{zeros}e+00"));
    }
    // The power of ten of the first digit, before and after rounding to as many digits as asked for.
    let exponent_of = |number: &Numeric| -> i64 {
        let printed = number.to_string();
        let point = printed.find('.').unwrap_or(printed.len()) as i64;
        match printed.find(|digit: char| ('1'..='9').contains(&digit)).map(|position| position as i64) {
            Some(position) if position < point => point - 1 - position,
            Some(position) => point - position,
            None => 0,
        }
    };
    let exponent = exponent_of(&magnitude);
    let rounded = magnitude.round((digits as i64 - exponent) as i32);
    // Where rounding carries into a new digit, numerics show both (10.00e+00), floats shift (1.00e+01).
    let carried = exponent_of(&rounded) > exponent;
    let shifted = carried && matches!(value, Value::Real(_) | Value::Double(_));
    let exponent = exponent + i64::from(shifted);
    let leading = if carried && !shifted { 2 } else { 1 };
    let mut shown: Vec<char> = rounded.to_string().chars().filter(char::is_ascii_digit).collect();
    let first = shown.iter().position(|digit| *digit != '0').unwrap_or(0);
    shown.drain(..first);
    shown.resize(digits + leading, '0');
    let fraction: String = shown[leading..].iter().collect();
    let whole: String = shown[..leading].iter().collect();
    let point = if digits > 0 { "." } else { "" };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    Ok(format!("{sign}{whole}{point}{fraction}e{exponent_sign}{:02}", exponent.abs()))
}

/// Writes digit by digit along the template.
struct Writer<'a> {
    template: &'a Template,
    number: Vec<char>,
    /// The next character of `number`.
    next: usize,
    /// Positions in front that the number does not fill.
    blanks: usize,
    negative: bool,
    sign_place: Option<SignPlace>,
    sign_written: bool,
    /// The last digit after the point that FM keeps, or the point itself.
    last_relevant: Option<usize>,
    /// Positions in all, without sign and point.
    count: usize,
    /// Positions passed.
    position: usize,
    /// Whether the last position wrote a digit: then a group separator is written too.
    in_number: bool,
    out: String,
}

impl Writer<'_> {
    fn new(template: &Template, number: String, blanks: usize, negative: bool) -> Writer<'_> {
        let number: Vec<char> = number.chars().collect();
        let mut sign_place = template.sign;
        let sign_written = if template.plus || template.minus {
            template.minus || !template.plus
        } else {
            if sign_place == Some(SignPlace::Before) && template.before == template.digits_before_sign {
                sign_place = Some(SignPlace::After);
            }
            !negative && template.fill && template.sign.is_none()
        };
        let mut last_relevant = None;
        if template.fill
            && template.point
            && let Some(point) = number.iter().position(|digit| *digit == '.')
        {
            let last_digit = number.iter().rposition(|digit| *digit != '0').unwrap_or(point).max(point);
            let mut last = last_digit;
            if template.zero_end > blanks {
                last = last.max((number.len() - 1).min(template.zero_end - blanks));
            }
            last_relevant = Some(last);
        }
        let count = (template.before + template.after).saturating_sub(1) + usize::from(!sign_written && blanks == 0);
        Writer {
            template,
            number,
            next: 0,
            blanks,
            negative,
            sign_place,
            sign_written,
            last_relevant,
            count,
            position: 0,
            in_number: false,
            out: String::new(),
        }
    }

    fn write(mut self) -> String {
        let shape = self.template;
        for node in &shape.nodes {
            match node {
                Node::Nine | Node::Zero | Node::Point => self.place(*node == Node::Zero),
                Node::Group if self.in_number => self.out.push(','),
                Node::Group | Node::Currency if !shape.fill => self.out.push(' '),
                Node::Currency => self.out.push(' '),
                Node::Minus if self.negative => self.out.push('-'),
                Node::Plus if !self.negative => self.out.push('+'),
                Node::Minus | Node::Plus if !shape.fill => self.out.push(' '),
                Node::Sign => self.out.push(if self.negative { '-' } else { '+' }),
                Node::Ordinal(upper) => {
                    if self.number.first() != Some(&'#') && !self.negative && !shape.point {
                        let number: String = self.number.iter().collect();
                        self.out.push_str(ordinal_suffix(&number, *upper));
                    }
                }
                Node::Text(character) => self.out.push(*character),
                Node::Group | Node::Minus | Node::Plus | Node::Roman(_) => {}
            }
        }
        self.out
    }

    /// The zero of `0.1` where the template has no zero for it.
    fn is_omitted_zero(&self) -> bool {
        self.template.zero_start.is_none()
            && self.next == 0
            && self.number.first() == Some(&'0')
            && self.template.after != 0
    }

    fn only_point_is_relevant(&self) -> bool {
        self.last_relevant.is_some_and(|last| self.number.get(last) == Some(&'.'))
    }

    /// One position of digits or the point.
    fn place(&mut self, is_zero: bool) {
        let shape = self.template;
        self.in_number = false;
        let zero_start = shape.zero_start.map(|start| start - 1);
        let number_starts = self.position >= self.blanks || zero_start == Some(self.position);
        if !self.sign_written && number_starts && (!self.is_omitted_zero() || self.only_point_is_relevant()) {
            self.write_sign();
        }
        if self.position < self.blanks {
            if zero_start.is_some_and(|start| start <= self.position) {
                self.out.push('0');
                self.in_number = true;
            } else if !shape.fill {
                self.out.push(' ');
            }
        } else {
            match self.number.get(self.next) {
                Some('.') => self.out.push('.'),
                Some(_) if self.last_relevant.is_some_and(|last| self.next > last) && !is_zero => {}
                Some(_) if self.is_omitted_zero() => {
                    if !shape.fill {
                        self.out.push(' ');
                    } else if self.only_point_is_relevant() {
                        self.out.push('0');
                    }
                }
                Some(digit) => {
                    self.out.push(*digit);
                    self.in_number = true;
                }
                None => {}
            }
            if self.next < self.number.len() {
                self.next += 1;
            }
        }
        let mut end = self.count + usize::from(self.blanks > 0) + usize::from(shape.point);
        if self.last_relevant == Some(self.next) {
            end = self.position;
        }
        if self.position + 1 == end {
            if self.sign_written && self.brackets() {
                self.out.push(if self.negative { '>' } else { ' ' });
            } else if self.sign_place == Some(SignPlace::After) {
                self.out.push(if self.negative { '-' } else { '+' });
            }
        }
        self.position += 1;
    }

    /// FM drops the blanks that stand for brackets of a positive number.
    fn brackets(&self) -> bool {
        self.template.brackets && (self.negative || !self.template.fill)
    }

    fn write_sign(&mut self) {
        let sign = match self.sign_place {
            Some(SignPlace::After) => return,
            Some(SignPlace::Before) => Some(if self.negative { '-' } else { '+' }),
            None if self.brackets() => Some(if self.negative { '<' } else { ' ' }),
            None if self.negative => Some('-'),
            None => (!self.template.fill).then_some(' '),
        };
        self.out.extend(sign);
        self.sign_written = true;
    }
}
