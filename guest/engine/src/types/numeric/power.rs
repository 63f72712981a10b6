//! Roots, powers, exponentials and logarithms, at the scales that PostgreSQL selects.

use super::fixed_point::{self, FixedPoint};
use super::round::{Rounding, divide_rounded, rescale_big};
use super::scale::{DECIMAL_DIGITS, MAX_DISPLAY_SCALE, MIN_SIGNIFICANT_DIGITS, display_scale, leading};
use super::{Numeric, division_by_zero, overflow, power_of_ten};
use crate::error::{Error, Result, sqlstate};
use bigdecimal::num_bigint::BigInt;
use bigdecimal::num_traits::Signed;

/// log10(e)
const LOG10_E: f64 = std::f64::consts::LOG10_E;
/// e^x is out of range from this x on, whatever the digits.
const MAX_EXPONENT: f64 = 6000.0;

fn logarithm_error(what: &str) -> Error {
    Error::new(sqlstate::INVALID_ARGUMENT_FOR_LOGARITHM, format!("cannot take logarithm of {what}"))
}

fn power_error(message: &str) -> Error {
    Error::new(sqlstate::INVALID_ARGUMENT_FOR_POWER_FUNCTION, message)
}

/// About the power of ten of a number's natural logarithm.
fn ln_exponent(value: &Numeric) -> i32 {
    let near_one = Numeric::new(9, 1) <= *value && *value <= Numeric::new(11, 1);
    if near_one {
        // ln(1 + x) is about x.
        let Ok(difference) = value.sub(&Numeric::ONE) else { return 0 };
        if difference.is_zero() {
            return 0;
        }
        let first = leading(&difference);
        return first.weight * DECIMAL_DIGITS + f64::from(first.first).log10() as i32;
    }
    let first = leading(value);
    if first.count == 0 {
        return 0;
    }
    // The two first digits in base 10000.
    let (digits, weight) = if first.count > 1 {
        (first.digits / 10_000u64.pow(first.count as u32 - 2), first.weight - 1)
    } else {
        (first.digits, first.weight)
    };
    let ln = (digits as f64).ln() + f64::from(weight * DECIMAL_DIGITS) * std::f64::consts::LN_10;
    ln.abs().log10() as i32
}

impl Numeric {
    /// Fails with 2201F for negative numbers.
    pub fn sqrt(&self) -> Result<Numeric> {
        if self.is_nan() || matches!(self, Numeric::Infinity) {
            return Ok(self.clone());
        }
        if self.is_negative() {
            return Err(power_error("cannot take square root of a negative number"));
        }
        let weight = leading(self).weight;
        let scale = display_scale((weight + 1) * DECIMAL_DIGITS / 2 - 1, &[self]);
        let Some((mantissa, own_scale)) = self.to_big() else { return Ok(Numeric::NaN) };
        // One digit more than the result has decides how it is rounded: a root never ends in exactly one half.
        let radicand = rescale_big(&mantissa, i64::from(own_scale), 2 * (i64::from(scale) + 1), Rounding::TowardsZero);
        Numeric::from_big(divide_rounded(&radicand.sqrt(), &BigInt::from(10), Rounding::HalfAway), scale)
    }

    /// e^self. Fails with 22003 when it is too large.
    pub fn exp(&self) -> Result<Numeric> {
        match self {
            Numeric::NaN | Numeric::Infinity => return Ok(self.clone()),
            Numeric::NegativeInfinity => return Ok(Numeric::ZERO),
            _ => {}
        }
        let estimate = (self.to_f64() * LOG10_E).clamp(-2000.0, 2000.0);
        let scale = display_scale(estimate as i32, &[self]);
        self.exp_at(scale)
    }

    fn exp_at(&self, scale: u16) -> Result<Numeric> {
        let value = self.to_f64();
        if value.abs() >= MAX_EXPONENT {
            return if value > 0.0 { Err(overflow()) } else { Ok(Numeric::new(0, scale)) };
        }
        let Some((mantissa, own_scale)) = self.to_big() else { return Ok(Numeric::NaN) };
        let integer_digits = (value * LOG10_E).max(0.0) as u32;
        // Half as many digits again, for results that are nearly halfway: e^x is very close to 1 + x + x²/2.
        let digits = u32::from(scale) * 3 / 2 + integer_digits + 12;
        let power = FixedPoint::from_decimal(&mantissa, u32::from(own_scale), digits).exp();
        Numeric::from_big(power.to_decimal(u32::from(scale)), scale)
    }

    /// The natural logarithm. Fails with 2201E for zero and negative numbers.
    pub fn ln(&self) -> Result<Numeric> {
        if let Some(special) = self.special_logarithm()? {
            return Ok(special);
        }
        self.ln_at(display_scale(ln_exponent(self), &[self]))
    }

