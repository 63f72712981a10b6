//! `count(*)` and `count(x)`.

use super::aggregate;
use super::rows::each_valid;
use crate::error::Result;
use crate::functions::signature::{ANY, BIGINT};
use crate::functions::{Accumulator, AggregateFunction, FunctionContext};
use crate::types::stride::each_pair;
use crate::types::{Column, DataType, Value};

pub static FUNCTIONS: &[AggregateFunction] =
    &[aggregate("count", &[], BIGINT, count), aggregate("count", &[ANY], BIGINT, count)];

#[derive(Default)]
struct Count {
    counts: Vec<i64>,
}

fn count(_: &[DataType]) -> Box<dyn Accumulator> {
    Box::new(Count::default())
}

impl Accumulator for Count {
    fn resize(&mut self, groups: usize) {
        self.counts.resize(groups, 0);
    }

    fn update(&mut self, _: &FunctionContext, groups: &[u32], rows: &[u32], arguments: &[&Column]) -> Result<()> {
        match arguments.first() {
            None => each_pair(groups, rows, |group, _| self.counts[group as usize] += 1),
            Some(column) => each_valid(column, groups, rows, |group, _| self.counts[group] += 1),
        }
        Ok(())
    }

    fn update_whole(&mut self, group: usize, rows: usize, arguments: &[&Column]) -> bool {
        let valid = arguments.first().and_then(|column| column.valid.as_ref());
        let nulls = valid.map_or(0, |valid| valid.iter().filter(|valid| !**valid).count());
        self.counts[group] += (rows - nulls) as i64;
        true
    }

    fn finish(&mut self, _: &FunctionContext, group: usize) -> Result<Value> {
        Ok(Value::BigInt(self.counts[group]))
    }
}
