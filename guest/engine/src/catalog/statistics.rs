//! What is known of a table's values, in the spirit of PostgreSQL's pg_statistic: gathered by `define::analyze` from a
//! sample, read by `plan::estimate`.

use super::TableColumn;
use crate::encode::value;
use crate::types::{DataType, Value, compare};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A table's statistics, as the catalog keeps them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableStatistics {
    /// Live rows when they were gathered.
    pub rows: u64,
    /// By position; none for dropped columns.
    pub columns: Vec<Option<ColumnStatistics>>,
    pub combinations: Vec<CombinationStatistics>,
}

/// The first columns of an index, two at least.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CombinationStatistics {
    /// Positions in the table.
    pub columns: Vec<usize>,
    pub distinct: Distinct,
}

/// How many distinct values there are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Distinct {
    Unknown,
    Count(f64),
    /// So many per row: the count grows with the table.
    PerRow(f64),
}

/// A column's statistics. Values are as `encode::value` writes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnStatistics {
    /// The type that the values had: statistics of another type are of no use.
    pub type_oid: u32,
    pub null_fraction: f64,
    /// Bytes of a value that is not NULL, on average.
    pub width: f64,
    pub distinct: Distinct,
    /// The most common values with the part of all rows that has them, the most common first.
    pub common: Vec<(Vec<u8>, f64)>,
    /// Bounds of parts of equal size of all values that are not among the most common, in order.
    pub bounds: Vec<Vec<u8>>,
}

impl Distinct {
    /// Counts that are a good part of the rows are taken to grow with them, as in PostgreSQL.
    pub fn of(count: f64, rows: f64) -> Distinct {
        if count > rows * 0.1 { Distinct::PerRow(count / rows) } else { Distinct::Count(count) }
    }

    /// The count among this many rows; none when it is not known.
    pub fn among(self, rows: f64) -> Option<f64> {
        match self {
            Distinct::Unknown => None,
            Distinct::Count(count) => Some(count.min(rows).max(1.0)),
            Distinct::PerRow(part) => Some((part * rows).max(1.0)),
        }
    }
}

/// A column's statistics, ready to be asked.
#[derive(Clone, Debug)]
pub struct Distribution {
    data_type: DataType,
    pub null_fraction: f64,
    pub distinct: Distinct,
    pub common: Vec<(Value, f64)>,
    pub bounds: Vec<Value>,
}

impl Distribution {
    /// None when the column has changed its type since.
    pub fn new(statistics: &ColumnStatistics, column: &TableColumn) -> Option<Distribution> {
        let data_type = column.data_type;
        if statistics.type_oid != data_type.oid() {
            return None;
        }
        let read = |bytes: &[u8]| value::decode(bytes, data_type).ok();
        let common = statistics.common.iter().map(|(bytes, part)| Some((read(bytes)?, *part)));
        Some(Distribution {
            data_type,
            null_fraction: statistics.null_fraction,
            distinct: statistics.distinct,
            common: common.collect::<Option<_>>()?,
            bounds: statistics.bounds.iter().map(|bytes| read(bytes)).collect::<Option<_>>()?,
        })
    }

