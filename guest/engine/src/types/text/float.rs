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
        layout(&shortest(&format!("{value:e}"), value, 53, |text| text.parse() == Ok(value)), 15, out);
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
        let shortest = shortest(&format!("{value:e}"), f64::from(value), 24, |text| text.parse() == Ok(value));
        layout(&shortest, 6, out);
    } else {
        let digits = (6 + extra_digits).max(1) as usize;
        layout(&significant_digits(f64::from(value), digits), digits as i32, out);
    }
}

/// The shortest digits as PostgreSQL counts them: a number halfway to the next float is not taken, though it reads
/// back as this one when this one is even. `text` is the shortest number otherwise; `bits` is the mantissa's length.
fn shortest(text: &str, value: f64, bits: u32, reads_back: impl Fn(&str) -> bool) -> String {
    if !is_halfway(text, value, bits) {
        let (mantissa, _) = text.split_once('e').unwrap_or((text, ""));
        // Of two numbers equally close the one with the even digit is taken, which formatting to a precision does.
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
        let odd = mantissa.bytes().last().is_some_and(|digit| digit % 2 == 1);
        let even = if odd { format!("{value:.*e}", digits - 1) } else { String::new() };
        return if odd && reads_back(&even) { even } else { text.to_string() };
    }
    let longer = (1..17).map(|digits| format!("{value:.digits$e}"));
    let found = longer.into_iter().find(|longer| reads_back(longer) && !is_halfway(longer, value, bits));
    found.map_or(text.to_string(), |found| match found.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.')),
        None => found,
    })
}

/// Whether a decimal number is exactly between a float and one of its neighbours. Only integers can be: any other
/// such number has more digits than are ever needed.
fn is_halfway(text: &str, value: f64, bits: u32) -> bool {
    let magnitude = value.abs();
    // Up to there the gaps are at most 1; u128 ends a little above 3e38.
    if !((1u64 << bits) as f64..3e38).contains(&magnitude) {
        return false;
    }
    let Some((mantissa, exponent)) = text.trim_start_matches('-').split_once('e') else { return false };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}").parse::<u128>();
    let scale = exponent.parse::<u32>().ok().and_then(|exponent| exponent.checked_sub(fraction.len() as u32));
    let (Ok(digits), Some(scale)) = (digits, scale) else { return false };
    let Some(decimal) = 10u128.checked_pow(scale).and_then(|power| digits.checked_mul(power)) else { return false };
    let exact = magnitude as u128;
    let gap = 1u128 << (exact.ilog2() + 1 - bits);
    // Below a power of two the gap is half as wide.
    let gap_below = if exact.is_power_of_two() { gap / 2 } else { gap };
    decimal > exact && (decimal - exact) * 2 == gap || decimal < exact && (exact - decimal) * 2 == gap_below
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_among_shortest_digits_fall_as_in_postgresql() {
        for (value, expected) in [
            ("1e23", "9.999999999999999e+22"),
            ("2.9802322387695312e-08", "2.9802322387695312e-08"),
            ("-673136162761606.2", "-673136162761606.2"),
            ("123456789012345.6", "123456789012345.6"),
            ("1e15", "1e+15"),
            ("1e14", "100000000000000"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("-0", "-0"),
        ] {
            let mut out = String::new();
            print_f64(parse_f64(value).expect("a float"), 1, &mut out);
            assert_eq!(out, expected);
        }
        let mut out = String::new();
        print_f32(parse_f32("-368773.625").expect("a float"), 1, &mut out);
        assert_eq!(out, "-368773.62");
    }

    #[test]
    fn fewer_digits_are_printed_on_demand() {
        for (extra_digits, expected) in [(0, "0.333333333333333"), (-10, "0.33333"), (-15, "0.3")] {
            let mut out = String::new();
            print_f64(1.0 / 3.0, extra_digits, &mut out);
            assert_eq!(out, expected);
        }
    }
}
