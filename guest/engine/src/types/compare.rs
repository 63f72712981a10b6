//! Order, equality and hash of values of one type (the default btree and hash operator classes, C collation).

use super::column::ColumnData;
use super::interval::Interval;
use super::{Column, DataType, Value};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// The btree order of two values of one type. NaN is greater than every other number. NULL is greater than every
/// value and equal to itself, as it is within arrays and rows. char(n) needs `compare_as`.
pub fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Boolean(left), Value::Boolean(right)) => left.cmp(right),
        (Value::SmallInt(left), Value::SmallInt(right)) => left.cmp(right),
        (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
        (Value::BigInt(left), Value::BigInt(right)) => left.cmp(right),
        (Value::Real(left), Value::Real(right)) => compare_floats(f64::from(*left), f64::from(*right)),
        (Value::Double(left), Value::Double(right)) => compare_floats(*left, *right),
        (Value::Numeric(left), Value::Numeric(right)) => left.cmp(right),
        (Value::Text(left), Value::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Value::Bytea(left), Value::Bytea(right)) => left.cmp(right),
        (Value::Uuid(left), Value::Uuid(right)) => left.cmp(right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::Time(left), Value::Time(right)) => left.cmp(right),
        (Value::TimeTz(left, left_offset), Value::TimeTz(right, right_offset)) => {
            compare_times(*left, *left_offset, *right, *right_offset)
        }
        (Value::Timestamp(left), Value::Timestamp(right)) => left.cmp(right),
        (Value::Timestamptz(left), Value::Timestamptz(right)) => left.cmp(right),
        (Value::Interval(left), Value::Interval(right)) => left.cmp(right),
        // json has no order of its own; its text orders it where the engine needs any order at all.
        (Value::Json(left), Value::Json(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Value::Jsonb(left), Value::Jsonb(right)) => left.cmp(right),
        (Value::Oid(left), Value::Oid(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => compare_sequences(&left.values, &right.values).then_with(|| {
            let dimensions = left.dimensions.len().cmp(&right.dimensions.len());
            dimensions.then_with(|| left.dimensions.cmp(&right.dimensions))
        }),
        (Value::Record(left), Value::Record(right)) => compare_sequences(left, right),
        (left, right) => kind(left).cmp(&kind(right)),
    }
}

/// The order for values of this type: as `compare`, but char(n) ignores blanks at the end.
pub fn compare_as(data_type: DataType, left: &Value, right: &Value) -> Ordering {
    match (data_type, left, right) {
        (DataType::Char, Value::Text(left), Value::Text(right)) => {
            left.trim_end_matches(' ').as_bytes().cmp(right.trim_end_matches(' ').as_bytes())
        }
        (DataType::Array(DataType::Char), Value::Array(left), Value::Array(right)) => {
            for (left, right) in left.values.iter().zip(&right.values) {
                match compare_as(DataType::Char, left, right) {
                    Ordering::Equal => {}
                    unequal => return unequal,
                }
            }
            (left.values.len(), left.dimensions.len(), &left.dimensions).cmp(&(
                right.values.len(),
                right.dimensions.len(),
                &right.dimensions,
            ))
        }
        _ => compare(left, right),
    }
}

pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        // Different lengths are seen at once.
        (Value::Text(left), Value::Text(right)) => left == right,
        _ => compare(left, right) == Ordering::Equal,
    }
}

/// Equal values hash alike: 1.0 and 1.00, 1 month and 30 days, 0.0 and -0.0.
pub fn hash(value: &Value, hasher: &mut impl Hasher) {
    match value {
        Value::Null => hasher.write_u8(0),
        Value::Boolean(value) => value.hash(hasher),
        Value::SmallInt(value) => value.hash(hasher),
        Value::Integer(value) | Value::Date(value) => value.hash(hasher),
        Value::BigInt(value) | Value::Time(value) | Value::Timestamp(value) | Value::Timestamptz(value) => {
            value.hash(hasher);
        }
        Value::Real(value) => hash_float(f64::from(*value), hasher),
        Value::Double(value) => hash_float(*value, hasher),
        Value::Numeric(value) => value.hash(hasher),
        Value::Text(value) | Value::Json(value) => value.hash(hasher),
        Value::Bytea(value) => value.hash(hasher),
        Value::Uuid(value) => value.hash(hasher),
        Value::TimeTz(time, offset) => (time, offset).hash(hasher),
        Value::Interval(value) => value.hash(hasher),
        Value::Jsonb(value) => value.hash(hasher),
        Value::Oid(value) => value.hash(hasher),
        Value::Array(array) => {
            array.dimensions.hash(hasher);
            array.values.iter().for_each(|value| hash(value, hasher));
        }
        Value::Record(values) => values.iter().for_each(|value| hash(value, hasher)),
    }
}

