//! row_number, rank, lag and the others that are no aggregates (PostgreSQL 15, section 9.22).

use super::Sorted;
use super::frame::Frames;
use crate::error::{Error, Result, sqlstate};
use crate::execute::Execution;
use crate::execute::expression::{self, Compiled};
use crate::functions::WindowFunctionKind;
use crate::plan::physical::{self, CompiledWindowCall};
use crate::types::{Column, ColumnBuilder, Value};
use std::ops::Range;
use std::rc::Rc;

pub fn run(
    execution: &Execution,
    window: &physical::Window,
    call: &CompiledWindowCall,
    kind: WindowFunctionKind,
    sorted: &Sorted,
) -> Result<Column> {
    let evaluate = |argument: &Compiled| expression::evaluate(execution, argument, &sorted.rows);
    let arguments = call.arguments.iter().map(evaluate).collect::<Result<Vec<_>>>()?;
    let mut result = ColumnBuilder::new(call.data_type);
    match kind {
        WindowFunctionKind::FirstValue | WindowFunctionKind::LastValue | WindowFunctionKind::NthValue => {
            let frames = Frames::new(execution, window, call, sorted)?;
            framed(kind, &arguments, &frames, sorted, &mut result)?;
        }
        WindowFunctionKind::Lag | WindowFunctionKind::Lead => {
            let forward = kind == WindowFunctionKind::Lead;
            sorted.partitions.iter().for_each(|partition| shifted(forward, &arguments, partition, &mut result));
        }
        WindowFunctionKind::Ntile => {
            for partition in &sorted.partitions {
                buckets(&arguments, partition, &mut result)?;
            }
        }
        _ => sorted.partitions.iter().for_each(|partition| ranked(kind, partition, sorted, &mut result)),
    }
    Ok(result.finish())
}

fn ranked(kind: WindowFunctionKind, partition: &Range<usize>, sorted: &Sorted, result: &mut ColumnBuilder) {
    let mut dense = 0;
    let rows = partition.len() as f64;
    for row in partition.clone() {
        dense += i64::from(sorted.peer_start[row] == row);
        let rank = (sorted.peer_start[row] - partition.start + 1) as i64;
        result.push(&match kind {
            WindowFunctionKind::RowNumber => Value::BigInt((row - partition.start + 1) as i64),
            WindowFunctionKind::Rank => Value::BigInt(rank),
            WindowFunctionKind::DenseRank => Value::BigInt(dense),
            WindowFunctionKind::PercentRank if partition.len() == 1 => Value::Double(0.0),
            WindowFunctionKind::PercentRank => Value::Double((rank - 1) as f64 / (rows - 1.0)),
            _ => Value::Double((sorted.peer_end[row] - partition.start) as f64 / rows),
        });
    }
}

fn integer(value: Value) -> Option<i64> {
    match value {
        Value::Integer(value) => Some(i64::from(value)),
        Value::BigInt(value) => Some(value),
        Value::SmallInt(value) => Some(i64::from(value)),
        _ => None,
    }
}

/// lag and lead: the row's value so many rows away, or else the default.
fn shifted(forward: bool, arguments: &[Rc<Column>], partition: &Range<usize>, result: &mut ColumnBuilder) {
    let Some(values) = arguments.first() else { return };
    for row in partition.clone() {
        let offset = match arguments.get(1) {
            None => Some(1),
            Some(offsets) => integer(offsets.value(row)),
        };
        let Some(offset) = offset else {
            result.push_null();
            continue;
        };
        let place = if forward { row as i64 + offset } else { row as i64 - offset };
        match usize::try_from(place).ok().filter(|place| partition.contains(place)) {
            Some(place) => result.push(&values.value(place)),
            None => result.push(&arguments.get(2).map_or(Value::Null, |defaults| defaults.value(row))),
        }
    }
}

/// ntile: buckets whose sizes differ by one at most, the larger ones first.
fn buckets(arguments: &[Rc<Column>], partition: &Range<usize>, result: &mut ColumnBuilder) -> Result<()> {
    let Some(count) = arguments.first().and_then(|count| integer(count.value(partition.start))) else {
        partition.clone().for_each(|_| result.push_null());
        return Ok(());
    };
    if count <= 0 {
        let message = "argument of ntile must be greater than zero";
        return Err(Error::new(sqlstate::INVALID_ARGUMENT_FOR_NTILE, message));
    }
    let rows = partition.len() as i64;
    let (size, larger) = (rows / count, rows % count);
    for row in 0..rows {
        let in_larger = larger * (size + 1);
        let bucket = if row < in_larger { row / (size + 1) } else { larger + (row - in_larger) / size };
        result.push(&Value::Integer(bucket as i32 + 1));
    }
    Ok(())
}

fn framed(
    kind: WindowFunctionKind,
    arguments: &[Rc<Column>],
    frames: &Frames,
    sorted: &Sorted,
    result: &mut ColumnBuilder,
) -> Result<()> {
    let Some(values) = arguments.first() else { return Err(Error::internal("a window function without its argument")) };
    for row in 0..sorted.rows.rows {
        let frame = &frames.ranges[row];
        let place = match kind {
            WindowFunctionKind::FirstValue => frames.rows(sorted, row).next(),
            WindowFunctionKind::LastValue if frames.whole() => frame.clone().next_back(),
            WindowFunctionKind::LastValue => frames.rows(sorted, row).last(),
            _ => {
                let Some(number) = arguments.get(1).and_then(|numbers| integer(numbers.value(row))) else {
                    result.push_null();
                    continue;
                };
                if number <= 0 {
                    let message = "argument of nth_value must be greater than zero";
                    return Err(Error::new(sqlstate::INVALID_ARGUMENT_FOR_NTH_VALUE, message));
                }
                match frames.whole() {
                    true => Some(frame.start.saturating_add(number as usize - 1)).filter(|row| frame.contains(row)),
                    false => frames.rows(sorted, row).nth(number as usize - 1),
                }
            }
        };
        result.push(&place.map_or(Value::Null, |place| values.value(place)));
    }
    Ok(())
}
