//! Set-returning functions (PostgreSQL 15, section 9.25 and others).

use super::SetFunction;

pub fn tables() -> Vec<&'static [SetFunction]> {
    vec![]
}
