//! Bound expressions: typed, with every name resolved.

use super::logical::Plan;
use crate::catalog::procedure::Callable;
use crate::functions::{AggregateFunction, ScalarFunction, WindowFunction};
use crate::types::{DataType, Value};
use std::rc::Rc;

/// A column of some relation of the statement, unique within it. A column that no input of the expression produces
/// belongs to an enclosing query: the expression is correlated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId(pub u32);

#[derive(Clone, Debug)]
pub enum Expression {
    Literal(Value, DataType),
    /// $1 is index 0
    Parameter {
        index: usize,
        data_type: DataType,
    },
    Column {
        id: ColumnId,
        data_type: DataType,
    },
    /// Functions and operators alike; arguments already have the types that the function takes.
    Call {
        function: &'static ScalarFunction,
        arguments: Vec<Expression>,
        data_type: DataType,
    },
    /// A call of a stored procedure's routine that answers one row; arguments have the types of its parameters.
    Routine {
        routine: Rc<Callable>,
        arguments: Vec<Expression>,
        data_type: DataType,
    },
    /// A conversion with its rules: see `types::cast`.
    Cast {
        input: Box<Expression>,
        to: DataType,
        modifier: i32,
        explicit: bool,
    },
    /// Three-valued and lazy: a row decided by an earlier operand does not evaluate the later ones.
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    IsNull {
        input: Box<Expression>,
        negated: bool,
    },
    /// IS [NOT] TRUE / FALSE / UNKNOWN; `value` none is UNKNOWN
    IsBoolean {
        input: Box<Expression>,
        value: Option<bool>,
        negated: bool,
    },
    /// IS [NOT] DISTINCT FROM, operands of one type
    IsDistinct {
        left: Box<Expression>,
        right: Box<Expression>,
        negated: bool,
    },
    /// Searched CASE; `CASE x WHEN` is bound to comparisons.
    Case {
        branches: Vec<(Expression, Expression)>,
        otherwise: Option<Box<Expression>>,
        data_type: DataType,
    },
    Coalesce {
        arguments: Vec<Expression>,
        data_type: DataType,
    },
    NullIf {
        left: Box<Expression>,
        right: Box<Expression>,
        equal: &'static ScalarFunction,
        data_type: DataType,
    },
    Greatest {
        arguments: Vec<Expression>,
        data_type: DataType,
    },
    Least {
        arguments: Vec<Expression>,
        data_type: DataType,
    },
    /// input [NOT] IN (list), all of one type
    InList {
        input: Box<Expression>,
        list: Vec<Expression>,
        negated: bool,
    },
    /// left operator ANY/ALL (array)
    AnyArray {
        left: Box<Expression>,
        operator: &'static ScalarFunction,
        array: Box<Expression>,
        all: bool,
    },
    Array {
        elements: Vec<Expression>,
        data_type: DataType,
    },
    Row {
        fields: Vec<Expression>,
    },
    /// array[index] and array[lower:upper]
    Subscript {
        input: Box<Expression>,
        subscripts: Vec<Subscript>,
        data_type: DataType,
    },
    Subquery(Box<Subquery>),
}

#[derive(Clone, Debug)]
pub enum Subscript {
    Index(Expression),
    Slice(Option<Expression>, Option<Expression>),
}

/// A query inside an expression. Its plan's column ids that it does not produce itself are the outer row's.
#[derive(Clone, Debug)]
pub struct Subquery {
    pub plan: Plan,
    pub kind: SubqueryKind,
    pub data_type: DataType,
}

#[derive(Clone, Debug)]
pub enum SubqueryKind {
    /// One column; no row is NULL, several are an error (21000).
    Scalar,
    Exists,
    /// (left, …) operator ANY/ALL (subquery): one operator per column, joined by AND; IN is `=` with any.
    Compare {
        left: Vec<Expression>,
        operators: Vec<&'static ScalarFunction>,
        all: bool,
    },
    Array,
}

#[derive(Clone, Debug)]
pub struct SortKey {
    pub expression: Expression,
    pub descending: bool,
    pub nulls_first: bool,
}

#[derive(Clone, Debug)]
pub struct AggregateCall {
    pub function: &'static AggregateFunction,
    pub arguments: Vec<Expression>,
    pub distinct: bool,
    pub filter: Option<Expression>,
    /// ORDER BY inside the call, or WITHIN GROUP
    pub order_by: Vec<SortKey>,
    pub data_type: DataType,
}

#[derive(Clone, Debug)]
pub struct WindowCall {
    pub function: WindowCallFunction,
    pub arguments: Vec<Expression>,
    pub filter: Option<Expression>,
    pub partition_by: Vec<Expression>,
    pub order_by: Vec<SortKey>,
    pub frame: Frame,
    pub data_type: DataType,
}

#[derive(Clone, Copy, Debug)]
pub enum WindowCallFunction {
    Window(&'static WindowFunction),
    Aggregate(&'static AggregateFunction),
}

#[derive(Clone, Debug)]
pub struct Frame {
    pub unit: FrameUnit,
    pub start: FrameBound,
    pub end: FrameBound,
    pub exclusion: FrameExclusion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameUnit {
    Rows,
    Range,
    Groups,
}

#[derive(Clone, Debug)]
pub enum FrameBound {
    UnboundedPreceding,
    Preceding(Expression),
    CurrentRow,
    Following(Expression),
    UnboundedFollowing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameExclusion {
    NoOthers,
    CurrentRow,
    Group,
    Ties,
}

impl Expression {
    pub fn data_type(&self) -> DataType {
        match self {
            Expression::Literal(_, data_type)
            | Expression::Parameter { data_type, .. }
            | Expression::Column { data_type, .. }
            | Expression::Call { data_type, .. }
            | Expression::Routine { data_type, .. }
            | Expression::Case { data_type, .. }
            | Expression::Coalesce { data_type, .. }
            | Expression::NullIf { data_type, .. }
            | Expression::Greatest { data_type, .. }
            | Expression::Least { data_type, .. }
            | Expression::Array { data_type, .. }
            | Expression::Subscript { data_type, .. } => *data_type,
            Expression::Cast { to, .. } => *to,
            Expression::Row { .. } => DataType::Record,
            Expression::Subquery(subquery) => subquery.data_type,
            Expression::And(_)
            | Expression::Or(_)
            | Expression::Not(_)
            | Expression::IsNull { .. }
            | Expression::IsBoolean { .. }
            | Expression::IsDistinct { .. }
            | Expression::InList { .. }
            | Expression::AnyArray { .. } => DataType::Boolean,
        }
    }
}
