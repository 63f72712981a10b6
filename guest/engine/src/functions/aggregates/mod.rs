//! Aggregate functions (PostgreSQL 15, section 9.21).

mod bits;
mod collect;
mod count;
mod extreme;
mod float_moments;
mod json;
mod moments;
mod ordered_set;
mod regression;
mod rows;
mod strings;
mod sum;
#[cfg(test)]
mod tests;

use super::{Accumulator, AggregateFunction, Signature};
use crate::types::DataType;

pub fn tables() -> Vec<&'static [AggregateFunction]> {
    vec![
        count::FUNCTIONS,
        sum::FUNCTIONS,
        extreme::FUNCTIONS,
        bits::FUNCTIONS,
        strings::FUNCTIONS,
        collect::FUNCTIONS,
        json::FUNCTIONS,
        moments::FUNCTIONS,
        float_moments::FUNCTIONS,
        regression::FUNCTIONS,
        ordered_set::FUNCTIONS,
    ]
}

type MakeAccumulator = fn(&[DataType]) -> Box<dyn Accumulator>;

const fn aggregate(
    name: &'static str,
    arguments: &'static [Signature],
    result: Signature,
    accumulator: MakeAccumulator,
) -> AggregateFunction {
    AggregateFunction { name, arguments, variadic: false, result, direct_arguments: None, accumulator }
}
