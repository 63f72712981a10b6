//! INSERT (PostgreSQL 15, INSERT).

use super::super::binder::Binder;
use super::super::expression::Expression;
use super::super::logical::{Modify, ModifyAction, Plan};
use super::super::name::{expression_position, fold, position, simple};
use super::super::scope::{FromNames, Scope};
use super::super::select::Untyped;
use super::super::select::values::is_default;
use super::super::site::{Clause, Site};
use super::Target;
use crate::error::{Error, Result, sqlstate};
use crate::host::Action;
use sqlparser::ast::{Expr, Insert, OnInsert, Parens, Query, SetExpr, TableObject, Values};

impl Binder<'_> {
    pub fn insert(&mut self, insert: &Insert, outer: Option<&Scope>) -> Result<Plan> {
        let Insert {
            insert_token: _,
            optimizer_hints: _,
            or: None,
            ignore: false,
            into: _,
            table: TableObject::TableName(name),
            table_alias,
            columns,
            overwrite: false,
            source,
            assignments,
            partitioned: None,
            after_columns,
            has_table_keyword: false,
            on,
            returning,
            output: None,
            replace_into: false,
            priority: None,
            insert_alias: None,
            settings: None,
            format_clause: None,
            multi_table_insert_type: None,
            multi_table_into_clauses: _,
            multi_table_when_clauses: _,
            multi_table_else_clause: None,
        } = insert
        else {
            return Err(Error::not_supported("this form of INSERT"));
        };
        if !assignments.is_empty() || !after_columns.is_empty() {
            return Err(Error::not_supported("this form of INSERT"));
        }
        let alias = table_alias.as_ref().map(|alias| fold(&alias.alias));
        let target = self.target(name, alias, "insert into")?;
        let mut places = vec![];
        for column in columns {
            let identifier = simple(column)?;
            let place = target.place(identifier)?;
            if places.contains(&place) {
                let message = format!("column \"{}\" specified more than once", fold(identifier));
                return Err(Error::new(sqlstate::DUPLICATE_COLUMN, message).at(position(identifier)));
            }
            places.push(place);
        }
        let is_listed = !places.is_empty();
        if !is_listed {
            places = target.relation.live_columns().map(|(place, _)| place).collect();
        }
        let (input, given) = match source.as_deref() {
            None => (Plan::Unit, vec![]),
            Some(query) => match plain_values(query) {
                Some(rows) => self.value_rows(&target, &places, is_listed, rows, outer)?,
                None => self.selected_rows(&target, &places, is_listed, query, outer)?,
            },
        };
        let mut values = vec![];
        for (place, column) in target.relation.columns.iter().enumerate() {
            let given = places.iter().position(|known| *known == place).and_then(|at| given.get(at));
            values.push(match given {
                Some(given) => given.clone(),
                None if column.dropped => Self::null(column.data_type),
                None => self.default_value(column)?,
            });
        }
        let conflict = match on {
            None => None,
            Some(OnInsert::OnConflict(conflict)) => Some(self.on_conflict(&target, conflict, outer)?),
            Some(_) => return Err(Error::not_supported("ON DUPLICATE KEY UPDATE")),
        };
        let new_row = self.row_ids(&target);
        self.writes(Action::Insert, &target, &[], returning.is_some());
        let checks = self.checks(&target.relation, &new_row)?;
        let names = FromNames::single(target.table(&new_row));
        let returning = self.returning(returning.as_deref(), names, outer)?;
        Ok(Plan::Modify(Box::new(Modify {
            relation: target.relation,
            action: ModifyAction::Insert { values, conflict },
            input,
            checks,
            new_row,
            returning,
        })))
    }

    /// VALUES lists, each item converted to its column's type, DEFAULT spelled out.
    fn value_rows(
        &mut self,
        target: &Target,
        places: &[usize],
        is_listed: bool,
        rows: &[Parens<Vec<Expr>>],
        outer: Option<&Scope>,
    ) -> Result<(Plan, Vec<Expression>)> {
        let relation = target.relation.clone();
        let scope = Scope::inside(outer, FromNames::default());
        let width = rows.first().map_or(0, |row| row.len());
        let mut bound = Vec::with_capacity(rows.len());
        for row in rows {
            if row.len() != width {
                let at = row.first().and_then(expression_position);
                return Err(Error::new(sqlstate::SYNTAX_ERROR, "VALUES lists must all be the same length").at(at));
            }
            let extra = row.get(places.len()).map(expression_position);
            check_width(width, places.len(), is_listed, extra.flatten())?;
            let mut site = Site::new(&scope, Clause::Values);
            let mut values = Vec::with_capacity(width);
            for (written, place) in row.iter().zip(places) {
                let column = &relation.columns[*place];
                values.push(if is_default(written) {
                    self.default_value(column)?
                } else {
                    let value = self.expression(&mut site, written)?;
                    self.assign(value, column, expression_position(written))?
                });
            }
            bound.push(values);
        }
        let columns: Vec<_> = places
            .iter()
            .take(width)
            .map(|place| {
                let column = &relation.columns[*place];
                self.column("*VALUES*", &column.name, column.data_type, column.modifier)
            })
            .collect();
        let given =
            columns.iter().map(|column| Expression::Column { id: column.id, data_type: column.data_type }).collect();
        Ok((Plan::Values { columns, rows: bound }, given))
    }

    fn selected_rows(
        &mut self,
        target: &Target,
        places: &[usize],
        is_listed: bool,
        query: &Query,
        outer: Option<&Scope>,
    ) -> Result<(Plan, Vec<Expression>)> {
        let before = std::mem::replace(&mut self.writing_allowed, false);
        let plan = self.query(query, outer, Untyped::Keep)?;
        self.writing_allowed = before;
        let columns = plan.columns();
        let written = select_positions(query);
        check_width(columns.len(), places.len(), is_listed, written.get(places.len()).copied().flatten())?;
        let relation = target.relation.clone();
        // Untyped literals become values of their columns where they stand, so that errors are found now.
        if let Plan::Project { input, outputs } = plan {
            let mut converted = vec![];
            let mut given = vec![];
            for (index, ((column, output), place)) in outputs.into_iter().zip(places).enumerate() {
                let at = written.get(index).copied().flatten();
                let output = self.assign(output, &relation.columns[*place], at)?;
                let column = self.output_column(&column.name, &output);
                given.push(Expression::Column { id: column.id, data_type: column.data_type });
                converted.push((column, output));
            }
            return Ok((Plan::Project { input, outputs: converted }, given));
        }
        let given = columns
            .iter()
            .zip(places)
            .enumerate()
            .map(|(index, (column, place))| {
                let value = Expression::Column { id: column.id, data_type: column.data_type };
                self.assign(value, &relation.columns[*place], written.get(index).copied().flatten())
            })
            .collect::<Result<_>>()?;
        Ok((plan, given))
    }
}

