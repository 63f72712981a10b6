//! Taking a node's time for EXPLAIN ANALYZE.

use super::{Execution, Operator, Stream};
use crate::error::Result;
use crate::types::Batch;

pub struct Measured<'a> {
    node: usize,
    input: Stream<'a>,
}

impl<'a> Measured<'a> {
    pub fn new(node: usize, input: Stream<'a>) -> Measured<'a> {
        Measured { node, input }
    }
}

impl<'a> Operator<'a> for Measured<'a> {
    fn next(&mut self, execution: &Execution<'a>) -> Result<Option<Batch>> {
        let before = execution.context.host.clock_time();
        let batch = self.input.next(execution)?;
        let time = execution.context.host.clock_time() - before;
        if let Some(measurements) = &execution.measurements {
            let measurement = &mut measurements.borrow_mut()[self.node];
            if measurement.time == 0 && measurement.rows == 0 {
                measurement.startup = time;
            }
            measurement.time += time;
            measurement.rows += batch.as_ref().map_or(0, |batch| batch.rows as u64);
        }
        Ok(batch)
    }
}
