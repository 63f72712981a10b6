//! INSERT, UPDATE, DELETE (PostgreSQL 15, chapter 6).

mod assignment;
mod conflict;
mod delete;
mod insert;
mod stored;
mod update;

use super::binder::Binder;
use super::expression::{ColumnId, Expression};
use super::logical::{Plan, PlanColumn};
use super::name::{fold, qualified};
use super::scope::{FromNames, Scope, ScopeColumn, ScopeTable};
use super::site::{Clause, Site};
use crate::catalog::{Relation, RelationKind};
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use sqlparser::ast::{ObjectName, SelectItem, Statement, TableFactor, TableWithJoins};
use std::rc::Rc;

/// The table that a statement writes to, and what it calls it.
pub struct Target {
    pub relation: Rc<Relation>,
    pub alias: String,
    pub schema: Option<String>,
}

impl Binder<'_> {
    /// A data-modifying statement, on its own or within WITH.
    pub fn writing(&mut self, statement: &Statement, outer: Option<&Scope>) -> Result<Plan> {
        if !self.writing_allowed {
            let message = "WITH clause containing a data-modifying statement must be at the top level";
            return Err(Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message));
        }
        match statement {
            Statement::Insert(insert) => self.insert(insert, outer),
            Statement::Update(update) => self.update(update, outer),
            Statement::Delete(delete) => self.delete(delete, outer),
            Statement::Merge(_) => Err(Error::not_supported("MERGE")),
            _ => Err(Error::not_supported("this statement")),
        }
    }

    fn target(&mut self, name: &ObjectName, alias: Option<String>, verb: &str) -> Result<Target> {
        let name = qualified(name)?;
        if name.schema.is_none() && self.common_tables.iter().any(|table| table.name == name.name) {
            let message = format!("relation \"{}\" cannot be the target of a modifying statement", name.name);
            return Err(Error::new(sqlstate::WRONG_OBJECT_TYPE, message)
                .at(name.position)
                .hint("It is the name of a query of this statement's WITH."));
        }
        let relation = self.relation(&name)?;
        match &relation.kind {
            RelationKind::Table => {}
            RelationKind::View { .. } => {
                let message = format!("cannot {verb} view \"{}\"", relation.name);
                return Err(
                    Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message).detail("Views cannot be written through.")
                );
            }
            RelationKind::System => {
                let message = format!("permission denied for table {}", relation.name);
                return Err(Error::new(sqlstate::INSUFFICIENT_PRIVILEGE, message));
            }
        }
        let schema = match alias {
            Some(_) => None,
            None => self.context.catalog.schema_by_id(relation.schema_id).map(|schema| schema.name.clone()),
        };
        let alias = alias.unwrap_or_else(|| relation.name.clone());
        Ok(Target { relation, alias, schema })
    }

    /// The target of UPDATE and DELETE, which is a plain table.
    fn target_item(&mut self, table: &TableWithJoins, verb: &str) -> Result<Target> {
        match table {
            TableWithJoins {
                relation:
                    TableFactor::Table {
                        name,
                        alias,
                        args: None,
                        with_hints,
                        version: None,
                        with_ordinality: false,
                        partitions,
                        json_path: None,
                        sample: None,
                        index_hints,
                    },
                joins,
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() && joins.is_empty() => {
                if alias.as_ref().is_some_and(|alias| !alias.columns.is_empty()) {
                    return Err(Error::new(sqlstate::SYNTAX_ERROR, "the target's alias has no column names"));
                }
                self.target(name, alias.as_ref().map(|alias| fold(&alias.name)), verb)
            }
            _ => Err(Error::not_supported("this target")),
        }
    }

    /// New ids for a row of the target, by position; dropped columns have one too.
    fn row_ids(&mut self, target: &Target) -> Vec<ColumnId> {
        let relation = target.relation.clone();
        let columns = relation.columns.iter().enumerate();
        columns
            .map(|(place, column)| {
                let source = Some((relation.id, place as u16 + 1));
                self.sourced_column(&target.alias, &column.name, column.data_type, column.modifier, source).id
            })
            .collect()
    }

    /// Notes what a statement does to its target. It reads it too where an expression refers to a column of `old_row`,
    /// or where it answers rows.
    fn writes(&mut self, action: Action, target: &Target, old_row: &[ColumnId], answers_rows: bool) {
        self.access(action, &target.relation);
        if answers_rows || self.referenced.iter().any(|column| old_row.contains(column)) {
            self.access(Action::Select, &target.relation);
        }
    }

    /// CHECK constraints over a row.
    fn checks(&mut self, relation: &Relation, row: &[ColumnId]) -> Result<Vec<(String, Expression)>> {
        relation
            .checks
            .iter()
            .map(|check| {
                let bound = self.stored_expression(relation, row, &check.expression, Clause::Check)?;
                Ok((check.name.clone(), self.condition(bound, "CHECK", None)?))
            })
            .collect()
    }

    /// RETURNING: the written row goes by the target's name, beside what FROM or USING brought.
    fn returning(
        &mut self,
        items: Option<&[SelectItem]>,
        names: FromNames,
        outer: Option<&Scope>,
    ) -> Result<Option<Vec<(PlanColumn, Expression)>>> {
        let Some(items) = items else { return Ok(None) };
        let scope = Scope::inside(outer, names);
        let mut site = Site::new(&scope, Clause::Returning);
        let outputs = self.select_list(&mut site, items, false)?;
        let outputs = outputs
            .into_iter()
            .map(|output| (self.output_column(&output.name, &output.expression), output.expression))
            .collect();
        Ok(Some(outputs))
    }
}

impl Target {
    /// The target under its alias, with a row's ids.
    pub fn table(&self, row: &[ColumnId]) -> ScopeTable {
        let columns = self
            .relation
            .live_columns()
            .filter_map(|(place, column)| {
                let id = *row.get(place)?;
                let expression = Expression::Column { id, data_type: column.data_type };
                Some(ScopeColumn { name: column.name.clone(), expression })
            })
            .collect();
        ScopeTable {
            alias: self.alias.clone(),
            schema: self.schema.clone(),
            columns,
            relation: Some(self.relation.clone()),
            accessible: true,
            nullable: false,
            is_scalar: false,
        }
    }

    /// The place of a column that the statement names.
    pub fn place(&self, column: &sqlparser::ast::Ident) -> Result<usize> {
        let name = fold(column);
        self.relation.live_columns().find(|(_, candidate)| candidate.name == name).map(|(place, _)| place).ok_or_else(
            || {
                let message = format!("column \"{name}\" of relation \"{}\" does not exist", self.relation.name);
                Error::new(sqlstate::UNDEFINED_COLUMN, message).at(super::name::position(column))
            },
        )
    }
}
