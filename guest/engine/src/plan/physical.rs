//! Physical plans: how a statement runs. They hold no values of parameters, so they can be kept and run again.

use crate::bind::expression::{ColumnId, FrameExclusion, FrameUnit, SubqueryKind, WindowCallFunction};
use crate::bind::logical::{JoinKind, PlanColumn, SetOperator, SetSource};
use crate::catalog::Relation;
use crate::encode::index::IndexDecoder;
use crate::encode::row::RowDecoder;
use crate::execute::expression::{Compiled, CompiledSortKey};
use crate::functions::{AggregateFunction, ScalarFunction};
use crate::modify::Modification;
use crate::types::DataType;
use std::rc::Rc;

/// A statement, ready to run.
pub struct Physical {
    pub root: Node,
    /// What the statement answers.
    pub columns: Vec<PlanColumn>,
    /// Queries inside expressions, by the index in `Compiled::Subquery`.
    pub subqueries: Vec<SubqueryPlan>,
    /// How many slots for outer columns the statement has.
    pub slots: usize,
    /// How many common tables the statement has.
    pub tables: usize,
    /// How many nodes there are; `Node::id` is below it.
    pub nodes: usize,
    /// Some node writes rows.
    pub writes: bool,
    /// It calls stored procedures, whose statements may write.
    pub calls_routines: bool,
    /// It reads or writes relations.
    pub uses_relations: bool,
    /// The tables that it was planned for, with their live rows then.
    pub tables_planned: Vec<(u32, u64)>,
}

/// One operator with its inputs.
pub struct Node {
    pub id: usize,
    pub operation: Operation,
    /// What it produces, by position.
    pub columns: Vec<(ColumnId, DataType)>,
    /// Estimated rows.
    pub rows: f64,
    /// Estimated work, in the time that it takes to read one row in sequence.
    pub cost: f64,
}

pub enum Operation {
    /// One row without columns.
    Unit,
    Empty,
    Scan(Box<Scan>),
    Values(Vec<Vec<Compiled>>),
    /// Calls side by side; a bigint that counts rows follows when `ordinality`.
    FunctionScan {
        calls: Vec<CompiledSetCall>,
        ordinality: bool,
        alias: String,
    },
    ProjectSet {
        input: Box<Node>,
        calls: Vec<CompiledSetCall>,
    },
    Filter {
        input: Box<Node>,
        predicate: Compiled,
    },
    Project {
        input: Box<Node>,
        outputs: Vec<Compiled>,
    },
    HashJoin(Box<HashJoin>),
    NestedLoop(Box<NestedLoop>),
    IndexJoin(Box<IndexJoin>),
    Aggregate(Box<Aggregate>),
    Window(Box<Window>),
    /// `limit` and `offset`: only the first limit + offset rows will be asked for.
    Sort {
        input: Box<Node>,
        keys: Vec<CompiledSortKey>,
        limit: Option<Compiled>,
        offset: Option<Compiled>,
    },
    /// The first row of each distinct combination, in the input's order; `on` none: of all columns.
    Distinct {
        input: Box<Node>,
        on: Option<Vec<Compiled>>,
    },
    Limit {
        input: Box<Node>,
        limit: Option<Compiled>,
        offset: Option<Compiled>,
        with_ties: Vec<CompiledSortKey>,
    },
    SetOperation {
        operator: SetOperator,
        all: bool,
        left: Box<Node>,
        right: Box<Node>,
    },
    /// Makes common tables, then runs the body.
    With {
        tables: Vec<CommonTable>,
        body: Box<Node>,
    },
    /// Reads a common table by its number; `step`: the rows of a recursive table's last step.
    CommonTableScan {
        table: usize,
        step: bool,
        name: String,
    },
    Lock {
        input: Box<Node>,
        /// Input positions of row identities.
        identities: Vec<usize>,
        /// Their tables.
        relations: Vec<Rc<Relation>>,
    },
    Modify(Box<Modify>),
}

/// Reads a table. Decoded columns are `columns` by their positions in `Relation::columns`: the first `outputs` of
/// them are handed on, the others are for `filter` alone. The row's key follows the outputs when `row_identity`.
pub struct Scan {
    pub relation: Rc<Relation>,
    pub alias: String,
    pub columns: Vec<usize>,
    pub outputs: usize,
    pub row_identity: bool,
    pub access: Access,
    pub reverse: bool,
    /// Over the decoded columns.
    pub filter: Option<Compiled>,
    /// The same in two steps, for scans that read rows.
    pub early: Option<EarlyFilter>,
    /// About how many rows will be asked for; 0 for all.
    pub expected_rows: u32,
    pub decoder: Decoder,
}

/// A scan's filter where some columns need be decoded of fewer rows only.
pub struct EarlyFilter {
    /// What is tested first.
    pub first: Compiled,
    /// Per decoded column, whether `first` reads it.
    pub columns: Vec<bool>,
    /// What the rows that are left are tested for.
    pub rest: Option<Compiled>,
}

/// Reads `Scan::columns` from what is stored.
pub enum Decoder {
    /// There are no columns to read.
    Nothing,
    Row(RowDecoder),
    Entry(IndexDecoder),
}

/// Which entries of which index are read.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Position in `Relation::indexes`; none reads the rows themselves from first to last.
    pub index: Option<usize>,
    /// Conditions on the index's leading columns.
    pub equal: Vec<KeyEqual>,
    /// Conditions on the column after them.
    pub lower: Option<KeyBound>,
    pub upper: Option<KeyBound>,
    /// Each combination of `equal` is at most one row.
    pub unique: bool,
    /// The entries hold every column that is asked for.
    pub index_only: bool,
}

