//! Window frames: which rows of its partition a row's call sees.

use super::Sorted;
use crate::bind::expression::{FrameExclusion, FrameUnit};
use crate::error::{Error, Result, sqlstate};
use crate::execute::Execution;
use crate::execute::expression::{self, Compiled};
use crate::functions::resolve;
use crate::plan::physical::{self, CompiledBound, CompiledWindowCall};
use crate::types::{Batch, DataType, Value, cast, compare};
use std::cmp::Ordering;
use std::ops::Range;

/// The frames of all rows of a call, before exclusion.
pub struct Frames {
    pub ranges: Vec<Range<usize>>,
    exclusion: FrameExclusion,
}

impl Frames {
    pub fn new(
        execution: &Execution,
        window: &physical::Window,
        call: &CompiledWindowCall,
        sorted: &Sorted,
    ) -> Result<Frames> {
        let start = bounds(execution, window, call, &call.start, true, sorted)?;
        let end = bounds(execution, window, call, &call.end, false, sorted)?;
        let ranges = start.into_iter().zip(end).map(|(start, end)| start..end.max(start)).collect();
        Ok(Frames { ranges, exclusion: call.exclusion })
    }

    /// Nothing is excluded.
    pub fn whole(&self) -> bool {
        self.exclusion == FrameExclusion::NoOthers
    }

    /// The rows of a row's frame, in order.
    pub fn rows(&self, sorted: &Sorted, row: usize) -> impl Iterator<Item = usize> + Clone + use<> {
        let frame = self.ranges[row].clone();
        let peers = sorted.peer_start[row]..sorted.peer_end[row];
        let (excluded, kept) = match self.exclusion {
            FrameExclusion::NoOthers => (frame.end..frame.end, None),
            FrameExclusion::CurrentRow => (row..row + 1, None),
            FrameExclusion::Group => (peers, None),
            FrameExclusion::Ties => (peers, Some(row).filter(|row| frame.contains(row))),
        };
        let before = frame.start..excluded.start.clamp(frame.start, frame.end);
        let after = excluded.end.clamp(frame.start, frame.end)..frame.end;
        before.chain(kept).chain(after)
    }
}

/// Per row the frame's first row, or the first row after it.
fn bounds(
    execution: &Execution,
    window: &physical::Window,
    call: &CompiledWindowCall,
    bound: &CompiledBound,
    start: bool,
    sorted: &Sorted,
) -> Result<Vec<usize>> {
    let rows = sorted.rows.rows;
    let mut result = Vec::with_capacity(rows);
    let (offset, following) = match bound {
        CompiledBound::UnboundedPreceding | CompiledBound::UnboundedFollowing | CompiledBound::CurrentRow => {
            for partition in &sorted.partitions {
                for row in partition.clone() {
                    result.push(match (bound, call.unit, start) {
                        (CompiledBound::UnboundedPreceding, ..) => partition.start,
                        (CompiledBound::UnboundedFollowing, ..) => partition.end,
                        (_, FrameUnit::Rows, true) => row,
                        (_, FrameUnit::Rows, false) => row + 1,
                        (_, _, true) => sorted.peer_start[row],
                        (_, _, false) => sorted.peer_end[row],
                    });
                }
            }
            return Ok(result);
        }
        CompiledBound::Preceding(offset) => (offset, false),
        CompiledBound::Following(offset) => (offset, true),
    };
    if call.unit == FrameUnit::Range {
        return range_bounds(execution, window, (offset, following), start, sorted);
    }
    let offset = count(execution, offset, start, &sorted.rows)?;
    for partition in &sorted.partitions {
        let groups: Vec<usize> = match call.unit {
            FrameUnit::Groups => partition.clone().filter(|row| sorted.peer_start[*row] == *row).collect(),
            _ => vec![],
        };
        let mut group = 0;
        for row in partition.clone() {
            result.push(match call.unit {
                FrameUnit::Groups => {
                    group += usize::from(groups.get(group + 1) == Some(&row));
                    let wanted = if following { group.checked_add(offset) } else { group.checked_sub(offset) };
                    match wanted {
                        None if following => partition.end,
                        None => partition.start,
                        Some(wanted) if start => groups.get(wanted).copied().unwrap_or(partition.end),
                        Some(wanted) => groups.get(wanted.saturating_add(1)).copied().unwrap_or(partition.end),
                    }
                }
                _ => {
                    let base = if start { row } else { row + 1 };
                    let place = if following { base.saturating_add(offset) } else { base.saturating_sub(offset) };
                    place.clamp(partition.start, partition.end)
                }
            });
            // A frame that ends before the partition begins is empty.
            if call.unit == FrameUnit::Groups
                && !start
                && !following
                && group < offset
                && let Some(last) = result.last_mut()
            {
                *last = partition.start;
            }
        }
    }
    Ok(result)
}

fn name(start: bool) -> &'static str {
    if start { "starting" } else { "ending" }
}

fn offset_value(execution: &Execution, offset: &Compiled, start: bool, rows: &Batch) -> Result<Value> {
    if rows.rows == 0 {
        return Ok(Value::BigInt(0));
    }
    // The offset reads no columns of the row, but may be an outer query's.
    match expression::evaluate(execution, offset, &Batch { columns: rows.columns.clone(), rows: rows.rows })?.value(0) {
        Value::Null => {
            Err(Error::new(sqlstate::NULL_VALUE_NOT_ALLOWED, format!("frame {} offset must not be null", name(start))))
        }
        value => Ok(value),
    }
}

