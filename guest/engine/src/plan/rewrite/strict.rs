//! Predicates that rows of NULLs cannot satisfy: they make outer joins inner ones.

use crate::bind::expression::{ColumnId, Expression};

/// Whether a predicate is never true of a row in which all of these columns are NULL.
pub fn rejects_nulls(predicate: &Expression, columns: &[ColumnId]) -> bool {
    match predicate {
        Expression::And(operands) => operands.iter().any(|operand| rejects_nulls(operand, columns)),
        Expression::Or(operands) => operands.iter().all(|operand| rejects_nulls(operand, columns)),
        Expression::IsNull { input, negated: true } => is_null(input, columns),
        Expression::IsBoolean { input, value: Some(true), negated: false } => rejects_nulls(input, columns),
        Expression::IsBoolean { input, value: Some(false), negated: false } => is_null(input, columns),
        Expression::AnyArray { left, operator, all: false, .. } if operator.strict && is_null(left, columns) => true,
        predicate => is_null(predicate, columns),
    }
}

/// Whether an expression is surely NULL in such a row.
fn is_null(expression: &Expression, columns: &[ColumnId]) -> bool {
    match expression {
        Expression::Column { id, .. } => columns.contains(id),
        Expression::Call { function, arguments, .. } => {
            function.strict && arguments.iter().any(|argument| is_null(argument, columns))
        }
        Expression::Cast { input, .. } | Expression::Not(input) | Expression::InList { input, .. } => {
            is_null(input, columns)
        }
        // Of no elements, ANY is false whatever is compared with them: not true, but not NULL either.
        Expression::AnyArray { array, .. } => is_null(array, columns),
        _ => false,
    }
}
