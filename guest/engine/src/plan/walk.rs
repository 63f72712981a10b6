//! Walks over bound expressions and plans.

use crate::bind::Plan;
use crate::bind::expression::{
    ColumnId, Expression, FrameBound, SortKey, Subquery, SubqueryKind, Subscript, WindowCall,
};
use crate::bind::logical::{CommonTableKind, ModifyAction, PlanColumn};
use crate::functions::Volatility;

/// Defines a walk for shared and for mutable references alike.
macro_rules! operands {
    ($name:ident, $iter:ident, $as_deref:ident $(, $mutable:tt)?) => {
        /// The direct operands; a subquery's are what it is compared with.
        pub fn $name(expression: &$($mutable)? Expression) -> Vec<&$($mutable)? Expression> {
            match expression {
                Expression::Literal(..) | Expression::Parameter { .. } | Expression::Column { .. } => vec![],
                Expression::Call { arguments: operands, .. }
                | Expression::Routine { arguments: operands, .. }
                | Expression::Coalesce { arguments: operands, .. }
                | Expression::Greatest { arguments: operands, .. }
                | Expression::Least { arguments: operands, .. }
                | Expression::And(operands)
                | Expression::Or(operands)
                | Expression::Array { elements: operands, .. }
                | Expression::Row { fields: operands } => operands.$iter().collect(),
                Expression::Cast { input, .. }
                | Expression::Not(input)
                | Expression::IsNull { input, .. }
                | Expression::IsBoolean { input, .. } => vec![input],
                Expression::IsDistinct { left, right, .. }
                | Expression::NullIf { left, right, .. }
                | Expression::AnyArray { left, array: right, .. } => vec![left, right],
                Expression::Case { branches, otherwise, .. } => {
                    let branches = branches.$iter().flat_map(|(condition, result)| [condition, result]);
                    branches.chain(otherwise.$as_deref()).collect()
                }
                Expression::InList { input, list, .. } => {
                    std::iter::once(&$($mutable)? **input).chain(list.$iter()).collect()
                }
                Expression::Subscript { input, subscripts, .. } => {
                    let bounds = subscripts.$iter().flat_map(|subscript| match subscript {
                        Subscript::Index(index) => vec![index],
                        Subscript::Slice(lower, upper) => lower.$iter().chain(upper.$iter()).collect(),
                    });
                    std::iter::once(&$($mutable)? **input).chain(bounds).collect()
                }
                Expression::Subquery(subquery) => match &$($mutable)? subquery.kind {
                    SubqueryKind::Compare { left, .. } => left.$iter().collect(),
                    SubqueryKind::Scalar | SubqueryKind::Exists | SubqueryKind::Array => vec![],
                },
            }
        }
    };
}

operands!(operands, iter, as_deref);
operands!(operands_mut, iter_mut, as_deref_mut, mut);

