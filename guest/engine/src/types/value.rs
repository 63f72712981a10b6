//! One SQL value.

use super::json::Jsonb;
use super::{DataType, interval::Interval, numeric::Numeric};
use std::rc::Rc;

/// A value of any type. It does not carry its exact type: text, varchar, char and name are all `Text`; oid and the
/// reg* types are `Oid`; the plan knows which.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Boolean(bool),
    SmallInt(i16),
    Integer(i32),
    BigInt(i64),
    Real(f32),
    Double(f64),
    Numeric(Numeric),
    /// text, varchar, char(n) (padded), name, "char", unknown
    Text(Rc<str>),
    Bytea(Rc<[u8]>),
    Uuid([u8; 16]),
    /// Days since 2000-01-01; i32::MIN and i32::MAX are -infinity and infinity.
    Date(i32),
    /// Microseconds since midnight.
    Time(i64),
    /// Microseconds since local midnight, and the zone's offset in seconds east of UTC.
    TimeTz(i64, i32),
    /// Microseconds since 2000-01-01 00:00; i64::MIN and i64::MAX are -infinity and infinity.
    Timestamp(i64),
    /// Microseconds since 2000-01-01 00:00 UTC, infinities as in `Timestamp`.
    Timestamptz(i64),
    Interval(Interval),
    /// As it was written.
    Json(Rc<str>),
    Jsonb(Rc<Jsonb>),
    /// oid, regclass, regtype, regproc, regnamespace
    Oid(u32),
    Array(Rc<Array>),
    Record(Rc<[Value]>),
}

/// An array of one element type with its dimensions (PostgreSQL 15, section 8.15).
#[derive(Clone, Debug)]
pub struct Array {
    pub element_type: DataType,
    /// (length, lower bound) per dimension, outermost first; empty for the empty array.
    pub dimensions: Vec<(usize, i32)>,
    /// In row-major order.
    pub values: Vec<Value>,
}

impl Array {
    /// A one-dimensional array with lower bound 1.
    pub fn from_values(element_type: DataType, values: Vec<Value>) -> Array {
        let dimensions = if values.is_empty() { vec![] } else { vec![(values.len(), 1)] };
        Array { element_type, dimensions, values }
    }
}

impl Value {
    pub fn text(text: &str) -> Value {
        Value::Text(Rc::from(text))
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}