/// What an index column equals. Expressions read no columns of the scan: parameters, constants, outer columns, and in
/// an index join those of the left row.
#[derive(Clone, Debug)]
pub enum KeyEqual {
    One(Compiled),
    Null,
    Any(Vec<Compiled>),
    AnyArray(Compiled),
}

#[derive(Clone, Debug)]
pub struct KeyBound {
    pub value: Compiled,
    pub inclusive: bool,
}

#[derive(Clone, Debug)]
pub struct CompiledSetCall {
    pub function: SetSource,
    pub arguments: Vec<Compiled>,
    pub types: Vec<DataType>,
}

/// Builds a hash table of the right side, then probes it with the left one.
pub struct HashJoin {
    pub left: Node,
    pub right: Node,
    pub matching: HashMatching,
}

/// Which rows a hash join brings together.
pub struct HashMatching {
    pub kind: JoinKind,
    pub left_keys: Vec<Compiled>,
    pub right_keys: Vec<Compiled>,
    /// Over left columns followed by right columns.
    pub condition: Option<Compiled>,
}

/// Meets every left row with every right row.
pub struct NestedLoop {
    pub kind: JoinKind,
    pub left: Node,
    pub right: Node,
    pub condition: Option<Compiled>,
    /// Left positions and the slots that they fill before the right side runs for that row; none: it does not depend
    /// on the left row, and runs once.
    pub lateral: Option<Vec<(usize, usize)>>,
}

/// Looks up an index of the right table by values of each left row. Inner, left, semi and anti.
pub struct IndexJoin {
    pub kind: JoinKind,
    pub left: Node,
    /// Its key expressions are over the left columns.
    pub scan: Scan,
    /// What the scan hands on.
    pub right_columns: Vec<(ColumnId, DataType)>,
    /// Over left columns followed by right columns.
    pub condition: Option<Compiled>,
    /// What it turns to when there is more to look up than was thought.
    pub whole_read: Option<WholeRead>,
}

/// The same join with its right side read once, as a whole.
pub struct WholeRead {
    /// Hands on the same columns as the scan that looks up.
    pub scan: Scan,
    pub matching: HashMatching,
    /// Its estimated cost, in the unit of `Node::cost`.
    pub cost: f64,
}

pub struct Aggregate {
    pub input: Node,
    pub groups: Vec<Compiled>,
    pub grouping_sets: Vec<Vec<usize>>,
    pub aggregates: Vec<CompiledAggregate>,
    pub grouping_calls: Vec<Vec<usize>>,
}

#[derive(Clone, Debug)]
pub struct CompiledAggregate {
    pub function: &'static AggregateFunction,
    pub arguments: Vec<Compiled>,
    pub distinct: bool,
    pub filter: Option<Compiled>,
    pub order_by: Vec<CompiledSortKey>,
    pub data_type: DataType,
}

/// Calls over one partitioning and order.
pub struct Window {
    pub input: Node,
    pub partition_by: Vec<Compiled>,
    pub order_by: Vec<CompiledSortKey>,
    pub calls: Vec<CompiledWindowCall>,
}

#[derive(Clone, Debug)]
pub struct CompiledWindowCall {
    pub function: WindowCallFunction,
    pub arguments: Vec<Compiled>,
    pub filter: Option<Compiled>,
    pub unit: FrameUnit,
    pub start: CompiledBound,
    pub end: CompiledBound,
    pub exclusion: FrameExclusion,
    pub data_type: DataType,
}

#[derive(Clone, Debug)]
pub enum CompiledBound {
    UnboundedPreceding,
    Preceding(Compiled),
    CurrentRow,
    Following(Compiled),
    UnboundedFollowing,
}

pub struct CommonTable {
    pub table: usize,
    pub name: String,
    pub kind: CommonTableKind,
}

pub enum CommonTableKind {
    Plain(Node),
    Recursive {
        anchor: Box<Node>,
        recursive: Box<Node>,
        all: bool,
    },
    /// Runs to its end, whoever reads it: at the latest when the body has handed on its rows.
    Modify(Node),
}

/// A query inside an expression.
pub struct SubqueryPlan {
    pub node: Node,
    pub kind: CompiledSubqueryKind,
    pub data_type: DataType,
    /// Positions in the row of the expression, and the slots that they fill.
    pub bindings: Vec<(usize, usize)>,
    /// Slots of rows further out that it reads.
    pub outer_slots: Vec<usize>,
    /// Its answer depends on the slots alone, so that it can be kept.
    pub memoise: bool,
}

#[derive(Clone, Debug)]
pub enum CompiledSubqueryKind {
    Scalar,
    Exists,
    Compare {
        operators: Vec<&'static ScalarFunction>,
        all: bool,
        /// `= ANY` or `<> ALL` of one column whose equality is that of its type: answered by a hash table.
        hashed: bool,
    },
    Array,
}

impl CompiledSubqueryKind {
    pub fn new(kind: &SubqueryKind, hashed: bool) -> CompiledSubqueryKind {
        match kind {
            SubqueryKind::Scalar => CompiledSubqueryKind::Scalar,
            SubqueryKind::Exists => CompiledSubqueryKind::Exists,
            SubqueryKind::Array => CompiledSubqueryKind::Array,
            SubqueryKind::Compare { operators, all, .. } => {
                CompiledSubqueryKind::Compare { operators: operators.clone(), all: *all, hashed }
            }
        }
    }
}

/// INSERT, UPDATE or DELETE: run by `modify::run`. Produces the columns of RETURNING.
pub struct Modify {
    pub modification: Modification<Compiled>,
    pub input: Node,
}
