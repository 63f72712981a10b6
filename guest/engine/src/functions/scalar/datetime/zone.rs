//! AT TIME ZONE: function `timezone`.

use crate::error::Result;
use crate::functions::arguments::Arguments;
use crate::functions::datetime::from_unix;
use crate::functions::operators::range_error;
use crate::functions::signature::*;
use crate::functions::{FunctionContext, ScalarFunction};
use crate::types::Value;
use crate::types::datetime::zone::Zone;
use crate::types::datetime::{SECOND, at_time_zone};

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("timezone", &[TEXT, TIMESTAMP], TIMESTAMPTZ, by_name),
    function("timezone", &[TEXT, TIMESTAMPTZ], TIMESTAMP, by_name),
    function("timezone", &[TEXT, TIMETZ], TIMETZ, by_name).stable(),
    function("timezone", &[INTERVAL, TIMESTAMP], TIMESTAMPTZ, by_offset),
    function("timezone", &[INTERVAL, TIMESTAMPTZ], TIMESTAMP, by_offset),
    function("timezone", &[INTERVAL, TIMETZ], TIMETZ, by_offset),
];

fn by_name(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let now = from_unix(context.environment.transaction_time());
    at_time_zone(&arguments[1], &Zone::for_expression(arguments.text(0)?)?, now)
}

/// The interval is the offset east of UTC.
fn by_offset(context: &FunctionContext, arguments: &[Value]) -> Result<Value> {
    let interval = arguments.interval(0)?;
    if interval.months != 0 || interval.days != 0 {
        return Err(crate::error::Error::new(
            crate::error::sqlstate::INVALID_PARAMETER_VALUE,
            format!(
                "interval time zone \"{}\" must not include months or days",
                crate::types::datetime::interval_to_string(&interval)
            ),
        ));
    }
    let offset = i32::try_from(interval.microseconds / SECOND).map_err(|_| range_error::interval())?;
    at_time_zone(&arguments[1], &Zone::Fixed(offset), from_unix(context.environment.transaction_time()))
}
