//! To and from the other number types.

use super::Numeric;
use crate::types::text::float;

impl Numeric {
    pub const fn from_i64(value: i64) -> Numeric {
        Numeric::new(value as i128, 0)
    }

    pub const fn from_i128(value: i128) -> Numeric {
        Numeric::new(value, 0)
    }

    /// The float's 15 significant digits, as the cast gives them.
    pub fn from_f64(value: f64) -> Numeric {
        Numeric::from_float(value, 15)
    }

    /// The float's 6 significant digits, as the cast gives them.
    pub fn from_f32(value: f32) -> Numeric {
        Numeric::from_float(f64::from(value), 6)
    }

    fn from_float(value: f64, digits: usize) -> Numeric {
        if value.is_nan() {
            return Numeric::NaN;
        }
        if value.is_infinite() {
            return if value > 0.0 { Numeric::Infinity } else { Numeric::NegativeInfinity };
        }
        // A float has at most 309 digits before the point and 340 after it: always within range.
        Numeric::parse(&float::significant_digits(value, digits)).unwrap_or(Numeric::NaN)
    }

    /// Rounded to an integer, halves away from zero; none when it does not fit or is not finite.
    pub fn to_i64(&self) -> Option<i64> {
        self.to_i128().and_then(|value| i64::try_from(value).ok())
    }

    /// Rounded to an integer, halves away from zero; none when it does not fit or is not finite.
    pub fn to_i128(&self) -> Option<i128> {
        match self {
            Numeric::Small { mantissa, scale: 0 } => Some(*mantissa),
            _ => match self.round(0) {
                Numeric::Small { mantissa, .. } => Some(mantissa),
                _ => None,
            },
        }
    }

    /// The nearest float; infinite when out of range.
    pub fn to_f64(&self) -> f64 {
        match self {
            Numeric::NaN => f64::NAN,
            Numeric::Infinity => f64::INFINITY,
            Numeric::NegativeInfinity => f64::NEG_INFINITY,
            // Both are exact, so the quotient is the nearest float.
            Numeric::Small { mantissa, scale } if *scale <= 22 && mantissa.unsigned_abs() < 1 << 53 => {
                *mantissa as f64 / 10f64.powi(i32::from(*scale))
            }
            _ => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// The nearest float; infinite when out of range.
    pub fn to_f32(&self) -> f32 {
        match self {
            Numeric::NaN => f32::NAN,
            Numeric::Infinity => f32::INFINITY,
            Numeric::NegativeInfinity => f32::NEG_INFINITY,
            _ => self.to_string().parse().unwrap_or(f32::NAN),
        }
    }
}
