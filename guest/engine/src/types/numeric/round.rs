//! Rounding to a scale.

use super::{MAX_SCALE, Numeric, power_of_ten};
use bigdecimal::num_bigint::{BigInt, Sign};
use bigdecimal::num_traits::Signed;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Rounding {
    /// Halves go away from zero.
    HalfAway,
    TowardsZero,
    Up,
    Down,
}

/// value / divisor, where `divisor` is positive.
pub(super) fn divide_rounded(value: &BigInt, divisor: &BigInt, rounding: Rounding) -> BigInt {
    let quotient = value / divisor;
    let remainder = value - &quotient * divisor;
    if remainder.sign() == Sign::NoSign {
        return quotient;
    }
    let negative = remainder.is_negative();
    let away = match rounding {
        Rounding::HalfAway => remainder.abs() * 2u32 >= *divisor,
        Rounding::TowardsZero => false,
        Rounding::Up => !negative,
        Rounding::Down => negative,
    };
    match (away, negative) {
        (false, _) => quotient,
        (true, true) => quotient - 1,
        (true, false) => quotient + 1,
    }
}

/// The same for small numbers.
pub(super) fn divide_rounded_small(value: i128, divisor: i128, rounding: Rounding) -> i128 {
    let (quotient, remainder) = match (i64::try_from(value), i64::try_from(divisor)) {
        (Ok(value), Ok(divisor)) => (i128::from(value.wrapping_div(divisor)), i128::from(value.wrapping_rem(divisor))),
        _ => (value / divisor, value % divisor),
    };
    if remainder == 0 {
        return quotient;
    }
    let away = match rounding {
        Rounding::HalfAway => remainder.unsigned_abs() >= divisor.unsigned_abs() - remainder.unsigned_abs(),
        Rounding::TowardsZero => false,
        Rounding::Up => remainder > 0,
        Rounding::Down => remainder < 0,
    };
    if away { quotient + remainder.signum() } else { quotient }
}

/// mantissa / 10^scale with the mantissa that belongs to `to` digits after the point.
pub(super) fn rescale_big(mantissa: &BigInt, scale: i64, to: i64, rounding: Rounding) -> BigInt {
    if to >= scale {
        mantissa * power_of_ten((to - scale) as u32)
    } else {
        divide_rounded(mantissa, &power_of_ten((scale - to) as u32), rounding)
    }
}

impl Numeric {
    fn rounded(&self, digits: i32, rounding: Rounding) -> Numeric {
        let digits = digits.clamp(-(super::MAX_INTEGER_DIGITS as i32), i32::from(MAX_SCALE));
        let result_scale = digits.max(0) as u16;
        if let Numeric::Small { mantissa, scale } = self {
            let difference = digits - i32::from(*scale);
            if difference == 0 {
                return self.clone();
            }
            let power = 10i128.checked_pow(difference.unsigned_abs());
            match power {
                Some(power) if difference < 0 => {
                    let quotient = divide_rounded_small(*mantissa, power, rounding);
                    let back = if digits < 0 { 10i128.checked_pow(digits.unsigned_abs()) } else { Some(1) };
                    if let Some(mantissa) = back.and_then(|back| quotient.checked_mul(back)) {
                        return Numeric::Small { mantissa, scale: result_scale };
                    }
                }
                Some(power) => {
                    if let Some(mantissa) = mantissa.checked_mul(power) {
                        return Numeric::Small { mantissa, scale: result_scale };
                    }
                }
                None if *mantissa == 0 => return Numeric::Small { mantissa: 0, scale: result_scale },
                None => {}
            }
        }
        let Some((mantissa, scale)) = self.to_big() else { return self.clone() };
        let rounded = rescale_big(&mantissa, i64::from(scale), i64::from(digits), rounding);
        let back = if digits < 0 { rounded * power_of_ten(digits.unsigned_abs()) } else { rounded };
        Numeric::from_big_unchecked(back, result_scale)
    }

    /// With `digits` digits after the point (before it, when negative), halves away from zero.
    pub fn round(&self, digits: i32) -> Numeric {
        self.rounded(digits, Rounding::HalfAway)
    }

    /// With `digits` digits after the point (before it, when negative), towards zero.
    pub fn trunc(&self, digits: i32) -> Numeric {
        self.rounded(digits, Rounding::TowardsZero)
    }

    pub fn ceil(&self) -> Numeric {
        self.rounded(0, Rounding::Up)
    }

    pub fn floor(&self) -> Numeric {
        self.rounded(0, Rounding::Down)
    }

    /// The least scale that shows every digit.
    pub fn min_scale(&self) -> u16 {
        match self {
            Numeric::Small { mantissa: 0, .. } => 0,
            Numeric::Small { mantissa, scale } => {
                let (mut mantissa, mut scale) = (*mantissa, *scale);
                while scale > 0 && mantissa % 10 == 0 {
                    mantissa /= 10;
                    scale -= 1;
                }
                scale
            }
            Numeric::Big(big) => big.normalized().fractional_digit_count().max(0) as u16,
            _ => 0,
        }
    }

    /// Without the zeros at the end of its fraction.
    pub fn trim_scale(&self) -> Numeric {
        if self.is_finite() { self.trunc(i32::from(self.min_scale())) } else { self.clone() }
    }
}
