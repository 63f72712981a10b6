//! Every state that can be reached, nearest first, each once; and the shortest way to the first that breaks a
//! property.

use crate::state::{Packed, State};
use crate::step::{Action, Model, SIGHTS};

/// No parent, no place.
const NOWHERE: u32 = u32::MAX;

/// About 10 GB.
const STATES_MAX: usize = 200_000_000;

pub struct Explored {
    pub states: usize,
    pub transitions: u64,
    /// Steps from the start to the farthest state.
    pub depth: u32,
    /// Which of `SIGHTS` were come across.
    pub seen: [bool; SIGHTS.len()],
    /// Steps to a broken property, and what is broken.
    pub violation: Option<(Vec<Step>, String)>,
}

pub struct Step {
    pub action: Action,
    pub state: State,
}

/// The states found, in the order of finding them, and where each stands.
struct Found {
    states: Vec<Packed>,
    parents: Vec<u32>,
    /// Open addressing; a power of two of places, at most half of them taken.
    places: Vec<u32>,
}

impl Found {
    fn new() -> Found {
        Found { states: vec![], parents: vec![], places: vec![NOWHERE; 1 << 16] }
    }

    fn place(&self, packed: &Packed) -> usize {
        let mask = self.places.len() - 1;
        let [first, second, third, fourth, fifth] = *packed;
        let mut hash = (first ^ fourth << 7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash = (hash ^ hash >> 29 ^ second).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ hash >> 31 ^ third ^ fifth << 5).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mut place = (hash ^ hash >> 32) as usize & mask;
        while self.places[place] != NOWHERE && self.states[self.places[place] as usize] != *packed {
            place = (place + 1) & mask;
        }
        place
    }

    /// Whether it is new.
    fn add(&mut self, packed: Packed, parent: u32) -> bool {
        let place = self.place(&packed);
        if self.places[place] != NOWHERE {
            return false;
        }
        self.places[place] = self.states.len() as u32;
        self.states.push(packed);
        self.parents.push(parent);
        if self.states.len() * 2 > self.places.len() {
            assert!(self.states.len() < STATES_MAX, "more than {STATES_MAX} states: choose smaller bounds");
            self.places = vec![NOWHERE; self.places.len() * 2];
            for index in 0..self.states.len() {
                let place = self.place(&self.states[index]);
                self.places[place] = index as u32;
            }
        }
        true
    }
}

pub fn explore(model: &Model) -> Explored {
    let mut found = Found::new();
    found.add(model.start().pack(), NOWHERE);
    let (mut next, mut transitions, mut depth, mut level_end) = (0, 0, 0, 1);
    let mut seen = [false; SIGHTS.len()];
    let mut successors = vec![];
    while next < found.states.len() {
        if next == level_end {
            depth += 1;
            level_end = found.states.len();
        }
        let state = State::unpack(&found.states[next]);
        if let Err(broken) = model.check(&state) {
            let violation = Some((way_to(model, &found, next), broken));
            return Explored { states: found.states.len(), transitions, depth, seen, violation };
        }
        for (seen, (_, sight)) in seen.iter_mut().zip(SIGHTS) {
            *seen |= !*seen && sight(&state);
        }
        successors.clear();
        model.steps(&state, &mut successors);
        transitions += successors.len() as u64;
        for (_, successor) in &successors {
            found.add(successor.pack(), next as u32);
        }
        next += 1;
    }
    Explored { states: found.states.len(), transitions, depth, seen, violation: None }
}

/// The steps from the start to the state at `index`. Only the parents are kept: what was done is found again.
fn way_to(model: &Model, found: &Found, index: usize) -> Vec<Step> {
    let mut way = vec![];
    let mut at = index;
    while found.parents[at] != NOWHERE {
        let parent = found.parents[at] as usize;
        let mut successors = vec![];
        model.steps(&State::unpack(&found.states[parent]), &mut successors);
        let step = successors.into_iter().find(|(_, state)| state.pack() == found.states[at]);
        let (action, state) = step.expect("a state follows from its parent");
        way.push(Step { action, state });
        at = parent;
    }
    way.reverse();
    way
}
