//! Joins: by hash, by index, or by trying all pairs.

use super::order::Tree;
use super::scan::filtered_scan;
use super::{Columns, Lowered, Lowering, outside};
use crate::bind::Plan;
use crate::bind::expression::{ColumnId, Expression};
use crate::bind::logical::{Join, JoinKind};
use crate::error::Result;
use crate::plan::access::{self, Ordering, Path, Wanted};
use crate::plan::physical::{self, Operation};
use crate::plan::walk;
use crate::types::DataType;

/// Work per row: put into a hash table, look up there, compare a pair, hand on a pair.
pub const BUILD: f64 = 2.0;
pub const PROBE: f64 = 1.0;
pub const PAIR: f64 = 0.3;
pub const OUTPUT: f64 = 0.3;

impl Lowering {
    pub(super) fn join(&mut self, plan: &Plan, join: &Join, wanted: &Wanted) -> Result<Lowered> {
        if join.kind == JoinKind::Inner && !join.lateral {
            return self.inner_joins(plan, wanted);
        }
        let conjuncts = join.condition.clone().map_or(vec![], walk::conjuncts);
        if join.lateral {
            return self.lateral(join, &conjuncts, wanted);
        }
        if join.kind == JoinKind::Right {
            return self.outer(JoinKind::Left, &join.right, &join.left, &conjuncts, wanted);
        }
        if join.kind == JoinKind::Semi
            && let Some(lowered) = self.semi_from_right(join, &conjuncts)?
        {
            return Ok(lowered);
        }
        self.outer(join.kind, &join.left, &join.right, &conjuncts, wanted)
    }

    /// Left, full, semi and anti joins: the left side comes first.
    fn outer(
        &mut self,
        kind: JoinKind,
        left: &Plan,
        right: &Plan,
        conjuncts: &[Expression],
        wanted: &Wanted,
    ) -> Result<Lowered> {
        let selectivity = self.estimates.all(conjuncts);
        let (left_rows, right_rows) = (self.estimates.rows(left), self.estimates.rows(right));
        let rows = self.estimates.join(kind, left_rows, right_rows, selectivity);
        let order_of_left = wanted.order.iter().all(|order| left.columns().iter().any(|column| column.id == order.id));
        let left_wanted = match order_of_left && kind != JoinKind::Full {
            true => Wanted { order: wanted.order.clone(), rows: wanted.rows.map(|wanted| wanted * left_rows / rows) },
            false => Wanted::default(),
        };
        let Lowered { node: left_node, ordering } = self.lower(left, &left_wanted)?;
        let ordering = if loses_order(kind) { Ordering::default() } else { Ordering { single: false, ..ordering } };
        let probes = left_wanted.rows.map_or(left_node.rows, |wanted| wanted.min(left_node.rows));
        if kind != JoinKind::Full
            && let Some((scan, own)) = filtered_scan(right)
        {
            let path = self.index_path(scan, &own, conjuncts);
            let hash = right_rows * BUILD + self.estimates.table(&scan.relation) + probes * PROBE;
            if let Some(path) = path
                && probes * path.cost < hash
            {
                let node = self.index_join(kind, left_node, (scan, &path), &own, conjuncts, rows)?;
                return Ok(Lowered { node, ordering });
            }
        }
        let right_node = self.lower(right, &Wanted::default())?.node;
        let node = self.hash_or_loop(kind, left_node, right_node, conjuncts, rows)?;
        Ok(Lowered { node, ordering })
    }

    /// The path by which each left row finds its partners, if there is an index for it.
    pub(super) fn index_path(
        &self,
        scan: &crate::bind::logical::Scan,
        own: &[Expression],
        conjuncts: &[Expression],
    ) -> Option<Path> {
        let all: Vec<Expression> = own.iter().chain(conjuncts).cloned().collect();
        let path = access::choose(scan, &all, &Wanted::default(), &self.estimates);
        // Only a path that the join's own condition narrows is run per left row.
        let by_join = path.equal.iter().any(|equal| match equal {
            access::Equal::One(value) => conjuncts.iter().any(|conjunct| mentions(conjunct, value)),
            _ => false,
        });
        (path.index.is_some() && by_join).then_some(path)
    }

