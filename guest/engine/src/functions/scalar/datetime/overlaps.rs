//! OVERLAPS (PostgreSQL 15, section 9.9): two periods, each from its start to its end or for a length.

use crate::error::{Error, Result};
use crate::functions::datetime::session_zone;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::datetime::arithmetic::{add_to_time, add_to_timestamp, add_to_timestamptz};
use crate::types::{Value, compare};
use std::cmp::Ordering;

macro_rules! overlaps {
    ($($type:ident)*) => {
        pub static FUNCTIONS: &[ScalarFunction] = &[
            function("overlaps", &[TIMETZ, TIMETZ, TIMETZ, TIMETZ], BOOLEAN, overlaps).not_strict(),
            $(
                function("overlaps", &[$type, $type, $type, $type], BOOLEAN, overlaps).not_strict().stable(),
                function("overlaps", &[$type, INTERVAL, $type, INTERVAL], BOOLEAN, overlaps).not_strict().stable(),
                function("overlaps", &[$type, $type, $type, INTERVAL], BOOLEAN, overlaps).not_strict().stable(),
                function("overlaps", &[$type, INTERVAL, $type, $type], BOOLEAN, overlaps).not_strict().stable(),
            )*
        ];
    };
}

overlaps!(TIME TIMESTAMP TIMESTAMPTZ);

fn end(context: &FunctionContext, start: &Value, end: &Value) -> Result<Value> {
    Ok(match (start, end) {
        (Value::Time(start), Value::Interval(length)) => Value::Time(add_to_time(*start, length)),
        (Value::Timestamp(start), Value::Interval(length)) => Value::Timestamp(add_to_timestamp(*start, length)?),
        (Value::Timestamptz(start), Value::Interval(length)) => {
            Value::Timestamptz(add_to_timestamptz(*start, length, &session_zone(context)?)?)
        }
        (Value::Null, Value::Interval(_)) => Value::Null,
        (_, end) => end.clone(),
    })
}

/// The rules of SQL for NULLs: a period with one end is that instant, and what is unknown is NULL.
fn overlaps(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let [first_start, first_end, second_start, second_end] = arguments else {
        return Err(Error::internal("OVERLAPS takes two periods"));
    };
    let first = (first_start.clone(), end(context, first_start, first_end)?);
    let second = (second_start.clone(), end(context, second_start, second_end)?);
    // Each period in order, a missing start taken from the end.
    let ordered = |(start, end): (Value, Value)| match (start.is_null(), end.is_null()) {
        (true, true) => None,
        (true, false) => Some((end, Value::Null)),
        (false, true) => Some((start, end)),
        (false, false) if compare::compare(&start, &end).is_gt() => Some((end, start)),
        (false, false) => Some((start, end)),
    };
    let (Some(first), Some(second)) = (ordered(first), ordered(second)) else { return Ok(Value::Null) };
    let (earlier, later) = match compare::compare(&first.0, &second.0) {
        Ordering::Less => (first, second),
        Ordering::Greater => (second, first),
        Ordering::Equal => {
            // Two periods that start together overlap unless an end that is unknown could say otherwise.
            return Ok(if first.1.is_null() || second.1.is_null() { Value::Null } else { Value::Boolean(true) });
        }
    };
    Ok(match earlier.1 {
        Value::Null => Value::Null,
        end if compare::compare(&later.0, &end).is_lt() => Value::Boolean(true),
        _ if later.1.is_null() => Value::Null,
        _ => Value::Boolean(false),
    })
}
