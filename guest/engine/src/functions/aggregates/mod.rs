//! Aggregate functions (PostgreSQL 15, section 9.21).

use super::AggregateFunction;

pub fn tables() -> Vec<&'static [AggregateFunction]> {
    vec![]
}
