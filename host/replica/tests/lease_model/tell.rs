//! A way to a violation in words, for people.

use crate::explore::Step;
use crate::state::{Log, NODES, Node, Role, State, slot};
use crate::step::Action;
use std::fmt;

impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Action::Tick(Some(units)) => write!(out, "time passes: the clocks go on by {units:?}"),
            Action::Tick(None) => write!(out, "time passes, for each timer as is worst"),
            Action::Append { leader } => write!(out, "node {leader} appends an entry of a client"),
            Action::Replicate { leader, to, length } => {
                write!(out, "node {to} gets node {leader}'s first {length} entries and acknowledges them")
            }
            Action::Grant { leader, to } => write!(out, "node {leader} grants node {to} a lease"),
            Action::Transfer { leader } => write!(out, "node {leader} asks for another leader, whom all may vote for"),
            Action::Advance { leader } => write!(out, "node {leader} moves its V, and acknowledges that entry"),
            Action::AcknowledgeAtCommit { leader } => write!(out, "node {leader} acknowledges all that is committed"),
            Action::Stand { node } => write!(out, "node {node} stands for election"),
            Action::Vote { voter, candidate } => write!(out, "node {voter} votes for node {candidate}"),
            Action::Win { node } => write!(out, "node {node} is elected and appends its blank"),
            Action::Restart { node } => write!(out, "node {node} crashes and starts again"),
            Action::Deliver { from, to, length } => {
                write!(out, "node {to} gets the first {length} entries that node {from} sent when it led")
            }
            Action::LocalRead { node } => {
                write!(out, "a read begins at node {node}, which holds a lease and notes its last entry")
            }
            Action::NoteFirst { node } => write!(out, "a read begins at node {node}, which notes its last entry"),
            Action::ThenCheck { node } => write!(out, "… and node {node} now sees that it holds a lease"),
            Action::CheckFirst { node } => {
                write!(out, "a read begins at node {node}, which sees that it holds a lease")
            }
            Action::ThenNote { node } => write!(out, "… and node {node} now notes its last entry"),
            Action::AskForRead { node, leader } => {
                write!(out, "a read begins at node {node}; node {leader} says for which entry it has to wait")
            }
        }
    }
}

/// The terms of its entries in a row.
fn told_log(log: Log) -> String {
    let terms: String = (1..=log.length).map(|index| char::from(b'0' + log.term(index))).collect();
    if terms.is_empty() { "-".into() } else { terms }
}

fn told_node(at: usize, node: &Node) -> String {
    let role = match node.role {
        Role::Follower => "follower",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
        Role::Retired => "leader that hands over",
    };
    let mut told = format!("node {at}: {role}, term {}, log {}, V {}", node.term, told_log(node.log), node.visible);
    let mut timer = |name: &str, left: u8| {
        if left > 0 {
            told += &format!(", {name} {left}");
        }
    };
    timer("votes for nobody for", node.refuses);
    timer("holds a lease for", node.lease);
    timer("waits as a new leader for", node.wait);
    for other in (0..NODES).filter(|other| *other != at) {
        let peer = node.peers[slot(at, other)];
        timer(&format!("knows that node {other} has"), peer.matched);
        timer(&format!("is sure of node {other} for"), peer.heard);
        timer(&format!("remembers the lease of node {other} for"), peer.granted);
    }
    told
}

/// Step by step, and after each step the nodes that it changed.
pub fn told(start: &State, way: &[Step], broken: &str) -> String {
    let mut told = String::new();
    let mut before = start;
    for (number, step) in way.iter().enumerate() {
        told += &format!("{:3}. {}\n", number + 1, step.action);
        for (at, node) in step.state.nodes.iter().enumerate() {
            if *node != before.nodes[at] {
                told += &format!("       {}\n", told_node(at, node));
            }
        }
        if step.state.shown != before.shown {
            told += &format!("       acknowledged so far: {}\n", told_log(step.state.shown));
        }
        before = &step.state;
    }
    told + &format!("     {broken}\n")
}
