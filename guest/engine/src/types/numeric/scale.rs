//! Which scale PostgreSQL gives to results that have no exact one.
//!
//! PostgreSQL counts in digits of base 10000, and that shows in the scales: `weight` is the power of 10000 of the
//! first such digit that is not zero.

use super::Numeric;

/// Results have at least this many significant digits.
pub(super) const MIN_SIGNIFICANT_DIGITS: i32 = 16;
/// Division and the transcendental functions never choose a larger scale.
pub(super) const MAX_DISPLAY_SCALE: i32 = 1000;
/// Decimal digits in one digit of PostgreSQL's base 10000.
pub(super) const DECIMAL_DIGITS: i32 = 4;

/// A number's leading digits in base 10000.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Leading {
    /// The power of 10000 of the first digit; 0 for zero.
    pub weight: i32,
    /// The first digit in base 10000, 0 for zero.
    pub first: u32,
    /// The first digits in base 10000, at most four of them, as one number; trailing zero digits are left out.
    pub digits: u64,
    /// How many base-10000 digits `digits` holds.
    pub count: i32,
}

pub(super) fn leading(value: &Numeric) -> Leading {
    let (digits, scale) = match value {
        Numeric::Small { mantissa: 0, .. } => return Leading { weight: 0, first: 0, digits: 0, count: 0 },
        Numeric::Small { mantissa, scale } => {
            return leading_small(mantissa.unsigned_abs(), i32::from(*scale));
        }
        Numeric::Big(_) => match value.to_big() {
            Some((mantissa, scale)) => (mantissa.magnitude().to_string(), i32::from(scale)),
            None => return Leading { weight: 0, first: 0, digits: 0, count: 0 },
        },
        _ => return Leading { weight: 0, first: 0, digits: 0, count: 0 },
    };
    // The position of the digit after the last one that is kept must be on a base-10000 boundary: the first 20
    // decimal digits are always enough for four of base 10000.
    let kept = digits.len().min(20);
    let dropped = (digits.len() - kept) as i32;
    let kept = digits.get(..kept).and_then(|kept| kept.parse().ok()).unwrap_or(0);
    leading_small(kept, scale - dropped)
}

fn leading_small(mantissa: u128, scale: i32) -> Leading {
    let exponent = mantissa.ilog10() as i32 - scale;
    let weight = exponent.div_euclid(DECIMAL_DIGITS);
    let at_weight = |weight: i32| -> u128 {
        // mantissa / 10^scale / 10000^weight, without its fraction
        let shift = -scale - weight * DECIMAL_DIGITS;
        if shift >= 0 {
            mantissa.saturating_mul(10u128.saturating_pow(shift as u32))
        } else {
            10u128.checked_pow(shift.unsigned_abs()).map_or(0, |power| mantissa / power)
        }
    };
    let first = at_weight(weight) as u32;
    let mut digits = at_weight(weight - 3) as u64;
    let mut count = 4;
    while count > 1 && digits.is_multiple_of(10_000) {
        digits /= 10_000;
        count -= 1;
    }
    Leading { weight, first, digits, count }
}

/// The scale of `dividend / divisor`.
pub(super) fn division_scale(dividend: &Numeric, divisor: &Numeric) -> u16 {
    let (first, second) = (leading(dividend), leading(divisor));
    let mut weight = first.weight - second.weight;
    if first.first <= second.first {
        weight -= 1;
    }
    display_scale(weight * DECIMAL_DIGITS, &[dividend, divisor])
}

/// The scale for a result whose first significant digit is at 10^exponent, not less than that of the operands.
pub(super) fn display_scale(exponent: i32, operands: &[&Numeric]) -> u16 {
    let least = operands.iter().map(|operand| i32::from(operand.scale())).max().unwrap_or(0);
    (MIN_SIGNIFICANT_DIGITS - exponent).max(least).clamp(0, MAX_DISPLAY_SCALE) as u16
}
