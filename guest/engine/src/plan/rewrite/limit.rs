//! LIMIT goes below projections that call routines: no routine is called for a row that nobody gets.

use crate::bind::{Expression, Plan};
use crate::plan::walk;

pub fn below_projections(plan: &mut Plan) {
    walk::replace_plans(plan, &mut |plan| {
        *plan = match std::mem::replace(plan, Plan::Unit) {
            Plan::Limit { input, limit, offset, with_ties } => match *input {
                Plan::Project { input, outputs } if with_ties.is_empty() && calls_routine(&outputs) => {
                    Plan::Project { input: Box::new(Plan::Limit { input, limit, offset, with_ties }), outputs }
                }
                input => Plan::Limit { input: Box::new(input), limit, offset, with_ties },
            },
            other => other,
        };
    });
}

fn calls_routine<T>(outputs: &[(T, Expression)]) -> bool {
    let mut found = false;
    for (_, output) in outputs {
        walk::visit(output, &mut |expression| found |= matches!(expression, Expression::Routine { .. }));
    }
    found
}
