//! Typed access to a call's arguments. A mismatch is an internal error, never a panic.

use crate::error::{Error, Result};
use crate::types::json::Jsonb;
use crate::types::value::Array;
use crate::types::{Value, interval::Interval, numeric::Numeric};
use std::rc::Rc;

macro_rules! accessors {
    ($($name:ident $variant:ident $type:ty;)*) => {
        /// The arguments of a call, each known to be of the type that the function's table entry says.
        pub trait Arguments {
            $(fn $name(&self, index: usize) -> Result<$type>;)*
            fn text(&self, index: usize) -> Result<&str>;
            fn json(&self, index: usize) -> Result<&str>;
            fn jsonb(&self, index: usize) -> Result<&Jsonb>;
            fn bytea(&self, index: usize) -> Result<&[u8]>;
            fn numeric(&self, index: usize) -> Result<&Numeric>;
            fn array(&self, index: usize) -> Result<&Rc<Array>>;
            /// True where the argument is NULL or missing.
            fn is_null(&self, index: usize) -> bool;
        }

        impl Arguments for [Value] {
            $(fn $name(&self, index: usize) -> Result<$type> {
                match self.get(index) {
                    Some(Value::$variant(value)) => Ok(*value),
                    other => Err(mismatch(stringify!($variant), index, other)),
                }
            })*

            fn text(&self, index: usize) -> Result<&str> {
                match self.get(index) {
                    Some(Value::Text(text)) => Ok(text),
                    other => Err(mismatch("Text", index, other)),
                }
            }

            fn json(&self, index: usize) -> Result<&str> {
                match self.get(index) {
                    Some(Value::Json(text)) => Ok(text),
                    other => Err(mismatch("Json", index, other)),
                }
            }

            fn jsonb(&self, index: usize) -> Result<&Jsonb> {
                match self.get(index) {
                    Some(Value::Jsonb(value)) => Ok(value),
                    other => Err(mismatch("Jsonb", index, other)),
                }
            }

            fn bytea(&self, index: usize) -> Result<&[u8]> {
                match self.get(index) {
                    Some(Value::Bytea(bytes)) => Ok(bytes),
                    other => Err(mismatch("Bytea", index, other)),
                }
            }

            fn numeric(&self, index: usize) -> Result<&Numeric> {
                match self.get(index) {
                    Some(Value::Numeric(value)) => Ok(value),
                    other => Err(mismatch("Numeric", index, other)),
                }
            }

            fn array(&self, index: usize) -> Result<&Rc<Array>> {
                match self.get(index) {
                    Some(Value::Array(array)) => Ok(array),
                    other => Err(mismatch("Array", index, other)),
                }
            }

            fn is_null(&self, index: usize) -> bool {
                self.get(index).is_none_or(Value::is_null)
            }
        }
    };
}

accessors! {
    boolean Boolean bool;
    smallint SmallInt i16;
    integer Integer i32;
    bigint BigInt i64;
    real Real f32;
    double Double f64;
    uuid Uuid [u8; 16];
    date Date i32;
    time Time i64;
    timestamp Timestamp i64;
    timestamptz Timestamptz i64;
    interval Interval Interval;
    oid Oid u32;
}

fn mismatch(wanted: &str, index: usize, found: Option<&Value>) -> Error {
    Error::internal(format!("argument {} should be {wanted}, not {found:?}", index + 1))
}
