//! The exponential function and the natural logarithm on binary fixed-point numbers of any precision.

use bigdecimal::num_bigint::BigInt;
use bigdecimal::num_traits::{Signed, ToPrimitive, Zero};

/// Bits that cover this many decimal digits.
fn bits_for(digits: u32) -> u64 {
    // log2(10) = 3.3219...
    u64::from(digits) * 33_220 / 10_000 + 1
}

/// value / 2^bits
#[derive(Clone, Debug)]
pub(super) struct FixedPoint {
    value: BigInt,
    bits: u64,
}

impl FixedPoint {
    /// mantissa / 10^scale, with `digits` digits after the point.
    pub fn from_decimal(mantissa: &BigInt, scale: u32, digits: u32) -> FixedPoint {
        let bits = bits_for(digits);
        let value = if scale == 0 { mantissa << bits } else { (mantissa << bits) / super::power_of_ten(scale) };
        FixedPoint { value, bits }
    }

    fn from_f64(value: f64, bits: u64) -> FixedPoint {
        // 2^60 keeps every bit of a float of the size that logarithms have.
        let scaled = BigInt::from((value * (1u64 << 60) as f64) as i128);
        let value = if bits >= 60 { scaled << (bits - 60) } else { scaled >> (60 - bits) };
        FixedPoint { value, bits }
    }

    fn one(bits: u64) -> BigInt {
        BigInt::from(1) << bits
    }

    /// The mantissa with `scale` decimal digits after the point, halves away from zero.
    pub fn to_decimal(&self, scale: u32) -> BigInt {
        let scaled: BigInt = self.value.abs() * super::power_of_ten(scale);
        let rounded = (scaled + (BigInt::from(1) << (self.bits - 1))) >> self.bits;
        if self.value.is_negative() { -rounded } else { rounded }
    }

    pub fn div(&self, other: &FixedPoint) -> FixedPoint {
        FixedPoint { value: (&self.value << other.bits) / &other.value, bits: self.bits }
    }

    /// e^self. The relative error is about that of `self`'s last digits.
    pub fn exp(&self) -> FixedPoint {
        if self.value.is_negative() {
            let positive = FixedPoint { value: -&self.value, bits: self.bits };
            // 1 / e^x needs as many more digits as e^x has before the point.
            let more = positive.integer_part() * 3 / 2 + 8;
            let wide = FixedPoint { value: positive.value << more, bits: self.bits + more }.exp();
            let quotient = (BigInt::from(1) << (wide.bits * 2)) / wide.value;
            return FixedPoint { value: quotient >> more, bits: self.bits };
        }
        // e^x = (e^(x / 2^n))^(2^n), with n such that the series needs about n terms too.
        let halvings =
            self.integer_part().checked_ilog2().map_or(0, |log| u64::from(log) + 1) + self.bits.isqrt() / 2 + 2;
        // Each squaring doubles the relative error.
        let bits = self.bits + halvings + 16;
        let reduced: BigInt = (&self.value << (bits - self.bits)) >> halvings;
        let mut term = FixedPoint::one(bits);
        let mut sum = term.clone();
        for divisor in 1u64.. {
            term = ((term * &reduced) >> bits) / divisor;
            if term.is_zero() {
                break;
            }
            sum += &term;
        }
        for _ in 0..halvings {
            sum = (&sum * &sum) >> bits;
        }
        FixedPoint { value: sum >> (bits - self.bits), bits: self.bits }
    }

    fn integer_part(&self) -> u64 {
        (&self.value >> self.bits).to_u64().unwrap_or(u64::from(u32::MAX))
    }

    /// The natural logarithm of a number between 0.5 and 20 by Halley's method, which triples the correct digits in
    /// each round.
    pub fn ln(&self) -> FixedPoint {
        let bits = self.bits + 8;
        let number: BigInt = &self.value << 8;
        let estimate = number.to_f64_scaled(bits).ln();
        let mut result = FixedPoint::from_f64(estimate, bits);
        // 2^-45 holds for the estimate; each round triples the exponent.
        let mut correct = 40;
        loop {
            let power = result.exp().value;
            let difference: BigInt = (&number - &power) << (bits + 1);
            result.value += difference / (&number + &power);
            if correct >= bits {
                break;
            }
            correct *= 3;
        }
        FixedPoint { value: result.value >> 8, bits: self.bits }
    }
}

trait ToScaledFloat {
    /// self / 2^bits
    fn to_f64_scaled(&self, bits: u64) -> f64;
}

impl ToScaledFloat for BigInt {
    fn to_f64_scaled(&self, bits: u64) -> f64 {
        let excess = bits.saturating_sub(64);
        (self >> excess).to_f64().unwrap_or(0.0) / 2f64.powi((bits - excess) as i32)
    }
}

/// ln(mantissa / 10^scale) with `digits` correct digits after the point; the number is positive.
pub(super) fn ln(mantissa: &BigInt, scale: u32, digits: u32) -> FixedPoint {
    let working = digits + 12;
    // number = reduced × 10^exponent, where reduced is near 1 whenever the number is.
    let length = mantissa.to_string().len() as i64;
    let mut exponent = length - i64::from(scale);
    let decimal = |exponent: i64| {
        let shifted_scale = i64::from(scale) + exponent;
        match u32::try_from(shifted_scale) {
            Ok(shifted_scale) => FixedPoint::from_decimal(mantissa, shifted_scale, working),
            Err(_) => {
                let raised = mantissa * super::power_of_ten(shifted_scale.unsigned_abs() as u32);
                FixedPoint::from_decimal(&raised, 0, working)
            }
        }
    };
    let mut reduced = decimal(exponent);
    if reduced.value < FixedPoint::one(reduced.bits) / 2 {
        exponent -= 1;
        reduced = decimal(exponent);
    }
    let mut result = reduced.ln();
    if exponent != 0 {
        let ten = FixedPoint::from_decimal(&BigInt::from(10), 0, working + 8).ln();
        result.value += (ten.value * exponent) >> (ten.bits - result.bits);
    }
    result
}
