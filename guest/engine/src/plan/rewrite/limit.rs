//! LIMIT goes below projections that call routines, and those above a sort that does without them: no routine is
//! called for a row of a select list that nobody gets.

use crate::bind::expression::ColumnId;
use crate::bind::logical::PlanColumn;
use crate::bind::{Expression, Plan};
use crate::plan::walk;

pub fn below_projections(plan: &mut Plan) {
    walk::replace_plans(plan, &mut |plan| {
        *plan = match std::mem::replace(plan, Plan::Unit) {
            Plan::Limit { input, limit, offset, with_ties } if with_ties.is_empty() => sink(*input, &|input| {
                Plan::Limit { input: Box::new(input), limit: limit.clone(), offset: offset.clone(), with_ties: vec![] }
            }),
            other => other,
        };
    });
}

fn sink(input: Plan, limited: &dyn Fn(Plan) -> Plan) -> Plan {
    match input {
        Plan::Project { input, outputs } if calls_routine(&outputs) || sorts_calls(&input) => {
            Plan::Project { input: Box::new(sink(*input, limited)), outputs }
        }
        Plan::Sort { input, keys } => {
            let (outputs, source) = match *input {
                Plan::Project { input, outputs } if calls_routine(&outputs) => (outputs, input),
                input => return limited(Plan::Sort { input: Box::new(input), keys }),
            };
            let (calling, mut plain): (Vec<_>, Vec<_>) =
                outputs.iter().cloned().partition(|(_, output)| is_call(output));
            let called: Vec<ColumnId> = calling.iter().map(|(column, _)| column.id).collect();
            if keys.iter().any(|key| walk::reads_any(&key.expression, &called)) {
                let input = Box::new(Plan::Project { input: source, outputs });
                return limited(Plan::Sort { input, keys });
            }
            let needed: Vec<ColumnId> = calling.iter().flat_map(|(_, output)| walk::columns(output)).collect();
            for column in source.columns() {
                if needed.contains(&column.id) && plain.iter().all(|(known, _)| known.id != column.id) {
                    plain.push((column.clone(), walk::column(&column)));
                }
            }
            let input = Box::new(Plan::Project { input: source, outputs: plain });
            let sorted = limited(Plan::Sort { input, keys });
            let output = |(column, output): (PlanColumn, Expression)| {
                let output = if called.contains(&column.id) { output } else { walk::column(&column) };
                (column, output)
            };
            Plan::Project { input: Box::new(sorted), outputs: outputs.into_iter().map(output).collect() }
        }
        input => limited(input),
    }
}

/// Whether it sorts rows that calls have been made for.
fn sorts_calls(plan: &Plan) -> bool {
    match plan {
        Plan::Sort { input, .. } => matches!(&**input, Plan::Project { outputs, .. } if calls_routine(outputs)),
        _ => false,
    }
}

fn calls_routine(outputs: &[(PlanColumn, Expression)]) -> bool {
    outputs.iter().any(|(_, output)| is_call(output))
}

fn is_call(expression: &Expression) -> bool {
    let mut found = false;
    walk::visit(expression, &mut |expression| found |= matches!(expression, Expression::Routine { .. }));
    found
}
