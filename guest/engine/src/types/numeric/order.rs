//! Order and hash by value: 1.0 equals 1.00. NaN equals itself and is greater than everything else.

use super::Numeric;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

impl Numeric {
    /// Places among the special values; finite numbers are all 1.
    fn rank(&self) -> u8 {
        match self {
            Numeric::NegativeInfinity => 0,
            Numeric::Small { .. } | Numeric::Big(_) => 1,
            Numeric::Infinity => 2,
            Numeric::NaN => 3,
        }
    }
}

impl Ord for Numeric {
    fn cmp(&self, other: &Numeric) -> Ordering {
        if let (
            Numeric::Small { mantissa: left, scale: left_scale },
            Numeric::Small { mantissa: right, scale: right_scale },
        ) = (self, other)
        {
            if left_scale == right_scale || left.signum() != right.signum() {
                return left.cmp(right);
            }
            let difference = u32::from(left_scale.abs_diff(*right_scale));
            if let Some(power) = 10i128.checked_pow(difference) {
                let ordering = if left_scale < right_scale {
                    left.checked_mul(power).map(|left| left.cmp(right))
                } else {
                    right.checked_mul(power).map(|right| left.cmp(&right))
                };
                if let Some(ordering) = ordering {
                    return ordering;
                }
            }
        }
        match (self.to_big(), other.to_big()) {
            (Some((left, left_scale)), Some((right, right_scale))) => {
                let left = bigdecimal::BigDecimal::new(left, i64::from(left_scale));
                left.cmp(&bigdecimal::BigDecimal::new(right, i64::from(right_scale)))
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Numeric {
    fn partial_cmp(&self, other: &Numeric) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Numeric {
    fn eq(&self, other: &Numeric) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Numeric {}

impl Hash for Numeric {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Numeric::Small { mantissa, scale } => {
                let (mantissa, scale) = strip(*mantissa, *scale);
                mantissa.hash(state);
                scale.hash(state);
            }
            Numeric::Big(big) => {
                // A big number may be equal to a small one with fewer zeros at the end.
                let (mantissa, scale) = big.normalized().into_bigint_and_exponent();
                match i128::try_from(&mantissa) {
                    Ok(mantissa) => mantissa.hash(state),
                    Err(_) => mantissa.hash(state),
                }
                scale.hash(state);
            }
            special => special.rank().hash(state),
        }
    }
}

/// Without zeros at the end of the mantissa, so that equal numbers have equal parts.
fn strip(mantissa: i128, scale: u16) -> (i128, i64) {
    let mut scale = i64::from(scale);
    if mantissa == 0 {
        return (0, 0);
    }
    if let Ok(mut small) = i64::try_from(mantissa) {
        while small % 10 == 0 {
            small /= 10;
            scale -= 1;
        }
        return (i128::from(small), scale);
    }
    let mut mantissa = mantissa;
    while mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    (mantissa, scale)
}
