//! `generate_series`.

use super::set;
use crate::error::{Error, Result, sqlstate};
use crate::functions::arguments::Arguments;
use crate::functions::datetime::session_zone;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, Rows, SetFunction};
use crate::types::datetime::arithmetic::{add_to_timestamp, add_to_timestamptz};
use crate::types::{Value, interval::Interval, numeric::Numeric};
use std::cmp::Ordering;

const NAME: &str = "generate_series";

pub static FUNCTIONS: &[SetFunction] = &[
    set(NAME, &[INTEGER, INTEGER], &[(NAME, INTEGER)], integers),
    set(NAME, &[INTEGER, INTEGER, INTEGER], &[(NAME, INTEGER)], integers),
    set(NAME, &[BIGINT, BIGINT], &[(NAME, BIGINT)], bigints),
    set(NAME, &[BIGINT, BIGINT, BIGINT], &[(NAME, BIGINT)], bigints),
    set(NAME, &[NUMERIC, NUMERIC], &[(NAME, NUMERIC)], numerics),
    set(NAME, &[NUMERIC, NUMERIC, NUMERIC], &[(NAME, NUMERIC)], numerics),
    set(NAME, &[TIMESTAMP, TIMESTAMP, INTERVAL], &[(NAME, TIMESTAMP)], timestamps),
    set(NAME, &[TIMESTAMPTZ, TIMESTAMPTZ, INTERVAL], &[(NAME, TIMESTAMPTZ)], timestamps),
];

fn invalid(message: &str) -> Error {
    Error::new(sqlstate::INVALID_PARAMETER_VALUE, message)
}

/// From `start` by `step` as far as `stop`; the end of the type ends the series too.
fn series(start: i64, stop: i64, step: i64) -> Result<impl Iterator<Item = i64>> {
    if step == 0 {
        return Err(invalid("step size cannot equal zero"));
    }
    let within = move |value: &i64| if step > 0 { *value <= stop } else { *value >= stop };
    Ok(std::iter::successors(Some(start), move |value| value.checked_add(step)).take_while(within))
}

fn integers(_: &FunctionContext, arguments: &[Value]) -> Result<Rows> {
    let step = if arguments.len() > 2 { arguments.integer(2)? } else { 1 };
    let numbers = series(arguments.integer(0)?.into(), arguments.integer(1)?.into(), step.into())?;
    Ok(super::single(numbers.map(|number| Value::Integer(number as i32))))
}

fn bigints(_: &FunctionContext, arguments: &[Value]) -> Result<Rows> {
    let step = if arguments.len() > 2 { arguments.bigint(2)? } else { 1 };
    Ok(super::single(series(arguments.bigint(0)?, arguments.bigint(1)?, step)?.map(Value::BigInt)))
}

fn numerics(_: &FunctionContext, arguments: &[Value]) -> Result<Rows> {
    let (start, stop) = (arguments.numeric(0)?.clone(), arguments.numeric(1)?.clone());
    let step = if arguments.len() > 2 { arguments.numeric(2)?.clone() } else { Numeric::ONE };
    for (value, name) in [(&start, "start"), (&stop, "stop"), (&step, "step size")] {
        if !value.is_finite() {
            let what = if value.is_nan() { "NaN" } else { "infinity" };
            let name = if name == "step size" { name.to_string() } else { format!("{name} value") };
            return Err(invalid(&format!("{name} cannot be {what}")));
        }
    }
    let ascending = match step.signum() {
        0 => return Err(invalid("step size cannot equal zero")),
        sign => sign > 0,
    };
    let mut next = Some(start);
    Ok(Box::new(std::iter::from_fn(move || {
        let current = next.take()?;
        if current != stop && (current > stop) == ascending {
            return None;
        }
        match current.add(&step) {
            Ok(following) => next = Some(following),
            Err(error) => return Some(Err(error)),
        }
        Some(Ok(vec![Value::Numeric(current)]))
    })))
}

fn timestamps(context: &FunctionContext, arguments: &[Value]) -> Result<Rows> {
    let step = arguments.interval(2)?;
    let ascending = match step.cmp(&Interval::default()) {
        Ordering::Equal => return Err(invalid("step size cannot equal zero")),
        ordering => ordering.is_gt(),
    };
    let (start, stop, zone) = match arguments {
        [Value::Timestamp(start), Value::Timestamp(stop), _] => (*start, *stop, None),
        [Value::Timestamptz(start), Value::Timestamptz(stop), _] => (*start, *stop, Some(session_zone(context)?)),
        _ => return Err(Error::internal("generate_series takes timestamps")),
    };
    let mut next = Some(start);
    Ok(Box::new(std::iter::from_fn(move || {
        let current = next.take()?;
        if current != stop && (current > stop) == ascending {
            return None;
        }
        let following = match &zone {
            None => add_to_timestamp(current, &step),
            Some(zone) => add_to_timestamptz(current, &step, zone),
        };
        match following {
            Ok(following) => next = Some(following),
            Err(error) => return Some(Err(error)),
        }
        Some(Ok(vec![if zone.is_none() { Value::Timestamp(current) } else { Value::Timestamptz(current) }]))
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_end_where_their_type_does() {
        let ascending: Vec<i64> = series(i64::MAX - 1, i64::MAX, 1).expect("a step").collect();
        assert_eq!(ascending, [i64::MAX - 1, i64::MAX]);
        let descending: Vec<i64> = series(5, 1, -2).expect("a step").collect();
        assert_eq!(descending, [5, 3, 1]);
        assert_eq!(series(5, 1, 1).expect("a step").count(), 0);
        assert!(series(1, 2, 0).is_err());
    }
}
