//! Aggregates over window frames.

use super::Sorted;
use super::frame::Frames;
use crate::error::Result;
use crate::execute::Execution;
use crate::execute::columns::{scatter, true_rows};
use crate::execute::expression::{self, Compiled};
use crate::functions::AggregateFunction;
use crate::plan::physical::{self, CompiledWindowCall};
use crate::types::{Column, ColumnBuilder, DataType, Value};
use std::ops::Range;
use std::rc::Rc;

/// Frame rows that are handed to the accumulator at once.
const FRAME_ROWS: usize = 64 * 1024;

pub fn run(
    execution: &Execution,
    window: &physical::Window,
    call: &CompiledWindowCall,
    function: &'static AggregateFunction,
    sorted: &Sorted,
) -> Result<Column> {
    let frames = Frames::new(execution, window, call, sorted)?;
    let (arguments, included) = inputs(execution, call, sorted)?;
    let columns: Vec<&Column> = arguments.iter().map(|argument| &**argument).collect();
    let types: Vec<DataType> = call.arguments.iter().map(Compiled::data_type).collect();
    let mut aggregation = Aggregation { execution, function, types, columns, included };
    let mut result = ColumnBuilder::new(call.data_type);
    for partition in &sorted.partitions {
        // Frames that all begin where the partition does only grow: each row is added once.
        let growing = frames.whole() && partition.clone().all(|row| frames.ranges[row].start == partition.start);
        match growing {
            true => aggregation.growing(partition, &frames, &mut result)?,
            false => aggregation.each(partition, &frames, sorted, &mut result)?,
        }
    }
    Ok(result.finish())
}

/// The arguments of all rows, and which rows the filter lets through (none: all).
type Inputs = (Vec<Rc<Column>>, Option<Vec<bool>>);

fn inputs(execution: &Execution, call: &CompiledWindowCall, sorted: &Sorted) -> Result<Inputs> {
    let Some(filter) = &call.filter else {
        let arguments = call.arguments.iter().map(|argument| expression::evaluate(execution, argument, &sorted.rows));
        return Ok((arguments.collect::<Result<_>>()?, None));
    };
    let rows = true_rows(&*expression::evaluate(execution, filter, &sorted.rows)?);
    let mut arguments = vec![];
    for argument in &call.arguments {
        let narrow = expression::narrow(&sorted.rows, &rows, &[argument]);
        let column = expression::evaluate(execution, argument, &narrow)?;
        arguments.push(scatter(argument.data_type(), sorted.rows.rows, &[(column, rows.clone())]));
    }
    let mut included = vec![false; sorted.rows.rows];
    rows.into_iter().for_each(|row| included[row as usize] = true);
    Ok((arguments, Some(included)))
}

struct Aggregation<'r, 'a> {
    execution: &'r Execution<'a>,
    function: &'static AggregateFunction,
    types: Vec<DataType>,
    columns: Vec<&'r Column>,
    included: Option<Vec<bool>>,
}

impl Aggregation<'_, '_> {
    fn is_included(&self, row: usize) -> bool {
        self.included.as_ref().is_none_or(|included| included[row])
    }

    fn growing(&mut self, partition: &Range<usize>, frames: &Frames, result: &mut ColumnBuilder) -> Result<()> {
        let context = &self.execution.context.functions;
        let mut accumulator = (self.function.accumulator)(&self.types);
        accumulator.resize(1);
        let mut end = partition.start;
        let mut value = None;
        for row in partition.clone() {
            let frame_end = frames.ranges[row].end;
            if frame_end > end || value.is_none() {
                let added: Vec<u32> =
                    (end..frame_end).filter(|row| self.is_included(*row)).map(|row| row as u32).collect();
                accumulator.update(context, &vec![0; added.len()], &added, &self.columns)?;
                end = end.max(frame_end);
                value = Some(accumulator.finish(context, 0)?);
            }
            result.push(value.as_ref().unwrap_or(&Value::Null));
        }
        Ok(())
    }

    /// Frames that also lose rows: every row is a group of its own, and gets all rows of its frame.
    fn each(
        &mut self,
        partition: &Range<usize>,
        frames: &Frames,
        sorted: &Sorted,
        result: &mut ColumnBuilder,
    ) -> Result<()> {
        let context = &self.execution.context.functions;
        let mut row = partition.start;
        while row < partition.end {
            let (mut groups, mut rows, first) = (vec![], vec![], row);
            while row < partition.end && (rows.len() < FRAME_ROWS || row == first) {
                let frame = frames.rows(sorted, row).filter(|row| self.is_included(*row));
                rows.extend(frame.map(|row| row as u32));
                groups.resize(rows.len(), (row - first) as u32);
                row += 1;
            }
            let mut accumulator = (self.function.accumulator)(&self.types);
            accumulator.resize(row - first);
            accumulator.update(context, &groups, &rows, &self.columns)?;
            for group in 0..row - first {
                result.push(&accumulator.finish(context, group)?);
            }
        }
        Ok(())
    }
}