/// The order of two rows of columns of one type. NULL is greater than every value and equal to itself.
pub fn compare_rows(left: &Column, left_row: usize, right: &Column, right_row: usize) -> Ordering {
    match (left.is_null(left_row), right.is_null(right_row)) {
        (false, false) => {}
        (left_null, right_null) => return left_null.cmp(&right_null),
    }
    macro_rules! ordered {
        ($left:expr, $right:expr) => {
            $left[left_row].cmp(&$right[right_row])
        };
    }
    match (&left.data, &right.data) {
        (ColumnData::Boolean(left), ColumnData::Boolean(right)) => ordered!(left, right),
        (ColumnData::SmallInt(left), ColumnData::SmallInt(right)) => ordered!(left, right),
        (ColumnData::Integer(left), ColumnData::Integer(right)) => ordered!(left, right),
        (ColumnData::BigInt(left), ColumnData::BigInt(right)) => ordered!(left, right),
        (ColumnData::Real(left), ColumnData::Real(right)) => {
            compare_floats(f64::from(left[left_row]), f64::from(right[right_row]))
        }
        (ColumnData::Double(left), ColumnData::Double(right)) => compare_floats(left[left_row], right[right_row]),
        (ColumnData::Numeric(left), ColumnData::Numeric(right)) => ordered!(left, right),
        (ColumnData::Text(left), ColumnData::Text(right)) => {
            left.get(left_row).as_bytes().cmp(right.get(right_row).as_bytes())
        }
        (ColumnData::Uuid(left), ColumnData::Uuid(right)) => ordered!(left, right),
        (ColumnData::Date(left), ColumnData::Date(right)) => ordered!(left, right),
        (ColumnData::Time(left), ColumnData::Time(right)) => ordered!(left, right),
        (ColumnData::Timestamp(left), ColumnData::Timestamp(right)) => ordered!(left, right),
        (ColumnData::Timestamptz(left), ColumnData::Timestamptz(right)) => ordered!(left, right),
        (ColumnData::Interval(left), ColumnData::Interval(right)) => ordered!(left, right),
        (ColumnData::Values(left), ColumnData::Values(right)) => compare(&left[left_row], &right[right_row]),
        _ => compare(&left.value(left_row), &right.value(right_row)),
    }
}

