//! Equivalent plans that are cheaper whatever the data: subqueries become joins, predicates sink to the tables that
//! they speak of, and nobody produces columns that nobody reads.

mod decorrelate;
mod inline;
mod limit;
mod prune;
mod push_down;
mod scalar;
mod strict;

use super::estimate::Estimates;
use crate::bind::Plan;
use crate::bind::expression::ColumnId;
use hashbrown::HashSet;

/// What rewriting goes by, and the next id for a column of its own.
pub struct Rewriter<'e> {
    pub estimates: &'e Estimates,
    pub next_column: u32,
}

impl Rewriter<'_> {
    /// Rewrites a query; subqueries that stay subqueries are rewritten when they are lowered. Answers also the columns
    /// that only a scan's own filter reads.
    pub fn run(&mut self, mut plan: Plan) -> (Plan, HashSet<ColumnId>) {
        inline::common_tables(&mut plan);
        limit::below_projections(&mut plan);
        let plan = self.decorrelate(plan);
        let plan = push_down::push_down(plan, vec![]);
        prune::prune(plan)
    }

    fn new_column(&mut self) -> ColumnId {
        self.next_column += 1;
        ColumnId(self.next_column)
    }
}