    fn special_logarithm(&self) -> Result<Option<Numeric>> {
        match self {
            Numeric::NaN | Numeric::Infinity => Ok(Some(self.clone())),
            _ if self.is_negative() => Err(logarithm_error("a negative number")),
            _ if self.is_zero() => Err(logarithm_error("zero")),
            _ => Ok(None),
        }
    }

    /// The natural logarithm of a positive number.
    fn ln_at(&self, scale: u16) -> Result<Numeric> {
        let Some((mantissa, own_scale)) = self.to_big() else { return Ok(Numeric::NaN) };
        let result = fixed_point::ln(&mantissa, u32::from(own_scale), u32::from(scale));
        Numeric::from_big(result.to_decimal(u32::from(scale)), scale)
    }

    /// The logarithm to base 10.
    pub fn log10(&self) -> Result<Numeric> {
        self.log(&Numeric::from_i64(10))
    }

    /// The logarithm to a base. Fails with 2201E for zero and negative numbers, 22012 for base 1.
    pub fn log(&self, base: &Numeric) -> Result<Numeric> {
        if self.is_nan() || base.is_nan() {
            return Ok(Numeric::NaN);
        }
        if (base.is_infinite() || self.is_infinite()) && (base.is_negative() || self.is_negative()) {
            return Err(logarithm_error("a negative number"));
        }
        for number in [base, self] {
            number.special_logarithm()?;
        }
        match (base.is_infinite(), self.is_infinite()) {
            (true, true) => return Ok(Numeric::NaN),
            (true, false) => return Ok(Numeric::ZERO),
            (false, true) => return Ok(Numeric::Infinity),
            (false, false) => {}
        }
        let (base_exponent, own_exponent) = (ln_exponent(base), ln_exponent(self));
        let exponent = own_exponent - base_exponent;
        let scale = display_scale(exponent, &[self, base]);
        let working = i32::from(scale) + exponent + 12;
        let (Some((mantissa, own_scale)), Some((base_mantissa, base_scale))) = (self.to_big(), base.to_big()) else {
            return Ok(Numeric::NaN);
        };
        let base_digits = (working - base_exponent).max(12) as u32;
        let own_digits = (working - own_exponent).max(12) as u32;
        let denominator = fixed_point::ln(&base_mantissa, u32::from(base_scale), base_digits);
        if denominator.to_decimal(base_digits) == BigInt::from(0) {
            return Err(division_by_zero());
        }
        let digits = own_digits.max(u32::from(scale) + 12);
        let numerator = fixed_point::ln(&mantissa, u32::from(own_scale), digits);
        Numeric::from_big(numerator.div(&denominator).to_decimal(u32::from(scale)), scale)
    }

    /// self^exponent. Fails with 2201F for a root of a negative number or a negative power of zero.
    pub fn power(&self, exponent: &Numeric) -> Result<Numeric> {
        if let Some(special) = self.special_power(exponent)? {
            return Ok(special);
        }
        if self.is_zero() && exponent.is_negative() {
            return Err(power_error("zero raised to a negative power is undefined"));
        }
        let whole = exponent.is_integer();
        if self.is_negative() && !whole {
            return Err(power_error("a negative number raised to a non-integer power yields a complex result"));
        }
        if whole && let Some(exponent) = exponent.to_i64().and_then(|exponent| i32::try_from(exponent).ok()) {
            return self.integer_power(exponent);
        }
        if self.is_zero() {
            return Ok(Numeric::new(0, MIN_SIGNIFICANT_DIGITS as u16));
        }
        let negative = self.is_negative() && exponent.rem(&Numeric::from_i64(2))?.signum() != 0;
        let base = self.abs();
        let base_ln_exponent = ln_exponent(&base);
        // With about eight significant digits, as PostgreSQL has them: where the result is close to a power of ten,
        // the scale depends on their rounding.
        let estimate_scale = (8 - base_ln_exponent).max(0);
        let estimate = base.ln_at(estimate_scale as u16)?.mul(exponent)?.round(estimate_scale).to_f64();
        if estimate.abs() > MAX_EXPONENT * 1.003_333 {
            let underflow = Numeric::new(0, MAX_DISPLAY_SCALE as u16);
            return if estimate > 0.0 { Err(overflow()) } else { Ok(underflow) };
        }
        let weight = (estimate * LOG10_E) as i32;
        let scale = display_scale(weight, &[&base, exponent]);
        let local_scale = (i32::from(scale) + weight - base_ln_exponent + 12).max(0);
        let exponent_digits = leading(exponent).weight.max(0) * DECIMAL_DIGITS + DECIMAL_DIGITS;
        let product = base.ln_at((local_scale + exponent_digits) as u16)?.mul(exponent)?;
        let power = product.round(local_scale + 8).exp_at(scale)?;
        Ok(if negative { power.neg() } else { power })
    }

