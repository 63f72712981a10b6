//! numeric(precision, scale).

use super::{MAX_INTEGER_DIGITS, Numeric};
use crate::error::{Error, Result, sqlstate};

/// Precision and scale of a modifier.
pub fn precision_and_scale(modifier: i32) -> (u32, i32) {
    let packed = modifier - 4;
    // The scale is eleven bits, signed.
    (((packed >> 16) & 0xffff) as u32, ((packed & 0x7ff) ^ 1024) - 1024)
}

/// Rounds to the scale; fails with 22003 when that needs more digits than the precision allows.
pub fn apply_modifier(value: &Numeric, modifier: i32) -> Result<Numeric> {
    if modifier < 4 {
        return Ok(value.clone());
    }
    let (precision, scale) = precision_and_scale(modifier);
    let field_overflow =
        |detail: String| Err(Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow").detail(detail));
    match value {
        Numeric::NaN => return Ok(Numeric::NaN),
        Numeric::Infinity | Numeric::NegativeInfinity => {
            return field_overflow(format!(
                "A field with precision {precision}, scale {scale} cannot hold an infinite value."
            ));
        }
        _ => {}
    }
    let rounded = value.round(scale);
    let most = i64::from(precision) - i64::from(scale);
    let fits = match &rounded {
        Numeric::Small { mantissa: 0, .. } => true,
        Numeric::Small { mantissa, scale } => {
            i64::from(mantissa.unsigned_abs().ilog10()) + 1 - i64::from(*scale) <= most
        }
        Numeric::Big(big) => (big.digits().min(2 * MAX_INTEGER_DIGITS) as i64) - big.fractional_digit_count() <= most,
        _ => true,
    };
    if fits {
        return Ok(rounded);
    }
    let bound = if most == 0 { "1".to_string() } else { format!("10^{most}") };
    field_overflow(format!(
        "A field with precision {precision}, scale {scale} must round to an absolute value less than {bound}."
    ))
}
