//! What expressions refer to beside their input: columns of enclosing rows, and subqueries.

use super::{Columns, Lowering};
use crate::bind::expression::{ColumnId, Subquery, SubqueryKind};
use crate::bind::logical::Plan;
use crate::error::Result;
use crate::execute::expression::Compiled;
use crate::execute::expression::compile::Outside;
use crate::execute::subquery::is_hashable;
use crate::plan::access::Wanted;
use crate::plan::physical::{CompiledSubqueryKind, SubqueryPlan};
use crate::plan::walk;
use crate::types::DataType;

/// An enclosing row, while something that runs once per such row is lowered.
pub struct Scope {
    pub columns: Columns,
    /// Positions in `columns` that are read from inside, with their slots.
    pub bindings: Vec<(usize, usize)>,
    /// Slots of rows further out that are read from inside.
    pub outer_slots: Vec<usize>,
    /// Reads something that changes without any slot changing.
    pub changing: bool,
}

impl Scope {
    pub fn new(columns: &[(ColumnId, DataType)]) -> Scope {
        Scope { columns: columns.to_vec(), bindings: vec![], outer_slots: vec![], changing: false }
    }
}

impl Outside for Lowering {
    fn outer_column(&mut self, id: ColumnId) -> Option<usize> {
        let find = |scope: &Scope| scope.columns.iter().position(|(column, _)| *column == id);
        let (level, position) =
            self.scopes.iter().enumerate().rev().find_map(|(level, scope)| Some((level, find(scope)?)))?;
        let scope = &mut self.scopes[level];
        let slot = match scope.bindings.iter().find(|(bound, _)| *bound == position) {
            Some((_, slot)) => *slot,
            None => {
                self.slots += 1;
                scope.bindings.push((position, self.slots - 1));
                self.slots - 1
            }
        };
        for inner in &mut self.scopes[level + 1..] {
            if !inner.outer_slots.contains(&slot) {
                inner.outer_slots.push(slot);
            }
        }
        Some(slot)
    }

    fn subquery(&mut self, subquery: &Subquery, columns: &[(ColumnId, DataType)]) -> Result<(usize, Vec<Compiled>)> {
        let left = match &subquery.kind {
            SubqueryKind::Compare { left, .. } => self.compile_all(left, columns)?,
            SubqueryKind::Scalar | SubqueryKind::Exists | SubqueryKind::Array => vec![],
        };
        let rows = match subquery.kind {
            SubqueryKind::Exists => Some(1.0),
            SubqueryKind::Scalar => Some(2.0),
            SubqueryKind::Compare { .. } | SubqueryKind::Array => None,
        };
        let volatile = walk::is_volatile_plan(&subquery.plan);
        let plan = self.rewrite(subquery.plan.clone());
        self.scopes.push(Scope::new(columns));
        let wanted = Wanted { order: vec![], rows };
        let lowered = self.lower_in_order(&plan, &produced(&plan, &subquery.kind), &wanted);
        let scope = self.scopes.pop();
        let node = lowered?.node;
        let Scope { bindings, outer_slots, changing, .. } = scope.unwrap_or_else(|| Scope::new(&[]));
        if changing {
            self.scopes.iter_mut().for_each(|scope| scope.changing = true);
        }
        let hashed = match &subquery.kind {
            SubqueryKind::Compare { operators, all, .. } => {
                let right = node.columns.iter().map(|(_, data_type)| *data_type);
                is_hashable(operators, *all) && left.iter().map(Compiled::data_type).eq(right)
            }
            _ => false,
        };
        let uncorrelated = bindings.is_empty() && outer_slots.is_empty();
        self.subqueries.push(SubqueryPlan {
            node,
            kind: CompiledSubqueryKind::new(&subquery.kind, hashed),
            data_type: subquery.data_type,
            memoise: !changing && (uncorrelated || !volatile),
            bindings,
            outer_slots,
        });
        Ok((self.subqueries.len() - 1, left))
    }
}

/// The columns that whoever asks looks at: EXISTS looks at none.
fn produced(plan: &Plan, kind: &SubqueryKind) -> Vec<crate::bind::logical::PlanColumn> {
    match kind {
        SubqueryKind::Exists => vec![],
        _ => plan.columns(),
    }
}