macro_rules! plans {
    ($inputs:ident, $expressions:ident, $keys:ident, $window:ident, $iter:ident $(, $mutable:tt)?) => {
        /// The plans that a plan reads, subqueries in its expressions aside.
        pub fn $inputs(plan: &$($mutable)? Plan) -> Vec<&$($mutable)? Plan> {
            match plan {
                Plan::Unit
                | Plan::Empty { .. }
                | Plan::Scan(_)
                | Plan::Values { .. }
                | Plan::FunctionScan { .. }
                | Plan::CommonTableScan { .. } => vec![],
                Plan::ProjectSet { input, .. }
                | Plan::Filter { input, .. }
                | Plan::Project { input, .. }
                | Plan::Window { input, .. }
                | Plan::Sort { input, .. }
                | Plan::Distinct { input, .. }
                | Plan::Limit { input, .. }
                | Plan::Lock { input, .. } => vec![input],
                Plan::Join(join) => {
                    let join = &$($mutable)? **join;
                    vec![&$($mutable)? join.left, &$($mutable)? join.right]
                }
                Plan::Aggregate(aggregate) => vec![&$($mutable)? aggregate.input],
                Plan::SetOperation(operation) => {
                    let operation = &$($mutable)? **operation;
                    vec![&$($mutable)? operation.left, &$($mutable)? operation.right]
                }
                Plan::With { tables, body } => {
                    let tables = tables.$iter().flat_map(|table| match &$($mutable)? table.kind {
                        CommonTableKind::Plain(plan) => vec![plan],
                        CommonTableKind::Recursive { anchor, recursive, .. } => vec![anchor, recursive],
                    });
                    tables.chain(std::iter::once(&$($mutable)? **body)).collect()
                }
                Plan::Modify(modify) => vec![&$($mutable)? modify.input],
            }
        }

        fn $keys(keys: &$($mutable)? [SortKey]) -> impl Iterator<Item = &$($mutable)? Expression> {
            keys.$iter().map(|key| &$($mutable)? key.expression)
        }

        fn $window(call: &$($mutable)? WindowCall) -> Vec<&$($mutable)? Expression> {
            let mut found: Vec<_> = call.arguments.$iter().chain(&$($mutable)? call.filter).collect();
            found.extend(call.partition_by.$iter());
            found.extend($keys(&$($mutable)? call.order_by));
            for bound in [&$($mutable)? call.frame.start, &$($mutable)? call.frame.end] {
                if let FrameBound::Preceding(offset) | FrameBound::Following(offset) = bound {
                    found.push(offset);
                }
            }
            found
        }

        /// The expressions that a plan itself holds.
        pub fn $expressions(plan: &$($mutable)? Plan) -> Vec<&$($mutable)? Expression> {
            match plan {
                Plan::Unit
                | Plan::Empty { .. }
                | Plan::Scan(_)
                | Plan::CommonTableScan { .. }
                | Plan::SetOperation(_)
                | Plan::With { .. }
                | Plan::Lock { .. } => vec![],
                Plan::Values { rows, .. } => rows.$iter().flatten().collect(),
                Plan::FunctionScan { calls, .. } | Plan::ProjectSet { calls, .. } => {
                    calls.$iter().flat_map(|call| call.arguments.$iter()).collect()
                }
                Plan::Filter { predicate, .. } => vec![predicate],
                Plan::Project { outputs, .. } => outputs.$iter().map(|(_, output)| output).collect(),
                Plan::Join(join) => join.condition.$iter().collect(),
                Plan::Aggregate(aggregate) => {
                    let aggregate = &$($mutable)? **aggregate;
                    let groups = aggregate.groups.$iter().map(|(_, group)| group);
                    let calls = aggregate.aggregates.$iter().flat_map(|(_, call)| {
                        call.arguments
                            .$iter()
                            .chain(call.filter.$iter())
                            .chain($keys(&$($mutable)? call.order_by))
                    });
                    groups.chain(calls).collect()
                }
                Plan::Window { calls, .. } => calls.$iter().flat_map(|(_, call)| $window(call)).collect(),
                Plan::Sort { keys, .. } => $keys(keys).collect(),
                Plan::Distinct { on, .. } => on.$iter().flatten().collect(),
                Plan::Limit { limit, offset, with_ties, .. } => {
                    limit.$iter().chain(offset.$iter()).chain($keys(with_ties)).collect()
                }
                Plan::Modify(modify) => {
                    let modify = &$($mutable)? **modify;
                    let checks = modify.checks.$iter().map(|(_, check)| check);
                    let returning = modify.returning.$iter().flatten().map(|(_, output)| output);
                    let mut found: Vec<_> = checks.chain(returning).collect();
                    match &$($mutable)? modify.action {
                        ModifyAction::Insert { values, conflict } => {
                            found.extend(values.$iter());
                            for update in conflict.$iter().flat_map(|conflict| conflict.update.$iter()) {
                                found.extend(update.assignments.$iter().map(|(_, value)| value));
                                found.extend(update.filter.$iter());
                            }
                        }
                        ModifyAction::Update { assignments, .. } => {
                            found.extend(assignments.$iter().map(|(_, value)| value));
                        }
                        ModifyAction::Delete { .. } => {}
                    }
                    found
                }
            }
        }
    };
}

plans!(inputs, expressions, keys, window_call, iter);
plans!(inputs_mut, expressions_mut, keys_mut, window_call_mut, iter_mut, mut);

