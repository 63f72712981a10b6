//! Floating-point arithmetic that fails where a finite computation leaves the range, as PostgreSQL's does.

use super::range_error;
use crate::error::Result;

pub trait Float:
    Copy
    + PartialEq
    + std::ops::Add<Output = Self>
    + std::ops::Sub<Output = Self>
    + std::ops::Mul<Output = Self>
    + std::ops::Div<Output = Self>
{
    const ZERO: Self;
    fn infinite(self) -> bool;
    fn nan(self) -> bool;
}

macro_rules! float {
    ($type:ty) => {
        impl Float for $type {
            const ZERO: $type = 0.0;

            fn infinite(self) -> bool {
                self.is_infinite()
            }

            fn nan(self) -> bool {
                self.is_nan()
            }
        }
    };
}

float!(f32);
float!(f64);

pub fn add<F: Float>(left: F, right: F) -> Result<F> {
    no_overflow(left + right, left, right)
}

pub fn subtract<F: Float>(left: F, right: F) -> Result<F> {
    no_overflow(left - right, left, right)
}

pub fn multiply<F: Float>(left: F, right: F) -> Result<F> {
    let result = no_overflow(left * right, left, right)?;
    if result == F::ZERO && left != F::ZERO && right != F::ZERO {
        return Err(range_error::underflow());
    }
    Ok(result)
}

pub fn divide<F: Float>(left: F, right: F) -> Result<F> {
    if right == F::ZERO && !left.nan() {
        return Err(range_error::division_by_zero());
    }
    let result = left / right;
    if result.infinite() && !left.infinite() {
        return Err(range_error::overflow());
    }
    if result == F::ZERO && left != F::ZERO && !right.infinite() {
        return Err(range_error::underflow());
    }
    Ok(result)
}

fn no_overflow<F: Float>(result: F, left: F, right: F) -> Result<F> {
    if result.infinite() && !left.infinite() && !right.infinite() {
        return Err(range_error::overflow());
    }
    Ok(result)
}