/// Fewer values than columns are fine where no columns are listed: the rest get their defaults.
fn check_width(given: usize, wanted: usize, is_listed: bool, extra: Option<u32>) -> Result<()> {
    if given > wanted {
        return Err(Error::new(sqlstate::SYNTAX_ERROR, "INSERT has more expressions than target columns").at(extra));
    }
    if given < wanted && is_listed {
        return Err(Error::new(sqlstate::SYNTAX_ERROR, "INSERT has more target columns than expressions"));
    }
    Ok(())
}

/// The rows of a query that is nothing but a VALUES list.
fn plain_values(query: &Query) -> Option<&[Parens<Vec<Expr>>]> {
    match (query, &*query.body) {
        (
            Query {
                with: None,
                body: _,
                order_by: None,
                limit_clause: None,
                fetch: None,
                locks,
                for_clause: None,
                settings: None,
                format_clause: None,
                pipe_operators,
            },
            SetExpr::Values(Values { explicit_row: false, value_keyword: false, rows }),
        ) if locks.is_empty() && pipe_operators.is_empty() => Some(rows),
        _ => None,
    }
}

/// Where the outputs of a plain SELECT stand.
fn select_positions(query: &Query) -> Vec<Option<u32>> {
    use sqlparser::ast::SelectItem;
    match &*query.body {
        SetExpr::Select(select) => select
            .projection
            .iter()
            .map(|item| match item {
                SelectItem::UnnamedExpr(written) | SelectItem::ExprWithAlias { expr: written, .. } => {
                    expression_position(written)
                }
                _ => None,
            })
            .collect(),
        _ => vec![],
    }
}