/// The offset of ROWS and GROUPS.
fn count(execution: &Execution, offset: &Compiled, start: bool, rows: &Batch) -> Result<usize> {
    let value = match offset_value(execution, offset, start, rows)? {
        Value::BigInt(value) => value,
        Value::Integer(value) => i64::from(value),
        Value::SmallInt(value) => i64::from(value),
        _ => return Err(Error::internal("a frame offset that is no integer")),
    };
    usize::try_from(value).map_err(|_| {
        let message = format!("frame {} offset must not be negative", name(start));
        Error::new(sqlstate::INVALID_PRECEDING_OR_FOLLOWING_SIZE, message)
    })
}

/// RANGE with an offset: rows whose key is within it (section 4.2.8). The keys are ordered, so both ends only move on.
fn range_bounds(
    execution: &Execution,
    window: &physical::Window,
    (offset, following): (&Compiled, bool),
    start: bool,
    sorted: &Sorted,
) -> Result<Vec<usize>> {
    let ([key], [column]) = (window.order_by.as_slice(), sorted.order_columns.as_slice()) else {
        let message = "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column";
        return Err(Error::new(sqlstate::WINDOWING_ERROR, message));
    };
    let rows = sorted.rows.rows;
    if rows == 0 {
        return Ok(vec![]);
    }
    let distance = offset_value(execution, offset, start, &sorted.rows)?;
    if is_negative(&distance) {
        let message = "invalid preceding or following size in window function";
        return Err(Error::new(sqlstate::INVALID_PRECEDING_OR_FOLLOWING_SIZE, message));
    }
    let shift = Shift::new(key.expression.data_type(), offset.data_type(), following != key.descending)?;
    let in_order = |left: &Value, right: &Value| {
        let order = compare::compare(left, right);
        if key.descending { order.reverse() } else { order }
    };
    let keys = (0..rows).map(|row| shift.comparable(execution, column.value(row))).collect::<Result<Vec<_>>>()?;
    let mut result = Vec::with_capacity(rows);
    for partition in &sorted.partitions {
        // NULLs stand together at one end, and are only within reach of each other.
        let filled: Vec<usize> = partition.clone().filter(|row| !keys[*row].is_null()).collect();
        let filled = filled.first().map_or(partition.end..partition.end, |first| *first..first + filled.len());
        let mut place = filled.start;
        for row in partition.clone() {
            if keys[row].is_null() {
                result.push(if start { sorted.peer_start[row] } else { sorted.peer_end[row] });
                continue;
            }
            let limit = shift.apply(execution, &column.value(row), &distance)?;
            while place < filled.end {
                let order = in_order(&keys[place], &limit);
                if order == Ordering::Greater || (start && order == Ordering::Equal) {
                    break;
                }
                place += 1;
            }
            result.push(place);
        }
    }
    Ok(result)
}

fn is_negative(value: &Value) -> bool {
    match value {
        Value::SmallInt(value) => *value < 0,
        Value::Integer(value) => *value < 0,
        Value::BigInt(value) => *value < 0,
        Value::Real(value) => *value < 0.0,
        Value::Double(value) => *value < 0.0,
        Value::Numeric(value) => *value < crate::types::numeric::Numeric::from_i64(0),
        Value::Interval(_) => {
            compare::compare(value, &Value::Interval(crate::types::interval::Interval::default())) == Ordering::Less
        }
        _ => false,
    }
}

/// Adding an offset to a key, or taking it away.
enum Shift {
    /// Beyond bigint's ends there are no rows: wider numbers need no error.
    Integer { forward: bool },
    /// By the operator of the types; a date moved by an interval is a timestamp, as all keys then are.
    Operator { function: &'static crate::functions::ScalarFunction, from: DataType, result: DataType },
}

impl Shift {
    fn new(key: DataType, offset: DataType, forward: bool) -> Result<Shift> {
        if key.is_integer() && offset.is_integer() {
            return Ok(Shift::Integer { forward });
        }
        let resolved = resolve::operator(if forward { "+" } else { "-" }, Some(key), offset)?;
        Ok(Shift::Operator { function: resolved.function, from: key, result: resolved.result })
    }

    fn comparable(&self, execution: &Execution, key: Value) -> Result<Value> {
        match self {
            Shift::Operator { from, result, .. } if from != result => {
                cast::cast(&key, *from, *result, -1, true, &execution.context.functions)
            }
            Shift::Operator { .. } => Ok(key),
            Shift::Integer { .. } => Ok(wide(&key).map_or(Value::Null, Value::BigInt)),
        }
    }

    fn apply(&self, execution: &Execution, key: &Value, distance: &Value) -> Result<Value> {
        match self {
            Shift::Operator { function, .. } => {
                (function.evaluate)(&execution.context.functions, &[key.clone(), distance.clone()])
            }
            Shift::Integer { forward } => {
                let (key, distance) = (wide(key).unwrap_or(0), wide(distance).unwrap_or(0));
                let moved = if *forward { key.saturating_add(distance) } else { key.saturating_sub(distance) };
                Ok(Value::BigInt(moved))
            }
        }
    }
}

fn wide(value: &Value) -> Option<i64> {
    match value {
        Value::SmallInt(value) => Some(i64::from(*value)),
        Value::Integer(value) => Some(i64::from(*value)),
        Value::BigInt(value) => Some(*value),
        _ => None,
    }
}
