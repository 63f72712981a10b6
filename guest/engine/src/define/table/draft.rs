//! A table that is being defined or changed.

use super::super::{DefineContext, index};
use super::column;
use super::constraint::KeyDefinition;
use super::generated_name::{choose, columns_part};
use crate::catalog::{Check, Index, IndexColumn, IndexState, Relation, Schema, store};
use crate::error::{Error, Result, sqlstate};
use crate::limits::{KEY_COLUMNS, TABLE_INDEXES};
use sqlparser::ast::ColumnDef;
use std::rc::Rc;

/// A relation under change, and what it was.
pub struct Draft<'a> {
    pub context: &'a DefineContext<'a>,
    pub schema: Schema,
    pub relation: Relation,
    previous: Option<Rc<Relation>>,
}

impl<'a> Draft<'a> {
    /// A new table.
    pub fn new(context: &'a DefineContext<'a>, schema: Schema, name: String) -> Result<Draft<'a>> {
        let id = store::allocate_oids(context.host, 1)?;
        let owner = context.creator();
        let relation = Relation { id, schema_id: schema.id, name, owner, ..Relation::without_columns() };
        Ok(Draft { context, schema, relation, previous: None })
    }

    /// A change of a table.
    pub fn of(context: &'a DefineContext<'a>, relation: &Rc<Relation>) -> Result<Draft<'a>> {
        let schema = context.catalog.schema_by_id(relation.schema_id);
        let schema = schema.ok_or_else(|| Error::internal("a relation without schema"))?.clone();
        Ok(Draft { context, schema, relation: (**relation).clone(), previous: Some(relation.clone()) })
    }

    /// What the table was before.
    pub fn previous(&self) -> Option<&Rc<Relation>> {
        self.previous.as_ref()
    }

    pub fn add_columns(&mut self, definitions: &[ColumnDef]) -> Result<()> {
        for definition in definitions {
            self.relation.columns.push(column::plain(definition)?);
        }
        column::check_columns(&self.relation.columns)
    }

    /// A live column's position. 42703 with this message otherwise.
    pub fn position(&self, name: &str, message: impl FnOnce() -> String) -> Result<usize> {
        let found = self.relation.live_columns().find(|(_, column)| column.name == name);
        found.map(|(position, _)| position).ok_or_else(|| Error::new(sqlstate::UNDEFINED_COLUMN, message()))
    }

    /// Whether the schema or this draft has a relation or index with a name.
    pub fn is_taken(&self, name: &str) -> bool {
        self.relation.name == name
            || self.relation.indexes.iter().any(|index| index.name == name)
            || self.context.is_taken(&self.schema, name)
    }

    fn has_constraint(&self, name: &str) -> bool {
        self.relation.checks.iter().any(|check| check.name == name)
            || self.relation.indexes.iter().any(|index| index.constraint && index.name == name)
    }

    /// Adds a primary key or another index, and answers its position. A new one is public: whoever calls fills it.
    pub fn add_index(&mut self, definition: KeyDefinition) -> Result<usize> {
        if definition.columns.len() > KEY_COLUMNS {
            return Err(Error::new(
                sqlstate::TOO_MANY_COLUMNS,
                format!("more than {KEY_COLUMNS} column keys in an index are not supported"),
            ));
        }
        if self.relation.indexes.len() >= TABLE_INDEXES {
            return Err(Error::new(
                sqlstate::PROGRAM_LIMIT_EXCEEDED,
                format!("more than {TABLE_INDEXES} indexes per table are not allowed"),
            ));
        }
        for column in &definition.columns {
            column::check_orderable(self.relation.columns[column.column].data_type)?;
        }
        if definition.primary {
            if self.relation.primary_key().is_some() {
                return Err(Error::new(
                    sqlstate::INVALID_TABLE_DEFINITION,
                    format!("multiple primary keys for table \"{}\" are not allowed", self.relation.name),
                ));
            }
            for column in &definition.columns {
                self.relation.columns[column.column].not_null = true;
            }
        }
        let name = match definition.name {
            Some(name) if self.is_taken(&name) => {
                return Err(Error::new(sqlstate::DUPLICATE_TABLE, format!("relation \"{name}\" already exists")));
            }
            Some(name) => name,
            None => self.generated_name(&definition),
        };
        let id = if definition.primary { 0 } else { self.relation.next_index_id };
        if !definition.primary {
            self.relation.next_index_id += 1;
        }
        let index = Index {
            id,
            oid: store::allocate_oids(self.context.host, 1)?,
            name,
            columns: definition.columns,
            unique: definition.unique,
            primary: definition.primary,
            constraint: definition.constraint,
            nulls_not_distinct: definition.nulls_not_distinct,
            include: definition.include,
            state: IndexState::Public,
        };
        self.relation.indexes.push(index);
        Ok(self.relation.indexes.len() - 1)
    }

    fn generated_name(&self, definition: &KeyDefinition) -> String {
        let carried = definition.columns.iter().map(|column| column.column).chain(definition.include.iter().copied());
        let names = carried.map(|position| self.relation.columns[position].name.as_str());
        let (columns, label) = match definition {
            KeyDefinition { primary: true, .. } => (String::new(), "pkey"),
            KeyDefinition { constraint: true, .. } => (columns_part(names), "key"),
            _ => (columns_part(names), "idx"),
        };
        choose(&self.relation.name, &columns, label, |name| self.is_taken(name))
    }

    /// Adds a CHECK over columns that are all there. 42710 when its name is taken.
    pub fn add_check(&mut self, name: Option<String>, sql: String, columns: &[String]) -> Result<()> {
        self.context.check(&self.relation, &sql)?;
        let name = match name {
            Some(name) if self.has_constraint(&name) => {
                let is_check = self.relation.checks.iter().any(|check| check.name == name);
                let message = match self.previous {
                    None if is_check => format!("check constraint \"{name}\" already exists"),
                    _ => format!("constraint \"{name}\" for relation \"{}\" already exists", self.relation.name),
                };
                return Err(Error::new(sqlstate::DUPLICATE_OBJECT, message));
            }
            Some(name) => name,
            None => {
                let column = if let [column] = columns { column.as_str() } else { "" };
                choose(&self.relation.name, column, "check", |name| self.has_constraint(name))
            }
        };
        let oid = store::allocate_oids(self.context.host, 1)?;
        self.relation.checks.push(Check { oid, name, expression: sql });
        // The order in which they are checked.
        self.relation.checks.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(())
    }

    /// Index columns in ascending order by name. 42703 and 42701 as for keys of constraints.
    pub fn key_columns(&self, names: &[String], primary: bool) -> Result<Vec<IndexColumn>> {
        let mut columns: Vec<IndexColumn> = vec![];
        for name in names {
            let column = self.position(name, || format!("column \"{name}\" named in key does not exist"))?;
            if columns.iter().any(|known| known.column == column) {
                let kind = if primary { "primary key" } else { "unique" };
                let message = format!("column \"{name}\" appears twice in {kind} constraint");
                return Err(Error::new(sqlstate::DUPLICATE_COLUMN, message));
            }
            columns.push(IndexColumn { column, descending: false, nulls_first: false });
        }
        Ok(columns)
    }

    /// Fills a new index of a table that exists, in this transaction.
    pub fn fill_index(&self, position: usize) -> Result<()> {
        index::build::in_place(self.context, &self.relation, position)
    }

    /// Writes the relation to the catalog.
    pub fn finish(self) -> Result<Relation> {
        store::put_relation(self.context.host, self.previous.as_deref(), &self.relation)?;
        Ok(self.relation)
    }
}
