//! Variance and standard deviation of exact numbers: exact sums of values and squares, one rounding at the end.

use super::aggregate;
use super::float_moments::Statistic;
use super::rows::{argument, try_each_valid, wrong_type};
use crate::error::Result;
use crate::functions::signature::*;
use crate::functions::{Accumulator, AggregateFunction, FunctionContext};
use crate::types::{Column, ColumnData, Value, numeric::Numeric};
use bigdecimal::num_bigint::BigInt;

macro_rules! moments {
    ($($type:ident)*) => {
        pub static FUNCTIONS: &[AggregateFunction] = &[$(
            aggregate("var_pop", &[$type], NUMERIC, |_| moments(Statistic::VariancePopulation)),
            aggregate("var_samp", &[$type], NUMERIC, |_| moments(Statistic::VarianceSample)),
            aggregate("variance", &[$type], NUMERIC, |_| moments(Statistic::VarianceSample)),
            aggregate("stddev_pop", &[$type], NUMERIC, |_| moments(Statistic::DeviationPopulation)),
            aggregate("stddev_samp", &[$type], NUMERIC, |_| moments(Statistic::DeviationSample)),
            aggregate("stddev", &[$type], NUMERIC, |_| moments(Statistic::DeviationSample)),
        )*];
    };
}

moments!(SMALLINT INTEGER BIGINT NUMERIC);

#[derive(Clone)]
struct State {
    count: i64,
    sum: Numeric,
    squares: Numeric,
}

struct Moments {
    states: Vec<State>,
    statistic: Statistic,
}

fn moments(statistic: Statistic) -> Box<dyn Accumulator> {
    Box::new(Moments { states: vec![], statistic })
}

impl State {
    fn add(&mut self, value: &Numeric) -> Result<()> {
        self.count += 1;
        self.sum = self.sum.add(value)?;
        self.squares = self.squares.add(&value.mul(value)?)?;
        Ok(())
    }

    fn finish(&self, statistic: Statistic) -> Result<Value> {
        let minimum = if statistic.is_sample() { 2 } else { 1 };
        if self.count < minimum {
            return Ok(Value::Null);
        }
        if !self.sum.is_finite() {
            return Ok(Value::Numeric(Numeric::NaN));
        }
        let count = Numeric::from_i64(self.count);
        // count * squares - sum * sum is the squared difference from the mean, times the count.
        let spread = count.mul(&self.squares)?.sub(&self.sum.mul(&self.sum)?)?;
        if spread.signum() <= 0 {
            return Ok(Value::Numeric(Numeric::ZERO));
        }
        let divisor = if statistic.is_sample() { self.count - 1 } else { self.count };
        let variance = spread.div(&count.mul(&Numeric::from_i64(divisor))?)?;
        Ok(Value::Numeric(if statistic.is_deviation() { square_root(&variance)? } else { variance }))
    }
}

/// The root at the scale of the number itself.
fn square_root(value: &Numeric) -> Result<Numeric> {
    let Some((mantissa, scale)) = value.to_big() else { return Ok(value.clone()) };
    // One digit more than the result has decides how it is rounded.
    let radicand = mantissa * BigInt::from(10).pow(u32::from(scale) + 2);
    Numeric::from_big((radicand.sqrt() + 5) / 10, scale)
}

impl Accumulator for Moments {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, State { count: 0, sum: Numeric::ZERO, squares: Numeric::ZERO });
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let column = argument(arguments, 0)?;
        macro_rules! integers {
            ($values:ident) => {
                try_each_valid(column, groups, rows, |group, row| {
                    self.states[group].add(&Numeric::from_i64($values[row].into()))
                })
            };
        }
        match &column.data {
            ColumnData::SmallInt(values) => integers!(values),
            ColumnData::Integer(values) => integers!(values),
            ColumnData::BigInt(values) => integers!(values),
            ColumnData::Numeric(values) => {
                try_each_valid(column, groups, rows, |group, row| self.states[group].add(&values[row]))
            }
            _ => Err(wrong_type("variance")),
        }
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        self.states[group].finish(self.statistic)
    }
}
