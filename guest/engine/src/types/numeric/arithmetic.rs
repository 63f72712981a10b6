//! Sum, difference, product, quotient and remainder.

use super::round::{Rounding, divide_rounded, divide_rounded_small, rescale_big};
use super::scale::division_scale;
use super::{MAX_SCALE, Numeric, division_by_zero, power_of_ten};
use crate::error::Result;
use bigdecimal::num_bigint::BigInt;
use bigdecimal::num_traits::Signed;

/// Both mantissas at the larger of the two scales.
fn align(left: (i128, u16), right: (i128, u16)) -> Option<(i128, i128, u16)> {
    let ((left, left_scale), (right, right_scale)) = (left, right);
    let raise = |mantissa: i128, by: u16| match by {
        0 => Some(mantissa),
        by => mantissa.checked_mul(10i128.checked_pow(u32::from(by))?),
    };
    let scale = left_scale.max(right_scale);
    Some((raise(left, scale - left_scale)?, raise(right, scale - right_scale)?, scale))
}

fn align_big(left: &Numeric, right: &Numeric) -> Option<(BigInt, BigInt, u16)> {
    let ((left, left_scale), (right, right_scale)) = (left.to_big()?, right.to_big()?);
    let scale = left_scale.max(right_scale);
    let raise = |mantissa: BigInt, by: u16| if by == 0 { mantissa } else { mantissa * power_of_ten(u32::from(by)) };
    Some((raise(left, scale - left_scale), raise(right, scale - right_scale), scale))
}

/// The larger scale, mantissas aligned, as small numbers when they fit.
fn aligned_small(left: &Numeric, right: &Numeric) -> Option<(i128, i128, u16)> {
    match (left, right) {
        (
            Numeric::Small { mantissa: left, scale: left_scale },
            Numeric::Small { mantissa: right, scale: right_scale },
        ) => align((*left, *left_scale), (*right, *right_scale)),
        _ => None,
    }
}

impl Numeric {
    pub fn add(&self, other: &Numeric) -> Result<Numeric> {
        if let Some((left, right, scale)) = aligned_small(self, other)
            && let Some(mantissa) = left.checked_add(right)
        {
            return Ok(Numeric::Small { mantissa, scale });
        }
        if let Some((left, right, scale)) = align_big(self, other) {
            return Numeric::from_big(left + right, scale);
        }
        Ok(match (self, other) {
            (Numeric::NaN, _) | (_, Numeric::NaN) => Numeric::NaN,
            (Numeric::Infinity, Numeric::NegativeInfinity) | (Numeric::NegativeInfinity, Numeric::Infinity) => {
                Numeric::NaN
            }
            (Numeric::Infinity | Numeric::NegativeInfinity, _) => self.clone(),
            _ => other.clone(),
        })
    }

    pub fn sub(&self, other: &Numeric) -> Result<Numeric> {
        if let Some((left, right, scale)) = aligned_small(self, other)
            && let Some(mantissa) = left.checked_sub(right)
        {
            return Ok(Numeric::Small { mantissa, scale });
        }
        self.add(&other.neg())
    }

    pub fn mul(&self, other: &Numeric) -> Result<Numeric> {
        if let (
            Numeric::Small { mantissa: left, scale: left_scale },
            Numeric::Small { mantissa: right, scale: right_scale },
        ) = (self, other)
            && let Some(mantissa) = left.checked_mul(*right)
            && left_scale + right_scale <= MAX_SCALE
        {
            return Ok(Numeric::Small { mantissa, scale: left_scale + right_scale });
        }
        if let (Some((left, left_scale)), Some((right, right_scale))) = (self.to_big(), other.to_big()) {
            let scale = i64::from(left_scale) + i64::from(right_scale);
            let kept = scale.min(i64::from(MAX_SCALE));
            return Numeric::from_big(rescale_big(&(left * right), scale, kept, Rounding::HalfAway), kept as u16);
        }
        Ok(match (self, other) {
            (Numeric::NaN, _) | (_, Numeric::NaN) => Numeric::NaN,
            _ => infinity_of_sign(self.signum() * other.signum()),
        })
    }

    /// The quotient at the scale that PostgreSQL selects. Fails with 22012 for a divisor of zero.
    pub fn div(&self, other: &Numeric) -> Result<Numeric> {
        if let Some(special) = self.special_quotient(other)? {
            return Ok(special);
        }
        self.quotient(other, division_scale(self, other), Rounding::HalfAway)
    }

    /// The quotient without its fraction, as `div(a, b)` gives it.
    pub fn div_trunc(&self, other: &Numeric) -> Result<Numeric> {
        if let Some(special) = self.special_quotient(other)? {
            return Ok(special);
        }
        self.quotient(other, 0, Rounding::TowardsZero)
    }

