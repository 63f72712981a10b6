//! Expressions that the catalog stores as text: defaults and checks.

use super::super::binder::Binder;
use super::super::expression::{ColumnId, Expression};
use super::super::scope::{FromNames, Scope, ScopeColumn, ScopeTable};
use super::super::site::{Clause, Site};
use crate::catalog::{Relation, TableColumn};
use crate::error::Result;
use crate::parse;
use crate::types::{DataType, Value};

impl Binder<'_> {
    /// A text over a table's columns, which go by `row`'s ids.
    pub fn stored_expression(
        &mut self,
        relation: &Relation,
        row: &[ColumnId],
        sql: &str,
        clause: Clause,
    ) -> Result<Expression> {
        let columns = relation
            .live_columns()
            .filter_map(|(place, column)| {
                let id = *row.get(place)?;
                let expression = Expression::Column { id, data_type: column.data_type };
                Some(ScopeColumn { name: column.name.clone(), expression })
            })
            .collect();
        let table = ScopeTable {
            alias: relation.name.clone(),
            schema: None,
            columns,
            relation: None,
            accessible: true,
            nullable: false,
            is_scalar: false,
        };
        let scope = Scope::inside(None, FromNames::single(table));
        self.stored(sql, &scope, clause)
    }

    /// A column's default, as a value of the column; NULL when it has none.
    pub fn default_value(&mut self, column: &TableColumn) -> Result<Expression> {
        let Some(sql) = &column.default else { return Ok(Expression::Literal(Value::Null, column.data_type)) };
        let bound = self.stored(sql, &Scope::default(), Clause::Default)?;
        self.assign(bound, column, None)
    }

    /// A text that names no columns.
    pub fn stored(&mut self, sql: &str, scope: &Scope, clause: Clause) -> Result<Expression> {
        let written = parse::parse_expression(sql)?;
        let parameters_allowed = std::mem::replace(&mut self.parameters_allowed, false);
        let common_tables = std::mem::take(&mut self.common_tables);
        let mut site = Site::new(scope, clause);
        let bound = self.expression(&mut site, &written);
        self.parameters_allowed = parameters_allowed;
        self.common_tables = common_tables;
        bound
    }

    /// NULL as a value of a type.
    pub fn null(data_type: DataType) -> Expression {
        Expression::Literal(Value::Null, data_type)
    }
}
