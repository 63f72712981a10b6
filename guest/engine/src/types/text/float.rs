//! real and double precision (PostgreSQL 15, section 8.1.3).

use super::{invalid_input, is_space};
use crate::error::{Error, Result, sqlstate};

pub fn parse_f64(text: &str) -> Result<f64> {
    let number = checked(text, "double precision")?;
    let value: f64 = number.parse().map_err(|_| invalid_input("double precision", text))?;
    if is_out_of_range(number, value.is_infinite(), value == 0.0) {
        return Err(out_of_range(number, "double precision"));
    }
    Ok(value)
}

pub fn parse_f32(text: &str) -> Result<f32> {
    let number = checked(text, "real")?;
    let value: f32 = number.parse().map_err(|_| invalid_input("real", text))?;
    if is_out_of_range(number, value.is_infinite(), value == 0.0) {
        return Err(out_of_range(number, "real"));
    }
    Ok(value)
}

/// The number without blanks, when it is something that SQL takes as a float.
fn checked<'a>(text: &'a str, data_type: &str) -> Result<&'a str> {
    let number = text.trim_matches(is_space);
    let unsigned = number.strip_prefix(['+', '-']).unwrap_or(number);
    let is_special = ["nan", "inf", "infinity"].iter().any(|name| unsigned.eq_ignore_ascii_case(name));
    let begins_well = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if is_special || begins_well { Ok(number) } else { Err(invalid_input(data_type, text)) }
}

/// Whether digits that are there were lost to an infinity or to zero.
fn is_out_of_range(number: &str, infinite: bool, zero: bool) -> bool {
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    infinite && mantissa.contains(|c: char| c.is_ascii_digit())
        || zero && mantissa.contains(|c: char| ('1'..='9').contains(&c))
}

fn out_of_range(number: &str, data_type: &str) -> Error {
    Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, format!("\"{number}\" is out of range for type {data_type}"))
}

/// Prints the shortest digits that read back as the same float when `extra_digits` is positive, otherwise
/// 15 + `extra_digits` significant digits.
pub fn print_f64(value: f64, extra_digits: i32, out: &mut String) {
    if print_special(value, out) {
        return;
    }
    if extra_digits > 0 {
        layout(&format!("{value:e}"), 15, out);
    } else {
        let digits = (15 + extra_digits).max(1) as usize;
        layout(&significant_digits(value, digits), digits as i32, out);
    }
}

/// As `print_f64`, with 6 instead of 15.
pub fn print_f32(value: f32, extra_digits: i32, out: &mut String) {
    if print_special(f64::from(value), out) {
        return;
    }
    if extra_digits > 0 {
        layout(&format!("{value:e}"), 6, out);
    } else {
        let digits = (6 + extra_digits).max(1) as usize;
        layout(&significant_digits(f64::from(value), digits), digits as i32, out);
    }
}

fn print_special(value: f64, out: &mut String) -> bool {
    let special = if value.is_nan() {
        "NaN"
    } else if value == f64::INFINITY {
        "Infinity"
    } else if value == f64::NEG_INFINITY {
        "-Infinity"
    } else {
        return false;
    };
    out.push_str(special);
    true
}

/// `-1.25e-7`: rounded to this many significant digits, without zeros at the end.
pub fn significant_digits(value: f64, digits: usize) -> String {
    let text = format!("{value:.*e}", digits.saturating_sub(1));
    match text.split_once('e') {
        Some((mantissa, exponent)) if mantissa.contains('.') => {
            format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

/// Writes `-1.25e-7` as C's %g does: with an exponent only below -4 or from `precision` on.
fn layout(scientific: &str, precision: i32, out: &mut String) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |mantissa| ("-", mantissa));
    out.push_str(sign);
    if exponent < -4 || exponent >= precision {
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        out.push_str(&format!("{mantissa}e{exponent_sign}{:02}", exponent.unsigned_abs()));
        return;
    }
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    if exponent < 0 {
        out.push_str("0.");
        (1..-exponent).for_each(|_| out.push('0'));
        out.push_str(&digits);
        return;
    }
    let point = exponent as usize + 1;
    if digits.len() <= point {
        out.push_str(&digits);
        (digits.len()..point).for_each(|_| out.push('0'));
    } else {
        out.push_str(&digits[..point]);
        out.push('.');
        out.push_str(&digits[point..]);
    }
}
