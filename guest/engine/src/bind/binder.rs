//! What a statement gathers while it is bound: column ids, parameter types, common table expressions in sight.

use super::BindContext;
use super::expression::{ColumnId, Expression};
use super::logical::{CommonTableId, PlanColumn};
use crate::access;
use crate::catalog::{Relation, View};
use crate::error::{Error, Result, sqlstate};
use crate::functions::FunctionContext;
use crate::host::{Access, Action};
use crate::types::DataType;

/// How deep queries, views and expressions may nest in each other. Binding recurses.
const DEPTH_MAX: usize = 200;

/// Parameters that one statement may have, as in PostgreSQL's protocol.
const PARAMETERS_MAX: usize = 65_535;

pub struct Binder<'a> {
    pub context: &'a BindContext<'a>,
    /// What is known of each column, by its id.
    columns: Vec<ColumnFacts>,
    /// Unknown until a use says.
    parameters: Vec<DataType>,
    /// The innermost last.
    pub common_tables: Vec<CommonTableName>,
    /// The view whose text is being bound: it knows what its names mean.
    pub view: Option<View>,
    next_common_table: u32,
    depth: usize,
    /// Common table expressions that write, which only the outermost WITH may hold.
    pub writing_allowed: bool,
    /// Parameters are refused in what the catalog stores.
    pub parameters_allowed: bool,
    /// What the statement does to what, each once.
    pub accesses: Vec<Access>,
    /// Whose right to read counts: the owner of the view whose text is being bound.
    pub reader: String,
    /// Columns that expressions refer to.
    pub referenced: Vec<ColumnId>,
}

#[derive(Clone, Debug)]
struct ColumnFacts {
    /// `table.column` for messages; empty where there is no table.
    table: String,
    name: String,
    modifier: i32,
    source: Option<(u32, u16)>,
}

/// A common table expression that FROM may name.
#[derive(Clone, Debug)]
pub struct CommonTableName {
    pub name: String,
    pub id: CommonTableId,
    pub columns: Vec<PlanColumn>,
    /// Why it cannot be scanned here, when it cannot.
    pub refusal: Option<Error>,
    /// Whether it is the recursive term's own name, and how often that was scanned.
    pub scans: usize,
}

