//! Variance and standard deviation of floating-point numbers, by the updating formulas of Youngs and Cramer (1971)
//! that PostgreSQL uses.

use super::aggregate;
use super::rows::{argument, try_each_valid, wrong_type};
use crate::error::Result;
use crate::functions::operators::range_error;
use crate::functions::signature::{DOUBLE, REAL};
use crate::functions::{Accumulator, AggregateFunction, FunctionContext};
use crate::types::{Column, ColumnData, Value};

macro_rules! moments {
    ($($type:ident)*) => {
        pub static FUNCTIONS: &[AggregateFunction] = &[$(
            aggregate("var_pop", &[$type], DOUBLE, |_| moments(Statistic::VariancePopulation)),
            aggregate("var_samp", &[$type], DOUBLE, |_| moments(Statistic::VarianceSample)),
            aggregate("variance", &[$type], DOUBLE, |_| moments(Statistic::VarianceSample)),
            aggregate("stddev_pop", &[$type], DOUBLE, |_| moments(Statistic::DeviationPopulation)),
            aggregate("stddev_samp", &[$type], DOUBLE, |_| moments(Statistic::DeviationSample)),
            aggregate("stddev", &[$type], DOUBLE, |_| moments(Statistic::DeviationSample)),
        )*];
    };
}

moments!(REAL DOUBLE);

/// Which statistic is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    VariancePopulation,
    VarianceSample,
    DeviationPopulation,
    DeviationSample,
}

impl Statistic {
    pub fn is_sample(self) -> bool {
        matches!(self, Statistic::VarianceSample | Statistic::DeviationSample)
    }

    pub fn is_deviation(self) -> bool {
        matches!(self, Statistic::DeviationPopulation | Statistic::DeviationSample)
    }
}

#[derive(Clone, Copy, Default)]
struct State {
    count: f64,
    sum: f64,
    /// Sum of squared differences from the mean.
    squares: f64,
}

struct Moments {
    states: Vec<State>,
    statistic: Statistic,
}

fn moments(statistic: Statistic) -> Box<dyn Accumulator> {
    Box::new(Moments { states: vec![], statistic })
}

impl State {
    fn add(&mut self, value: f64) -> Result<()> {
        let before = *self;
        self.count += 1.0;
        self.sum += value;
        if before.count > 0.0 {
            let difference = value * self.count - self.sum;
            self.squares += difference * difference / (self.count * before.count);
            if self.sum.is_infinite() || self.squares.is_infinite() {
                if before.sum.is_finite() && value.is_finite() {
                    return Err(range_error::overflow());
                }
                self.squares = f64::NAN;
            }
        } else if !value.is_finite() {
            self.squares = f64::NAN;
        }
        Ok(())
    }
}

impl Accumulator for Moments {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, State::default());
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let column = argument(arguments, 0)?;
        match &column.data {
            ColumnData::Real(values) => {
                try_each_valid(column, groups, rows, |group, row| self.states[group].add(f64::from(values[row])))
            }
            ColumnData::Double(values) => {
                try_each_valid(column, groups, rows, |group, row| self.states[group].add(values[row]))
            }
            _ => Err(wrong_type("variance")),
        }
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        let state = self.states[group];
        let divisor = if self.statistic.is_sample() { state.count - 1.0 } else { state.count };
        if divisor <= 0.0 {
            return Ok(Value::Null);
        }
        let variance = state.squares / divisor;
        Ok(Value::Double(if self.statistic.is_deviation() { variance.sqrt() } else { variance }))
    }
}