/// Calls `visit` on an expression and on all that is below it, in subqueries too.
pub fn visit(expression: &Expression, visit_one: &mut dyn FnMut(&Expression)) {
    visit_one(expression);
    for operand in operands(expression) {
        visit(operand, visit_one);
    }
    if let Expression::Subquery(subquery) = expression {
        visit_plan(&subquery.plan, visit_one);
    }
}

/// Calls `visit` on every expression of a plan and its inputs.
pub fn visit_plan(plan: &Plan, visit_one: &mut dyn FnMut(&Expression)) {
    for expression in expressions(plan) {
        visit(expression, visit_one);
    }
    for input in inputs(plan) {
        visit_plan(input, visit_one);
    }
}

/// Calls `replace` on an expression and on all that is below it, in subqueries too, from the leaves up.
pub fn replace(expression: &mut Expression, replace_one: &mut dyn FnMut(&mut Expression)) {
    for operand in operands_mut(expression) {
        replace(operand, replace_one);
    }
    if let Expression::Subquery(subquery) = expression {
        replace_plan(&mut subquery.plan, replace_one);
    }
    replace_one(expression);
}

pub fn replace_plan(plan: &mut Plan, replace_one: &mut dyn FnMut(&mut Expression)) {
    for expression in expressions_mut(plan) {
        replace(expression, replace_one);
    }
    for input in inputs_mut(plan) {
        replace_plan(input, replace_one);
    }
}

/// The columns that an expression reads, its subqueries' own included: ids are unique within a statement.
pub fn columns(expression: &Expression) -> Vec<ColumnId> {
    let mut found = vec![];
    visit(expression, &mut |expression| {
        if let Expression::Column { id, .. } = expression {
            found.push(*id);
        }
    });
    found
}

/// Whether an expression reads one of these columns.
pub fn reads_any(expression: &Expression, of: &[ColumnId]) -> bool {
    columns(expression).iter().any(|column| of.contains(column))
}

/// Whether a plan reads columns that it does not produce.
pub fn is_correlated(plan: &Plan) -> bool {
    let mut produced = vec![];
    produced_columns(plan, &mut produced);
    let mut correlated = false;
    visit_plan(plan, &mut |expression| {
        if let Expression::Subquery(subquery) = expression {
            produced_columns(&subquery.plan, &mut produced);
        }
        if let Expression::Column { id, .. } = expression {
            correlated |= !produced.contains(id);
        }
    });
    correlated
}

/// Every column that some node of a plan produces.
pub fn produced_columns(plan: &Plan, found: &mut Vec<ColumnId>) {
    found.extend(plan.columns().iter().map(|column| column.id));
    if let Plan::Modify(modify) = plan {
        found.extend(&modify.new_row);
        if let ModifyAction::Insert { conflict: Some(conflict), .. } = &modify.action
            && let Some(update) = &conflict.update
        {
            found.extend(update.existing.iter().chain(&update.excluded));
        }
    }
    for input in inputs(plan) {
        produced_columns(input, found);
    }
}

/// Calls a volatile function somewhere, or writes.
pub fn is_volatile(expression: &Expression) -> bool {
    let mut volatile = false;
    visit(expression, &mut |expression| volatile |= is_volatile_here(expression));
    volatile
}

fn is_volatile_here(expression: &Expression) -> bool {
    match expression {
        Expression::Call { function, .. } => function.volatility == Volatility::Volatile,
        Expression::Routine { .. } => true,
        _ => false,
    }
}

/// Whether running a plan twice, or not at all, could make a difference.
pub fn is_volatile_plan(plan: &Plan) -> bool {
    let such = |plan: &Plan| matches!(plan, Plan::Modify(_) | Plan::Lock { .. }) || calls_routine_sets(plan);
    let mut volatile = contains(plan, &such);
    visit_plan(plan, &mut |expression| volatile |= is_volatile_here(expression));
    volatile
}

