//! The order of inner joins: the cheapest left-deep tree, by dynamic programming over sets of tables while there are
//! few (Selinger et al., 1979), and greedily beyond.

use super::join::{BUILD, OUTPUT, PAIR, PROBE, equal_sides};
use super::scan::filtered_scan;
use super::{Columns, Lowered, Lowering, ids};
use crate::bind::Plan;
use crate::bind::expression::Expression;
use crate::bind::logical::JoinKind;
use crate::error::Result;
use crate::plan::access::{self, Wanted};
use crate::plan::walk;
use std::rc::Rc;

/// More tables than this are joined greedily.
const EXHAUSTIVE: usize = 9;

/// How tables come together.
pub enum Tree {
    /// `ordered`: in the order that the reader wants.
    Leaf {
        leaf: usize,
        ordered: bool,
    },
    Join {
        left: Rc<Tree>,
        right: usize,
        step: Step,
    },
}

/// One join of a tree.
pub struct Step {
    /// The conjuncts that apply from here on.
    pub conjuncts: Vec<usize>,
    pub by_index: bool,
    /// The tree so far is built into the hash table, and the new table probes it.
    pub swapped: bool,
    pub left_rows: f64,
    pub rows: f64,
}

#[derive(Clone)]
struct Candidate {
    tree: Rc<Tree>,
    rows: f64,
    /// Work before the first row, and work in proportion to the rows asked for.
    startup: f64,
    running: f64,
}

impl Candidate {
    fn cost(&self) -> f64 {
        self.startup + self.running
    }
}

struct Leaf {
    columns: Columns,
    rows: f64,
    cost: f64,
    /// Cost of reading it in the wanted order, where an index gives that.
    ordered_cost: Option<f64>,
}

struct Search<'l> {
    lowering: &'l Lowering,
    plans: &'l [Plan],
    leaves: Vec<Leaf>,
    conjuncts: &'l [Expression],
    /// Per conjunct the leaves that it reads, as bits.
    masks: Vec<u64>,
}

impl Lowering {
    /// Lowers inner joins with the filters around them.
    pub(super) fn inner_joins(&mut self, plan: &Plan, wanted: &Wanted) -> Result<Lowered> {
        let (mut leaves, mut conjuncts) = (vec![], vec![]);
        flatten(plan, &mut leaves, &mut conjuncts);
        // As many tables as a mask has bits; more than that are joined as they are written.
        if leaves.len() > 60 {
            let rest = leaves.split_off(59);
            leaves.push(written_order(rest));
        }
        let columns: Vec<Columns> = leaves.iter().map(|leaf| ids(&leaf.columns())).collect();
        let mask = |conjunct: &Expression| {
            let read = walk::columns(conjunct);
            let reads = |columns: &Columns| columns.iter().any(|(column, _)| read.contains(column));
            columns.iter().enumerate().fold(0u64, |mask, (leaf, columns)| mask | u64::from(reads(columns)) << leaf)
        };
        // What reads one table belongs to it; what reads none of them is checked at the end.
        let mut joining = vec![];
        let mut last = vec![];
        for conjunct in conjuncts {
            match mask(&conjunct) {
                0 => last.push(conjunct),
                mask if mask.count_ones() == 1 && !walk::is_volatile(&conjunct) => {
                    let leaf = &mut leaves[mask.trailing_zeros() as usize];
                    let plan = std::mem::replace(leaf, Plan::Unit);
                    *leaf = walk::filter(plan, vec![conjunct]);
                }
                _ => joining.push(conjunct),
            }
        }
        let search = Search {
            leaves: leaves
                .iter()
                .zip(&columns)
                .map(|(leaf, columns)| self.leaf(leaf, columns.clone(), wanted))
                .collect(),
            masks: joining.iter().map(mask).collect(),
            lowering: self,
            plans: &leaves,
            conjuncts: &joining,
        };
        let tree = search.best(wanted);
        let Lowered { node, ordering } = self.tree(&tree, &leaves, &joining, wanted)?;
        match walk::conjunction(last) {
            None => Ok(Lowered { node, ordering }),
            Some(predicate) => self.filter_over(node, ordering, &predicate),
        }
    }

