//! Dates and times (PostgreSQL 15, section 9.9).

mod clock;
mod fields;
mod interval;
mod make;
mod overlaps;
mod zone;

use crate::functions::ScalarFunction;

pub fn tables() -> [&'static [ScalarFunction]; 6] {
    [clock::FUNCTIONS, fields::FUNCTIONS, interval::FUNCTIONS, make::FUNCTIONS, overlaps::FUNCTIONS, zone::FUNCTIONS]
}
