//! `& | # ~ << >>` on integers (PostgreSQL 15, section 9.3).

use super::arithmetic::{Pair, pair};
use crate::error::{Error, Result};
use crate::functions::arguments::Arguments;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;

macro_rules! bitwise {
    ($($type:ident)*) => {
        pub static OPERATORS: &[ScalarFunction] = &[$(
            function("&", &[$type, $type], $type, and),
            function("|", &[$type, $type], $type, or),
            function("#", &[$type, $type], $type, exclusive_or),
            function("~", &[$type], $type, not),
            function("<<", &[$type, INTEGER], $type, shift_left),
            function(">>", &[$type, INTEGER], $type, shift_right),
        )*];
    };
}

bitwise!(SMALLINT INTEGER BIGINT);

macro_rules! operation {
    ($($name:ident $operator:tt;)*) => {
        $(fn $name(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
            Ok(match pair(arguments)? {
                Pair::SmallInt(left, right) => Value::SmallInt(left $operator right),
                Pair::Integer(left, right) => Value::Integer(left $operator right),
                Pair::BigInt(left, right) => Value::BigInt(left $operator right),
                _ => return Err(not_integers()),
            })
        })*
    };
}

operation! {
    and &;
    or |;
    exclusive_or ^;
}

fn not(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    Ok(match arguments {
        [Value::SmallInt(value)] => Value::SmallInt(!value),
        [Value::Integer(value)] => Value::Integer(!value),
        [Value::BigInt(value)] => Value::BigInt(!value),
        _ => return Err(not_integers()),
    })
}

/// The count is taken modulo the width, smallint being shifted as integer, as C does on the usual machines.
fn shift_left(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let count = arguments.integer(1)? as u32;
    Ok(match arguments[0] {
        Value::SmallInt(value) => Value::SmallInt(i32::from(value).wrapping_shl(count) as i16),
        Value::Integer(value) => Value::Integer(value.wrapping_shl(count)),
        Value::BigInt(value) => Value::BigInt(value.wrapping_shl(count)),
        _ => return Err(not_integers()),
    })
}

fn shift_right(_: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let count = arguments.integer(1)? as u32;
    Ok(match arguments[0] {
        Value::SmallInt(value) => Value::SmallInt(i32::from(value).wrapping_shr(count) as i16),
        Value::Integer(value) => Value::Integer(value.wrapping_shr(count)),
        Value::BigInt(value) => Value::BigInt(value.wrapping_shr(count)),
        _ => return Err(not_integers()),
    })
}

fn not_integers() -> Error {
    Error::internal("a bitwise operator takes integers")
}
