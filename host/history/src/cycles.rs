//! Cycles in the graph of moments: a short one for each strongly connected component, named and explained.

use crate::components::components;
use crate::graph::{Graph, Reason};
use crate::history::{History, Time};
use crate::report::{Class, Kind, Order, Report};
use std::collections::{BTreeMap, VecDeque};

/// From which transactions in a component a shortest cycle is looked for.
const STARTS: usize = 16;
/// How often a cycle found is tried to be made shorter from the transactions in it, and from how many of them.
const IMPROVEMENTS: usize = 4;
const STARTS_OF_IMPROVEMENT: usize = 32;
/// How many of a cycle's transactions an explanation describes.
const STEPS_SHOWN: usize = 24;

/// A cycle's edge between two transactions.
struct Step {
    from: u32,
    to: u32,
    reason: Reason,
    key: u64,
    value: u64,
}

/// Looks for cycles of fewer kinds of edges first, so that each is named by what it needs. A component is explained
/// once: it is passed over when it contains a cycle that was explained before.
pub fn check(history: &History, graph: &Graph, report: &mut Report) {
    let all = u8::MAX;
    if components_of(graph, all).is_empty() {
        return;
    }
    let (writes, reads) = (Reason::WriteWrite.bit(), Reason::WriteRead.bit());
    let (process, time) = (Reason::Process.bit(), Reason::RealTime.bit());
    let mut search = Search::new(graph);
    // By one node of each cycle explained: the kinds of edges it was found with.
    let mut explained: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for order in [0, process, process | time] {
        for data in [writes, writes | reads, writes | reads | Reason::ReadWrite.bit()] {
            let mask = order | data | Reason::Inner.bit();
            for component in components_of(graph, mask) {
                let masks = component.iter().filter_map(|node| explained.get(node)).flatten();
                if masks.into_iter().any(|other| other & !mask == 0) {
                    continue;
                }
                search.enter(&component);
                if let Some(cycle) = search.short_cycle(&component, mask) {
                    explained.entry(cycle[0].0).or_default().push(mask);
                    add(history, graph, &cycle, report);
                }
            }
        }
    }
}

fn components_of(graph: &Graph, mask: u8) -> Vec<Vec<u32>> {
    let follow = |edge: u32| Some(graph.edge(edge)).filter(|edge| edge.reason.bit() & mask != 0).map(|edge| edge.to);
    components(graph.nodes(), |node| graph.edges(node), follow)
}

/// Breadth-first searches within one component at a time.
struct Search<'a> {
    graph: &'a Graph,
    /// The component that each node was last seen in.
    component: Vec<u32>,
    current: u32,
    /// Steps from the start; `u32::MAX` when not reached.
    distance: Vec<u32>,
    /// The node and edge by which each node was reached.
    parent: Vec<(u32, u32)>,
    reached: Vec<u32>,
}

/// Nodes and the edges that leave them, back to the first.
type Path = Vec<(u32, u32)>;

