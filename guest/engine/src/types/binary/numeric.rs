//! numeric: digits of base 10000 with the first one's weight, a sign, and the display scale.

use super::invalid;
use super::reader::Reader;
use crate::error::Result;
use crate::types::numeric::Numeric;
use bigdecimal::num_bigint::{BigInt, Sign};

const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const INFINITY: u16 = 0xd000;
const NEGATIVE_INFINITY: u16 = 0xf000;

/// The display scale that PostgreSQL sends with infinities: a left-over of how it keeps them.
const INFINITE_SCALE: u16 = 0x20;

/// Bits that a display scale may have.
const SCALE_MASK: u16 = 0x3fff;

/// Decimal digits of one binary digit.
const DIGIT: usize = 4;

pub fn write(value: &Numeric, out: &mut Vec<u8>) {
    let mut header = |digits: usize, weight: i64, sign: u16, scale: u16| {
        for part in [digits as u16, weight as i16 as u16, sign, scale] {
            out.extend_from_slice(&part.to_be_bytes());
        }
    };
    let (mantissa, scale) = match value {
        Numeric::NaN => return header(0, 0, NAN, 0),
        Numeric::Infinity => return header(0, 0, INFINITY, INFINITE_SCALE),
        Numeric::NegativeInfinity => return header(0, 0, NEGATIVE_INFINITY, INFINITE_SCALE),
        Numeric::Small { mantissa, scale } => (mantissa.unsigned_abs().to_string(), *scale),
        Numeric::Big(_) => match value.to_big() {
            Some((mantissa, scale)) => (mantissa.magnitude().to_string(), scale),
            None => return header(0, 0, NAN, 0),
        },
    };
    // Zeros make both sides of the decimal point whole digits.
    let behind = usize::from(scale).div_ceil(DIGIT);
    let mut decimals = mantissa.into_bytes();
    decimals.extend(std::iter::repeat_n(b'0', behind * DIGIT - usize::from(scale)));
    let missing = decimals.len().next_multiple_of(DIGIT) - decimals.len();
    decimals.splice(0..0, std::iter::repeat_n(b'0', missing));
    let digit = |decimals: &[u8]| decimals.iter().fold(0u16, |digit, decimal| digit * 10 + u16::from(decimal - b'0'));
    let digits: Vec<u16> = decimals.chunks(DIGIT).map(digit).collect();
    let leading = digits.iter().take_while(|digit| **digit == 0).count();
    let end = digits.iter().rposition(|digit| *digit != 0).map_or(leading, |last| last + 1);
    let kept = &digits[leading..end];
    let weight = if kept.is_empty() { 0 } else { digits.len() as i64 - behind as i64 - 1 - leading as i64 };
    header(kept.len(), weight, if value.is_negative() { NEGATIVE } else { POSITIVE }, scale);
    kept.iter().for_each(|digit| out.extend_from_slice(&digit.to_be_bytes()));
}

pub fn read(reader: &mut Reader) -> Result<Numeric> {
    let part = |what: &str| invalid(format!("invalid {what} in external \"numeric\" value"));
    let count = usize::from(reader.u16()?);
    let weight = i64::from(reader.i16()?);
    let sign = reader.u16()?;
    let scale = reader.u16()?;
    if ![POSITIVE, NEGATIVE, NAN, INFINITY, NEGATIVE_INFINITY].contains(&sign) {
        return Err(part("sign"));
    }
    if scale & SCALE_MASK != scale {
        return Err(part("scale"));
    }
    let mut decimals = Vec::with_capacity(count.min(reader.len()) * DIGIT);
    for _ in 0..count {
        let digit = reader.u16()?;
        if digit >= 10_000 {
            return Err(part("digit"));
        }
        decimals.extend([digit / 1000, digit / 100 % 10, digit / 10 % 10, digit % 10].map(|digit| digit as u8));
    }
    match sign {
        NAN => return Ok(Numeric::NaN),
        INFINITY => return Ok(Numeric::Infinity),
        NEGATIVE_INFINITY => return Ok(Numeric::NegativeInfinity),
        _ => {}
    }
    // As many decimals as stand before the point and the scale asks for: others are cut off, missing ones are zeros.
    let leading = decimals.iter().take_while(|decimal| **decimal == 0).count();
    let before = (weight + 1) * DIGIT as i64;
    let wanted = before + i64::from(scale);
    if leading == decimals.len() || wanted <= leading as i64 {
        return Ok(Numeric::new(0, scale));
    }
    decimals.resize(wanted as usize, 0);
    decimals.drain(..leading);
    let magnitude = BigInt::from_radix_be(Sign::Plus, &decimals, 10).unwrap_or_default();
    Numeric::from_big(if sign == NEGATIVE { -magnitude } else { magnitude }, scale)
}
