//! Which types convert to which, and where (pg_cast; PostgreSQL 15, chapter 10 and CREATE CAST).

use crate::types::DataType;

/// Where a conversion happens without being asked for. The order is from the strictest to the loosest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CastContext {
    /// Anywhere
    Implicit,
    /// When a column is assigned
    Assignment,
    /// Only in CAST
    Explicit,
}

/// The widest context in which `from` converts to `to`: with `Implicit` it does so everywhere. None when it does not.
pub fn castable(from: DataType, to: DataType) -> Option<CastContext> {
    if from == to || from == DataType::Unknown {
        return Some(CastContext::Implicit);
    }
    if let Some(context) = listed(from, to) {
        return Some(context);
    }
    if from == DataType::Void || to == DataType::Void || to == DataType::Unknown {
        return None;
    }
    if let (DataType::Array(from), DataType::Array(to)) = (from, to) {
        return castable(*from, *to);
    }
    // Through the output and input functions.
    if is_string(to) {
        Some(CastContext::Assignment)
    } else if is_string(from) {
        Some(CastContext::Explicit)
    } else {
        None
    }
}

/// Whether values of `from` are values of `to` as they are.
pub fn is_binary_coercible(from: DataType, to: DataType) -> bool {
    use DataType::*;
    match (from, to) {
        _ if from == to => true,
        (Text, Varchar) | (Varchar, Text | Char) | (Text, Char) => true,
        (Oid, Regclass | Regtype | Regproc | Regnamespace) => true,
        (Regclass | Regtype | Regproc | Regnamespace, Oid) => true,
        _ => false,
    }
}

/// The types of the string category.
fn is_string(data_type: DataType) -> bool {
    matches!(data_type, DataType::Text | DataType::Varchar | DataType::Char | DataType::Name)
}

/// pg_cast itself.
fn listed(from: DataType, to: DataType) -> Option<CastContext> {
    use CastContext::{Assignment, Explicit, Implicit};
    use DataType::*;
    let context = match (from, to) {
        (SmallInt, Integer | BigInt | Real | Double | Numeric) => Implicit,
        (Integer, BigInt | Real | Double | Numeric) => Implicit,
        (Integer, SmallInt) => Assignment,
        (BigInt, Real | Double | Numeric) => Implicit,
        (BigInt, SmallInt | Integer) => Assignment,
        (Real, Double) => Implicit,
        (Real, SmallInt | Integer | BigInt | Numeric) => Assignment,
        (Double, SmallInt | Integer | BigInt | Real | Numeric) => Assignment,
        (Numeric, Real | Double) => Implicit,
        (Numeric, SmallInt | Integer | BigInt) => Assignment,
        (Integer, Boolean) | (Boolean, Integer) => Explicit,
        (Boolean, Text | Varchar | Char) => Assignment,

        (SmallInt | Integer | BigInt, Oid | Regclass | Regtype | Regproc | Regnamespace) => Implicit,
        (Oid | Regclass | Regtype | Regproc | Regnamespace, Integer | BigInt) => Assignment,
        (Oid, Regclass | Regtype | Regproc | Regnamespace) => Implicit,
        (Regclass | Regtype | Regproc | Regnamespace, Oid) => Implicit,
        (Text | Varchar, Regclass) => Implicit,

        (Text, Varchar | Char | Name) => Implicit,
        (Varchar, Text | Char | Name) => Implicit,
        (Char, Text | Varchar | Name) => Implicit,
        (Name, Text) => Implicit,
        (Name, Varchar | Char) => Assignment,
        (InternalChar, Text) => Implicit,
        (InternalChar, Varchar | Char) => Assignment,
        (Text | Varchar | Char, InternalChar) => Assignment,
        (InternalChar, Integer) | (Integer, InternalChar) => Explicit,

        (Date, Timestamp | Timestamptz) => Implicit,
        (Time, Interval | TimeTz) => Implicit,
        (Timestamp, Timestamptz) => Implicit,
        (Timestamp, Date | Time) => Assignment,
        (Timestamptz, Date | Time | Timestamp | TimeTz) => Assignment,
        (Interval, Time) | (TimeTz, Time) => Assignment,

        (Json, Jsonb) | (Jsonb, Json) => Assignment,
        (Jsonb, Boolean | SmallInt | Integer | BigInt | Real | Double | Numeric) => Explicit,
        _ => return None,
    };
    Some(context)
}
