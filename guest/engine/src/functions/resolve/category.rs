//! Type categories and implicit conversions (PostgreSQL 15, section 10.1 and pg_cast).

use crate::types::DataType;
use crate::types::cast::{CastContext, castable};

/// pg_type.typcategory
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    Array,
    Boolean,
    DateTime,
    InternalChar,
    Number,
    Pseudo,
    String,
    TimeSpan,
    User,
    Unknown,
}

pub fn category(data_type: DataType) -> Category {
    use DataType::*;
    match data_type {
        Unknown => Category::Unknown,
        Void | Record => Category::Pseudo,
        Boolean => Category::Boolean,
        SmallInt | Integer | BigInt | Real | Double | Numeric | Oid | Regclass | Regtype | Regproc | Regnamespace => {
            Category::Number
        }
        Text | Varchar | Char | Name => Category::String,
        InternalChar => Category::InternalChar,
        Bytea | Uuid | Json | Jsonb => Category::User,
        Date | Time | TimeTz | Timestamp | Timestamptz => Category::DateTime,
        Interval => Category::TimeSpan,
        Array(_) => Category::Array,
    }
}

/// pg_type.typispreferred
pub fn is_preferred(data_type: DataType) -> bool {
    use DataType::*;
    matches!(data_type, Boolean | Double | Oid | Text | Timestamptz | Interval)
}

/// Whether a value of type `from` may stand where `to` is wanted without being asked to.
pub fn implicitly_castable(from: DataType, to: DataType) -> bool {
    castable(from, to) == Some(CastContext::Implicit)
}

/// What a caller has to cast an argument of type `given` to, where the function takes `wanted`. varchar and name are
/// text in all but name: without a cast, an index on such a column stays usable for the text operators.
pub fn cast_target(given: DataType, wanted: DataType) -> DataType {
    match (given, wanted) {
        (DataType::Varchar | DataType::Name, DataType::Text) => given,
        (DataType::Regclass | DataType::Regtype | DataType::Regproc | DataType::Regnamespace, DataType::Oid) => given,
        _ => wanted,
    }
}
