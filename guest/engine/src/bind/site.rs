//! Where in a query an expression stands: which names it sees, and which calls it may make there.

use super::expression::{AggregateCall, ColumnId, WindowCall};
use super::logical::{PlanColumn, SetCall};
use super::scope::Scope;
use super::select::window::WindowDefinition;
use crate::error::{Error, Result, sqlstate};

/// The part of a statement that an expression belongs to, as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clause {
    SelectList,
    OrderBy,
    DistinctOn,
    Where,
    Having,
    GroupBy,
    JoinCondition,
    FromFunction,
    Limit,
    Offset,
    Values,
    Returning,
    Update,
    Filter,
    WindowDefinition,
    Default,
    Check,
    /// ALTER COLUMN … TYPE … USING
    Transform,
    /// EXECUTE name (…), SET TIME ZONE
    Parameter,
}

impl Clause {
    pub fn name(self) -> &'static str {
        match self {
            Clause::SelectList => "SELECT",
            Clause::OrderBy => "ORDER BY",
            Clause::DistinctOn => "DISTINCT ON",
            Clause::Where => "WHERE",
            Clause::Having => "HAVING",
            Clause::GroupBy => "GROUP BY",
            Clause::JoinCondition => "JOIN conditions",
            Clause::FromFunction => "functions in FROM",
            Clause::Limit => "LIMIT",
            Clause::Offset => "OFFSET",
            Clause::Values => "VALUES",
            Clause::Returning => "RETURNING",
            Clause::Update => "UPDATE",
            Clause::Filter => "FILTER",
            Clause::WindowDefinition => "window definitions",
            Clause::Default => "DEFAULT expressions",
            Clause::Check => "check constraints",
            Clause::Transform => "transform expressions",
            Clause::Parameter => "EXECUTE parameters",
        }
    }

    fn has_aggregates(self) -> bool {
        matches!(
            self,
            Clause::SelectList | Clause::OrderBy | Clause::DistinctOn | Clause::Having | Clause::WindowDefinition
        )
    }

    fn has_windows(self) -> bool {
        matches!(self, Clause::SelectList | Clause::OrderBy | Clause::DistinctOn)
    }

    fn has_sets(self) -> bool {
        matches!(self, Clause::SelectList | Clause::OrderBy | Clause::DistinctOn)
    }

    /// Subqueries are refused in what the catalog stores.
    pub fn has_subqueries(self) -> bool {
        !matches!(self, Clause::Default | Clause::Check | Clause::Transform | Clause::Parameter)
    }
}

/// Calls that a query's expressions make and that its plan must compute before them.
#[derive(Default)]
pub struct Calls {
    pub aggregates: Vec<(PlanColumn, AggregateCall)>,
    /// Groupings that GROUPING(…) asks about, as expressions over FROM, and where it stands.
    pub groupings: Vec<(PlanColumn, Vec<super::Expression>, Option<u32>)>,
    pub windows: Vec<(ColumnId, WindowCall)>,
    /// By nesting: the arguments of a call may use the columns of those before.
    pub sets: Vec<SetCall>,
    /// Columns in the order of their references, with where those stand.
    pub references: Vec<(ColumnId, Option<u32>)>,
    /// WINDOW name AS (…)
    pub named_windows: Vec<(String, WindowDefinition)>,
}

pub struct Site<'s> {
    pub scope: &'s Scope<'s>,
    pub clause: Clause,
    pub calls: Calls,
    pub in_aggregate: bool,
    pub in_window: bool,
    /// CASE, COALESCE: what decides whether its operands are evaluated holds no set-returning functions.
    pub in_conditional: Option<&'static str>,
    /// Outputs that a name may mean when FROM has no such column.
    pub aliases: Vec<(String, super::Expression)>,
}

impl<'s> Site<'s> {
    pub fn new(scope: &'s Scope<'s>, clause: Clause) -> Site<'s> {
        Site {
            scope,
            clause,
            calls: Calls::default(),
            in_aggregate: false,
            in_window: false,
            in_conditional: None,
            aliases: vec![],
        }
    }

    pub fn check_aggregate(&self, position: Option<u32>) -> Result<()> {
        let error = |message: &str| Err(Error::new(sqlstate::GROUPING_ERROR, message).at(position));
        if self.in_aggregate {
            return error("aggregate function calls cannot be nested");
        }
        match self.clause {
            clause if clause.has_aggregates() => Ok(()),
            clause => error(&format!("aggregate functions are not allowed in {}", clause.name())),
        }
    }

    pub fn check_window(&self, position: Option<u32>) -> Result<()> {
        let error = |message: &str| Err(Error::new(sqlstate::WINDOWING_ERROR, message).at(position));
        if self.in_aggregate {
            let message = "aggregate function calls cannot contain window function calls";
            return Err(Error::new(sqlstate::GROUPING_ERROR, message).at(position));
        }
        if self.in_window {
            return error("window function calls cannot be nested");
        }
        match self.clause {
            clause if clause.has_windows() => Ok(()),
            clause => error(&format!("window functions are not allowed in {}", clause.name())),
        }
    }

    pub fn check_set(&self, position: Option<u32>) -> Result<()> {
        let error = |message: String, hint: Option<&str>| {
            let error = Error::new(sqlstate::FEATURE_NOT_SUPPORTED, message).at(position);
            Err(hint.iter().fold(error, |error, hint| error.hint(*hint)))
        };
        let into_from = Some("You might be able to move the set-returning function into a LATERAL FROM item.");
        if self.in_aggregate {
            return error("aggregate function calls cannot contain set-returning function calls".into(), into_from);
        }
        if self.in_window {
            return error("window function calls cannot contain set-returning function calls".into(), into_from);
        }
        if let Some(construct) = self.in_conditional {
            return error(format!("set-returning functions are not allowed in {construct}"), into_from);
        }
        match self.clause {
            clause if clause.has_sets() => Ok(()),
            clause => error(format!("set-returning functions are not allowed in {}", clause.name()), None),
        }
    }
}
