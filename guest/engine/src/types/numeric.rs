//! Exact decimals (PostgreSQL 15, section 8.1.2).

use bigdecimal::BigDecimal;
use std::rc::Rc;

/// An exact decimal with a display scale. Small ones are an i128 and a power of ten; the others own a big decimal.
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