    /// The value as one of the column's type, if the two can be compared.
    pub fn comparable(&self, value: &Value) -> Option<Value> {
        Some(match (self.data_type, value) {
            (DataType::SmallInt | DataType::Integer | DataType::BigInt, value) => {
                let wide = match value {
                    Value::SmallInt(value) => i64::from(*value),
                    Value::Integer(value) => i64::from(*value),
                    Value::BigInt(value) => *value,
                    _ => return None,
                };
                // One that the column cannot hold is as good as its nearest.
                match self.data_type {
                    DataType::SmallInt => Value::SmallInt(wide.clamp(i16::MIN.into(), i16::MAX.into()) as i16),
                    DataType::Integer => Value::Integer(wide.clamp(i32::MIN.into(), i32::MAX.into()) as i32),
                    _ => Value::BigInt(wide),
                }
            }
            (DataType::Real, Value::Double(value)) => Value::Real(*value as f32),
            (DataType::Text | DataType::Varchar | DataType::Char | DataType::Name, Value::Text(_))
            | (DataType::Boolean, Value::Boolean(_))
            | (DataType::Real, Value::Real(_))
            | (DataType::Double, Value::Double(_))
            | (DataType::Numeric, Value::Numeric(_))
            | (DataType::Bytea, Value::Bytea(_))
            | (DataType::Uuid, Value::Uuid(_))
            | (DataType::Date, Value::Date(_))
            | (DataType::Time, Value::Time(_))
            | (DataType::Timestamp, Value::Timestamp(_))
            | (DataType::Timestamptz, Value::Timestamptz(_))
            | (DataType::Interval, Value::Interval(_))
            | (DataType::Oid, Value::Oid(_)) => value.clone(),
            _ => return None,
        })
    }

    fn order(&self, left: &Value, right: &Value) -> Ordering {
        compare::compare_as(self.data_type, left, right)
    }

    /// The part of all rows that are neither NULL nor among the most common values.
    fn uncommon(&self) -> f64 {
        (1.0 - self.null_fraction - self.common.iter().map(|(_, part)| part).sum::<f64>()).max(0.0)
    }

    /// The part of `rows` rows that equals a value of the column's type.
    pub fn equal(&self, value: &Value, rows: f64) -> f64 {
        if let Some((_, part)) = self.common.iter().find(|(common, _)| self.order(common, value).is_eq()) {
            return *part;
        }
        let others = self.distinct.among(rows).unwrap_or(rows) - self.common.len() as f64;
        // Of a value that was not seen there is a row at least.
        (self.uncommon() / others.max(1.0)).max(1.0 / rows.max(1.0))
    }

    /// The part of the rows that equals a value that nobody knows yet.
    pub fn equal_to_unknown(&self, rows: f64) -> Option<f64> {
        Some((1.0 - self.null_fraction) / self.distinct.among(rows)?)
    }

    /// The part of the rows whose value is below one of the column's type; of those equal to it the common ones when
    /// `inclusive`. None when nothing is known.
    pub fn below(&self, value: &Value, inclusive: bool) -> Option<f64> {
        if self.bounds.is_empty() && self.common.is_empty() {
            return None;
        }
        let is_below = |other: &Value| match self.order(other, value) {
            Ordering::Less => true,
            Ordering::Equal => inclusive,
            Ordering::Greater => false,
        };
        let common = self.common.iter().filter(|(common, _)| is_below(common)).map(|(_, part)| part).sum::<f64>();
        Some(common + self.uncommon() * self.histogram_below(value))
    }

    fn histogram_below(&self, value: &Value) -> f64 {
        let place = self.bounds.partition_point(|bound| self.order(bound, value).is_lt());
        if place == 0 || self.bounds.len() < 2 {
            return 0.0;
        }
        let Some(high) = self.bounds.get(place) else { return 1.0 };
        let low = &self.bounds[place - 1];
        let within = match (position(low), position(value), position(high)) {
            (Some(low), Some(value), Some(high)) if high > low => ((value - low) / (high - low)).clamp(0.0, 1.0),
            _ => 0.5,
        };
        ((place - 1) as f64 + within) / (self.bounds.len() - 1) as f64
    }
}

/// Where a value stands on a line, for those that do.
fn position(value: &Value) -> Option<f64> {
    let position = match value {
        Value::SmallInt(value) => f64::from(*value),
        Value::Integer(value) | Value::Date(value) => f64::from(*value),
        Value::BigInt(value) | Value::Time(value) | Value::Timestamp(value) | Value::Timestamptz(value) => {
            *value as f64
        }
        Value::Real(value) => f64::from(*value),
        Value::Double(value) => *value,
        Value::Numeric(value) => value.to_f64(),
        Value::Oid(value) => f64::from(*value),
        _ => return None,
    };
    position.is_finite().then_some(position)
}
