//! Logical plans: what a bound statement asks for, before anything is said of how.

use super::expression::{AggregateCall, ColumnId, Expression, SortKey, WindowCall};
use crate::catalog::Relation;
use crate::catalog::procedure::Callable;
use crate::functions::SetFunction;
use crate::types::DataType;
use std::rc::Rc;

/// A relation-valued expression. Every variant says which columns it produces (`Plan::columns`).
#[derive(Clone, Debug)]
pub enum Plan {
    /// One row without columns.
    Unit,
    /// No rows.
    Empty {
        columns: Vec<PlanColumn>,
    },
    Scan(Scan),
    Values {
        columns: Vec<PlanColumn>,
        rows: Vec<Vec<Expression>>,
    },
    /// Set-returning functions side by side (FROM f(), ROWS FROM), the shorter padded with NULLs.
    FunctionScan {
        calls: Vec<SetCall>,
        ordinality: Option<ColumnId>,
        alias: String,
    },
    /// Set-returning functions in a select list: for each input row, their rows beside it, in lock step.
    ProjectSet {
        input: Box<Plan>,
        calls: Vec<SetCall>,
    },
    Filter {
        input: Box<Plan>,
        predicate: Expression,
    },
    /// Produces just these columns.
    Project {
        input: Box<Plan>,
        outputs: Vec<(PlanColumn, Expression)>,
    },
    Join(Box<Join>),
    Aggregate(Box<Aggregate>),
    /// Input columns, and one more per call.
    Window {
        input: Box<Plan>,
        calls: Vec<(ColumnId, WindowCall)>,
    },
    Sort {
        input: Box<Plan>,
        keys: Vec<SortKey>,
    },
    /// DISTINCT over all columns, or ON expressions: the first row of each in the input's order.
    Distinct {
        input: Box<Plan>,
        on: Option<Vec<Expression>>,
    },
    Limit {
        input: Box<Plan>,
        limit: Option<Expression>,
        offset: Option<Expression>,
        with_ties: Vec<SortKey>,
    },
    SetOperation(Box<SetOperation>),
    /// Common table expressions in order, then the body that may scan them.
    With {
        tables: Vec<CommonTable>,
        body: Box<Plan>,
    },
    /// A scan of a common table expression: `columns[i]` is its i-th column.
    CommonTableScan {
        table: CommonTableId,
        columns: Vec<PlanColumn>,
        name: String,
    },
    /// SELECT … FOR UPDATE and its like: guards the rows it hands on. The scans it covers have `row_identity`.
    Lock {
        input: Box<Plan>,
        tables: Vec<LockedTable>,
    },
    Modify(Box<Modify>),
}

/// What a plan produces: an id for expressions, and what a client is told.
#[derive(Clone, Debug)]
pub struct PlanColumn {
    pub id: ColumnId,
    pub name: String,
    pub data_type: DataType,
    pub modifier: i32,
    /// Table oid and column number (1 is the first), where it is a table's column unchanged.
    pub source: Option<(u32, u16)>,
}

#[derive(Clone, Debug)]
pub struct Scan {
    pub relation: Rc<Relation>,
    /// For EXPLAIN and messages.
    pub alias: String,
    /// Produced columns with their position in `Relation::columns`.
    pub columns: Vec<(PlanColumn, usize)>,
    /// Also produces the row's primary-index key as a bytea, for UPDATE, DELETE and FOR UPDATE.
    pub row_identity: Option<ColumnId>,
}

/// Who answers a set of rows.
#[derive(Clone, Debug)]
pub enum SetSource {
    Function(&'static SetFunction),
    Routine(Rc<Callable>),
}

impl SetSource {
    pub fn name(&self) -> &str {
        match self {
            SetSource::Function(function) => function.name,
            SetSource::Routine(callable) => callable.name(),
        }
    }

