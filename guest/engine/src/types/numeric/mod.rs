//! Exact decimals (PostgreSQL 15, section 8.1.2).
//!
//! Results carry the display scale that PostgreSQL gives them, so that they print the same digits.

mod arithmetic;
mod convert;
mod fixed_point;
mod modifier;
mod order;
mod power;
mod round;
mod scale;
mod text;

#[cfg(test)]
mod tests;

pub use modifier::apply_modifier;

use crate::error::{Error, Result, sqlstate};
use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;
use std::rc::Rc;

/// Most digits before the decimal point.
pub const MAX_INTEGER_DIGITS: u64 = 131_072;
/// Most digits after the decimal point.
pub const MAX_SCALE: u16 = 16_383;

/// An exact decimal with a display scale. Small ones are an i128 and a power of ten; the others own a big decimal.
/// A value is never `Big` when its mantissa fits an i128.
#[derive(Clone, Debug)]
pub enum Numeric {
    /// mantissa / 10^scale, printed with `scale` digits after the point
    Small {
        mantissa: i128,
        scale: u16,
    },
    Big(Rc<BigDecimal>),
    NaN,
    Infinity,
    NegativeInfinity,
}

impl Numeric {
    pub const ZERO: Numeric = Numeric::new(0, 0);
    pub const ONE: Numeric = Numeric::new(1, 0);

    /// mantissa / 10^scale, displayed with `scale` digits after the point.
    pub const fn new(mantissa: i128, scale: u16) -> Numeric {
        Numeric::Small { mantissa, scale }
    }

    /// mantissa / 10^scale. Fails with 22003 when it has more digits before the point than a numeric may have.
    pub fn from_big(mantissa: BigInt, scale: u16) -> Result<Numeric> {
        let value = Numeric::from_big_unchecked(mantissa, scale);
        if let Numeric::Big(big) = &value
            && big.digits().saturating_sub(u64::from(scale)) > MAX_INTEGER_DIGITS
        {
            return Err(overflow());
        }
        Ok(value)
    }

    /// For results that cannot have more integer digits than a numeric that already exists.
    fn from_big_unchecked(mantissa: BigInt, scale: u16) -> Numeric {
        match i128::try_from(&mantissa) {
            Ok(mantissa) => Numeric::Small { mantissa, scale },
            Err(_) => Numeric::Big(Rc::new(BigDecimal::new(mantissa, i64::from(scale)))),
        }
    }

    /// Mantissa and scale of a finite number.
    pub fn to_big(&self) -> Option<(BigInt, u16)> {
        match self {
            Numeric::Small { mantissa, scale } => Some((BigInt::from(*mantissa), *scale)),
            Numeric::Big(big) => {
                let (mantissa, scale) = big.as_bigint_and_exponent();
                Some((mantissa, scale as u16))
            }
            _ => None,
        }
    }

    /// Digits displayed after the point; 0 for NaN and the infinities.
    pub fn scale(&self) -> u16 {
        match self {
            Numeric::Small { scale, .. } => *scale,
            Numeric::Big(big) => big.fractional_digit_count() as u16,
            _ => 0,
        }
    }

    pub fn is_nan(&self) -> bool {
        matches!(self, Numeric::NaN)
    }

    pub fn is_finite(&self) -> bool {
        matches!(self, Numeric::Small { .. } | Numeric::Big(_))
    }

    pub fn is_infinite(&self) -> bool {
        matches!(self, Numeric::Infinity | Numeric::NegativeInfinity)
    }

    pub fn is_zero(&self) -> bool {
        matches!(self, Numeric::Small { mantissa: 0, .. })
    }

    pub fn is_negative(&self) -> bool {
        match self {
            Numeric::Small { mantissa, .. } => *mantissa < 0,
            Numeric::Big(big) => big.sign() == bigdecimal::num_bigint::Sign::Minus,
            Numeric::NegativeInfinity => true,
            Numeric::NaN | Numeric::Infinity => false,
        }
    }

    /// -1, 0 or 1; 1 for NaN, which no one should ask for.
    pub fn signum(&self) -> i32 {
        if self.is_zero() {
            0
        } else if self.is_negative() {
            -1
        } else {
            1
        }
    }

    /// Whether it is finite and has no fraction.
    pub fn is_integer(&self) -> bool {
        self.is_finite() && self.trunc(0) == *self
    }
}

/// 10^exponent.
fn power_of_ten(exponent: u32) -> BigInt {
    match 10i128.checked_pow(exponent) {
        Some(power) => BigInt::from(power),
        None => BigInt::from(10).pow(exponent),
    }
}

fn overflow() -> Error {
    Error::new(sqlstate::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
}

fn division_by_zero() -> Error {
    Error::new(sqlstate::DIVISION_BY_ZERO, "division by zero")
}