    /// Quotients with NaN, an infinity or zero in them.
    fn special_quotient(&self, other: &Numeric) -> Result<Option<Numeric>> {
        Ok(Some(match (self, other) {
            (Numeric::NaN, _) | (_, Numeric::NaN) => Numeric::NaN,
            _ if other.is_zero() => return Err(division_by_zero()),
            _ if self.is_infinite() && other.is_infinite() => Numeric::NaN,
            _ if self.is_infinite() => infinity_of_sign(self.signum() * other.signum()),
            _ if other.is_infinite() => Numeric::ZERO,
            _ => return Ok(None),
        }))
    }

    /// The quotient of two finite numbers at a given scale; `other` is not zero.
    pub(super) fn quotient(&self, other: &Numeric, scale: u16, rounding: Rounding) -> Result<Numeric> {
        if let (
            Numeric::Small { mantissa: left, scale: left_scale },
            Numeric::Small { mantissa: right, scale: right_scale },
        ) = (self, other)
        {
            // left / 10^ls / (right / 10^rs) * 10^scale = left * 10^(scale + rs - ls) / right
            let shift = i32::from(scale) + i32::from(*right_scale) - i32::from(*left_scale);
            let power = 10i128.checked_pow(shift.unsigned_abs());
            let (dividend, divisor) = match power {
                Some(power) if shift >= 0 => (left.checked_mul(power), Some(*right)),
                Some(power) => (Some(*left), right.checked_mul(power)),
                None => (None, None),
            };
            if let (Some(dividend), Some(divisor)) = (dividend, divisor)
                && let (Some(dividend), Some(divisor)) = (dividend.checked_mul(divisor.signum()), divisor.checked_abs())
            {
                return Ok(Numeric::Small { mantissa: divide_rounded_small(dividend, divisor, rounding), scale });
            }
        }
        let (Some((left, left_scale)), Some((right, right_scale))) = (self.to_big(), other.to_big()) else {
            return Ok(Numeric::NaN);
        };
        let shift = i64::from(scale) + i64::from(right_scale) - i64::from(left_scale);
        let power = power_of_ten(shift.unsigned_abs() as u32);
        let (dividend, divisor) = if shift >= 0 { (left * power, right) } else { (left, right * power) };
        let dividend = if divisor.is_negative() { -dividend } else { dividend };
        Numeric::from_big(divide_rounded(&dividend, &divisor.abs(), rounding), scale)
    }

    /// The remainder, with the sign of the dividend and the larger scale. Fails with 22012 for a divisor of zero.
    pub fn rem(&self, other: &Numeric) -> Result<Numeric> {
        match (self, other) {
            (Numeric::NaN, _) | (_, Numeric::NaN) => return Ok(Numeric::NaN),
            _ if self.is_infinite() => {
                return if other.is_zero() { Err(division_by_zero()) } else { Ok(Numeric::NaN) };
            }
            _ if other.is_infinite() => return Ok(self.clone()),
            _ if other.is_zero() => return Err(division_by_zero()),
            _ => {}
        }
        if let Some((left, right, scale)) = aligned_small(self, other) {
            return Ok(Numeric::Small { mantissa: left.checked_rem(right).unwrap_or(0), scale });
        }
        match align_big(self, other) {
            Some((left, right, scale)) => Numeric::from_big(left % right, scale),
            None => Ok(Numeric::NaN),
        }
    }

    pub fn neg(&self) -> Numeric {
        match self {
            Numeric::Small { mantissa, scale } => match mantissa.checked_neg() {
                Some(mantissa) => Numeric::Small { mantissa, scale: *scale },
                None => Numeric::from_big_unchecked(-BigInt::from(*mantissa), *scale),
            },
            Numeric::Big(_) => match self.to_big() {
                Some((mantissa, scale)) => Numeric::from_big_unchecked(-mantissa, scale),
                None => Numeric::NaN,
            },
            Numeric::NaN => Numeric::NaN,
            Numeric::Infinity => Numeric::NegativeInfinity,
            Numeric::NegativeInfinity => Numeric::Infinity,
        }
    }

    pub fn abs(&self) -> Numeric {
        if self.is_negative() { self.neg() } else { self.clone() }
    }
}

/// The infinity with this sign; NaN for 0, which is what infinity times zero gives.
fn infinity_of_sign(sign: i32) -> Numeric {
    match sign {
        0 => Numeric::NaN,
        1 => Numeric::Infinity,
        _ => Numeric::NegativeInfinity,
    }
}
