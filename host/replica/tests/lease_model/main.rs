mod explore;
mod rules;
mod state;
mod step;
mod tell;

use explore::{Explored, explore};
use rules::{Bounds, Checked, Clocks, FULL, Property, Restarted, Rules, TIMERS, Timers};
use step::{Model, SIGHTS};

/// 1: what runs with the other tests; 2: minutes in a release build; 3: an hour and 20 GB.
fn depth() -> u32 {
    let depth = std::env::var("ISOBAR_MODEL_DEPTH").ok();
    depth.map_or(1, |depth| depth.parse().expect("ISOBAR_MODEL_DEPTH is 1, 2 or 3"))
}

/// Two leaders, two entries of the first, what was sent arrives late.
const SMALL: Bounds = Bounds { terms: 2, log: 2, delayed: true, clocks: Clocks::Worst };
const STRICT: &[Property] = &[Property::StrictReads];

fn run(name: &str, model: &Model) -> Explored {
    let explored = explore(model);
    let Explored { states, transitions, depth, .. } = explored;
    println!("{name}: {states} states, {transitions} transitions, {depth} steps deep; {:?}", model.bounds);
    if let Some((way, broken)) = &explored.violation {
        println!("{}", tell::told(&model.start(), way, broken));
    }
    explored
}

/// All that can happen within the bounds, and nothing is broken.
fn holds(name: &str, rules: Rules, timers: Timers, bounds: Bounds) {
    let model = Model { rules, timers, bounds, properties: &[Property::StrictReads, Property::SoleLeader] };
    let explored = run(name, &model);
    if let Some((_, broken)) = explored.violation {
        panic!("{name}: {broken}");
    }
    for ((sight, _), seen) in SIGHTS.iter().zip(explored.seen) {
        assert!(seen, "{name}: never saw {sight}");
    }
}

/// The model must come to a state that breaks the property.
fn fails(name: &str, rules: Rules, timers: Timers, bounds: Bounds, properties: &'static [Property], expected: &str) {
    let explored = run(name, &Model { rules, timers, bounds, properties });
    let (_, broken) = explored.violation.unwrap_or_else(|| panic!("{name}: the rule is not missed"));
    assert!(broken.contains(expected), "{name}: {broken}");
}

/// A rule taken away that few steps miss: with one clock for each node.
fn is_missed(name: &str, rules: Rules) {
    let bounds = Bounds { clocks: Clocks::Drifting, ..SMALL };
    fails(name, rules, TIMERS, bounds, STRICT, "was acknowledged before it began");
}

/// The same where it takes many steps: with one clock for each node only if there is time.
fn is_missed_late(name: &str, rules: Rules, timers: Timers) {
    let clocks = if depth() > 1 { Clocks::Drifting } else { Clocks::Worst };
    let bounds = Bounds { log: 1, delayed: false, clocks, ..SMALL };
    fails(name, rules, timers, bounds, STRICT, "was acknowledged before it began");
}

#[test]
fn the_full_rule_holds() {
    holds("the full rule, one election", FULL, TIMERS, Bounds { log: if depth() > 1 { 4 } else { 3 }, ..SMALL });
}

#[test]
fn the_full_rule_holds_in_a_second_election() {
    let (log, delayed) = [(1, false), (2, true), (3, true)][depth().clamp(1, 3) as usize - 1];
    holds("the full rule, two elections", FULL, TIMERS, Bounds { terms: 3, log, delayed, ..SMALL });
}

#[test]
fn the_full_rule_holds_with_one_clock_for_each_node() {
    let (log, delayed) = [(1, false), (1, true), (2, true)][depth().clamp(1, 3) as usize - 1];
    let bounds = Bounds { log, delayed, clocks: Clocks::Drifting, ..SMALL };
    holds("the full rule, drifting clocks", FULL, TIMERS, bounds);
}

#[test]
fn a_new_leader_has_to_wait() {
    let bounds = Bounds { log: 1, delayed: false, clocks: Clocks::Drifting, ..SMALL };
    let rules = Rules { new_leader_waits: false, ..FULL };
    fails("no wait of a new leader", rules, TIMERS, bounds, STRICT, "was acknowledged before it began");
}

#[test]
fn a_grant_needs_all_that_is_visible() {
    is_missed("grants to nodes behind V", Rules { grant_needs_visible: false, ..FULL });
}

#[test]
fn a_grant_needs_the_blank() {
    let bounds = Bounds { log: 1, delayed: false, clocks: Clocks::Drifting, ..SMALL };
    let rules = Rules { grant_needs_blank: false, ..FULL };
    fails("grants to nodes without the blank", rules, TIMERS, bounds, STRICT, "was acknowledged before it began");
}

