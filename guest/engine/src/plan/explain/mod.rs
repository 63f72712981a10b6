//! EXPLAIN (PostgreSQL 15, sections 14.1 and "EXPLAIN" in part VI): a plan as PostgreSQL would show it. Costs are in
//! this engine's own unit, a row read in sequence.

mod describe;
mod expression;
mod json;
mod name;
mod text;

use super::physical::Physical;
use crate::execute::Measurement;
use describe::Describer;

/// How a plan is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainOptions {
    pub verbose: bool,
    pub costs: bool,
    pub timing: bool,
    pub summary: bool,
    pub format: ExplainFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExplainFormat {
    Text,
    Json,
}

impl Default for ExplainOptions {
    fn default() -> ExplainOptions {
        ExplainOptions { verbose: false, costs: true, timing: true, summary: false, format: ExplainFormat::Text }
    }
}

/// What EXPLAIN ANALYZE saw; times in microseconds.
#[derive(Clone, Debug, Default)]
pub struct Run {
    pub measurements: Vec<Measurement>,
    pub execution_time: i64,
}

/// A node as it is shown.
struct Description {
    /// Such as `Seq Scan`.
    kind: String,
    /// What it reads, such as ` on flights f`.
    subject: String,
    /// `Filter` and its like, in order.
    details: Vec<(&'static str, Detail)>,
    rows: f64,
    cost: f64,
    width: usize,
    measurement: Option<Measurement>,
    children: Vec<Child>,
}

enum Detail {
    Text(String),
    List(Vec<String>),
    Number(u64),
}

struct Child {
    /// Such as `SubPlan 1`, above the node itself.
    label: Option<String>,
    /// JSON's `Parent Relationship`.
    relationship: &'static str,
    description: Description,
}

/// The lines of the answer; for JSON there is one, with line breaks inside. `planning_time` is in microseconds.
pub fn print(physical: &Physical, options: &ExplainOptions, planning_time: i64, run: Option<&Run>) -> Vec<String> {
    let description = Describer::new(physical, run).describe_root();
    match options.format {
        ExplainFormat::Text => text::print(&description, options, planning_time, run),
        ExplainFormat::Json => vec![json::print(&description, options, planning_time, run)],
    }
}

fn milliseconds(microseconds: i64) -> f64 {
    microseconds as f64 / 1000.0
}