    /// The right side runs once per left row.
    fn lateral(&mut self, join: &Join, conjuncts: &[Expression], wanted: &Wanted) -> Result<Lowered> {
        let order_of_left =
            wanted.order.iter().all(|order| join.left.columns().iter().any(|column| column.id == order.id));
        let left_wanted = if order_of_left { wanted.clone() } else { Wanted::default() };
        let Lowered { node: left, ordering } = self.lower(&join.left, &left_wanted)?;
        self.scopes.push(outside::Scope::new(&left.columns));
        let only_existence = matches!(join.kind, JoinKind::Semi | JoinKind::Anti);
        let right = self.lower(&join.right, &Wanted { order: vec![], rows: only_existence.then_some(1.0) });
        let scope = self.scopes.pop();
        let right = right?.node;
        let selectivity = self.estimates.all(conjuncts);
        let rows = self.estimates.join(join.kind, left.rows, right.rows, selectivity);
        let bindings = scope.map_or(vec![], |scope| {
            // What changes inside changes outside as well.
            if scope.changing {
                self.scopes.iter_mut().for_each(|outer| outer.changing = true);
            }
            scope.bindings
        });
        if bindings.is_empty() {
            let node = self.hash_or_loop(join.kind, left, right, conjuncts, rows)?;
            let ordering = if loses_order(join.kind) { Ordering::default() } else { ordering };
            return Ok(Lowered { node, ordering: Ordering { single: false, ..ordering } });
        }
        let both: Columns = left.columns.iter().chain(&right.columns).copied().collect();
        let condition = self.optional(walk::conjunction(conjuncts.to_vec()).as_ref(), &both)?;
        let cost = left.cost + left.rows * (right.cost + 10.0);
        let columns = joined(join.kind, &left.columns, &right.columns);
        let loops = physical::NestedLoop { kind: join.kind, left, right, condition, lateral: Some(bindings) };
        let node = self.node(Operation::NestedLoop(Box::new(loops)), columns, rows, cost);
        let ordering = if loses_order(join.kind) { Ordering::default() } else { ordering };
        Ok(Lowered { node, ordering: Ordering { single: false, ..ordering } })
    }

    /// A semi join of a large table with few keys: the distinct keys are looked up in the table's index.
    fn semi_from_right(&mut self, join: &Join, conjuncts: &[Expression]) -> Result<Option<Lowered>> {
        let Some((scan, own)) = filtered_scan(&join.left) else { return Ok(None) };
        let right_columns = join.right.columns();
        let keys: Option<Vec<Expression>> = conjuncts
            .iter()
            .map(|conjunct| match conjunct {
                Expression::Call { function, arguments, .. } if function.name == "=" => {
                    let is_right = |argument: &&Expression| match argument {
                        Expression::Column { id, .. } => right_columns.iter().any(|column| column.id == *id),
                        _ => false,
                    };
                    arguments.iter().find(is_right).cloned()
                }
                _ => None,
            })
            .collect();
        let (Some(keys), Some(path)) = (keys, self.index_path(scan, &own, conjuncts)) else { return Ok(None) };
        let (left_rows, right_rows) = (self.estimates.rows(&join.left), self.estimates.rows(&join.right));
        let all = access::choose(scan, &own, &Wanted::default(), &self.estimates);
        if !path.unique || right_rows * path.cost >= all.cost + left_rows * PROBE {
            return Ok(None);
        }
        let right = self.lower(&join.right, &Wanted::default())?.node;
        let on = self.compile_all(&keys, &right.columns)?;
        let (columns, cost) = (right.columns.clone(), right.cost + right.rows);
        let distinct = Operation::Distinct { input: Box::new(right), on: Some(on) };
        let distinct = self.node(distinct, columns, right_rows, cost);
        let rows = right_rows.min(left_rows);
        let node = self.index_join(JoinKind::Inner, distinct, (scan, &path), &own, conjuncts, rows)?;
        Ok(Some(Lowered { node, ordering: Ordering::default() }))
    }