/// NaN equals itself and is greater than every other number.
pub fn compare_floats(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

/// By the instant within a day, then by the zone, west after east.
fn compare_times(left: i64, left_offset: i32, right: i64, right_offset: i32) -> Ordering {
    let instant = |time: i64, offset: i32| time - i64::from(offset) * 1_000_000;
    instant(left, left_offset).cmp(&instant(right, right_offset)).then(right_offset.cmp(&left_offset))
}

fn hash_float(value: f64, hasher: &mut impl Hasher) {
    let canonical = if value.is_nan() {
        f64::NAN
    } else if value == 0.0 {
        0.0
    } else {
        value
    };
    canonical.to_bits().hash(hasher);
}

fn compare_sequences(left: &[Value], right: &[Value]) -> Ordering {
    for (left, right) in left.iter().zip(right) {
        match compare(left, right) {
            Ordering::Equal => {}
            unequal => return unequal,
        }
    }
    left.len().cmp(&right.len())
}

/// Keeps the order total when values of different types meet, which only NULLs and mixed rows do.
fn kind(value: &Value) -> u8 {
    match value {
        Value::Boolean(_) => 0,
        Value::SmallInt(_) => 1,
        Value::Integer(_) => 2,
        Value::BigInt(_) => 3,
        Value::Real(_) => 4,
        Value::Double(_) => 5,
        Value::Numeric(_) => 6,
        Value::Text(_) => 7,
        Value::Bytea(_) => 8,
        Value::Uuid(_) => 9,
        Value::Date(_) => 10,
        Value::Time(_) => 11,
        Value::TimeTz(..) => 12,
        Value::Timestamp(_) => 13,
        Value::Timestamptz(_) => 14,
        Value::Interval(_) => 15,
        Value::Json(_) => 16,
        Value::Jsonb(_) => 17,
        Value::Oid(_) => 18,
        Value::Array(_) => 19,
        Value::Record(_) => 20,
        Value::Null => 21,
    }
}

impl Interval {
    /// Microseconds, with days of 24 hours and months of 30 days, as comparison counts them.
    pub fn span(&self) -> i128 {
        let days = i128::from(self.months) * 30 + i128::from(self.days);
        days * 86_400_000_000 + i128::from(self.microseconds)
    }
}

impl Ord for Interval {
    fn cmp(&self, other: &Interval) -> Ordering {
        self.span().cmp(&other.span())
    }
}

impl PartialOrd for Interval {
    fn partial_cmp(&self, other: &Interval) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Interval {
    fn eq(&self, other: &Interval) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Interval {}

impl Hash for Interval {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.span().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::json::Jsonb;
    use crate::types::numeric::Numeric;
    use std::hash::{BuildHasher, RandomState};
    use std::rc::Rc;

    fn jsonb(text: &str) -> Value {
        Value::Jsonb(Rc::new(Jsonb::parse(text).expect("jsonb")))
    }

    fn numeric(text: &str) -> Value {
        Value::Numeric(Numeric::parse(text).expect("a number"))
    }

    fn interval(months: i32, days: i32) -> Value {
        Value::Interval(Interval { months, days, microseconds: 0 })
    }

    #[test]
    fn values_are_ordered() {
        let rising: &[&[Value]] = &[
            &[
                Value::Double(f64::NEG_INFINITY),
                Value::Double(0.0),
                Value::Double(f64::INFINITY),
                Value::Double(f64::NAN),
            ],
            &[
                numeric("-Infinity"),
                numeric("-1"),
                numeric("0.1"),
                numeric("1e50"),
                numeric("Infinity"),
                numeric("NaN"),
            ],
            &[Value::text(""), Value::text("B"), Value::text("a"), Value::text("ab"), Value::text("ä"), Value::Null],
            &[interval(0, 29), interval(1, 0), interval(0, 31)],
            &[Value::TimeTz(0, 3600), Value::TimeTz(0, 0), Value::TimeTz(3_600_000_000, 0)],
            // Asked of PostgreSQL: select j from (values …) order by j
            &[
                jsonb("[]"),
                jsonb("null"),
                jsonb("\"b\""),
                jsonb("2"),
                jsonb("10"),
                jsonb("false"),
                jsonb("true"),
                jsonb("[2]"),
                jsonb("[1,1]"),
                jsonb("{}"),
                jsonb("{\"a\":1}"),
                jsonb("{\"a\":1,\"b\":1}"),
            ],
        ];
        for values in rising {
            for (index, value) in values.iter().enumerate() {
                for (other_index, other) in values.iter().enumerate() {
                    assert_eq!(compare(value, other), index.cmp(&other_index), "{value:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn equal_values_hash_alike() {
        let state = RandomState::new();
        let hash_of = |value: &Value| {
            let mut hasher = state.build_hasher();
            hash(value, &mut hasher);
            hasher.finish()
        };
        for (left, right) in [
            (numeric("1.0"), numeric("1.000")),
            (numeric("1e45"), numeric("1e45")),
            (interval(1, 0), interval(0, 30)),
            (Value::Double(0.0), Value::Double(-0.0)),
            (jsonb("[1.0]"), jsonb("[1]")),
        ] {
            assert!(equal(&left, &right), "{left:?} {right:?}");
            assert_eq!(hash_of(&left), hash_of(&right), "{left:?} {right:?}");
        }
    }

    #[test]
    fn blanks_at_the_end_of_char_do_not_count() {
        let (padded, bare) = (Value::text("a  "), Value::text("a"));
        assert_eq!(compare_as(DataType::Char, &padded, &bare), Ordering::Equal);
        assert_eq!(compare_as(DataType::Text, &padded, &bare), Ordering::Greater);
    }
}
