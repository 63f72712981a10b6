//! Which names mean which columns (PostgreSQL 15, sections 4.2.1 and 7.2.1.2).

use super::expression::Expression;
use super::name::{fold, position};
use crate::catalog::Relation;
use crate::error::{Error, Result, sqlstate};
use crate::types::{DataType, Value};
use sqlparser::ast::Ident;
use std::rc::Rc;

/// The names of one query, inside those of the queries around it.
#[derive(Default)]
pub struct Scope<'s> {
    pub outer: Option<&'s Scope<'s>>,
    pub from: FromNames,
}

/// What FROM brings into sight.
#[derive(Clone, Debug, Default)]
pub struct FromNames {
    pub tables: Vec<ScopeTable>,
    /// What unqualified names and `*` mean: USING and NATURAL joins list a shared column once.
    pub columns: Vec<ScopeColumn>,
}

/// A table as `alias.column` and `alias.*` see it.
#[derive(Clone, Debug)]
pub struct ScopeTable {
    pub alias: String,
    /// Set where the table goes by its own name, so that `schema.table.column` finds it.
    pub schema: Option<String>,
    pub columns: Vec<ScopeColumn>,
    pub relation: Option<Rc<Relation>>,
    /// False for tables whose columns cannot be referred to from here, though their names are taken.
    pub accessible: bool,
    /// An outer join may make up rows of NULLs for it.
    pub nullable: bool,
    /// A function that answers values rather than rows: its whole row is its value.
    pub is_scalar: bool,
}

#[derive(Clone, Debug)]
pub struct ScopeColumn {
    pub name: String,
    pub expression: Expression,
}

impl FromNames {
    /// The tables and columns of both sides, as in a join without USING.
    pub fn join(mut self, other: FromNames) -> Result<FromNames> {
        for table in &other.tables {
            if self.tables.iter().any(|known| known.alias == table.alias && known.schema == table.schema) {
                return Err(Error::new(
                    sqlstate::DUPLICATE_ALIAS,
                    format!("table name \"{}\" specified more than once", table.alias),
                ));
            }
        }
        self.tables.extend(other.tables);
        self.columns.extend(other.columns);
        Ok(self)
    }

    pub fn single(table: ScopeTable) -> FromNames {
        FromNames { columns: table.columns.clone(), tables: vec![table] }
    }

    /// The side of an outer join that may be missing.
    pub fn made_nullable(mut self) -> FromNames {
        self.tables.iter_mut().for_each(|table| table.nullable = true);
        self
    }

    pub fn table(&self, alias: &str) -> Option<&ScopeTable> {
        self.tables.iter().find(|table| table.alias == alias)
    }
}

impl ScopeTable {
    /// A whole-row reference; NULL for the rows that an outer join makes up.
    pub fn row(&self) -> Expression {
        if let (true, Some(column)) = (self.is_scalar, self.columns.first()) {
            return column.expression.clone();
        }
        let fields: Vec<Expression> = self.columns.iter().map(|column| column.expression.clone()).collect();
        self.unless_made_up(Expression::Row { fields })
    }

    /// NULL instead of `expression` where every column is NULL, if that may be an outer join's doing.
    pub fn unless_made_up(&self, expression: Expression) -> Expression {
        if !self.nullable || self.columns.is_empty() {
            return expression;
        }
        let nulls = self.columns.iter().map(|column| {
            let input = Box::new(column.expression.clone());
            Expression::IsNull { input, negated: false }
        });
        let data_type = expression.data_type();
        Expression::Case {
            branches: vec![(Expression::And(nulls.collect()), Expression::Literal(Value::Null, data_type))],
            otherwise: Some(Box::new(expression)),
            data_type,
        }
    }
}

/// The only match of a name among columns.
fn only<'c>(columns: &'c [ScopeColumn], name: &str, at: Option<u32>) -> Result<Option<&'c Expression>> {
    let mut matches = columns.iter().filter(|column| column.name == name);
    match (matches.next(), matches.next()) {
        (Some(column), None) => Ok(Some(&column.expression)),
        (None, _) => Ok(None),
        (Some(_), Some(_)) => {
            Err(Error::new(sqlstate::AMBIGUOUS_COLUMN, format!("column reference \"{name}\" is ambiguous")).at(at))
        }
    }
}

