//! `sum` and `avg`.

use super::aggregate;
use super::rows::{argument, each_valid, try_each_valid, wrong_type};
use crate::error::{Error, Result};
use crate::functions::operators::range_error;
use crate::functions::signature::*;
use crate::functions::{Accumulator, AggregateFunction, FunctionContext};
use crate::types::datetime::arithmetic::divide_interval;
use crate::types::stride::VALUES;
use crate::types::{Column, ColumnData, Value, interval::Interval, numeric::Numeric};

pub static FUNCTIONS: &[AggregateFunction] = &[
    aggregate("sum", &[SMALLINT], BIGINT, |_| integers(IntegerResult::BigInt)),
    aggregate("sum", &[INTEGER], BIGINT, |_| integers(IntegerResult::BigInt)),
    aggregate("sum", &[BIGINT], NUMERIC, |_| integers(IntegerResult::Numeric)),
    aggregate("sum", &[REAL], REAL, |_| Box::new(RealSum::default())),
    aggregate("sum", &[DOUBLE], DOUBLE, |_| doubles(false)),
    aggregate("sum", &[NUMERIC], NUMERIC, |_| numerics(false)),
    aggregate("sum", &[INTERVAL], INTERVAL, |_| intervals(false)),
    aggregate("avg", &[SMALLINT], NUMERIC, |_| integers(IntegerResult::Average)),
    aggregate("avg", &[INTEGER], NUMERIC, |_| integers(IntegerResult::Average)),
    aggregate("avg", &[BIGINT], NUMERIC, |_| integers(IntegerResult::Average)),
    aggregate("avg", &[REAL], DOUBLE, |_| doubles(true)),
    aggregate("avg", &[DOUBLE], DOUBLE, |_| doubles(true)),
    aggregate("avg", &[NUMERIC], NUMERIC, |_| numerics(true)),
    aggregate("avg", &[INTERVAL], INTERVAL, |_| intervals(true)),
];

/// A sum, and how many values went into it: a sum of none is NULL.
#[derive(Clone, Copy, Default)]
struct Total<T> {
    sum: T,
    count: i64,
}

#[derive(Clone, Copy)]
enum IntegerResult {
    BigInt,
    Numeric,
    Average,
}

/// 2^64 bigints fit into the 128 bits of a sum.
struct IntegerSum {
    totals: Vec<Total<i128>>,
    result: IntegerResult,
}

fn integers(result: IntegerResult) -> Box<dyn Accumulator> {
    Box::new(IntegerSum { totals: vec![], result })
}

impl IntegerSum {
    /// Rows of one group are summed in a register.
    #[inline(never)]
    fn add<T: Copy + Into<i64>>(&mut self, column: &Column, values: &[T], groups: &[u32], rows: &[u32]) {
        let Some(&first) = groups.first() else { return };
        if groups.iter().all(|&group| group == first) {
            let mut total = Total { sum: 0i128, count: 0 };
            each_valid(column, groups, rows, |_, row| {
                total.sum += i128::from(values[row].into());
                total.count += 1;
            });
            let state = &mut self.totals[first as usize];
            state.sum += total.sum;
            state.count += total.count;
        } else {
            each_valid(column, groups, rows, |group, row| {
                let state = &mut self.totals[group];
                state.sum += i128::from(values[row].into());
                state.count += 1;
            });
        }
    }
}

/// Of values of at most 32 bits. A column has fewer than 2^32 of them, whose sum 64 bits hold.
#[inline(never)]
fn narrow_sum<T: Copy + Into<i64>>(values: &[T]) -> i128 {
    let (strides, last) = values.as_chunks::<VALUES>();
    let of_stride = |stride: &[T; VALUES]| stride.iter().map(|value| -> i64 { (*value).into() }).sum::<i64>();
    let of_last = last.iter().map(|value| -> i64 { (*value).into() }).sum::<i64>();
    i128::from(strides.iter().map(of_stride).sum::<i64>() + of_last)
}

impl Accumulator for IntegerSum {
    fn resize(&mut self, groups: usize) {
        self.totals.resize(groups, Total::default());
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let column = argument(arguments, 0)?;
        match &column.data {
            ColumnData::SmallInt(values) => self.add(column, values, groups, rows),
            ColumnData::Integer(values) => self.add(column, values, groups, rows),
            ColumnData::BigInt(values) => self.add(column, values, groups, rows),
            _ => return Err(wrong_type("sum")),
        }
        Ok(())
    }

    fn update_whole(&mut self, group: usize, rows: usize, arguments: &[&Column]) -> bool {
        let sum = match arguments {
            [Column { data: ColumnData::SmallInt(values), valid: None }] => narrow_sum(values),
            [Column { data: ColumnData::Integer(values), valid: None }] => narrow_sum(values),
            _ => return false,
        };
        let state = &mut self.totals[group];
        state.sum += sum;
        state.count += rows as i64;
        true
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        let Total { sum, count } = self.totals[group];
        if count == 0 {
            return Ok(Value::Null);
        }
        Ok(match self.result {
            IntegerResult::BigInt => Value::BigInt(i64::try_from(sum).map_err(|_| range_error::bigint())?),
            IntegerResult::Numeric => Value::Numeric(Numeric::from_i128(sum)),
            IntegerResult::Average => Value::Numeric(Numeric::from_i128(sum).div(&Numeric::from_i64(count))?),
        })
    }
}

/// In single precision, as PostgreSQL's.
#[derive(Default)]
struct RealSum {
    totals: Vec<Total<f32>>,
}