impl<'a> Binder<'a> {
    pub fn new(context: &'a BindContext<'a>) -> Binder<'a> {
        Binder {
            context,
            columns: vec![],
            parameters: context.parameter_types.to_vec(),
            common_tables: vec![],
            view: None,
            next_common_table: 0,
            depth: 0,
            writing_allowed: true,
            parameters_allowed: true,
            accesses: vec![],
            reader: String::new(),
            referenced: vec![],
        }
    }

    /// Notes what the statement does to a table or view, for whoever reads here.
    pub fn access(&mut self, action: Action, relation: &Relation) {
        if let Some(access) = access::relation(self.context.catalog, action, relation) {
            self.note(Access { user: self.reader.clone(), ..access });
        }
    }

    /// Notes what has to be allowed before the statement runs. Calls of a view's text are its user's, as in PostgreSQL.
    pub fn note(&mut self, access: Access) {
        if !self.accesses.contains(&access) {
            self.accesses.push(access);
        }
    }

    /// 42501 when one of the accesses so far is denied.
    pub fn check_accesses(&self) -> Result<()> {
        match self.accesses[..] {
            [] => Ok(()),
            _ => self.context.authorization.check(&self.accesses),
        }
    }

    pub fn function_context(&self) -> FunctionContext<'a> {
        FunctionContext {
            environment: self.context.environment,
            authorization: self.context.authorization,
            settings: self.context.settings,
            catalog: self.context.catalog,
        }
    }

    /// A new column, known to messages as `table.name`.
    pub fn column(&mut self, table: &str, name: &str, data_type: DataType, modifier: i32) -> PlanColumn {
        self.sourced_column(table, name, data_type, modifier, None)
    }

    pub fn sourced_column(
        &mut self,
        table: &str,
        name: &str,
        data_type: DataType,
        modifier: i32,
        source: Option<(u32, u16)>,
    ) -> PlanColumn {
        let id = ColumnId(self.columns.len() as u32);
        self.columns.push(ColumnFacts { table: table.into(), name: name.into(), modifier, source });
        PlanColumn { id, name: name.into(), data_type, modifier, source }
    }

    /// A column for an expression's value, with what is known of that.
    pub fn output_column(&mut self, name: &str, expression: &Expression) -> PlanColumn {
        let source = self.source(expression);
        let modifier = self.modifier(expression);
        self.sourced_column("", name, expression.data_type(), modifier, source)
    }

    /// Makes room for columns that have their ids already.
    pub fn reserve(&mut self, ids: &[ColumnId]) {
        let facts = ColumnFacts { table: String::new(), name: String::new(), modifier: -1, source: None };
        let needed = ids.iter().map(|id| id.0 as usize + 1).max().unwrap_or_default();
        self.columns.resize(needed.max(self.columns.len()), facts);
    }

    /// What messages call a column.
    pub fn shown(&self, id: ColumnId) -> String {
        match self.columns.get(id.0 as usize) {
            Some(facts) if facts.table.is_empty() => facts.name.clone(),
            Some(facts) => format!("{}.{}", facts.table, facts.name),
            None => String::new(),
        }
    }

    /// From here on messages know a column as `table.name`.
    pub fn rename(&mut self, id: ColumnId, table: &str, name: &str) {
        if let Some(facts) = self.columns.get_mut(id.0 as usize) {
            (facts.table, facts.name) = (table.into(), name.into());
        }
    }

    /// The table that a column was bound under; empty where there is none.
    pub fn table_of(&self, id: ColumnId) -> &str {
        self.columns.get(id.0 as usize).map_or("", |facts| &facts.table)
    }

    /// An expression's type modifier, -1 for none.
    pub fn modifier(&self, expression: &Expression) -> i32 {
        match expression {
            Expression::Column { id, .. } => self.columns.get(id.0 as usize).map_or(-1, |facts| facts.modifier),
            Expression::Cast { modifier, .. } => *modifier,
            Expression::Coalesce { arguments, .. }
            | Expression::Greatest { arguments, .. }
            | Expression::Least { arguments, .. } => self.shared_modifier(arguments.iter()),
            Expression::Case { branches, otherwise, .. } => {
                self.shared_modifier(branches.iter().map(|(_, result)| result).chain(otherwise.as_deref()))
            }
            _ => -1,
        }
    }

    /// The modifier of all of them, where they have one and the same.
    fn shared_modifier<'e>(&self, expressions: impl Iterator<Item = &'e Expression>) -> i32 {
        let mut modifiers = expressions.map(|expression| self.modifier(expression));
        let first = modifiers.next().unwrap_or(-1);
        if modifiers.all(|modifier| modifier == first) { first } else { -1 }
    }

    /// The table's column that an expression is, unchanged.
    pub fn source(&self, expression: &Expression) -> Option<(u32, u16)> {
        match expression {
            Expression::Column { id, .. } => self.columns.get(id.0 as usize)?.source,
            _ => None,
        }
    }

    pub fn common_table_id(&mut self) -> CommonTableId {
        self.next_common_table += 1;
        CommonTableId(self.next_common_table)
    }

    /// Runs `bind` one level deeper; 54001 when that is too deep.
    pub fn deeper<T>(&mut self, bind: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEPTH_MAX {
            return Err(Error::new(sqlstate::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        self.depth += 1;
        let bound = bind(self);
        self.depth -= 1;
        bound
    }

    /// `$1` is number 1.
    pub fn parameter(&mut self, number: usize, position: Option<u32>) -> Result<Expression> {
        if number == 0 || number > PARAMETERS_MAX || !self.parameters_allowed {
            let message = format!("there is no parameter ${number}");
            return Err(Error::new(sqlstate::UNDEFINED_PARAMETER, message).at(position));
        }
        if self.parameters.len() < number {
            self.parameters.resize(number, DataType::Unknown);
        }
        let index = number - 1;
        Ok(Expression::Parameter { index, data_type: self.parameters[index] })
    }

    /// Settles a parameter's type; 42P08 when another use has settled another one.
    pub fn settle_parameter(&mut self, index: usize, data_type: DataType, position: Option<u32>) -> Result<Expression> {
        let known = &mut self.parameters[index];
        if *known == DataType::Unknown {
            *known = data_type;
        } else if *known != data_type {
            return Err(Error::new(
                sqlstate::AMBIGUOUS_PARAMETER,
                format!("inconsistent types deduced for parameter ${}", index + 1),
            )
            .detail(format!("{} versus {}", known.name(), data_type.name()))
            .at(position));
        }
        Ok(Expression::Parameter { index, data_type })
    }

    /// The types of all parameters; 42P18 when nothing says what one of them is.
    pub fn parameter_types(self) -> Result<Vec<DataType>> {
        match self.parameters.iter().position(|data_type| *data_type == DataType::Unknown) {
            Some(index) => Err(Error::new(
                sqlstate::INDETERMINATE_DATATYPE,
                format!("could not determine data type of parameter ${}", index + 1),
            )),
            None => Ok(self.parameters),
        }
    }
}
