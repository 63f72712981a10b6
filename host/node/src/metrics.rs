//! Counters of a node, in Prometheus' text form (version 0.0.4).

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::node::Node;
use crate::peers::{self, PeerMetrics, Traffic};

/// Only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the buckets of a histogram of times, in microseconds.
const BUCKETS: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000];

/// How long something took, in buckets.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS.len()],
    count: AtomicU64,
    microseconds: AtomicU64,
}

impl Histogram {
    pub fn observe(&self, time: Duration) {
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = BUCKETS.iter().position(|bound| microseconds <= *bound) {
            self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
pub struct Metrics {
    pub http_requests: Counter,
    pub http_errors: Counter,
    pub statements: Counter,
    pub statement_errors: Counter,
    pub conflict_retries: Counter,
    pub statement_seconds: Histogram,
}

/// All that a node counts, as `GET /metrics` answers it.
pub fn render(node: &Node, http_connections: usize, http_transactions: usize) -> String {
    let mut text = Text(String::with_capacity(4096));
    let metrics = &node.metrics;
    text.counter("isobar_http_requests_total", "HTTP requests", metrics.http_requests.get());
    text.counter("isobar_http_errors_total", "HTTP requests answered with an error", metrics.http_errors.get());
    text.gauge("isobar_http_connections", "Open HTTP connections", http_connections as u64);
    text.gauge("isobar_http_transactions", "Open interactive transactions", http_transactions as u64);
    text.counter("isobar_statements_total", "Statements run", metrics.statements.get());
    text.counter("isobar_statement_errors_total", "Statements that failed", metrics.statement_errors.get());
    text.counter("isobar_conflict_retries_total", "Transactions run again", metrics.conflict_retries.get());
    text.histogram("isobar_statement_seconds", "Time of a statement, commit included", &metrics.statement_seconds);
    let sandbox = node.sandbox.metrics();
    text.counter("isobar_engine_instances_created_total", "Engine instances made", sandbox.created);
    text.counter("isobar_engine_instances_discarded_total", "Engine instances dropped", sandbox.discarded);
    text.gauge("isobar_engine_instances_idle", "Engine instances kept for later", sandbox.idle as u64);
    text.gauge("isobar_engine_instances_running", "Statements that run now", sandbox.running as u64);
    text.gauge("isobar_engine_memory_bytes", "Memory of all engine instances", sandbox.memory_bytes as u64);
    let procedures = node.sandbox.procedures().metrics();
    text.counter("isobar_procedure_calls_total", "Calls of stored procedures' routines", procedures.calls);
    text.counter("isobar_procedure_errors_total", "Batches of such calls that failed", procedures.errors);
    text.gauge("isobar_procedure_instances", "Instances of procedures", procedures.instances as u64);
    text.gauge("isobar_procedure_memory_bytes", "Memory of all these instances", procedures.memory_bytes as u64);
    text.gauge("isobar_procedure_code_bytes", "Procedures' machine code in memory", procedures.code_bytes as u64);
    let replica = node.replica.metrics();
    text.gauge("isobar_transactions", "Open transactions", replica.transactions);
    text.counter("isobar_commits_total", "Commits that wrote", replica.committed);
    text.counter("isobar_commits_refused_total", "Commits refused for a conflict", replica.refused);
    text.counter("isobar_journal_entries_total", "Journal entries written", replica.entries);
    text.counter("isobar_journal_syncs_total", "Durable writes of the journal", replica.journal_syncs);
    text.gauge("isobar_visible_timestamp_microseconds", "Newest commit that readers see", replica.visible);
    text.gauge("isobar_journal_applied_index", "Newest journal entry applied", replica.applied_index);
    text.gauge("isobar_journal_durable_index", "Newest journal entry durable in the store", replica.durable_index);
    text.counter("isobar_versions_collected_total", "Superseded rows collected", replica.collected);
    text.gauge("isobar_certifier_keys", "Keys that the certifier remembers", replica.certifier_keys);
    text.counter("isobar_local_reads_total", "Reads that asked no other node", replica.local_reads);
    text.counter("isobar_remote_reads_total", "Reads that asked the leader", replica.remote_reads);
    text.counter("isobar_remote_commits_total", "Commits that another node decided", replica.remote_commits);
    if let Some(membership) = &node.membership {
        peers(&mut text, &membership.metrics);
    }
    text.0
}

/// One sample of a counter for every peer and direction of asking.
fn peers(text: &mut Text, metrics: &peers::Metrics) {
    text.counter("isobar_peer_refused_total", "Connections of strangers refused", metrics.refused.get());
    text.counter("isobar_peer_connect_failures_total", "Attempts to reach a peer that failed", metrics.failures.get());
    let all = metrics.all();
    let connections = |peer: &PeerMetrics| vec![("asked", peer.connections.get())];
    text.by_peer("isobar_peer_connections_total", "Connections made to a peer", &all, connections);
    type Count = fn(&Traffic) -> &Counter;
    let counts: [(&str, &str, Count); 6] = [
        ("isobar_peer_calls_total", "Requests between this node and a peer", |traffic| &traffic.calls),
        ("isobar_peer_streams_total", "Streams between this node and a peer", |traffic| &traffic.streams),
        ("isobar_peer_frames_sent_total", "Frames in streams to a peer", |traffic| &traffic.frames_sent),
        ("isobar_peer_frames_received_total", "Frames in streams from a peer", |traffic| &traffic.frames_received),
        ("isobar_peer_sent_bytes_total", "Messages to a peer, before TLS", |traffic| &traffic.bytes_sent),
        ("isobar_peer_received_bytes_total", "Messages from a peer, before TLS", |traffic| &traffic.bytes_received),
    ];
    for (name, help, count) in counts {
        text.by_peer(name, help, &all, |peer| {
            vec![("asked", count(&peer.asked).get()), ("answered", count(&peer.answered).get())]
        });
    }
}

struct Text(String);

impl Text {
    fn counter(&mut self, name: &str, help: &str, value: u64) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
    }

    /// The side is `asked` where this node asked the peer, `answered` where it was asked.
    fn by_peer(
        &mut self,
        name: &str,
        help: &str,
        peers: &[(u64, String, Arc<PeerMetrics>)],
        samples: impl Fn(&PeerMetrics) -> Vec<(&'static str, u64)>,
    ) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} counter");
        for (node, region, peer) in peers {
            for (side, value) in samples(peer) {
                let _ = writeln!(self.0, "{name}{{peer=\"{node}\",region=\"{region}\",side=\"{side}\"}} {value}");
            }
        }
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} histogram");
        let mut below = 0;
        for (bound, bucket) in BUCKETS.iter().zip(&histogram.buckets) {
            below += bucket.load(Ordering::Relaxed);
            let _ = writeln!(self.0, "{name}_bucket{{le=\"{}\"}} {below}", *bound as f64 / 1e6);
        }
        let count = histogram.count.load(Ordering::Relaxed);
        let seconds = histogram.microseconds.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(self.0, "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {seconds}\n{name}_count {count}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up() {
        let histogram = Histogram::default();
        for microseconds in [50, 100, 101, 60_000_000] {
            histogram.observe(Duration::from_micros(microseconds));
        }
        let mut text = Text(String::new());
        text.histogram("t", "Time", &histogram);
        for line in ["t_bucket{le=\"0.0001\"} 2", "t_bucket{le=\"0.00025\"} 3", "t_bucket{le=\"+Inf\"} 4", "t_count 4"]
        {
            assert!(text.0.lines().any(|found| found == line), "{line} is not in\n{}", text.0);
        }
    }
}
