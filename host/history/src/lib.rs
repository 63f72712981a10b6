//! Histories of transactions as clients saw them, and the checker of what they must satisfy. Knows no clock, no socket
//! and no database: the simulation feeds it with simulated times, tests of real processes with those of one clock.
//!
//! The method is Elle's (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations",
//! VLDB 2020). Clients append unique values to lists and read lists. A list shows the order of its versions, versions
//! show who depends on whom, and a cycle of dependencies is an anomaly in the sense of Adya ("Weak Consistency", MIT
//! 1999). [`check`] says which anomalies a history has that its transactions' isolation levels forbid; `graph.rs` says
//! what is forbidden, also where levels are mixed. [`check_bank`] and [`check_registers`] judge simpler workloads.
//!
//! Nothing right is ever complained of. Nothing wrong is missed when every list is read once all has ended (compared
//! with trying all orders in `tests/checker/orders.rs`), so a test does well to end with that; the order of appends
//! that nobody reads stays unknown. Keys should go out of use after some dozens of appends, so that lists stay short.

mod appends;
mod bank;
mod components;
mod cycles;
mod graph;
mod history;
mod reads;
mod register;
mod report;
mod strict;
mod timestamps;
mod update;
mod versions;

pub use bank::{Balances, Bank, Transfer, check_bank};
pub use history::{History, Isolation, Operation, Outcome, Transaction};
pub use register::{Access, RegisterOperation, check_registers};
pub use report::{Class, Finding, Kind, Order, Report, Summary};

/// Judges a history of list appends. Takes time and memory in proportion to the history (times a logarithm).
pub fn check(history: &History) -> Report {
    let mut report = Report::default();
    let mut appends = appends::Appends::of(history, &mut report);
    let reads = reads::external_reads(history, &appends, &mut report);
    let keys = versions::orders(history, &mut appends, reads, &mut report);
    for key in &keys {
        strict::check(history, key, &mut report);
        update::check(history, key, &mut report);
    }
    let graph = graph::Graph::of(history, &appends, &keys);
    timestamps::check(history, &appends, &graph, &mut report);
    cycles::check(history, &graph, &mut report);
    report.summary = appends.summary(history, &graph);
    report.sort();
    report
}