/// Whether rows of the plan itself come from routines.
fn calls_routine_sets(plan: &Plan) -> bool {
    match plan {
        Plan::FunctionScan { calls, .. } | Plan::ProjectSet { calls, .. } => {
            calls.iter().any(|call| call.function.is_routine())
        }
        _ => false,
    }
}

/// Whether a plan calls a stored procedure's routine anywhere.
pub fn calls_routines(plan: &Plan) -> bool {
    let mut found = contains(plan, &calls_routine_sets);
    visit_plan(plan, &mut |expression| found |= matches!(expression, Expression::Routine { .. }));
    found
}

/// Whether some node of a plan, its subqueries' included, is such.
pub fn contains(plan: &Plan, such: &dyn Fn(&Plan) -> bool) -> bool {
    if such(plan) || inputs(plan).into_iter().any(|input| contains(input, such)) {
        return true;
    }
    let mut found = false;
    for expression in expressions(plan) {
        visit(expression, &mut |expression| {
            if let Expression::Subquery(subquery) = expression {
                found = found || contains(&subquery.plan, such);
            }
        });
    }
    found
}

/// Whether an expression has a query in it.
pub fn has_subquery(expression: &Expression) -> bool {
    let mut found = false;
    visit(expression, &mut |expression| found |= matches!(expression, Expression::Subquery(_)));
    found
}

/// The operands of ANDs, however deep.
pub fn conjuncts(expression: Expression) -> Vec<Expression> {
    match expression {
        Expression::And(operands) => operands.into_iter().flat_map(conjuncts).collect(),
        expression => vec![expression],
    }
}

/// The opposite; none when there are no conjuncts.
pub fn conjunction(mut conjuncts: Vec<Expression>) -> Option<Expression> {
    match conjuncts.len() {
        0 | 1 => conjuncts.pop(),
        _ => Some(Expression::And(conjuncts)),
    }
}

/// Keeps the conjuncts that are not `such`, and answers those that are.
pub fn extract(conjuncts: &mut Vec<Expression>, such: impl Fn(&Expression) -> bool) -> Vec<Expression> {
    conjuncts.extract_if(.., |conjunct| such(conjunct)).collect()
}

/// A plan's rows for which all conjuncts hold.
pub fn filter(plan: Plan, conjuncts: Vec<Expression>) -> Plan {
    match conjunction(conjuncts) {
        None => plan,
        Some(predicate) => Plan::Filter { input: Box::new(plan), predicate },
    }
}

/// Calls `replace` on every plan below a plan and on itself, in subqueries too, from the leaves up.
pub fn replace_plans(plan: &mut Plan, replace_one: &mut dyn FnMut(&mut Plan)) {
    for input in inputs_mut(plan) {
        replace_plans(input, replace_one);
    }
    for expression in expressions_mut(plan) {
        replace(expression, &mut |expression| {
            if let Expression::Subquery(subquery) = expression {
                replace_plans(&mut subquery.plan, replace_one);
            }
        });
    }
    replace_one(plan);
}

/// The highest id of a column anywhere in a plan.
pub fn highest_column(plan: &Plan) -> u32 {
    let mut produced = vec![];
    produced_columns(plan, &mut produced);
    visit_plan(plan, &mut |expression| match expression {
        Expression::Column { id, .. } => produced.push(*id),
        Expression::Subquery(subquery) => produced_columns(&subquery.plan, &mut produced),
        _ => {}
    });
    produced.iter().map(|column| column.0).max().unwrap_or(0)
}

/// A column of a plan as an expression.
pub fn column(column: &PlanColumn) -> Expression {
    Expression::Column { id: column.id, data_type: column.data_type }
}

/// Just these columns of a plan.
pub fn project(plan: Plan, columns: &[PlanColumn]) -> Plan {
    let outputs = columns.iter().map(|output| (output.clone(), column(output))).collect();
    Plan::Project { input: Box::new(plan), outputs }
}

/// Calls `visit` on the subqueries of an expression, without entering them.
pub fn visit_own(expression: &Expression, visit_one: &mut dyn FnMut(&Subquery)) {
    for operand in operands(expression) {
        visit_own(operand, visit_one);
    }
    if let Expression::Subquery(subquery) = expression {
        visit_one(subquery);
    }
}
