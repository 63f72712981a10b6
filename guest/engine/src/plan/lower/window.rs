//! Window functions: calls over one partitioning and order run together.

use super::{Lowered, Lowering};
use crate::bind::Plan;
use crate::bind::expression::{ColumnId, Expression, FrameBound, WindowCall};
use crate::error::Result;
use crate::plan::access::{OrderColumn, Ordering, Wanted};
use crate::plan::physical::{self, CompiledBound, CompiledWindowCall, Operation};
use crate::types::DataType;

impl Lowering {
    pub(super) fn window(&mut self, input: &Plan, calls: &[(ColumnId, WindowCall)]) -> Result<Lowered> {
        let mut node = self.lower(input, &Wanted::default())?.node;
        let mut ordering = Ordering::default();
        // The printed form of bound expressions names everything that they are made of.
        let window = |call: &WindowCall| format!("{:?} {:?}", call.partition_by, call.order_by);
        let mut rest: Vec<&(ColumnId, WindowCall)> = calls.iter().collect();
        while let Some((_, first)) = rest.first() {
            let wanted = window(first);
            let together: Vec<_> = rest.extract_if(.., |(_, call)| window(call) == wanted).collect();
            let (partition_by, order_by) = (&together[0].1.partition_by, &together[0].1.order_by);
            let mut columns = node.columns.clone();
            let mut compiled = vec![];
            for (id, call) in &together {
                compiled.push(self.window_call(call, &node.columns)?);
                columns.push((*id, call.data_type));
            }
            ordering = given_order(partition_by, order_by);
            let partition_by = self.compile_all(partition_by, &node.columns)?;
            let order_by = self.sort_keys(order_by, &node.columns)?;
            let (rows, cost) = (node.rows, node.cost + node.rows * node.rows.max(2.0).log2() * 0.3);
            let window = physical::Window { input: node, partition_by, order_by, calls: compiled };
            node = self.node(Operation::Window(Box::new(window)), columns, rows, cost);
        }
        Ok(Lowered { node, ordering })
    }

    fn window_call(&mut self, call: &WindowCall, columns: &[(ColumnId, DataType)]) -> Result<CompiledWindowCall> {
        let mut bound = |bound: &FrameBound| -> Result<CompiledBound> {
            Ok(match bound {
                FrameBound::UnboundedPreceding => CompiledBound::UnboundedPreceding,
                FrameBound::Preceding(offset) => CompiledBound::Preceding(self.compile(offset, columns)?),
                FrameBound::CurrentRow => CompiledBound::CurrentRow,
                FrameBound::Following(offset) => CompiledBound::Following(self.compile(offset, columns)?),
                FrameBound::UnboundedFollowing => CompiledBound::UnboundedFollowing,
            })
        };
        let (start, end) = (bound(&call.frame.start)?, bound(&call.frame.end)?);
        Ok(CompiledWindowCall {
            function: call.function,
            arguments: self.compile_all(&call.arguments, columns)?,
            filter: self.optional(call.filter.as_ref(), columns)?,
            unit: call.frame.unit,
            start,
            end,
            exclusion: call.frame.exclusion,
            data_type: call.data_type,
        })
    }
}

/// The order in which a window's rows are left: by partition, then by its own order.
fn given_order(partition_by: &[Expression], order_by: &[crate::bind::expression::SortKey]) -> Ordering {
    let partition = partition_by.iter().map(|expression| (expression, false, false));
    let order = order_by.iter().map(|key| (&key.expression, key.descending, key.nulls_first));
    let columns = partition.chain(order).map_while(|(expression, descending, nulls_first)| match expression {
        Expression::Column { id, .. } => Some(OrderColumn { id: *id, descending, nulls_first }),
        _ => None,
    });
    Ordering { columns: columns.collect(), ..Ordering::default() }
}