    /// Carries out the order of inner joins that was found best.
    pub(super) fn tree(
        &mut self,
        tree: &Tree,
        leaves: &[Plan],
        conjuncts: &[Expression],
        wanted: &Wanted,
    ) -> Result<Lowered> {
        let (left, right, step) = match tree {
            Tree::Leaf { leaf, ordered } => {
                let wanted = if *ordered { wanted.clone() } else { Wanted::default() };
                return self.lower(&leaves[*leaf], &wanted);
            }
            Tree::Join { left, right, step } => (left, *right, step),
        };
        let part = wanted.rows.map(|rows| (rows * step.left_rows / step.rows).max(1.0));
        let left_wanted = Wanted { order: wanted.order.clone(), rows: part };
        let Lowered { node: left, ordering } = self.tree(left, leaves, conjuncts, &left_wanted)?;
        let applied: Vec<Expression> = step.conjuncts.iter().map(|number| conjuncts[*number].clone()).collect();
        let ordering = Ordering { single: false, ..ordering };
        if step.by_index
            && let Some((scan, own)) = filtered_scan(&leaves[right])
            && let Some(path) = self.index_path(scan, &own, &applied)
        {
            let node = self.index_join(JoinKind::Inner, left, (scan, &path), &own, &applied, step.rows)?;
            return Ok(Lowered { node, ordering });
        }
        let right = self.lower(&leaves[right], &Wanted::default())?.node;
        match step.swapped {
            false => {
                let node = self.hash_or_loop(JoinKind::Inner, left, right, &applied, step.rows)?;
                Ok(Lowered { node, ordering })
            }
            true => {
                let node = self.hash_or_loop(JoinKind::Inner, right, left, &applied, step.rows)?;
                Ok(Lowered { node, ordering: Ordering::default() })
            }
        }
    }
}

/// What a join produces.
pub(super) fn joined(kind: JoinKind, left: &[(ColumnId, DataType)], right: &[(ColumnId, DataType)]) -> Columns {
    match kind {
        JoinKind::Semi | JoinKind::Anti => left.to_vec(),
        _ => left.iter().chain(right).copied().collect(),
    }
}

/// Whether a condition compares something with this very expression.
fn mentions(conjunct: &Expression, value: &Expression) -> bool {
    let printed = format!("{value:?}");
    walk::operands(conjunct).into_iter().any(|operand| format!("{operand:?}") == printed)
        && !walk::columns(value).is_empty()
}

/// The two sides of an equality, the one over left columns first, if hashing them finds equal values: both have one
/// type, and the operator is its equality.
pub fn equal_sides<'e>(
    conjunct: &'e Expression,
    left: &[(ColumnId, DataType)],
    right: &[(ColumnId, DataType)],
) -> Option<(&'e Expression, &'e Expression)> {
    let Expression::Call { function, arguments, .. } = conjunct else { return None };
    let [first, second] = arguments.as_slice() else { return None };
    let hashable = first.data_type() == second.data_type() && !matches!(first.data_type(), DataType::Json);
    if function.name != "=" || !hashable || walk::is_volatile(conjunct) {
        return None;
    }
    let reads = |expression: &Expression, columns: &[(ColumnId, DataType)]| {
        let read = walk::columns(expression);
        columns.iter().any(|(column, _)| read.contains(column))
    };
    let only = |expression: &Expression, of: &[(ColumnId, DataType)], not: &[(ColumnId, DataType)]| {
        reads(expression, of) && !reads(expression, not)
    };
    if only(first, left, right) && only(second, right, left) {
        return Some((first, second));
    }
    (only(first, right, left) && only(second, left, right)).then_some((second, first))
}

/// Outer joins hand on a batch's rows without a match after those that have one.
fn loses_order(kind: JoinKind) -> bool {
    matches!(kind, JoinKind::Left | JoinKind::Right | JoinKind::Full)
}