    fn leaf(&self, plan: &Plan, columns: Columns, wanted: &Wanted) -> Leaf {
        let rows = self.estimates.rows(plan);
        let Some((scan, own)) = filtered_scan(plan) else {
            return Leaf { columns, rows, cost: rows * 2.0, ordered_cost: None };
        };
        let path = access::choose(scan, &own, &Wanted::default(), &self.estimates);
        let has = |order: &access::OrderColumn| columns.iter().any(|(column, _)| *column == order.id);
        let ordered_cost = if !wanted.order.is_empty() && wanted.order.iter().all(has) {
            let wanted = Wanted { order: wanted.order.clone(), rows: Some(1.0) };
            let first = access::choose(scan, &own, &wanted, &self.estimates);
            let satisfied = first.ordering.satisfies(&wanted.order);
            let whole = access::choose(scan, &own, &Wanted { rows: None, ..wanted }, &self.estimates);
            satisfied.then_some(if whole.ordering.satisfies(&first.ordering.columns) { whole.cost } else { rows * 6.0 })
        } else {
            None
        };
        Leaf { columns, rows: path.rows, cost: path.cost, ordered_cost }
    }
}

fn flatten(plan: &Plan, leaves: &mut Vec<Plan>, conjuncts: &mut Vec<Expression>) {
    match plan {
        Plan::Join(join) if join.kind == JoinKind::Inner && !join.lateral => {
            flatten(&join.left, leaves, conjuncts);
            flatten(&join.right, leaves, conjuncts);
            conjuncts.extend(join.condition.clone().map_or(vec![], walk::conjuncts));
        }
        Plan::Filter { input, predicate } if is_inner(input) => {
            flatten(input, leaves, conjuncts);
            conjuncts.extend(walk::conjuncts(predicate.clone()));
        }
        plan => leaves.push(plan.clone()),
    }
}

fn is_inner(plan: &Plan) -> bool {
    match plan {
        Plan::Join(join) => join.kind == JoinKind::Inner && !join.lateral,
        Plan::Filter { input, .. } => is_inner(input),
        _ => false,
    }
}

/// Tables beyond the search's reach, as one leaf of it: a projection keeps them from being flattened again.
fn written_order(plans: Vec<Plan>) -> Plan {
    let join = |left, right| {
        let kind = JoinKind::Inner;
        let join = crate::bind::logical::Join { kind, left, right, condition: None, lateral: false };
        Plan::Join(Box::new(join))
    };
    let plan = plans.into_iter().reduce(join).unwrap_or(Plan::Unit);
    let pass = |column: crate::bind::logical::PlanColumn| {
        let expression = Expression::Column { id: column.id, data_type: column.data_type };
        (column, expression)
    };
    let outputs = plan.columns().into_iter().map(pass).collect();
    Plan::Project { input: Box::new(plan), outputs }
}