    pub fn is_routine(&self) -> bool {
        matches!(self, SetSource::Routine(_))
    }
}

#[derive(Clone, Debug)]
pub struct SetCall {
    pub function: SetSource,
    pub arguments: Vec<Expression>,
    pub columns: Vec<PlanColumn>,
}

#[derive(Clone, Debug)]
pub struct Join {
    pub kind: JoinKind,
    pub left: Plan,
    pub right: Plan,
    /// None is true.
    pub condition: Option<Expression>,
    /// The right side may refer to the left side's columns.
    pub lateral: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
    /// Left rows that have a match; produces the left columns only. Made by decorrelation.
    Semi,
    /// Left rows that have none.
    Anti,
}

#[derive(Clone, Debug)]
pub struct Aggregate {
    pub input: Plan,
    pub groups: Vec<(PlanColumn, Expression)>,
    /// Positions in `groups` per grouping set; one set of all of them when there is plain GROUP BY. Groups that a set
    /// leaves out are NULL in its rows.
    pub grouping_sets: Vec<Vec<usize>>,
    pub aggregates: Vec<(PlanColumn, AggregateCall)>,
    /// GROUPING(…): an integer with a bit per listed group, the last one lowest, set where the set leaves it out.
    pub grouping_calls: Vec<(PlanColumn, Vec<usize>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOperator {
    Union,
    Intersect,
    Except,
}

#[derive(Clone, Debug)]
pub struct SetOperation {
    pub operator: SetOperator,
    pub all: bool,
    /// Both sides produce as many columns, already of the same types, in the same order.
    pub left: Plan,
    pub right: Plan,
    pub columns: Vec<PlanColumn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommonTableId(pub u32);

#[derive(Clone, Debug)]
pub struct CommonTable {
    pub id: CommonTableId,
    pub name: String,
    pub kind: CommonTableKind,
    /// Its columns as it produces them; scans give them ids of their own.
    pub columns: Vec<PlanColumn>,
    /// MATERIALIZED (true), NOT MATERIALIZED (false), or the planner's choice. Data-modifying ones run exactly once.
    pub materialized: Option<bool>,
}

#[derive(Clone, Debug)]
pub enum CommonTableKind {
    Plain(Plan),
    /// `recursive` scans the same id: it sees the rows of the step before.
    Recursive {
        anchor: Plan,
        recursive: Plan,
        all: bool,
    },
}

#[derive(Clone, Debug)]
pub struct LockedTable {
    pub relation: Rc<Relation>,
    pub row_identity: ColumnId,
}

/// INSERT, UPDATE, DELETE. Produces `returning`'s columns.
#[derive(Clone, Debug)]
pub struct Modify {
    pub relation: Rc<Relation>,
    pub action: ModifyAction,
    pub input: Plan,
    /// CHECK constraints over `new_row`.
    pub checks: Vec<(String, Expression)>,
    /// Ids under which checks, ON CONFLICT and RETURNING see the row as written (deleted rows: as it was), by
    /// position in `Relation::columns`; dropped columns have one too.
    pub new_row: Vec<ColumnId>,
    pub returning: Option<Vec<(PlanColumn, Expression)>>,
}

#[derive(Clone, Debug)]
pub enum ModifyAction {
    /// `values[i]` is the input column for column i of the relation, already of its type; every column has one
    /// (defaults are part of the input), dropped ones are NULL.
    Insert {
        values: Vec<Expression>,
        conflict: Option<OnConflict>,
    },
    /// The input produces `row_identity` and `old_row` (the columns by position in `Relation::columns`).
    Update {
        row_identity: ColumnId,
        old_row: Vec<ColumnId>,
        assignments: Vec<(usize, Expression)>,
    },
    Delete {
        row_identity: ColumnId,
        old_row: Vec<ColumnId>,
    },
}

#[derive(Clone, Debug)]
pub struct OnConflict {
    /// Index ids (`Index::id`) that arbitrate; none: every unique index.
    pub arbiters: Option<Vec<u32>>,
    /// None: DO NOTHING.
    pub update: Option<ConflictUpdate>,
}

/// DO UPDATE: `existing` and `excluded` are the ids of the row in the table and of the one proposed, by position in
/// `Relation::columns`.
#[derive(Clone, Debug)]
pub struct ConflictUpdate {
    pub existing: Vec<ColumnId>,
    pub excluded: Vec<ColumnId>,
    pub assignments: Vec<(usize, Expression)>,
    pub filter: Option<Expression>,
}

impl Plan {
    /// The columns it produces, in order.
    pub fn columns(&self) -> Vec<PlanColumn> {
        match self {
            Plan::Unit => vec![],
            Plan::Empty { columns } | Plan::Values { columns, .. } | Plan::CommonTableScan { columns, .. } => {
                columns.clone()
            }
            Plan::Scan(scan) => {
                let mut columns: Vec<_> = scan.columns.iter().map(|(column, _)| column.clone()).collect();
                columns.extend(scan.row_identity.map(PlanColumn::row_identity));
                columns
            }
            Plan::FunctionScan { calls, ordinality, .. } => {
                let mut columns: Vec<_> = calls.iter().flat_map(|call| call.columns.clone()).collect();
                columns.extend(ordinality.map(|id| PlanColumn::unnamed(id, "ordinality", DataType::BigInt)));
                columns
            }
            Plan::ProjectSet { input, calls } => {
                let mut columns = input.columns();
                columns.extend(calls.iter().flat_map(|call| call.columns.clone()));
                columns
            }
            Plan::Filter { input, .. }
            | Plan::Sort { input, .. }
            | Plan::Distinct { input, .. }
            | Plan::Limit { input, .. }
            | Plan::Lock { input, .. } => input.columns(),
            Plan::Project { outputs, .. } => outputs.iter().map(|(column, _)| column.clone()).collect(),
            Plan::Join(join) => {
                let mut columns = join.left.columns();
                if !matches!(join.kind, JoinKind::Semi | JoinKind::Anti) {
                    columns.extend(join.right.columns());
                }
                columns
            }
            Plan::Aggregate(aggregate) => {
                let groups = aggregate.groups.iter().map(|(column, _)| column.clone());
                let calls = aggregate.aggregates.iter().map(|(column, _)| column.clone());
                let grouping = aggregate.grouping_calls.iter().map(|(column, _)| column.clone());
                groups.chain(calls).chain(grouping).collect()
            }
            Plan::Window { input, calls } => {
                let mut columns = input.columns();
                columns.extend(calls.iter().map(|(id, call)| PlanColumn::unnamed(*id, "", call.data_type)));
                columns
            }
            Plan::SetOperation(operation) => operation.columns.clone(),
            Plan::With { body, .. } => body.columns(),
            Plan::Modify(modify) => modify.returning.iter().flatten().map(|(column, _)| column.clone()).collect(),
        }
    }
}

impl PlanColumn {
    pub fn unnamed(id: ColumnId, name: &str, data_type: DataType) -> PlanColumn {
        PlanColumn { id, name: name.into(), data_type, modifier: -1, source: None }
    }

    fn row_identity(id: ColumnId) -> PlanColumn {
        PlanColumn::unnamed(id, "row identity", DataType::Bytea)
    }
}
