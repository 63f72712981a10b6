//! Intervals (PostgreSQL 15, section 8.5.4).

/// Months, days and microseconds are kept apart, as their lengths depend on what they are added to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interval {
    pub months: i32,
    pub days: i32,
    pub microseconds: i64,
}