impl Search<'_> {
    fn best(&self, wanted: &Wanted) -> Rc<Tree> {
        let count = self.leaves.len();
        // Per set of tables the cheapest tree, and the cheapest one in the wanted order.
        let best = if count <= EXHAUSTIVE { self.exhaustive(count) } else { self.greedy(count) };
        let [any, ordered] = best;
        let final_cost = |candidate: &Candidate, sorted: bool| {
            let sort = candidate.rows * candidate.rows.max(2.0).log2() * 0.2;
            match wanted.rows {
                _ if !sorted && !wanted.order.is_empty() => candidate.cost() + sort,
                Some(rows) => candidate.startup + candidate.running * (rows / candidate.rows).min(1.0),
                None => candidate.cost(),
            }
        };
        match (any, ordered) {
            (Some(any), Some(ordered)) if final_cost(&ordered, true) < final_cost(&any, false) => ordered.tree,
            (Some(any), _) => any.tree,
            (None, Some(ordered)) => ordered.tree,
            (None, None) => Rc::new(Tree::Leaf { leaf: 0, ordered: false }),
        }
    }

    fn exhaustive(&self, count: usize) -> [Option<Candidate>; 2] {
        let full = (1usize << count) - 1;
        let mut best: Vec<[Option<Candidate>; 2]> = vec![[None, None]; full + 1];
        for leaf in 0..count {
            best[1 << leaf] = self.start(leaf);
        }
        for set in 1..=full {
            let candidates = best[set].clone();
            for leaf in (0..count).filter(|leaf| set & 1 << leaf == 0) {
                for (ordered, candidate) in candidates.iter().enumerate() {
                    let Some(candidate) = candidate else { continue };
                    let (kept, swapped) = self.add(candidate, set as u64, leaf);
                    let target = &mut best[set | 1 << leaf];
                    improve(&mut target[0], swapped);
                    if ordered == 1 {
                        improve(&mut target[1], kept.clone());
                    }
                    improve(&mut target[0], kept);
                }
            }
        }
        best.swap_remove(full)
    }

    /// From each table, always the join that leaves the fewest rows.
    fn greedy(&self, count: usize) -> [Option<Candidate>; 2] {
        let mut best = None;
        for first in 0..count {
            let [Some(mut candidate), _] = self.start(first) else { continue };
            let mut set = 1u64 << first;
            while set.count_ones() < count as u32 {
                let rest = (0..count).filter(|leaf| set & 1 << leaf == 0);
                let added = rest.map(|leaf| (leaf, self.add(&candidate, set, leaf)));
                let next = added
                    .map(|(leaf, (kept, swapped))| (leaf, if kept.cost() <= swapped.cost() { kept } else { swapped }));
                let Some((leaf, next)) = next.min_by(|(_, left), (_, right)| {
                    (left.rows, left.cost())
                        .partial_cmp(&(right.rows, right.cost()))
                        .unwrap_or(std::cmp::Ordering::Equal)
                }) else {
                    break;
                };
                set |= 1 << leaf;
                candidate = next;
            }
            improve(&mut best, candidate);
        }
        [best, None]
    }

    fn start(&self, number: usize) -> [Option<Candidate>; 2] {
        let leaf = &self.leaves[number];
        let candidate = |cost, ordered| Candidate {
            tree: Rc::new(Tree::Leaf { leaf: number, ordered }),
            rows: leaf.rows,
            startup: 0.0,
            running: cost,
        };
        [Some(candidate(leaf.cost, false)), leaf.ordered_cost.map(|cost| candidate(cost, true))]
    }

    /// The tree with one more table: keeping its order, and as the build side of a hash join.
    fn add(&self, tree: &Candidate, set: u64, number: usize) -> (Candidate, Candidate) {
        let leaf = &self.leaves[number];
        let with = set | 1 << number;
        let applies = |mask: &u64| mask & !with == 0 && mask & 1 << number != 0;
        let conjuncts: Vec<usize> = (0..self.masks.len()).filter(|at| applies(&self.masks[*at])).collect();
        let applied: Vec<Expression> = conjuncts.iter().map(|at| self.conjuncts[*at].clone()).collect();
        let estimates = &self.lowering.estimates;
        let rows = (tree.rows * leaf.rows * estimates.all(&applied)).max(1.0);
        let in_tree = self.leaves.iter().enumerate().filter(|(other, _)| set & 1 << other != 0);
        let tree_columns: Columns = in_tree.flat_map(|(_, leaf)| leaf.columns.iter().copied()).collect();
        let hashable = applied.iter().any(|conjunct| equal_sides(conjunct, &tree_columns, &leaf.columns).is_some());
        let candidate = |startup, running, by_index, swapped| Candidate {
            tree: Rc::new(Tree::Join {
                left: tree.tree.clone(),
                right: number,
                step: Step { conjuncts: conjuncts.clone(), by_index, swapped, left_rows: tree.rows, rows },
            }),
            rows,
            startup: tree.startup + startup,
            running: running + rows * OUTPUT,
        };
        let (mut kept, swapped) = if hashable {
            let swapped_cost = tree.running + leaf.cost + leaf.rows * PROBE + tree.rows * BUILD;
            (
                candidate(leaf.cost + leaf.rows * BUILD, tree.running + tree.rows * PROBE, false, false),
                candidate(0.0, swapped_cost, false, true),
            )
        } else {
            let pairs = tree.running + tree.rows * leaf.rows * PAIR;
            (candidate(leaf.cost, pairs, false, false), candidate(leaf.cost, pairs, false, false))
        };
        if let Some((scan, own)) = filtered_scan(&self.plans[number])
            && let Some(path) = self.lowering.index_path(scan, &own, &applied)
        {
            let by_index = candidate(0.0, tree.running + tree.rows * path.cost, true, false);
            if by_index.cost() < kept.cost() {
                kept = by_index;
            }
        }
        (kept, swapped)
    }
}

fn improve(best: &mut Option<Candidate>, candidate: Candidate) {
    if best.as_ref().is_none_or(|best| candidate.cost() < best.cost()) {
        *best = Some(candidate);
    }
}
