//! From column ids to positions.

use super::{Compiled, CompiledSortKey, CompiledSubscript};
use crate::bind::expression::{ColumnId, Expression, SortKey, Subquery, Subscript};
use crate::error::{Error, Result};
use crate::types::DataType;

/// Compiles an expression without subqueries over columns with these ids.
pub fn compile(expression: &Expression, columns: &[ColumnId]) -> Result<Compiled> {
    let layout: Vec<_> = columns.iter().map(|&id| (id, DataType::Unknown)).collect();
    Compiler { columns: &layout, outside: &mut NoOutside }.compile(expression)
}

/// What an expression may refer to beside its input's columns.
pub trait Outside {
    /// The slot of an enclosing query's column.
    fn outer_column(&mut self, id: ColumnId) -> Option<usize>;

    /// Plans a query whose outer row has these columns; answers its index and its compiled left operands.
    fn subquery(&mut self, subquery: &Subquery, columns: &[(ColumnId, DataType)]) -> Result<(usize, Vec<Compiled>)>;
}

struct NoOutside;

impl Outside for NoOutside {
    fn outer_column(&mut self, _id: ColumnId) -> Option<usize> {
        None
    }

    fn subquery(&mut self, _subquery: &Subquery, _columns: &[(ColumnId, DataType)]) -> Result<(usize, Vec<Compiled>)> {
        Err(Error::not_supported("a subquery here"))
    }
}

/// Compiles expressions over one layout of columns.
pub struct Compiler<'a> {
    pub columns: &'a [(ColumnId, DataType)],
    pub outside: &'a mut dyn Outside,
}

impl Compiler<'_> {
    pub fn compile(&mut self, expression: &Expression) -> Result<Compiled> {
        Ok(match expression {
            Expression::Literal(value, data_type) => Compiled::Literal(value.clone(), *data_type),
            Expression::Parameter { index, data_type } => Compiled::Parameter { index: *index, data_type: *data_type },
            Expression::Column { id, data_type } => self.column(*id, *data_type)?,
            Expression::Call { function, arguments, data_type } => {
                Compiled::Call { function, arguments: self.compile_all(arguments)?, data_type: *data_type }
            }
            Expression::Routine { routine, arguments, data_type } => Compiled::Routine {
                routine: routine.clone(),
                arguments: self.compile_all(arguments)?,
                data_type: *data_type,
            },
            Expression::Cast { input, to, modifier, explicit } => {
                Compiled::Cast { input: self.boxed(input)?, to: *to, modifier: *modifier, explicit: *explicit }
            }
            Expression::And(operands) => Compiled::And(self.compile_all(operands)?),
            Expression::Or(operands) => Compiled::Or(self.compile_all(operands)?),
            Expression::Not(input) => Compiled::Not(self.boxed(input)?),
            Expression::IsNull { input, negated } => Compiled::IsNull { input: self.boxed(input)?, negated: *negated },
            Expression::IsBoolean { input, value, negated } => {
                Compiled::IsBoolean { input: self.boxed(input)?, value: *value, negated: *negated }
            }
            Expression::IsDistinct { left, right, negated } => {
                Compiled::IsDistinct { left: self.boxed(left)?, right: self.boxed(right)?, negated: *negated }
            }
            Expression::Case { branches, otherwise, data_type } => {
                let branches = branches
                    .iter()
                    .map(|(condition, result)| Ok((self.compile(condition)?, self.compile(result)?)))
                    .collect::<Result<_>>()?;
                let otherwise = otherwise.as_deref().map(|otherwise| self.boxed(otherwise)).transpose()?;
                Compiled::Case { branches, otherwise, data_type: *data_type }
            }
            Expression::Coalesce { arguments, data_type } => {
                Compiled::Coalesce { arguments: self.compile_all(arguments)?, data_type: *data_type }
            }
            Expression::NullIf { left, right, equal, data_type } => {
                Compiled::NullIf { left: self.boxed(left)?, right: self.boxed(right)?, equal, data_type: *data_type }
            }
            Expression::Greatest { arguments, data_type } | Expression::Least { arguments, data_type } => {
                let greatest = matches!(expression, Expression::Greatest { .. });
                Compiled::Extreme { arguments: self.compile_all(arguments)?, greatest, data_type: *data_type }
            }
            Expression::InList { input, list, negated } => {
                Compiled::InList { input: self.boxed(input)?, list: self.compile_all(list)?, negated: *negated }
            }
            Expression::AnyArray { left, operator, array, all } => {
                Compiled::AnyArray { left: self.boxed(left)?, operator, array: self.boxed(array)?, all: *all }
            }
            Expression::Array { elements, data_type } => {
                Compiled::Array { elements: self.compile_all(elements)?, data_type: *data_type }
            }
            Expression::Row { fields } => Compiled::Row { fields: self.compile_all(fields)? },
            Expression::Subscript { input, subscripts, data_type } => {
                let subscripts = subscripts.iter().map(|subscript| self.subscript(subscript)).collect::<Result<_>>()?;
                Compiled::Subscript { input: self.boxed(input)?, subscripts, data_type: *data_type }
            }
            Expression::Subquery(subquery) => {
                let (index, left) = self.outside.subquery(subquery, self.columns)?;
                Compiled::Subquery { index, left, data_type: subquery.data_type }
            }
        })
    }

    pub fn compile_all(&mut self, expressions: &[Expression]) -> Result<Vec<Compiled>> {
        expressions.iter().map(|expression| self.compile(expression)).collect()
    }

    pub fn sort_keys(&mut self, keys: &[SortKey]) -> Result<Vec<CompiledSortKey>> {
        let compile = |key: &SortKey| {
            let expression = self.compile(&key.expression)?;
            Ok(CompiledSortKey { expression, descending: key.descending, nulls_first: key.nulls_first })
        };
        keys.iter().map(compile).collect()
    }

    fn boxed(&mut self, expression: &Expression) -> Result<Box<Compiled>> {
        self.compile(expression).map(Box::new)
    }

    fn column(&mut self, id: ColumnId, data_type: DataType) -> Result<Compiled> {
        if let Some(position) = self.columns.iter().position(|(column, _)| *column == id) {
            return Ok(Compiled::Column { position, data_type });
        }
        match self.outside.outer_column(id) {
            Some(slot) => Ok(Compiled::Outer { slot, data_type }),
            None => Err(Error::internal(format!("no input produces column {}", id.0))),
        }
    }

    fn subscript(&mut self, subscript: &Subscript) -> Result<CompiledSubscript> {
        let mut bound = |bound: &Option<Expression>| bound.as_ref().map(|bound| self.compile(bound)).transpose();
        Ok(match subscript {
            Subscript::Slice(lower, upper) => CompiledSubscript::Slice(bound(lower)?, bound(upper)?),
            Subscript::Index(index) => CompiledSubscript::Index(self.compile(index)?),
        })
    }
}
