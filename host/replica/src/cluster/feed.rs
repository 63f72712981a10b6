//! A node that does not lead keeps a stream to the one that does: it asks for leases, and is told what may be seen.

use super::message::{self, Ask, Opening, Tell};
use super::{Cluster, Heard, PAUSE};
use crate::journal::Journal;
use crate::transport::{Frames, Member};
use futures::channel::mpsc;
use futures::stream::BoxStream;
use futures::{SinkExt, StreamExt};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Runs until the cluster is dropped.
pub async fn run(cluster: Weak<Cluster>) {
    loop {
        let Some(strong) = cluster.upgrade() else { return };
        // Another process of this number may be the one whose entries the leader knows of.
        let leader = strong.leader().filter(|(leader, _)| *leader != strong.id && strong.has_joined());
        let rules = strong.visibility.rules;
        drop(strong);
        if let Some((leader, member)) = leader {
            follow(&cluster, leader, &member, Duration::from_micros(rules.lease_micros / 4)).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Listens to one leader for as long as it leads and answers.
async fn follow(cluster: &Weak<Cluster>, leader: u64, member: &Member, every: Duration) {
    let Some(strong) = cluster.upgrade() else { return };
    let Some(transport) = strong.transport.clone() else { return };
    let (mut asks, frames) = mpsc::channel(strong.limits.peer_frames);
    drop(strong);
    if asks.send(message::encode(&Opening::Feed)).await.is_err() {
        return;
    }
    let opened = tokio::select! {
        opened = tokio::time::timeout(every * 8, transport.stream(leader, member, frames.boxed())) => opened,
        // The old leader may never answer.
        () = another_leads(cluster, leader) => return,
    };
    let Ok(Ok(mut answers)) = opened else { return };
    let another = another_leads(cluster, leader);
    tokio::pin!(another);
    let mut ticks = tokio::time::interval(every);
    let mut silent = 0;
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let Some(cluster) = cluster.upgrade() else { return };
                silent += 1;
                // Whoever has been silent for longer than a lease is gone.
                if silent > 8 {
                    return;
                }
                let ask = Ask { at: cluster.clock.monotonic_micros(), applied: cluster.visibility.applied_index() };
                // A full channel: the leader has not read the last questions, and needs no more of them.
                if asks.try_send(message::encode(&ask)).is_err_and(|error| error.is_disconnected()) {
                    return;
                }
            }
            () = &mut another => return,
            frame = answers.next() => {
                let Some(Ok(frame)) = frame else { return };
                let Ok(tell) = message::decode::<Tell>(&frame) else { return };
                let Some(cluster) = cluster.upgrade() else { return };
                silent = 0;
                match tell.asked {
                    Some(asked) => cluster.visibility.heard(asked, tell.visible, tell.leased),
                    None => cluster.visibility.told(tell.visible),
                }
            }
        }
    }
}

/// Returns when another leader is known of, or none any more.
async fn another_leads(cluster: &Weak<Cluster>, leader: u64) {
    while cluster.upgrade().is_some_and(|cluster| cluster.leader().is_some_and(|(now, _)| now == leader)) {
        tokio::time::sleep(PAUSE).await;
    }
}

/// The leader's side of a feed.
pub fn serve(cluster: Arc<Cluster>, node: u64, mut asks: Frames) -> BoxStream<'static, Vec<u8>> {
    let (mut tells, frames) = mpsc::channel(cluster.limits.peer_frames);
    let mut seen = cluster.visibility.subscribe();
    let weak = Arc::downgrade(&cluster);
    drop(cluster);
    tokio::spawn(async move {
        loop {
            let tell = tokio::select! {
                ask = asks.next() => {
                    let Some(Ok(ask)) = ask else { return };
                    let Ok(ask) = message::decode::<Ask>(&ask) else { return };
                    let Some(cluster) = weak.upgrade() else { return };
                    let Some(tell) = cluster.answer_ask(node, ask) else { return };
                    tell
                }
                changed = seen.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let Some(cluster) = weak.upgrade() else { return };
                    let visible = *seen.borrow_and_update();
                    let Some(term) = cluster.visibility.leading() else { return };
                    Tell { term, visible, asked: None, leased: false }
                }
            };
            if tells.send(message::encode(&tell)).await.is_err() {
                return;
            }
        }
    });
    frames.boxed()
}

impl Cluster {
    /// None: this node does not lead, or the other one has been removed.
    fn answer_ask(&self, node: u64, ask: Ask) -> Option<Tell> {
        if !self.takes_part(node) {
            return None;
        }
        let member = self.is_committed_reader(node);
        let answer = self.visibility.answer(node, member, self.leads_for_sure())?;
        self.heard.lock().insert(node, Heard { applied_index: ask.applied, at: self.clock.monotonic_micros() });
        let asked = answer.fresh.then_some(ask.at);
        Some(Tell { term: answer.term, visible: answer.visible, asked, leased: answer.leased })
    }

    /// Whether every leader to come knows that the node may be reading: its membership is committed.
    fn is_committed_reader(&self, node: u64) -> bool {
        let progress = self.journal.progress();
        progress.committed_members.contains(&node) && progress.keeps_data(node)
    }
}
