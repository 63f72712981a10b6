//! Numbers (PostgreSQL 15, section 9.3).

mod bucket;
mod integer;
pub mod power;
mod rounding;
mod trigonometry;

use crate::functions::ScalarFunction;

pub fn tables() -> [&'static [ScalarFunction]; 5] {
    [rounding::FUNCTIONS, power::FUNCTIONS, integer::FUNCTIONS, trigonometry::FUNCTIONS, bucket::FUNCTIONS]
}
