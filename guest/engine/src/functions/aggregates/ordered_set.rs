//! Ordered-set aggregates (PostgreSQL 15, section 9.21, table 9.61): `mode`, `percentile_cont`, `percentile_disc`.
//! Their rows come in the order of WITHIN GROUP.

use super::MakeAccumulator;
use super::rows::argument;
use crate::error::{Error, Result, sqlstate};
use crate::functions::signature::*;
use crate::functions::{Accumulator, AggregateFunction, FunctionContext, Signature};
use crate::types::datetime::arithmetic::{add_intervals, multiply_interval, subtract_intervals};
use crate::types::value::Array;
use crate::types::{Column, DataType, Value, compare};
use std::rc::Rc;

pub static FUNCTIONS: &[AggregateFunction] = &[
    ordered_set("mode", &[ANY_ELEMENT], ANY_ELEMENT, 0, |types| ordered(types, Statistic::Mode)),
    ordered_set("percentile_cont", &[DOUBLE, DOUBLE], DOUBLE, 1, |types| ordered(types, Statistic::Continuous)),
    ordered_set("percentile_cont", &[DOUBLE, INTERVAL], INTERVAL, 1, |types| ordered(types, Statistic::Continuous)),
    ordered_set("percentile_cont", &[DOUBLE_ARRAY, DOUBLE], DOUBLE_ARRAY, 1, |types| {
        ordered(types, Statistic::Continuous)
    }),
    ordered_set("percentile_cont", &[DOUBLE_ARRAY, INTERVAL], INTERVAL_ARRAY, 1, |types| {
        ordered(types, Statistic::Continuous)
    }),
    ordered_set("percentile_disc", &[DOUBLE, ANY_ELEMENT], ANY_ELEMENT, 1, |types| ordered(types, Statistic::Discrete)),
    ordered_set("percentile_disc", &[DOUBLE_ARRAY, ANY_ELEMENT], ANY_ARRAY, 1, |types| {
        ordered(types, Statistic::Discrete)
    }),
];

const fn ordered_set(
    name: &'static str,
    arguments: &'static [Signature],
    result: Signature,
    direct: usize,
    accumulator: MakeAccumulator,
) -> AggregateFunction {
    AggregateFunction { name, arguments, variadic: false, result, direct_arguments: Some(direct), accumulator }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Statistic {
    Mode,
    Continuous,
    Discrete,
}

#[derive(Clone, Default)]
struct State {
    /// The direct argument, the same in every row.
    fraction: Option<Value>,
    values: Vec<Value>,
}

struct OrderedSet {
    states: Vec<State>,
    statistic: Statistic,
    /// The type of the sorted argument.
    data_type: DataType,
}

fn ordered(types: &[DataType], statistic: Statistic) -> Box<dyn Accumulator> {
    let data_type = types.last().copied().unwrap_or(DataType::Text);
    Box::new(OrderedSet { states: vec![], statistic, data_type })
}

impl Accumulator for OrderedSet {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, State::default());
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let sorted = argument(arguments, arguments.len().saturating_sub(1))?;
        for (&group, &row) in groups.iter().zip(rows) {
            let state = &mut self.states[group as usize];
            if self.statistic != Statistic::Mode && state.fraction.is_none() {
                state.fraction = Some(argument(arguments, 0)?.value(row as usize));
            }
            if !sorted.is_null(row as usize) {
                state.values.push(sorted.value(row as usize));
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        let state = &self.states[group];
        if state.values.is_empty() {
            return Ok(Value::Null);
        }
        match (self.statistic, &state.fraction) {
            (Statistic::Mode, _) => Ok(self.mode(&state.values)),
            (_, None | Some(Value::Null)) => Ok(Value::Null),
            (_, Some(Value::Array(fractions))) => {
                let values = fractions.values.iter().map(|fraction| self.percentile(&state.values, fraction));
                let values = values.collect::<Result<_>>()?;
                let dimensions = fractions.dimensions.clone();
                Ok(Value::Array(Rc::new(Array { element_type: self.data_type, dimensions, values })))
            }
            (_, Some(fraction)) => self.percentile(&state.values, fraction),
        }
    }
}

impl OrderedSet {
    /// The most frequent value, the first of several.
    fn mode(&self, values: &[Value]) -> Value {
        let mut best = (0, 0);
        let mut run_start = 0;
        for index in 1..=values.len() {
            let run_ends = index == values.len()
                || compare::compare_as(self.data_type, &values[run_start], &values[index]).is_ne();
            if run_ends {
                if index - run_start > best.1 {
                    best = (run_start, index - run_start);
                }
                run_start = index;
            }
        }
        values[best.0].clone()
    }

    fn percentile(&self, values: &[Value], fraction: &Value) -> Result<Value> {
        let fraction = match fraction {
            Value::Double(fraction) => *fraction,
            _ => return Ok(Value::Null),
        };
        if !(0.0..=1.0).contains(&fraction) {
            return Err(Error::new(
                sqlstate::NUMERIC_VALUE_OUT_OF_RANGE,
                format!("percentile value {fraction} is not between 0 and 1"),
            ));
        }
        let count = values.len() as f64;
        if self.statistic == Statistic::Discrete {
            let row = (fraction * count).ceil().max(1.0) as usize;
            return Ok(values[row - 1].clone());
        }
        let position = fraction * (count - 1.0);
        let (low, high) = (position.floor() as usize, position.ceil() as usize);
        let proportion = position - low as f64;
        match (&values[low], &values[high]) {
            (low_value, _) if low == high => Ok(low_value.clone()),
            (Value::Double(low), Value::Double(high)) => Ok(Value::Double(low + proportion * (high - low))),
            (Value::Interval(low), Value::Interval(high)) => {
                let difference = subtract_intervals(high, low)?;
                Ok(Value::Interval(add_intervals(low, &multiply_interval(&difference, proportion)?)?))
            }
            _ => Err(Error::internal("percentile_cont takes double precision or interval")),
        }
    }
}
