//! One aggregate call: its FILTER, DISTINCT and ORDER BY around the accumulator that does the work.

use crate::error::Result;
use crate::execute::Execution;
use crate::execute::columns::{append, empty, extend};
use crate::execute::expression::{self, Compiled, CompiledSortKey};
use crate::execute::group::GroupTable;
use crate::execute::sort::sort_rows;
use crate::functions::Accumulator;
use crate::plan::physical::CompiledAggregate;
use crate::types::{Batch, Column, ColumnBuilder, ColumnData, DataType};
use std::rc::Rc;

/// What a call reads of one batch, the same for every grouping set.
pub struct Inputs {
    arguments: Vec<Rc<Column>>,
    keys: Vec<Rc<Column>>,
    /// The rows of the batch that the filter lets through; none: all of them.
    selected: Option<Vec<u32>>,
    rows: usize,
}

impl Inputs {
    pub fn new(execution: &Execution, call: &CompiledAggregate, batch: &Batch) -> Result<Inputs> {
        let selected = match &call.filter {
            None => None,
            Some(filter) => expression::select(execution, filter, batch)?,
        };
        let narrow;
        let seen = match &selected {
            None => batch,
            Some(selected) => {
                let keys = call.order_by.iter().map(|key| &key.expression);
                let all: Vec<&Compiled> = call.arguments.iter().chain(keys).collect();
                narrow = expression::narrow(batch, selected, &all);
                &narrow
            }
        };
        let evaluate = |expression: &Compiled| expression::evaluate(execution, expression, seen);
        Ok(Inputs {
            arguments: call.arguments.iter().map(evaluate).collect::<Result<_>>()?,
            keys: call.order_by.iter().map(|key| evaluate(&key.expression)).collect::<Result<_>>()?,
            rows: seen.rows,
            selected,
        })
    }
}

pub struct Call<'a> {
    call: &'a CompiledAggregate,
    accumulator: Box<dyn Accumulator>,
    /// Group and arguments that were seen.
    distinct: Option<GroupTable>,
    /// Rows that wait to be put in order.
    waiting: Option<Waiting>,
}

struct Waiting {
    groups: Vec<u32>,
    arguments: Vec<Column>,
    keys: Vec<Column>,
}

/// Aggregates whose result depends on the order of their input: DISTINCT sorts it, as PostgreSQL does.
const ORDERED: &[&str] =
    &["array_agg", "string_agg", "json_agg", "jsonb_agg", "json_object_agg", "jsonb_object_agg", "xmlagg"];

impl<'a> Call<'a> {
    pub fn new(call: &'a CompiledAggregate) -> Call<'a> {
        let types: Vec<DataType> = call.arguments.iter().map(Compiled::data_type).collect();
        let grouped: Vec<DataType> = std::iter::once(DataType::Integer).chain(types.iter().copied()).collect();
        let sorts = !call.order_by.is_empty() || (call.distinct && ORDERED.contains(&call.function.name));
        let columns = |types: &[DataType]| types.iter().map(|data_type| empty(*data_type)).collect();
        let key_types: Vec<DataType> = call.order_by.iter().map(|key| key.expression.data_type()).collect();
        Call {
            call,
            accumulator: (call.function.accumulator)(&types),
            distinct: call.distinct.then(|| GroupTable::new(&grouped)),
            waiting: sorts.then(|| Waiting { groups: vec![], arguments: columns(&types), keys: columns(&key_types) }),
        }
    }

    /// Adds a batch whose row i belongs to `groups[i]`; there are `count` groups so far.
    pub fn update(&mut self, execution: &Execution, groups: &[u32], count: usize, inputs: &Inputs) -> Result<()> {
        let selected: Vec<u32>;
        let mut groups = groups;
        if let Some(rows) = &inputs.selected {
            selected = rows.iter().map(|row| groups[*row as usize]).collect();
            groups = &selected;
        }
        let arguments: Vec<&Column> = inputs.arguments.iter().map(|argument| &**argument).collect();
        if count == 1 && self.distinct.is_none() && self.waiting.is_none() {
            self.accumulator.resize(count);
            if self.accumulator.update_whole(0, inputs.rows, &arguments) {
                return Ok(());
            }
        }
        let mut rows: Vec<u32> = (0..inputs.rows as u32).collect();
        let fresh: Vec<u32>;
        if let Some(distinct) = &mut self.distinct {
            rows = first_of_each(distinct, groups, inputs);
            fresh = rows.iter().map(|row| groups[*row as usize]).collect();
            groups = &fresh;
        }
        if let Some(waiting) = &mut self.waiting {
            waiting.groups.extend_from_slice(groups);
            let targets = waiting.arguments.iter_mut().chain(&mut waiting.keys);
            for (target, source) in targets.zip(inputs.arguments.iter().chain(&inputs.keys)) {
                match rows.len() == source.len() {
                    true => append(target, source),
                    false => extend(target, source, &rows),
                }
            }
            return Ok(());
        }
        self.accumulator.resize(count);
        self.accumulator.update(&execution.context.functions, groups, &rows, &arguments)
    }

    /// Hands over what waited to be sorted.
    pub fn complete(&mut self, execution: &Execution, count: usize) -> Result<()> {
        self.accumulator.resize(count);
        let Some(waiting) = self.waiting.take() else { return Ok(()) };
        let rows = waiting.groups.len();
        let ascending = |data_type| CompiledSortKey {
            expression: Compiled::Column { position: 0, data_type },
            descending: false,
            nulls_first: false,
        };
        let numbers = waiting.groups.iter().map(|group| *group as i32).collect();
        let mut columns = vec![Rc::new(Column { data: ColumnData::Integer(numbers), valid: None })];
        let mut keys = vec![ascending(DataType::Integer)];
        let arguments: Vec<Rc<Column>> = waiting.arguments.into_iter().map(Rc::new).collect();
        columns.extend(waiting.keys.into_iter().map(Rc::new));
        keys.extend(self.call.order_by.iter().cloned());
        if self.call.order_by.is_empty() {
            columns.extend(arguments.iter().cloned());
            keys.extend(self.call.arguments.iter().map(|argument| ascending(argument.data_type())));
        }
        let order = sort_rows(&keys, &columns, rows);
        let groups: Vec<u32> = order.iter().map(|row| waiting.groups[*row as usize]).collect();
        let arguments: Vec<&Column> = arguments.iter().map(|argument| &**argument).collect();
        self.accumulator.update(&execution.context.functions, &groups, &order, &arguments)
    }

    /// The results of some groups.
    pub fn finish(&mut self, execution: &Execution, start: usize, end: usize) -> Result<Column> {
        let mut builder = ColumnBuilder::new(self.call.data_type);
        for group in start..end {
            builder.push(&self.accumulator.finish(&execution.context.functions, group)?);
        }
        Ok(builder.finish())
    }
}

/// Rows whose group and arguments were not seen before.
fn first_of_each(distinct: &mut GroupTable, groups: &[u32], inputs: &Inputs) -> Vec<u32> {
    let mut known = distinct.len() as u32;
    let numbers = groups.iter().map(|group| *group as i32).collect();
    let mut keys = vec![Rc::new(Column { data: ColumnData::Integer(numbers), valid: None })];
    keys.extend(inputs.arguments.iter().cloned());
    let mut numbered = vec![];
    distinct.insert(&keys, inputs.rows, &mut numbered);
    let is_new = |row: &u32| {
        let new = numbered[*row as usize] == known;
        known += u32::from(new);
        new
    };
    (0..inputs.rows as u32).filter(is_new).collect()
}