#[test]
fn a_grant_needs_a_leader_that_is_sure() {
    let rules = Rules { grant_needs_sure_lead: false, ..FULL };
    is_missed_late("grants by a leader that may be deposed", rules, TIMERS);
}

#[test]
fn a_grant_has_to_be_remembered() {
    is_missed("grants forgotten at once", Rules { grant_is_remembered: false, ..FULL });
}

#[test]
fn a_follower_must_not_vote_while_its_leader_is_near() {
    is_missed_late("votes at any time", Rules { voters_are_sticky: false, ..FULL }, TIMERS);
}

#[test]
fn a_restarted_node_must_not_vote_at_once() {
    is_missed_late("votes straight after a start", Rules { restart_waits: false, ..FULL }, TIMERS);
}

#[test]
fn the_lease_must_not_be_looked_at_after_noting_the_last_entry() {
    let bounds = Bounds { log: 1, delayed: false, clocks: Clocks::Drifting, ..SMALL };
    let rules = Rules { lease_checked: Checked::AfterNoting, ..FULL };
    fails("the last entry noted, then the lease", rules, TIMERS, bounds, STRICT, "was acknowledged before it began");
}

#[test]
fn a_leader_that_is_asked_for_a_read_must_be_sure() {
    let bounds = Bounds { log: 1, delayed: false, clocks: Clocks::Drifting, ..SMALL };
    let rules = Rules { read_needs_sure_lead: false, ..FULL };
    fails("reads of a leader that may be deposed", rules, TIMERS, bounds, STRICT, "was acknowledged before it began");
}

#[test]
fn a_leader_must_not_read_before_its_blank() {
    let bounds = Bounds { log: 1, delayed: false, clocks: Clocks::Drifting, ..SMALL };
    let rules = Rules { read_needs_blank: false, ..FULL };
    fails("reads of a leader before its blank", rules, TIMERS, bounds, STRICT, "was acknowledged before it began");
}

#[test]
fn nothing_may_be_acknowledged_before_it_is_visible() {
    is_missed("acknowledged when committed", Rules { acknowledge_when_visible: false, ..FULL });
}

/// T without a margin: ρ = 0, T = 3.
#[test]
fn a_lease_needs_a_margin() {
    let timers = Timers { lease: 3, granted: 3, ..TIMERS };
    is_missed_late("leases without a margin", FULL, timers);
}

#[test]
fn a_leader_needs_a_margin_to_be_sure() {
    let timers = Timers { heard: TIMERS.refuses, ..TIMERS };
    is_missed_late("a sure leader without a margin", FULL, timers);
}

/// ρ = 1/3 is enough for T, which has a margin at both ends. E has one at one end: E = 6 less a third is too much.
#[test]
fn the_margin_of_the_lease_is_too_small_for_the_leader() {
    let timers = Timers { refuses: 6, heard: 4, ..TIMERS };
    let bounds = Bounds { log: 1, delayed: false, clocks: Clocks::Drifting, ..SMALL };
    fails("E with the margin of T", FULL, timers, bounds, &[Property::SoleLeader], "a later leader has been elected");
}

#[test]
fn a_leader_must_not_resume_its_term_with_its_old_blank() {
    is_missed("a leader that starts again in its term", Rules { restarted_leader: Restarted::Resumes, ..FULL });
}

#[test]
fn a_leader_may_resume_its_term_at_the_end_of_its_log() {
    let rules = Rules { restarted_leader: Restarted::ResumesAtLogEnd, ..FULL };
    let delayed = depth() > 1;
    holds("a leader that starts again at its log's end", rules, TIMERS, Bounds { delayed, ..SMALL });
}

/// Not needed: a holder of the blank holds all that came before, committed or not.
#[test]
fn a_grant_does_not_need_a_committed_blank() {
    let rules = Rules { grant_needs_committed_blank: false, ..FULL };
    holds("grants before the blank is committed", rules, TIMERS, SMALL);
}

/// Not needed: the last entry only gets later.
#[test]
fn the_lease_may_be_looked_at_before_noting_the_last_entry() {
    let rules = Rules { lease_checked: Checked::BeforeNoting, ..FULL };
    let (log, delayed) = if depth() > 1 { (2, true) } else { (1, false) };
    holds("the lease, then the last entry noted", rules, TIMERS, Bounds { log, delayed, ..SMALL });
}
