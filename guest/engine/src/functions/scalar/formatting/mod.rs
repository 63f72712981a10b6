//! `to_char`, `to_date`, `to_timestamp`, `to_number` (PostgreSQL 15, section 9.8).

mod date_input;
mod date_output;
mod date_template;
mod number_input;
mod number_output;
mod number_template;

use crate::functions::ScalarFunction;
use crate::functions::signature::*;

pub static FUNCTIONS: &[ScalarFunction] = &[
    function("to_char", &[TIMESTAMP, TEXT], TEXT, date_output::to_char).stable(),
    function("to_char", &[TIMESTAMPTZ, TEXT], TEXT, date_output::to_char).stable(),
    function("to_char", &[INTERVAL, TEXT], TEXT, date_output::to_char).stable(),
    function("to_char", &[INTEGER, TEXT], TEXT, number_output::to_char).stable(),
    function("to_char", &[BIGINT, TEXT], TEXT, number_output::to_char).stable(),
    function("to_char", &[NUMERIC, TEXT], TEXT, number_output::to_char).stable(),
    function("to_char", &[REAL, TEXT], TEXT, number_output::to_char).stable(),
    function("to_char", &[DOUBLE, TEXT], TEXT, number_output::to_char).stable(),
    function("to_date", &[TEXT, TEXT], DATE, date_input::to_date).stable(),
    function("to_timestamp", &[TEXT, TEXT], TIMESTAMPTZ, date_input::to_timestamp).stable(),
    function("to_number", &[TEXT, TEXT], NUMERIC, number_input::to_number).stable(),
];

/// The English ordinal suffix of a number in digits: 11th, 22nd.
fn ordinal_suffix(number: &str, upper: bool) -> &'static str {
    let mut digits = number.bytes().rev();
    let (last, before) = (digits.next(), digits.next());
    let suffix = match (last, before) {
        (_, Some(b'1')) => 3,
        (Some(b'1'), _) => 0,
        (Some(b'2'), _) => 1,
        (Some(b'3'), _) => 2,
        _ => 3,
    };
    if upper { ["ST", "ND", "RD", "TH"][suffix] } else { ["st", "nd", "rd", "th"][suffix] }
}
