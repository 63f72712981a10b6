//! How numerics read and print.

use super::{MAX_INTEGER_DIGITS, MAX_SCALE, Numeric, overflow, power_of_ten};
use crate::error::{Error, Result, sqlstate};
use bigdecimal::num_bigint::BigInt;
use std::fmt;

/// Far beyond every exponent that can be in range; what goes beyond is an overflow anyway.
const EXPONENT_LIMIT: i64 = i32::MAX as i64 / 2;

impl Numeric {
    /// Reads `12.50`, `-1e-5`, `NaN`, `Infinity`. Fails with 22P02, and with 22003 when it has too many digits.
    pub fn parse(text: &str) -> Result<Numeric> {
        let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
        let invalid = || {
            Error::new(
                sqlstate::INVALID_TEXT_REPRESENTATION,
                format!("invalid input syntax for type numeric: \"{text}\""),
            )
        };
        let (negative, unsigned) = match trimmed.as_bytes().first() {
            Some(b'-') => (true, &trimmed[1..]),
            Some(b'+') => (false, &trimmed[1..]),
            _ => (false, trimmed),
        };
        if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return special(trimmed).ok_or_else(invalid);
        }
        let (digits, exponent) = match unsigned.find(['e', 'E']) {
            Some(position) => (&unsigned[..position], parse_exponent(&unsigned[position + 1..]).ok_or_else(invalid)?),
            None => (unsigned, 0),
        };
        let (integer, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if integer.is_empty() && fraction.is_empty()
            || !integer.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
        {
            return Err(invalid());
        }
        from_digits(negative, integer, fraction, exponent)
    }
}

fn special(text: &str) -> Option<Numeric> {
    if text.eq_ignore_ascii_case("nan") {
        return Some(Numeric::NaN);
    }
    let (negative, name) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let infinite = name.eq_ignore_ascii_case("infinity") || name.eq_ignore_ascii_case("inf");
    infinite.then_some(if negative { Numeric::NegativeInfinity } else { Numeric::Infinity })
}

/// An exponent, held within limits that keep later sums from overflowing.
fn parse_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse::<i64>().unwrap_or(EXPONENT_LIMIT).min(EXPONENT_LIMIT);
    Some(if negative { -value } else { value })
}

/// integer.fraction × 10^exponent, all digits checked.
fn from_digits(negative: bool, integer: &str, fraction: &str, exponent: i64) -> Result<Numeric> {
    let scale = fraction.len() as i64 - exponent;
    if integer.len() + fraction.len() <= 38
        && let Ok(scale) = u16::try_from(scale)
        && scale <= MAX_SCALE
    {
        let mut mantissa: i128 = 0;
        for byte in integer.bytes().chain(fraction.bytes()) {
            mantissa = mantissa * 10 + i128::from(byte - b'0');
        }
        return Ok(Numeric::Small { mantissa: if negative { -mantissa } else { mantissa }, scale });
    }
    let digits = format!("{integer}{fraction}");
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Ok(Numeric::Small { mantissa: 0, scale: scale.clamp(0, i64::from(MAX_SCALE)) as u16 });
    }
    if significant.len() as i64 - scale > MAX_INTEGER_DIGITS as i64 {
        return Err(overflow());
    }
    let too_small = significant.len() as i64 - scale + 1 < -i64::from(MAX_SCALE);
    if too_small {
        return Ok(Numeric::Small { mantissa: 0, scale: MAX_SCALE });
    }
    let mantissa = BigInt::parse_bytes(significant.as_bytes(), 10).unwrap_or_default();
    let mantissa = if negative { -mantissa } else { mantissa };
    if scale < 0 {
        return Numeric::from_big(mantissa * power_of_ten(scale.unsigned_abs() as u32), 0);
    }
    let kept = scale.min(i64::from(MAX_SCALE));
    let mantissa = super::round::rescale_big(&mantissa, scale, kept, super::round::Rounding::HalfAway);
    Numeric::from_big(mantissa, kept as u16)
}

impl fmt::Display for Numeric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Numeric::NaN => formatter.write_str("NaN"),
            Numeric::Infinity => formatter.write_str("Infinity"),
            Numeric::NegativeInfinity => formatter.write_str("-Infinity"),
            Numeric::Small { mantissa, scale: 0 } => write!(formatter, "{mantissa}"),
            Numeric::Small { mantissa, scale } => {
                let mut buffer = [0u8; 39];
                let digits = digits_of(mantissa.unsigned_abs(), &mut buffer);
                write_decimal(formatter, *mantissa < 0, digits, usize::from(*scale))
            }
            Numeric::Big(big) => {
                let (mantissa, scale) = big.as_bigint_and_exponent();
                let negative = self.is_negative();
                write_decimal(formatter, negative, &mantissa.magnitude().to_string(), scale as usize)
            }
        }
    }
}

fn digits_of(mut value: u128, buffer: &mut [u8; 39]) -> &str {
    let mut start = buffer.len();
    while value > u128::from(u64::MAX) {
        start -= 1;
        buffer[start] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    let mut value = value as u64;
    while value > 0 || start == buffer.len() {
        start -= 1;
        buffer[start] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    std::str::from_utf8(&buffer[start..]).unwrap_or_default()
}

fn write_decimal(out: &mut fmt::Formatter<'_>, negative: bool, digits: &str, scale: usize) -> fmt::Result {
    if negative {
        out.write_str("-")?;
    }
    if scale == 0 {
        return out.write_str(digits);
    }
    match digits.len().checked_sub(scale) {
        Some(0) | None => {
            out.write_str("0.")?;
            for _ in digits.len()..scale {
                out.write_str("0")?;
            }
            out.write_str(digits)
        }
        Some(point) => {
            out.write_str(&digits[..point])?;
            out.write_str(".")?;
            out.write_str(&digits[point..])
        }
    }
}