impl Accumulator for RealSum {
    fn resize(&mut self, groups: usize) {
        self.totals.resize(groups, Total::default());
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let column = argument(arguments, 0)?;
        let ColumnData::Real(values) = &column.data else { return Err(wrong_type("sum")) };
        try_each_valid(column, groups, rows, |group, row| {
            let state = &mut self.totals[group];
            let sum = state.sum + values[row];
            if sum.is_infinite() && state.sum.is_finite() && values[row].is_finite() {
                return Err(range_error::overflow());
            }
            *state = Total { sum, count: state.count + 1 };
            Ok(())
        })
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        let Total { sum, count } = self.totals[group];
        Ok(if count == 0 { Value::Null } else { Value::Real(sum) })
    }
}

struct DoubleSum {
    totals: Vec<Total<f64>>,
    average: bool,
}

fn doubles(average: bool) -> Box<dyn Accumulator> {
    Box::new(DoubleSum { totals: vec![], average })
}

impl DoubleSum {
    fn add<T: Copy + Into<f64>>(&mut self, column: &Column, values: &[T], groups: &[u32], rows: &[u32]) -> Result<()> {
        try_each_valid(column, groups, rows, |group, row| {
            let state = &mut self.totals[group];
            let value: f64 = values[row].into();
            let sum = state.sum + value;
            if sum.is_infinite() && state.sum.is_finite() && value.is_finite() {
                return Err(range_error::overflow());
            }
            *state = Total { sum, count: state.count + 1 };
            Ok(())
        })
    }
}

impl Accumulator for DoubleSum {
    fn resize(&mut self, groups: usize) {
        self.totals.resize(groups, Total::default());
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let column = argument(arguments, 0)?;
        match &column.data {
            ColumnData::Real(values) => self.add(column, values, groups, rows),
            ColumnData::Double(values) => self.add(column, values, groups, rows),
            _ => Err(wrong_type("sum")),
        }
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        let Total { sum, count } = self.totals[group];
        Ok(match count {
            0 => Value::Null,
            _ if self.average => Value::Double(sum / count as f64),
            _ => Value::Double(sum),
        })
    }
}

/// Sums small decimals of one scale as plain integers, the usual case, and everything else as numerics.
#[derive(Clone)]
struct NumericTotal {
    mantissa: i128,
    scale: u16,
    /// What did not fit the integer.
    rest: Option<Numeric>,
    count: i64,
}

struct NumericSum {
    totals: Vec<NumericTotal>,
    average: bool,
}

fn numerics(average: bool) -> Box<dyn Accumulator> {
    Box::new(NumericSum { totals: vec![], average })
}

impl NumericTotal {
    fn add(&mut self, value: &Numeric) -> Result<()> {
        self.count += 1;
        if let Numeric::Small { mantissa, scale } = *value {
            if self.count == 1 {
                (self.mantissa, self.scale) = (mantissa, scale);
                return Ok(());
            }
            if scale == self.scale
                && let Some(sum) = self.mantissa.checked_add(mantissa)
            {
                self.mantissa = sum;
                return Ok(());
            }
        }
        self.rest = Some(match self.rest.take() {
            Some(rest) => rest.add(value)?,
            None => value.clone(),
        });
        Ok(())
    }

    fn sum(&self) -> Result<Numeric> {
        let sum = Numeric::new(self.mantissa, self.scale);
        self.rest.as_ref().map_or(Ok(sum.clone()), |rest| sum.add(rest))
    }
}

impl Accumulator for NumericSum {
    fn resize(&mut self, groups: usize) {
        self.totals.resize(groups, NumericTotal { mantissa: 0, scale: 0, rest: None, count: 0 });
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let column = argument(arguments, 0)?;
        let ColumnData::Numeric(values) = &column.data else { return Err(wrong_type("sum")) };
        try_each_valid(column, groups, rows, |group, row| self.totals[group].add(&values[row]))
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        let total = &self.totals[group];
        if total.count == 0 {
            return Ok(Value::Null);
        }
        let sum = total.sum()?;
        Ok(Value::Numeric(if self.average { sum.div(&Numeric::from_i64(total.count))? } else { sum }))
    }
}

struct IntervalSum {
    totals: Vec<Total<Interval>>,
    average: bool,
}

fn intervals(average: bool) -> Box<dyn Accumulator> {
    Box::new(IntervalSum { totals: vec![], average })
}

impl Accumulator for IntervalSum {
    fn resize(&mut self, groups: usize) {
        self.totals.resize(groups, Total::default());
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        let column = argument(arguments, 0)?;
        let ColumnData::Interval(values) = &column.data else { return Err(wrong_type("sum")) };
        try_each_valid(column, groups, rows, |group, row| {
            let state = &mut self.totals[group];
            let value = values[row];
            let out_of_range = || -> Error { range_error::interval() };
            state.sum = Interval {
                months: state.sum.months.checked_add(value.months).ok_or_else(out_of_range)?,
                days: state.sum.days.checked_add(value.days).ok_or_else(out_of_range)?,
                microseconds: state.sum.microseconds.checked_add(value.microseconds).ok_or_else(out_of_range)?,
            };
            state.count += 1;
            Ok(())
        })
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        let Total { sum, count } = self.totals[group];
        Ok(match count {
            0 => Value::Null,
            _ if self.average => Value::Interval(divide_interval(&sum, count as f64)?),
            _ => Value::Interval(sum),
        })
    }
}
