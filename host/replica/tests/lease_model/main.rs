//! The roster and lease rule, explored: every state that three nodes can come to, with messages lost and late, nodes
//! cut off and restarted, leaders deposed without knowing it, and clocks that run at different rates. With every rule
//! kept, no read misses what was acknowledged or shown before it began, nothing acknowledged is lost, and no two nodes
//! show different entries. For every rule there is a test that takes it away and prints how it is missed, or shows
//! that it is not. Nothing here uses the crate: it is the rule that is checked, not the code.
//!
//! # The rule
//!
//! E: a follower votes for nobody for E after it heard from a leader, and no node votes, for itself neither, for E
//! after it started. A leader is *sure* that it leads until E less a margin after it sent a message that a majority
//! (with itself) acknowledged. T: a follower asks for a lease at t0 and uses it until t0 + T·(1−ρ). The leader grants
//! it if it is sure for T·(1+ρ) to come, and if the follower is known to hold everything up to V and to the leader's
//! first entry (its *blank*); it remembers the grant until T·(1+ρ) after granting. V is what is committed and held by
//! every node with a remembered grant. Nothing is acknowledged or shown that V does not cover. A lease holder reads when
//! V has reached its last entry; a leader that is sure, or a node that has asked one, when V has reached the leader's
//! max(V, blank). A node that remembers a grant, though it leads no more, votes for nobody, and counts the grant when it
//! is elected itself. A leader that hands leadership on, to which the voters' E does not apply, does so when it remembers no
//! grant; from then on it is never sure in its term.
//!
//! A new leader has to wait until the leases of the one before have ended. Here it has waited when it is elected: the
//! leases are over before the voters' E is. Where a leader grants leases that may last longer (sure for that moment is
//! enough then), a new leader must take every node for one with a grant for T·(1+ρ). That holds as well, and is what the
//! only voter of a cluster does, which waits for no vote when it is started anew.
//!
//! # Clocks and margins
//!
//! Only durations on one clock are compared with durations on another, so what counts is by how much one clock may
//! run faster than another: `faster ≤ k · slower`, over any stretch of time.
//!
//! - T has a margin at both ends. The holder's slow clock must not outlast the leader's fast one:
//!   T(1−ρ)·k ≤ T(1+ρ), that is k ≤ (1+ρ)/(1−ρ). Clocks that each keep within ±ρ of true time are just good enough.
//! - E·(1−ρ) against a plain E has a margin at one end: k ≤ 1/(1−ρ). Clocks within ±ρ of true time are **not** good
//!   enough, for k = (1+ρ)/(1−ρ) is more. Each must keep within ρ/(2−ρ), a little over ρ/2; or the leader must stop at
//!   E·(1−ρ)/(1+ρ).
//!
//! One ρ serves both if it bounds the drift of two clocks *against each other*: faster·(1−ρ) ≤ slower. For clocks
//! that keep within d of true time that is ρ ≥ 2d/(1+d): take ρ = 2d.
//!
//! Here a tick of true time is 1 or 2 units of a clock, whichever, for each clock and at each tick: k = 2. T = 1.5 and
//! ρ = 1/3 make 1 unit for the holder and 2 for the leader; E = 6 less a half makes the leader sure for 3. Where leases
//! may outlast their leader, T = 3 and E = 4. The margins leave nothing to spare, and without them a test finds the
//! hole. Timers are kept as what is left of them, so states do not grow with time, and time has no bound.
//!
//! `Clocks::Drifting` is just that. `Clocks::Worst` needs far fewer states: each timer runs at the rate that allows
//! most, even two on the same node. A timer that ends (no vote, a remembered grant, a new leader's wait) only ever
//! permits, one that still runs (a sure leader, a lease held) only ever permits, and permitting never takes back, so
//! whatever drifting clocks can reach, this can too.
//!
//! # What is left out, and why that is safe
//!
//! - A message of a leader takes effect at the receiver at once or not at all, with any prefix of what could be in
//!   it; once the leader has stopped leading, anything it sent may still arrive, at any time and again (`Sent`). While
//!   it leads, a late message does nothing that a fresh one with less in it would not do.
//! - An acknowledgement arrives at once. A late one lets the leader know less for a while; but it need never use what
//!   it knows: V moves by one entry at any time later, even when the leader has long been deposed.
//! - A lease is asked for and granted at once. Asking earlier makes it end earlier, and a late answer only makes it
//!   begin later. The follower takes it even from a leader of an older term: an implementation may refuse.
//! - A candidate gets a vote at once, and may count it at any time. A refusal changes nothing.
//! - Reads that have noted an entry late enough cannot go wrong any more and are not followed. Every entry under V
//!   counts as acknowledged at once, blanks included, for which any other entry may stand.
//! - Not modelled: changes of membership, snapshots and torn disks.
//! - Messages to an earlier start of a node are lost. An implementation must see to it that none is taken for an
//!   answer to the new start, whose clock may count from elsewhere.
//!
//! # What came out
//!
//! - A grant does not need a committed blank: a follower that holds the blank holds all that came before.
//! - The lease may be looked at before the last entry is noted, never after: a lease that came in between says nothing
//!   of an entry noted without one.
//! - A leader that starts again and goes on in the *same term* has lost V, and its blank is no longer late enough for
//!   reads and grants. It must stop leading.
//!
//! `ISOBAR_MODEL_DEPTH=2 cargo test --release -p isobar-replica --test lease_model` goes further; `-- --nocapture`
//! prints the ways to the violations and how many states there are: for the full rule 2.3 million with one election
//! and three entries of a leader, 1.6 million with two elections, 0.6 million with drifting clocks.