impl<'s> Scope<'s> {
    pub fn inside(outer: Option<&'s Scope<'s>>, from: FromNames) -> Scope<'s> {
        Scope { outer, from }
    }

    fn chain(&self) -> impl Iterator<Item = &Scope<'s>> {
        let mut next = Some(self);
        std::iter::from_fn(move || {
            let scope = next?;
            next = scope.outer;
            Some(scope)
        })
    }

    /// An unqualified name: a column, or a whole row by its table's name. None when there is neither.
    pub fn find(&self, identifier: &Ident) -> Result<Option<Expression>> {
        let name = fold(identifier);
        for scope in self.chain() {
            if let Some(expression) = only(&scope.from.columns, &name, position(identifier))? {
                return Ok(Some(expression.clone()));
            }
        }
        Ok(self.chain().find_map(|scope| scope.from.table(&name)).filter(|table| table.accessible).map(ScopeTable::row))
    }

    /// The table whose whole row a name means, where it means no column.
    pub fn row_table(&self, identifier: &Ident) -> Option<&ScopeTable> {
        let name = fold(identifier);
        let is_column = self.chain().any(|scope| scope.from.columns.iter().any(|column| column.name == name));
        let table = self.chain().find_map(|scope| scope.from.table(&name));
        table.filter(|table| table.accessible && !is_column && !table.is_scalar)
    }

    /// A name of one to four parts.
    pub fn column(&self, identifiers: &[Ident]) -> Result<Expression> {
        match identifiers {
            [name] => self.find(name)?.ok_or_else(|| {
                let message = format!("column \"{}\" does not exist", fold(name));
                Error::new(sqlstate::UNDEFINED_COLUMN, message).at(position(name))
            }),
            [table, name] => self.column_of(None, table, name),
            [schema, table, name] => self.column_of(Some(schema), table, name),
            [database, ..] => {
                let shown: Vec<String> = identifiers.iter().map(fold).collect();
                Err(Error::not_supported(format!("a cross-database reference: {}", shown.join(".")))
                    .at(position(database)))
            }
            [] => Err(Error::internal("a column name without parts")),
        }
    }

    fn column_of(&self, schema: Option<&Ident>, table: &Ident, column: &Ident) -> Result<Expression> {
        let at = position(schema.unwrap_or(table));
        let found = self.table(schema, table)?;
        let name = fold(column);
        if let Some(expression) = only(&found.columns, &name, at)? {
            return Ok(expression.clone());
        }
        if let (Some(relation), "tableoid") = (&found.relation, name.as_str()) {
            return Ok(Expression::Literal(Value::Oid(relation.id), DataType::Oid));
        }
        let message = format!("column {}.{name} does not exist", found.alias);
        Err(Error::new(sqlstate::UNDEFINED_COLUMN, message).at(at))
    }

    /// The table that a qualifier means.
    pub fn table(&self, schema: Option<&Ident>, table: &Ident) -> Result<&ScopeTable> {
        let at = position(schema.unwrap_or(table));
        let name = fold(table);
        let schema = schema.map(fold);
        let mut hidden_by = None;
        for scope in self.chain() {
            let mut matches = scope
                .from
                .tables
                .iter()
                .filter(|candidate| candidate.alias == name && (schema.is_none() || candidate.schema == schema));
            match (matches.next(), matches.next()) {
                (Some(_), Some(_)) => {
                    let message = format!("table reference \"{name}\" is ambiguous");
                    return Err(Error::new(sqlstate::AMBIGUOUS_ALIAS, message).at(at));
                }
                (Some(found), None) if found.accessible => return Ok(found),
                (Some(_), None) => {
                    return Err(invalid_reference(&name).at(at).detail(format!(
                        "There is an entry for table \"{name}\", but it cannot be referenced from this part of the \
                         query."
                    )));
                }
                (None, _) => {
                    hidden_by = hidden_by.or_else(|| {
                        let is_it = |relation: &Rc<Relation>| relation.name == name;
                        scope.from.tables.iter().find(|table| table.relation.as_ref().is_some_and(is_it))
                    });
                }
            }
        }
        match hidden_by {
            Some(table) if table.alias != name => Err(invalid_reference(&name)
                .at(at)
                .hint(format!("Perhaps you meant to reference the table alias \"{}\".", table.alias))),
            _ => {
                let message = format!("missing FROM-clause entry for table \"{name}\"");
                Err(Error::new(sqlstate::UNDEFINED_TABLE, message).at(at))
            }
        }
    }
}

fn invalid_reference(table: &str) -> Error {
    Error::new(sqlstate::UNDEFINED_TABLE, format!("invalid reference to FROM-clause entry for table \"{table}\""))
}