    /// Powers with NaN or an infinity in them, as C's pow() has them.
    fn special_power(&self, exponent: &Numeric) -> Result<Option<Numeric>> {
        if self.is_finite() && exponent.is_finite() {
            return Ok(None);
        }
        if self.is_nan() {
            return Ok(Some(if exponent.is_zero() { Numeric::ONE } else { Numeric::NaN }));
        }
        if exponent.is_nan() {
            return Ok(Some(if *self == Numeric::ONE { Numeric::ONE } else { Numeric::NaN }));
        }
        if self.is_zero() && exponent.is_negative() {
            return Err(power_error("zero raised to a negative power is undefined"));
        }
        if self.is_negative() && exponent.is_finite() && !exponent.is_integer() {
            return Err(power_error("a negative number raised to a non-integer power yields a complex result"));
        }
        if *self == Numeric::ONE || exponent.is_zero() {
            return Ok(Some(Numeric::ONE));
        }
        if exponent.is_infinite() {
            let magnitude = self.abs();
            return Ok(Some(match (magnitude.cmp(&Numeric::ONE), exponent.is_negative()) {
                (std::cmp::Ordering::Equal, _) => Numeric::ONE,
                (std::cmp::Ordering::Greater, false) | (std::cmp::Ordering::Less, true) => Numeric::Infinity,
                _ => Numeric::ZERO,
            }));
        }
        if exponent.is_negative() {
            return Ok(Some(Numeric::ZERO));
        }
        let odd = exponent.rem(&Numeric::from_i64(2))?.signum() != 0;
        Ok(Some(if self.is_negative() && odd { Numeric::NegativeInfinity } else { Numeric::Infinity }))
    }

    /// self^exponent for finite numbers, by repeated squaring.
    fn integer_power(&self, exponent: i32) -> Result<Numeric> {
        let scale = display_scale(0, &[self]);
        match exponent {
            0 => return Ok(Numeric::ONE.round(i32::from(scale))),
            1 => return Ok(self.round(i32::from(scale))),
            -1 => return Numeric::ONE.quotient(self, scale, Rounding::HalfAway),
            2 => return self.mul(self).map(|square| square.round(i32::from(scale))),
            _ if self.is_zero() => return Ok(Numeric::new(0, scale)),
            _ => {}
        }
        let first = leading(self);
        let exponent_of_last = (first.weight - first.count + 1) * DECIMAL_DIGITS;
        let exponent_of_result = f64::from(exponent) * ((first.digits as f64).log10() + f64::from(exponent_of_last));
        if exponent_of_result > f64::from(3 * i32::from(i16::MAX) * DECIMAL_DIGITS) {
            return Err(overflow());
        }
        if exponent_of_result + 1.0 < -f64::from(scale) || exponent_of_result + 1.0 < -f64::from(MAX_DISPLAY_SCALE) {
            return Ok(Numeric::new(0, scale));
        }
        let significant = 1 + i64::from(scale) + exponent_of_result as i64;
        let kept = (significant.max(1) as u64) + f64::from(exponent.unsigned_abs()).log10() as u64 + 12;
        let Some((base, base_scale)) = self.to_big() else { return Ok(Numeric::NaN) };
        let (mantissa, mantissa_scale) = raise((base, i64::from(base_scale)), exponent.unsigned_abs(), kept);
        if exponent > 0 {
            let rounded = rescale_big(&mantissa, mantissa_scale, i64::from(scale), Rounding::HalfAway);
            return Numeric::from_big(rounded, scale);
        }
        // 10^(mantissa_scale + scale) / mantissa
        let shift = mantissa_scale + i64::from(scale);
        let dividend = if shift >= 0 { power_of_ten(shift as u32) } else { BigInt::from(0) };
        let dividend = if mantissa.is_negative() { -dividend } else { dividend };
        Numeric::from_big(divide_rounded(&dividend, &mantissa.abs(), Rounding::HalfAway), scale)
    }
}

/// (mantissa / 10^scale)^exponent, holding on to about `digits` significant digits.
fn raise((mantissa, scale): (BigInt, i64), exponent: u32, digits: u64) -> (BigInt, i64) {
    let shorten = |mantissa: BigInt, scale: i64| {
        let length = (mantissa.bits() as f64 * std::f64::consts::LOG10_2) as u64;
        match length.checked_sub(digits + 8) {
            Some(excess) if excess > 0 => {
                (divide_rounded(&mantissa, &power_of_ten(excess as u32), Rounding::HalfAway), scale - excess as i64)
            }
            _ => (mantissa, scale),
        }
    };
    let (mut result, mut result_scale) = (BigInt::from(1), 0);
    let (mut square, mut square_scale) = (mantissa, scale);
    let mut rest = exponent;
    loop {
        if rest & 1 == 1 {
            (result, result_scale) = shorten(result * &square, result_scale + square_scale);
        }
        rest >>= 1;
        if rest == 0 {
            return (result, result_scale);
        }
        (square, square_scale) = shorten(&square * &square, square_scale * 2);
    }
}
