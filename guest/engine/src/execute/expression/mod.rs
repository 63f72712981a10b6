//! Expressions as they run: columns are positions in a batch, and everything that can be done once is done.

mod call;
mod choice;
pub mod compile;
pub mod evaluate;
mod logic;
mod membership;

use crate::catalog::procedure::Callable;
use crate::functions::ScalarFunction;
use crate::types::{DataType, Value};
use std::rc::Rc;

pub use call::{apply, nest};
pub use compile::compile;
pub use evaluate::{cannot_fail, evaluate, evaluate_constant, has_subquery, narrow, select};
pub use logic::from_truths;
pub use membership::quantify;

/// An expression over the columns of a batch, by position.
#[derive(Clone, Debug)]
pub enum Compiled {
    Literal(Value, DataType),
    Parameter {
        index: usize,
        data_type: DataType,
    },
    Column {
        position: usize,
        data_type: DataType,
    },
    /// A column of an enclosing query's row, which whoever runs this query has put into the slot.
    Outer {
        slot: usize,
        data_type: DataType,
    },
    Call {
        function: &'static ScalarFunction,
        arguments: Vec<Compiled>,
        data_type: DataType,
    },
    Routine {
        routine: Rc<Callable>,
        arguments: Vec<Compiled>,
        data_type: DataType,
    },
    Cast {
        input: Box<Compiled>,
        to: DataType,
        modifier: i32,
        explicit: bool,
    },
    And(Vec<Compiled>),
    Or(Vec<Compiled>),
    Not(Box<Compiled>),
    IsNull {
        input: Box<Compiled>,
        negated: bool,
    },
    IsBoolean {
        input: Box<Compiled>,
        value: Option<bool>,
        negated: bool,
    },
    IsDistinct {
        left: Box<Compiled>,
        right: Box<Compiled>,
        negated: bool,
    },
    Case {
        branches: Vec<(Compiled, Compiled)>,
        otherwise: Option<Box<Compiled>>,
        data_type: DataType,
    },
    Coalesce {
        arguments: Vec<Compiled>,
        data_type: DataType,
    },
    NullIf {
        left: Box<Compiled>,
        right: Box<Compiled>,
        equal: &'static ScalarFunction,
        data_type: DataType,
    },
    /// GREATEST, or LEAST
    Extreme {
        arguments: Vec<Compiled>,
        greatest: bool,
        data_type: DataType,
    },
    InList {
        input: Box<Compiled>,
        list: Vec<Compiled>,
        negated: bool,
    },
    AnyArray {
        left: Box<Compiled>,
        operator: &'static ScalarFunction,
        array: Box<Compiled>,
        all: bool,
    },
    Array {
        elements: Vec<Compiled>,
        data_type: DataType,
    },
    Row {
        fields: Vec<Compiled>,
    },
    Subscript {
        input: Box<Compiled>,
        subscripts: Vec<CompiledSubscript>,
        data_type: DataType,
    },
    /// `index` is its place in `Physical::subqueries`; `left` are the operands of a comparison with its rows.
    Subquery {
        index: usize,
        left: Vec<Compiled>,
        data_type: DataType,
    },
}

#[derive(Clone, Debug)]
pub enum CompiledSubscript {
    Index(Compiled),
    Slice(Option<Compiled>, Option<Compiled>),
}

/// ORDER BY's element over a batch.
#[derive(Clone, Debug)]
pub struct CompiledSortKey {
    pub expression: Compiled,
    pub descending: bool,
    pub nulls_first: bool,
}

impl Compiled {
    pub fn data_type(&self) -> DataType {
        match self {
            Compiled::Literal(_, data_type)
            | Compiled::Parameter { data_type, .. }
            | Compiled::Column { data_type, .. }
            | Compiled::Outer { data_type, .. }
            | Compiled::Call { data_type, .. }
            | Compiled::Routine { data_type, .. }
            | Compiled::Case { data_type, .. }
            | Compiled::Coalesce { data_type, .. }
            | Compiled::NullIf { data_type, .. }
            | Compiled::Extreme { data_type, .. }
            | Compiled::Array { data_type, .. }
            | Compiled::Subscript { data_type, .. }
            | Compiled::Subquery { data_type, .. } => *data_type,
            Compiled::Cast { to, .. } => *to,
            Compiled::Row { .. } => DataType::Record,
            Compiled::And(_)
            | Compiled::Or(_)
            | Compiled::Not(_)
            | Compiled::IsNull { .. }
            | Compiled::IsBoolean { .. }
            | Compiled::IsDistinct { .. }
            | Compiled::InList { .. }
            | Compiled::AnyArray { .. } => DataType::Boolean,
        }
    }

    /// The operands, in the order in which they are written.
    pub fn children(&self) -> Vec<&Compiled> {
        match self {
            Compiled::Literal(..) | Compiled::Parameter { .. } | Compiled::Column { .. } | Compiled::Outer { .. } => {
                vec![]
            }
            Compiled::Call { arguments: children, .. }
            | Compiled::Routine { arguments: children, .. }
            | Compiled::And(children)
            | Compiled::Or(children)
            | Compiled::Coalesce { arguments: children, .. }
            | Compiled::Extreme { arguments: children, .. }
            | Compiled::Array { elements: children, .. }
            | Compiled::Row { fields: children }
            | Compiled::Subquery { left: children, .. } => children.iter().collect(),
            Compiled::Cast { input, .. }
            | Compiled::Not(input)
            | Compiled::IsNull { input, .. }
            | Compiled::IsBoolean { input, .. } => vec![input],
            Compiled::IsDistinct { left, right, .. }
            | Compiled::NullIf { left, right, .. }
            | Compiled::AnyArray { left, array: right, .. } => vec![left, right],
            Compiled::Case { branches, otherwise, .. } => {
                let branches = branches.iter().flat_map(|(condition, result)| [condition, result]);
                branches.chain(otherwise.as_deref()).collect()
            }
            Compiled::InList { input, list, .. } => std::iter::once(&**input).chain(list).collect(),
            Compiled::Subscript { input, subscripts, .. } => {
                let bounds = subscripts.iter().flat_map(|subscript| match subscript {
                    CompiledSubscript::Index(index) => vec![index],
                    CompiledSubscript::Slice(lower, upper) => lower.iter().chain(upper).collect(),
                });
                std::iter::once(&**input).chain(bounds).collect()
            }
        }
    }

    /// Calls `visit` with the position of every column it reads.
    pub fn columns(&self, visit: &mut dyn FnMut(usize)) {
        if let Compiled::Column { position, .. } = self {
            visit(*position);
        }
        for child in self.children() {
            child.columns(visit);
        }
    }
}
