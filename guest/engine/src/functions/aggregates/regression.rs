//! Statistics of pairs (Y, X): correlation, covariance and linear regression, updated as in `float_moments`.

use super::aggregate;
use super::rows::{argument, wrong_type};
use crate::error::Result;
use crate::functions::operators::range_error;
use crate::functions::signature::{BIGINT, DOUBLE};
use crate::functions::{Accumulator, AggregateFunction, FunctionContext};
use crate::types::{Column, ColumnData, Value};

macro_rules! pairs {
    ($($name:literal $finish:expr;)*) => {
        pub static FUNCTIONS: &[AggregateFunction] = &[
            aggregate("regr_count", &[DOUBLE, DOUBLE], BIGINT, |_| {
                pairs(|state| Some(Value::BigInt(state.count as i64)))
            }),
            $(aggregate($name, &[DOUBLE, DOUBLE], DOUBLE, |_| {
                pairs(|state| {
                    let finish: fn(&State) -> Option<f64> = $finish;
                    // Of no pairs there is no statistic.
                    if state.count < 1.0 { None } else { finish(state).map(Value::Double) }
                })
            }),)*
        ];
    };
}

pairs! {
    "regr_sxx" |state| Some(state.squares_x);
    "regr_syy" |state| Some(state.squares_y);
    "regr_sxy" |state| Some(state.products);
    "regr_avgx" |state| Some(state.sum_x / state.count);
    "regr_avgy" |state| Some(state.sum_y / state.count);
    "covar_pop" |state| Some(state.products / state.count);
    "covar_samp" |state| (state.count >= 2.0).then(|| state.products / (state.count - 1.0));
    "corr" |state| {
        (state.squares_x != 0.0 && state.squares_y != 0.0)
            .then(|| state.products / (state.squares_x * state.squares_y).sqrt())
    };
    "regr_r2" |state| match (state.squares_x == 0.0, state.squares_y == 0.0) {
        (true, _) => None,
        (false, true) => Some(1.0),
        _ => Some(state.products * state.products / (state.squares_x * state.squares_y)),
    };
    "regr_slope" |state| (state.squares_x != 0.0).then(|| state.products / state.squares_x);
    "regr_intercept" |state| {
        (state.squares_x != 0.0)
            .then(|| (state.sum_y - state.sum_x * state.products / state.squares_x) / state.count)
    };
}

#[derive(Clone, Copy, Default)]
struct State {
    count: f64,
    sum_x: f64,
    sum_y: f64,
    squares_x: f64,
    squares_y: f64,
    products: f64,
}

struct Pairs {
    states: Vec<State>,
    finish: fn(&State) -> Option<Value>,
}

fn pairs(finish: fn(&State) -> Option<Value>) -> Box<dyn Accumulator> {
    Box::new(Pairs { states: vec![], finish })
}

impl State {
    fn add(&mut self, y: f64, x: f64) -> Result<()> {
        let before = *self;
        self.count += 1.0;
        self.sum_x += x;
        self.sum_y += y;
        if before.count > 0.0 {
            let difference_x = x * self.count - self.sum_x;
            let difference_y = y * self.count - self.sum_y;
            let scale = 1.0 / (self.count * before.count);
            self.squares_x += difference_x * difference_x * scale;
            self.squares_y += difference_y * difference_y * scale;
            self.products += difference_x * difference_y * scale;
            let is_infinite = |value: f64| value.is_infinite();
            let overflowed = |sum: f64, old: f64, value: f64| is_infinite(sum) && old.is_finite() && value.is_finite();
            if overflowed(self.sum_x, before.sum_x, x)
                || overflowed(self.sum_y, before.sum_y, y)
                || (is_infinite(self.squares_x) && before.sum_x.is_finite() && x.is_finite())
                || (is_infinite(self.squares_y) && before.sum_y.is_finite() && y.is_finite())
                || (is_infinite(self.products)
                    && before.sum_x.is_finite()
                    && x.is_finite()
                    && before.sum_y.is_finite()
                    && y.is_finite())
            {
                return Err(range_error::overflow());
            }
            for moment in [&mut self.squares_x, &mut self.squares_y, &mut self.products] {
                if moment.is_infinite() {
                    *moment = f64::NAN;
                }
            }
        } else {
            if !x.is_finite() {
                (self.squares_x, self.products) = (f64::NAN, f64::NAN);
            }
            if !y.is_finite() {
                (self.squares_y, self.products) = (f64::NAN, f64::NAN);
            }
        }
        Ok(())
    }
}

impl Accumulator for Pairs {
    fn resize(&mut self, groups: usize) {
        self.states.resize(groups, State::default());
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let (y, x) = (argument(arguments, 0)?, argument(arguments, 1)?);
        let (ColumnData::Double(y_values), ColumnData::Double(x_values)) = (&y.data, &x.data) else {
            return Err(wrong_type("regression"));
        };
        for (&group, &row) in groups.iter().zip(rows) {
            let row = row as usize;
            // A pair counts when neither is NULL.
            if !y.is_null(row) && !x.is_null(row) {
                self.states[group as usize].add(y_values[row], x_values[row])?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        Ok((self.finish)(&self.states[group]).unwrap_or(Value::Null))
    }
}
