//! From syntax to meaning: names become columns, operators become functions, every expression has a type.

mod binder;
mod coerce;
pub mod data_type;
pub mod expression;
pub mod logical;
mod modify;
pub mod name;
mod scalar;
mod scope;
mod select;
mod site;
mod walk;

pub use expression::{ColumnId, Expression};
pub use logical::Plan;

use crate::catalog::{Catalog, Relation, TableColumn};
use crate::error::{Error, Result};
use crate::functions::Settings;
use crate::host::{Access, Authorization, Environment};
use crate::types::DataType;
use binder::Binder;
use scope::Scope;
use select::Untyped;
use site::Clause;
use sqlparser::ast::{Function, SetExpr, Statement};

/// What names may mean, and what constants may be folded with.
pub struct BindContext<'a> {
    pub catalog: &'a Catalog,
    pub settings: &'a Settings,
    pub environment: &'a dyn Environment,
    pub authorization: &'a dyn Authorization,
    /// Types that the client gave its parameters; `DataType::Unknown` or missing: inferred.
    pub parameter_types: &'a [DataType],
}

/// A statement whose every name and type is known.
#[derive(Clone, Debug)]
pub struct Bound {
    pub plan: Plan,
    /// One per parameter up to the highest that the statement names; none is Unknown.
    pub parameter_types: Vec<DataType>,
    pub command: Command,
    /// What it does to what, to be checked before it runs.
    pub accesses: Vec<Access>,
}

impl Bound {
    /// Whether the statement answers rows, be they without columns.
    pub fn answers_rows(&self) -> bool {
        let mut plan = &self.plan;
        while let Plan::With { body, .. } = plan {
            plan = body;
        }
        !matches!(plan, Plan::Modify(modify) if modify.returning.is_none())
    }
}

/// What the command tag counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Select,
    Insert,
    Update,
    Delete,
    /// A routine's, which counts nothing.
    Call,
}

/// Binds CALL: the routine's rows.
pub fn call(context: &BindContext, function: &Function) -> Result<Bound> {
    let mut binder = Binder::new(context);
    let plan = binder.routine_item(function)?;
    let accesses = std::mem::take(&mut binder.accesses);
    Ok(Bound { plan, parameter_types: binder.parameter_types()?, command: Command::Call, accesses })
}

/// Binds SELECT, VALUES, TABLE, WITH, INSERT, UPDATE and DELETE. Other statements are 0A000.
///
/// Constants are folded with the settings of now: a plan holds for other statements only where `TimeZone`,
/// `DateStyle`, `IntervalStyle` and the search path are the same.
pub fn query(context: &BindContext, statement: &Statement) -> Result<Bound> {
    let mut binder = Binder::new(context);
    let plan = match statement {
        Statement::Query(query) => binder.query(query, None, Untyped::Text)?,
        statement => binder.writing(statement, None)?,
    };
    let command = match statement {
        Statement::Query(query) => match &*query.body {
            SetExpr::Insert(_) => Command::Insert,
            SetExpr::Update(_) => Command::Update,
            SetExpr::Delete(_) => Command::Delete,
            _ => Command::Select,
        },
        Statement::Insert(_) => Command::Insert,
        Statement::Update(_) => Command::Update,
        _ => Command::Delete,
    };
    let accesses = std::mem::take(&mut binder.accesses);
    Ok(Bound { plan, parameter_types: binder.parameter_types()?, command, accesses })
}

/// Binds a text such as a CHECK's over a table's columns: `column_ids[i]` stands for the column at
/// position i of `Relation::columns`. It may be of any type. Subqueries, aggregates and parameters are refused.
pub fn table_expression(
    context: &BindContext,
    relation: &Relation,
    column_ids: &[ColumnId],
    sql: &str,
) -> Result<Expression> {
    let mut binder = Binder::new(context);
    binder.reserve(column_ids);
    let bound = binder.stored_expression(relation, column_ids, sql, Clause::Check)?;
    let bound = binder.condition(bound, "CHECK", None)?;
    binder.check_accesses()?;
    binder.settle(bound)
}

/// Binds the text of ALTER COLUMN's USING over a table's columns, as `table_expression` does.
pub fn transform_expression(
    context: &BindContext,
    relation: &Relation,
    column_ids: &[ColumnId],
    sql: &str,
) -> Result<Expression> {
    let mut binder = Binder::new(context);
    binder.reserve(column_ids);
    let bound = binder.stored_expression(relation, column_ids, sql, Clause::Transform)?;
    binder.check_accesses()?;
    binder.settle(bound)
}

/// Binds an expression's text that refers to no columns: a parameter of EXECUTE.
pub fn parameter(context: &BindContext, sql: &str) -> Result<Expression> {
    let mut binder = Binder::new(context);
    let bound = binder.stored(sql, &Scope::default(), Clause::Parameter)?;
    binder.check_accesses()?;
    binder.settle(bound)
}

/// Binds an expression's text that refers to no columns, and casts it to a column's type by assignment.
pub fn constant(context: &BindContext, sql: &str, data_type: DataType, modifier: i32) -> Result<Expression> {
    let mut binder = Binder::new(context);
    let bound = binder.stored(sql, &Scope::default(), Clause::Default)?;
    binder.check_accesses()?;
    let from = bound.data_type();
    let column = TableColumn {
        name: String::new(),
        data_type,
        modifier,
        not_null: false,
        default: None,
        dropped: false,
        missing: None,
    };
    binder.assign(bound, &column, None).map_err(|error| match error.sqlstate() {
        crate::error::sqlstate::DATATYPE_MISMATCH => {
            let message = format!("default is of type {} but expression is of type {}", data_type.name(), from.name());
            Error::new(crate::error::sqlstate::DATATYPE_MISMATCH, message)
                .hint("You will need to rewrite or cast the expression.")
        }
        _ => error,
    })
}

/// Whether an expression may answer otherwise each time that it is evaluated, such as `random()`.
pub fn is_volatile(expression: &Expression) -> bool {
    fn search(expression: &mut Expression, found: &mut bool) -> Result<()> {
        match expression {
            Expression::Call { function, .. } => {
                *found |= function.volatility == crate::functions::Volatility::Volatile;
            }
            Expression::Routine { .. } => *found = true,
            _ => {}
        }
        walk::operands(expression, &mut |operand| search(operand, found))
    }
    let mut found = false;
    let searched = search(&mut expression.clone(), &mut found);
    found || searched.is_err()
}

#[cfg(test)]
mod tests;