impl<'a> Search<'a> {
    fn new(graph: &'a Graph) -> Search<'a> {
        let nodes = graph.nodes();
        Search {
            graph,
            component: vec![0; nodes],
            current: 0,
            distance: vec![u32::MAX; nodes],
            parent: vec![(0, 0); nodes],
            reached: vec![],
        }
    }

    fn enter(&mut self, component: &[u32]) {
        self.current += 1;
        component.iter().for_each(|node| self.component[*node as usize] = self.current);
    }

    fn is_inside(&self, node: u32) -> bool {
        self.component[node as usize] == self.current
    }

    fn short_cycle(&mut self, component: &[u32], mask: u8) -> Option<Path> {
        // Explanations start at a transaction.
        let graph = self.graph;
        let is_moment = |node: &u32| graph.transaction(*node).is_some();
        let starts: Vec<u32> = component.iter().copied().filter(is_moment).collect();
        let stride = starts.len().div_ceil(STARTS).max(1);
        let mut best = self.shortest(starts.into_iter().step_by(stride), mask, u32::MAX)?;
        for _ in 0..IMPROVEMENTS {
            let nodes = best.1.iter().map(|(node, _)| *node);
            let starts: Vec<u32> = nodes.filter(is_moment).take(STARTS_OF_IMPROVEMENT).collect();
            let Some(better) = self.shortest(starts.into_iter(), mask, best.0) else { break };
            best = better;
        }
        Some(best.1)
    }

    /// The shortest cycle through any of the starts that has fewer than `bound` steps.
    fn shortest(&mut self, starts: impl Iterator<Item = u32>, mask: u8, mut bound: u32) -> Option<(u32, Path)> {
        let mut best = None;
        for start in starts {
            if let Some(found) = self.shortest_through(start, mask, bound) {
                bound = found.0;
                best = Some(found);
            }
        }
        best
    }

    /// Inner edges are no steps (0-1 breadth-first search).
    fn shortest_through(&mut self, start: u32, mask: u8, mut bound: u32) -> Option<(u32, Path)> {
        for node in self.reached.drain(..) {
            self.distance[node as usize] = u32::MAX;
        }
        let mut queue = VecDeque::from([(start, 0)]);
        let mut last = None;
        while let Some((node, distance)) = queue.pop_front() {
            if distance >= bound {
                break;
            }
            if node != start && self.distance[node as usize] < distance {
                continue;
            }
            for edge in self.graph.edges(node) {
                let Some(target) = self.followed(edge, mask) else { continue };
                let is_inner = self.graph.edge(edge).reason == Reason::Inner;
                let beyond = distance + u32::from(!is_inner);
                if target == start {
                    if beyond < bound {
                        bound = beyond;
                        last = Some((node, edge));
                    }
                } else if beyond < self.distance[target as usize] {
                    self.distance[target as usize] = beyond;
                    self.parent[target as usize] = (node, edge);
                    self.reached.push(target);
                    if is_inner {
                        queue.push_front((target, beyond));
                    } else {
                        queue.push_back((target, beyond));
                    }
                }
            }
        }
        let mut path = vec![last?];
        while let Some((node, _)) = path.last().copied().filter(|(node, _)| *node != start) {
            path.push(self.parent[node as usize]);
        }
        path.reverse();
        Some((bound, path))
    }

    fn followed(&self, edge: u32, mask: u8) -> Option<u32> {
        let edge = self.graph.edge(edge);
        Some(edge.to).filter(|to| edge.reason.bit() & mask != 0 && self.is_inside(*to))
    }
}

/// What a path says of transactions. It starts at a moment of one.
fn steps(graph: &Graph, path: &Path) -> Vec<Step> {
    let mut steps = vec![];
    let Some(mut from) = path.first().and_then(|(node, _)| graph.transaction(*node)) else { return steps };
    let mut reason = Reason::Inner;
    for (_, edge) in path {
        let edge = graph.edge(*edge);
        if reason == Reason::Inner {
            reason = edge.reason;
        }
        if let Some(to) = graph.transaction(edge.to) {
            if to != from {
                steps.push(Step { from, to, reason, key: edge.key, value: edge.value });
            }
            from = to;
            reason = Reason::Inner;
        }
    }
    steps
}

fn classify(steps: &[Step]) -> Kind {
    let is = |step: &Step, reason| step.reason == reason;
    let has = |reason| steps.iter().any(|step| is(step, reason));
    let adjacent =
        |place: usize| is(&steps[place], Reason::ReadWrite) && is(&steps[(place + 1) % steps.len()], Reason::ReadWrite);
    let class = match steps.iter().filter(|step| is(step, Reason::ReadWrite)).count() {
        0 if has(Reason::WriteRead) => Class::G1c,
        0 => Class::G0,
        1 => Class::GSingle,
        _ if (0..steps.len()).any(adjacent) => Class::G2Item,
        _ => Class::GNonadjacent,
    };
    let order = if has(Reason::RealTime) {
        Order::RealTime
    } else if has(Reason::Process) {
        Order::Process
    } else {
        Order::Data
    };
    Kind::Cycle(class, order)
}

fn add(history: &History, graph: &Graph, path: &Path, report: &mut Report) {
    let steps = steps(graph, path);
    let kind = classify(&steps);
    let transactions: Vec<u32> = steps.iter().map(|step| step.from).collect();
    report.add(kind, &transactions, || {
        let mut lines = vec![format!("a cycle of {} transactions: {}", steps.len(), why_forbidden(kind))];
        for step in steps.iter().take(STEPS_SHOWN) {
            lines.push(history.describe(step.from));
            lines.push(format!("  {}", step.explain(history)));
        }
        if steps.len() > STEPS_SHOWN {
            lines.push(format!("and so on, {} more steps back to T{}", steps.len() - STEPS_SHOWN, steps[0].from));
        }
        lines.join("\n")
    });
}

fn why_forbidden(kind: Kind) -> &'static str {
    match kind {
        Kind::Cycle(Class::G2Item, _) => {
            "not serializable, and whoever has an rw edge both coming in and going out asked for SERIALIZABLE"
        }
        _ => "no order of snapshots and commits explains it at any isolation level asked for",
    }
}

impl Step {
    fn explain(&self, history: &History) -> String {
        let Step { from, to, key, value, .. } = self;
        let (first, second) = (&history.transactions[*from as usize], &history.transactions[*to as usize]);
        match self.reason {
            Reason::WriteWrite => format!("-ww-> T{to}, whose append of {value} to key {key} comes after T{from}'s"),
            Reason::WriteRead => format!("-wr-> T{to}, which read key {key} with T{from}'s {value} in it"),
            Reason::ReadWrite => {
                format!("-rw-> T{to}, which appended {value} to key {key}: T{from} read it without that")
            }
            Reason::Process => format!("-process-> T{to}, which came later in session {}", second.session),
            Reason::RealTime | Reason::Inner => format!(
                "-realtime-> T{to}, which began at {}, after T{from} was acknowledged at {}",
                Time(second.begin),
                Time(first.end)
            ),
        }
    }
}
