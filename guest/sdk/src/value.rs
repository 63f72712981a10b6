//! Rust's values as SQL's and back.

use crate::{Date, Error, Interval, Json, Numeric, Time, Timestamp, Timestamptz, Uuid, Value};

/// What one value of a row can be read as, by [`crate::sql::Row::get`].
pub trait FromValue: Sized {
    /// How Rust and SQL call it, for messages.
    const EXPECTED: &'static str;

    /// None when the value is of another type, or too large for this one.
    fn from_value(value: &Value) -> Option<Self>;

    /// What NULL becomes; none where NULL is an error.
    fn from_null() -> Option<Self> {
        None
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_value(value: &Value) -> Option<Self> {
        T::from_value(value).map(Some)
    }

    fn from_null() -> Option<Self> {
        Some(None)
    }
}

impl FromValue for Value {
    const EXPECTED: &'static str = "a value";

    fn from_value(value: &Value) -> Option<Self> {
        Some(value.clone())
    }

    fn from_null() -> Option<Self> {
        Some(Value::Null)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}

/// Types of Rust that have a case of `value` to themselves.
macro_rules! same {
    ($($rust:ty => $case:ident, $expected:literal;)*) => {
        $(
            impl From<$rust> for Value {
                fn from(value: $rust) -> Value {
                    Value::$case(value)
                }
            }

            impl FromValue for $rust {
                const EXPECTED: &'static str = $expected;

                fn from_value(value: &Value) -> Option<Self> {
                    match value {
                        Value::$case(value) => Some(value.clone()),
                        _ => None,
                    }
                }
            }
        )*
    };
}

same! {
    bool => Boolean, "bool, SQL's boolean";
    Vec<u8> => Bytea, "Vec<u8>, SQL's bytea";
    Date => Date, "Date, SQL's date";
    Time => Time, "Time, SQL's time";
    Timestamp => Timestamp, "Timestamp, SQL's timestamp";
    Timestamptz => Timestamptz, "Timestamptz, SQL's timestamptz";
    Interval => Interval, "Interval, SQL's interval";
    Uuid => Uuid, "Uuid, SQL's uuid";
    Json => Json, "Json, SQL's jsonb";
}

/// Integers become SQL's smallest that holds them all, and are read from any exact number in their range.
macro_rules! integers {
    ($($rust:ty => $case:ident;)*) => {
        $(
            impl From<$rust> for Value {
                fn from(value: $rust) -> Value {
                    Value::$case(value.into())
                }
            }

            impl FromValue for $rust {
                const EXPECTED: &'static str = concat!(stringify!($rust), ", a whole number in its range");

                fn from_value(value: &Value) -> Option<Self> {
                    integer(value)?.try_into().ok()
                }
            }
        )*
    };
}

integers! {
    i8 => Smallint;
    u8 => Smallint;
    i16 => Smallint;
    u16 => Integer;
    i32 => Integer;
    u32 => Bigint;
    i64 => Bigint;
    u64 => Numeric;
    i128 => Numeric;
}

fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Smallint(number) => Some((*number).into()),
        Value::Integer(number) => Some((*number).into()),
        Value::Bigint(number) => Some((*number).into()),
        Value::Numeric(number) => number.to_integer(),
        _ => None,
    }
}

impl From<f32> for Value {
    fn from(value: f32) -> Value {
        Value::Real(value)
    }
}

impl FromValue for f32 {
    const EXPECTED: &'static str = "f32, SQL's real";

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Real(number) => Some(*number),
            _ => None,
        }
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Double(value)
    }
}

impl FromValue for f64 {
    const EXPECTED: &'static str = "f64, any number of SQL's";

    /// The nearest one, as SQL's cast to double precision has it.
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Double(number) => Some(*number),
            Value::Real(number) => Some((*number).into()),
            Value::Numeric(number) => number.text.parse().ok(),
            other => integer(other).map(|number| number as f64),
        }
    }
}

impl From<Numeric> for Value {
    fn from(value: Numeric) -> Value {
        Value::Numeric(value)
    }
}

impl FromValue for Numeric {
    const EXPECTED: &'static str = "Numeric, an exact number of SQL's";

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Numeric(number) => Some(number.clone()),
            other => integer(other).map(Numeric::from),
        }
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::Text(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::Text(value.to_owned())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Value {
        Value::Text(value.clone())
    }
}

impl From<char> for Value {
    fn from(value: char) -> Value {
        Value::Text(value.into())
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Value {
        Value::Bytea(value.to_owned())
    }
}

impl FromValue for String {
    const EXPECTED: &'static str = "String, SQL's text";

    /// A value that has no type of its own here, such as an array, is read as its text.
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            Value::Other(other) => Some(other.text.clone()),
            _ => None,
        }
    }
}

impl Value {
    /// PostgreSQL's name of the value's type.
    pub fn type_name(&self) -> &str {
        match self {
            Value::Null => "unknown",
            Value::Boolean(_) => "boolean",
            Value::Smallint(_) => "smallint",
            Value::Integer(_) => "integer",
            Value::Bigint(_) => "bigint",
            Value::Real(_) => "real",
            Value::Double(_) => "double precision",
            Value::Numeric(_) => "numeric",
            Value::Text(_) => "text",
            Value::Bytea(_) => "bytea",
            Value::Date(_) => "date",
            Value::Time(_) => "time without time zone",
            Value::Timestamp(_) => "timestamp without time zone",
            Value::Timestamptz(_) => "timestamp with time zone",
            Value::Interval(_) => "interval",
            Value::Uuid(_) => "uuid",
            Value::Json(_) => "jsonb",
            Value::Other(other) => &other.type_name,
        }
    }
}

/// Reads one value; `name` says which in the error.
pub(crate) fn read<T: FromValue>(value: &Value, name: &str) -> Result<T, Error> {
    if matches!(value, Value::Null) {
        return T::from_null().ok_or_else(|| {
            Error::new("22004", format!("column \"{name}\" is null"))
                .with_hint(format!("read it as an Option of {}, or as COALESCE({name}, …)", T::EXPECTED))
        });
    }
    T::from_value(value).ok_or_else(|| {
        Error::new(
            "42804",
            format!("column \"{name}\" is of type {} and cannot be read as {}", value.type_name(), T::EXPECTED),
        )
    })
}