mod explore;
mod rules;
mod state;
mod step;
mod tell;

use explore::{Explored, explore};
use rules::{Bounds, Checked, Clocks, FULL, Lead, Property, Rules, TIMERS, Timers, WAITING_TIMERS};
use step::{Model, SIGHTS};

/// 1: what runs with the other tests; 2: half a minute in a release build; 3: minutes and some gigabytes.
fn depth() -> u32 {
    let depth = std::env::var("ISOBAR_MODEL_DEPTH").ok();
    depth.map_or(1, |depth| depth.parse().expect("ISOBAR_MODEL_DEPTH is 1, 2 or 3"))
}

/// Two leaders, two entries of the first, what was sent arrives late.
const SMALL: Bounds = Bounds { terms: 2, log: 2, delayed: true, transfers: true, clocks: Clocks::Worst };
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

/// The same, and the entries are the blanks of two leaders.
fn is_missed_by_blanks(name: &str, rules: Rules) {
    let bounds = Bounds { log: 1, delayed: false, clocks: Clocks::Drifting, ..SMALL };
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

/// Leases may outlast their leader, and the next one waits.
const WAITING: Rules =
    Rules { new_leader_waits: true, grant_needs_lead: Lead::AtThatMoment, transfer_waits: false, ..FULL };

#[test]
fn a_new_leader_may_wait_instead() {
    holds("a new leader that waits", WAITING, WAITING_TIMERS, SMALL);
}

#[test]
fn a_new_leader_has_to_wait() {
    let bounds = Bounds { log: 1, delayed: false, transfers: false, clocks: Clocks::Drifting, ..SMALL };
    let rules = Rules { new_leader_waits: false, ..WAITING };
    fails("no wait of a new leader", rules, WAITING_TIMERS, bounds, STRICT, "was acknowledged before it began");
}

#[test]
fn a_transfer_has_to_wait() {
    is_missed_by_blanks("leadership handed on while leases last", Rules { transfer_waits: false, ..FULL });
}

#[test]
fn a_grant_needs_all_that_is_visible() {
    is_missed("grants to nodes behind V", Rules { grant_needs_visible: false, ..FULL });
}

#[test]
fn a_grant_needs_the_blank() {
    is_missed_by_blanks("grants to nodes without the blank", Rules { grant_needs_blank: false, ..FULL });
}

#[test]
fn a_grant_needs_a_leader_that_is_sure() {
    let rules = Rules { grant_needs_lead: Lead::NotAtAll, ..FULL };
    is_missed_late("grants by a leader that may be deposed", rules, TIMERS);
}

#[test]
fn a_grant_has_to_be_remembered() {
    is_missed("grants forgotten at once", Rules { grant_is_remembered: false, ..FULL });
}

#[test]
fn who_has_granted_a_lease_must_not_vote_before_its_end() {
    let rules = Rules { grantor_is_sticky: false, ..FULL };
    is_missed_late("votes of leaders that were", rules, TIMERS);
}

#[test]
fn a_follower_must_not_vote_while_its_leader_is_near() {
    is_missed_late("votes at any time", Rules { voters_are_sticky: false, ..FULL }, TIMERS);
}

#[test]
fn a_restarted_node_must_not_vote_at_once() {
    is_missed_late("votes straight after a start", Rules { restart_waits: false, ..FULL }, TIMERS);
}

/// It votes for itself then.
#[test]
fn a_restarted_node_must_not_stand_at_half_time() {
    let rules = Rules { restart_stands_late: false, ..FULL };
    let bounds = Bounds { log: 1, delayed: false, clocks: Clocks::Drifting, ..SMALL };
    let properties = &[Property::SoleLeader];
    fails("stands early after a start", rules, TIMERS, bounds, properties, "a later leader has been elected");
}

#[test]
fn the_lease_must_not_be_looked_at_after_noting_the_last_entry() {
    is_missed_by_blanks("the last entry noted, then the lease", Rules { lease_checked: Checked::After, ..FULL });
}

#[test]
fn a_leader_that_is_asked_for_a_read_must_be_sure() {
    is_missed_by_blanks("reads of a leader that may be deposed", Rules { read_needs_sure_lead: false, ..FULL });
}

#[test]
fn a_leader_must_not_read_before_its_blank() {
    is_missed_by_blanks("reads of a leader before its blank", Rules { read_needs_blank: false, ..FULL });
}

#[test]
fn nothing_may_be_acknowledged_before_it_is_visible() {
    is_missed("acknowledged when committed", Rules { acknowledge_when_visible: false, ..FULL });
}

/// T without a margin: ρ = 0, T = 2.
#[test]
fn a_lease_needs_a_margin() {
    let timers = Timers { lease: 2, granted: 2, ..TIMERS };
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
    let timers = Timers { heard: 4, ..TIMERS };
    let bounds = Bounds { log: 1, delayed: false, clocks: Clocks::Drifting, ..SMALL };
    fails("E with the margin of T", FULL, timers, bounds, &[Property::SoleLeader], "a later leader has been elected");
}

#[test]
fn a_leader_must_not_resume_its_term_with_its_old_blank() {
    is_missed("a leader that starts again in its term", Rules { restarted_leader_follows: false, ..FULL });
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
    let rules = Rules { lease_checked: Checked::Before, ..FULL };
    let (log, delayed) = if depth() > 1 { (2, true) } else { (1, false) };
    holds("the lease, then the last entry noted", rules, TIMERS, Bounds { log, delayed, ..SMALL });
}
