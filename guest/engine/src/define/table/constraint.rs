//! PRIMARY KEY, UNIQUE and CHECK, of columns and of tables.

use super::Draft;
use super::column;
use crate::bind::name::fold;
use crate::catalog::IndexColumn;
use crate::error::{Error, Result, sqlstate};
use sqlparser::ast::{
    self, CheckConstraint, ColumnDef, ColumnOption, ConstraintCharacteristics, DeferrableInitial, Expr, Ident,
    NullsDistinctOption, TableConstraint, Visit, Visitor,
};
use std::ops::ControlFlow;

/// An index that is to be made.
#[derive(Default)]
pub struct KeyDefinition {
    /// None: one is made up.
    pub name: Option<String>,
    pub columns: Vec<IndexColumn>,
    pub include: Vec<usize>,
    pub unique: bool,
    pub primary: bool,
    pub constraint: bool,
    pub nulls_not_distinct: bool,
}

/// A PRIMARY KEY or UNIQUE constraint.
struct Key<'s> {
    name: Option<&'s Ident>,
    columns: Vec<String>,
    include: &'s [Ident],
    primary: bool,
    nulls_not_distinct: bool,
}

impl Draft<'_> {
    /// Adds everything that columns and the table itself ask for. Keys come before CHECKs, the primary key first.
    pub fn add_constraints(&mut self, columns: &[ColumnDef], constraints: &[TableConstraint]) -> Result<()> {
        let mut keys = vec![];
        let mut checks = vec![];
        for definition in columns {
            self.add_column_options(definition, &mut keys, &mut checks)?;
        }
        for constraint in constraints {
            match constraint {
                TableConstraint::Check(check) => checks.push((check.name.as_ref(), check)),
                constraint => keys.push(key(constraint)?),
            }
        }
        if keys.iter().filter(|key| key.primary).count() > 1 {
            return Err(Error::new(
                sqlstate::INVALID_TABLE_DEFINITION,
                format!("multiple primary keys for table \"{}\" are not allowed", self.relation.name),
            ));
        }
        keys.sort_by_key(|key| !key.primary);
        for key in keys {
            self.add_key(key)?;
        }
        for (name, check) in checks {
            self.add_check_constraint(name, check)?;
        }
        Ok(())
    }

    fn add_column_options<'s>(
        &mut self,
        definition: &'s ColumnDef,
        keys: &mut Vec<Key<'s>>,
        checks: &mut Vec<(Option<&'s Ident>, &'s CheckConstraint)>,
    ) -> Result<()> {
        let name = fold(&definition.name);
        let position = self.position(&name, || format!("column \"{name}\" does not exist"))?;
        let says = |wanted: fn(&ColumnOption) -> bool| definition.options.iter().any(|option| wanted(&option.option));
        if says(|option| matches!(option, ColumnOption::Null)) && says(|option| matches!(option, ColumnOption::NotNull))
        {
            return Err(Error::new(
                sqlstate::SYNTAX_ERROR,
                format!(
                    "conflicting NULL/NOT NULL declarations for column \"{name}\" of table \"{}\"",
                    self.relation.name
                ),
            ));
        }
        for option in &definition.options {
            column::check_option(&option.option)?;
            let constraint_name = option.name.as_ref();
            match &option.option {
                ColumnOption::NotNull => self.relation.columns[position].not_null = true,
                ColumnOption::Default(default) => {
                    let text = column::default_text(self.context, &self.relation.columns[position], default)?;
                    self.relation.columns[position].default = text;
                }
                ColumnOption::PrimaryKey(_) => keys.push(Key {
                    name: constraint_name,
                    columns: vec![name.clone()],
                    include: &[],
                    primary: true,
                    nulls_not_distinct: false,
                }),
                ColumnOption::Unique(unique) => keys.push(Key {
                    name: constraint_name,
                    columns: vec![name.clone()],
                    include: &[],
                    primary: false,
                    nulls_not_distinct: unique.nulls_distinct == NullsDistinctOption::NotDistinct,
                }),
                ColumnOption::Check(check) => checks.push((constraint_name.or(check.name.as_ref()), check)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Adds one constraint. Answers the position of its index, if it has one.
    pub fn add_constraint(&mut self, constraint: &TableConstraint) -> Result<Option<usize>> {
        match constraint {
            TableConstraint::Check(check) => self.add_check_constraint(check.name.as_ref(), check).map(|()| None),
            constraint => self.add_key(key(constraint)?),
        }
    }

    fn add_key(&mut self, key: Key) -> Result<Option<usize>> {
        let columns = self.key_columns(&key.columns, key.primary)?;
        // A UNIQUE over the very columns of another key adds nothing (but of a primary key, its name).
        let is_same = |index: &crate::catalog::Index| index.constraint && index.columns == columns;
        if self.previous().is_none() && !key.primary && key.name.is_none() && self.relation.indexes.iter().any(is_same)
        {
            return Ok(None);
        }
        let include = key
            .include
            .iter()
            .map(|name| {
                let name = fold(name);
                self.position(&name, || format!("column \"{name}\" named in key does not exist"))
            })
            .collect::<Result<Vec<_>>>()?;
        let definition = KeyDefinition {
            name: key.name.map(fold),
            columns,
            include,
            unique: true,
            primary: key.primary,
            constraint: true,
            nulls_not_distinct: key.nulls_not_distinct,
        };
        self.add_index(definition).map(Some)
    }

    fn add_check_constraint(&mut self, name: Option<&Ident>, check: &CheckConstraint) -> Result<()> {
        if check.enforced == Some(false) {
            return Err(Error::not_supported("a CHECK that is NOT ENFORCED"));
        }
        let mut columns = named_columns(&check.expr);
        columns.retain(|name| self.relation.live_columns().any(|(_, column)| column.name == *name));
        self.add_check(name.map(fold), check.expr.to_string(), &columns)
    }
}

/// The names in an expression, each once.
pub fn named_columns(expression: &Expr) -> Vec<String> {
    struct Names(Vec<String>);
    impl Visitor for Names {
        type Break = ();

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            let name = match expression {
                Expr::Identifier(name) => Some(name),
                Expr::CompoundIdentifier(names) => names.last(),
                _ => None,
            };
            if let Some(name) = name.map(fold).filter(|name| !self.0.contains(name)) {
                self.0.push(name);
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names(vec![]);
    let _ = expression.visit(&mut names);
    names.0
}

fn key(constraint: &TableConstraint) -> Result<Key<'_>> {
    match constraint {
        TableConstraint::PrimaryKey(key) => {
            check_characteristics(key.characteristics.as_ref())?;
            Ok(Key {
                name: key.name.as_ref(),
                columns: column_names(&key.columns)?,
                include: &key.include,
                primary: true,
                nulls_not_distinct: false,
            })
        }
        TableConstraint::Unique(key) => {
            check_characteristics(key.characteristics.as_ref())?;
            Ok(Key {
                name: key.name.as_ref(),
                columns: column_names(&key.columns)?,
                include: &key.include,
                primary: false,
                nulls_not_distinct: key.nulls_distinct == NullsDistinctOption::NotDistinct,
            })
        }
        TableConstraint::ForeignKey(_) => Err(Error::not_supported("a FOREIGN KEY constraint")),
        TableConstraint::Exclude(_) => Err(Error::not_supported("an EXCLUDE constraint")),
        TableConstraint::PrimaryKeyUsingIndex(_) | TableConstraint::UniqueUsingIndex(_) => {
            Err(Error::not_supported("a constraint USING INDEX"))
        }
        other => Err(Error::not_supported(format!("the constraint {other}"))),
    }
}

/// 0A000 for what is checked later than at once.
pub fn check_characteristics(characteristics: Option<&ConstraintCharacteristics>) -> Result<()> {
    match characteristics {
        Some(given) if given.deferrable == Some(true) || given.initially == Some(DeferrableInitial::Deferred) => {
            Err(Error::not_supported("a DEFERRABLE constraint"))
        }
        _ => Ok(()),
    }
}

/// A constraint's columns are plain names.
fn column_names(columns: &[ast::IndexColumn]) -> Result<Vec<String>> {
    let name = |column: &ast::IndexColumn| match &column.column.expr {
        Expr::Identifier(name) if column.column.options.sort.is_none() => Ok(fold(name)),
        Expr::Identifier(_) => Err(Error::new(
            sqlstate::SYNTAX_ERROR,
            if matches!(column.column.options.sort, Some(ast::OrderBySort::Desc)) {
                "syntax error at or near \"desc\""
            } else {
                "syntax error at or near \"asc\""
            },
        )),
        other => Err(Error::new(sqlstate::SYNTAX_ERROR, format!("syntax error at or near \"{other}\""))),
    };
    columns.iter().map(name).collect()
}
