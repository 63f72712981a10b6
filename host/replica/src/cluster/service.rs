//! What a replica answers its peers.

use super::inbox::Arriving;
use super::message::{self, Append, Opening, Request, Response, SnapshotAnswer};
use super::{Cluster, feed};
use crate::error::{Error, Result};
use crate::journal::{Decision, Journal, SnapshotData, Types, Vote};
use crate::transport::{Frames, Peer};
use futures::channel::mpsc;
use futures::future::{BoxFuture, ready};
use futures::stream::BoxStream;
use futures::{FutureExt, SinkExt, StreamExt};
use openraft::alias::SnapshotOf;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;
use ulid::Ulid;

/// Why a node does not vote.
const BOUND: &str = "this node has granted a lease that lasts";

/// A replica as its peers see it.
pub struct Service(pub Weak<Cluster>);

impl Peer for Service {
    fn answer(&self, from: u64, request: Vec<u8>) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        let cluster = self.0.upgrade();
        async move {
            let cluster = cluster.ok_or(io::ErrorKind::ConnectionAborted)?;
            let request = message::decode(&request)?;
            let response = cluster.answer(from, request).await.unwrap_or_else(Response::Refused);
            Ok(message::encode(&response))
        }
        .boxed()
    }

    fn answer_stream(&self, from: u64, mut frames: Frames) -> BoxStream<'static, Vec<u8>> {
        let Some(cluster) = self.0.upgrade() else { return futures::stream::empty().boxed() };
        let answers = async move {
            let opening = frames.next().await.and_then(Result::ok);
            match opening.map(|opening| message::decode::<Opening>(&opening)) {
                Some(Ok(Opening::Append)) => cluster.append(from, frames),
                Some(Ok(Opening::Feed)) => feed::serve(cluster, from, frames),
                Some(Ok(Opening::Snapshot { vote, .. })) if vote.leader_id.voted_for != from => {
                    tracing::warn!(from, "a peer sends a snapshot in another's name");
                    futures::stream::empty().boxed()
                }
                Some(Ok(Opening::Snapshot { vote, meta, id })) => {
                    let arriving = Arriving { vote, meta, id: Ulid::from_bytes(id) };
                    receive_snapshot(cluster, arriving, frames)
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, from, "a peer sends what this node does not understand");
                    futures::stream::empty().boxed()
                }
                None => futures::stream::empty().boxed(),
            }
        };
        answers.flatten_stream().boxed()
    }
}

impl Cluster {
    pub async fn answer(self: &Arc<Self>, from: u64, request: Request) -> Result<Response> {
        use Request::{Join, Remove, TransferTo, Vote};
        // What must not be left half done goes on when whoever asked goes away.
        if matches!(request, Vote(_) | Join(_) | Remove { .. } | TransferTo { .. }) {
            let cluster = self.clone();
            let answer = self.journal.handle().spawn(async move { cluster.decide_on(from, request).await });
            return answer.await.map_err(crate::journal::failed)?;
        }
        self.decide_on(from, request).await
    }

    async fn decide_on(self: &Arc<Self>, from: u64, request: Request) -> Result<Response> {
        match request {
            Request::Vote(question) => {
                self.check_vote(from, &question.vote)?;
                self.check_memory()?;
                let term = question.vote.leader_id.term;
                if !self.visibility.may_vote(term) {
                    return Err(Error::unavailable(BOUND));
                }
                let answer = self.journal.raft.vote(question).await;
                // Without an answer it may have voted.
                self.visibility.has_voted(term, answer.as_ref().map_or(true, |answer| answer.vote_granted));
                let answer = answer.map_err(crate::journal::failed)?;
                if answer.vote_granted {
                    self.be_patient();
                }
                Ok(Response::Vote(answer))
            }
            Request::PreVote(question) => {
                self.check_vote(from, &question.vote)?;
                self.check_memory()?;
                if self.visibility.is_bound() {
                    return Err(Error::unavailable(BOUND));
                }
                let answer = self.journal.raft.pre_vote(question).await.map_err(crate::journal::failed)?;
                Ok(Response::Vote(answer))
            }
            Request::Transfer(request) => {
                self.check_vote(from, request.from_leader())?;
                let answer = self.journal.raft.handle_transfer_leader(request).await;
                Ok(Response::Transfer(answer.map_err(crate::journal::failed)?))
            }
            Request::Commit { .. }
            | Request::Outcome { .. }
            | Request::ReadIndex
            | Request::Remove { .. }
            | Request::TransferTo { .. }
            | Request::Status
            | Request::ShortOfRoom
                if !self.takes_part(from) =>
            {
                Err(Error::not_a_member(from))
            }
            Request::Commit { id, proposal } => {
                let limit = Duration::from_millis(self.limits.commit_milliseconds);
                let decide = async {
                    let decision = self.commits.commit(message::ulid(id), proposal).await;
                    if let Decision::Committed(_, entry) = decision {
                        self.visibility.wait(entry).await;
                    }
                    decision
                };
                match tokio::time::timeout(limit, decide).await {
                    Ok(Decision::Committed(commit, entry)) => {
                        Ok(Response::Committed { timestamp: commit.timestamp, entry })
                    }
                    // Its journal has stopped: that says nothing of the commit, and another node will lead.
                    Ok(Decision::Refused(_)) if self.journal.failure().is_some() => Ok(self.not_leader()),
                    Ok(Decision::Refused(error)) => Err(error),
                    Ok(Decision::NotLeading | Decision::Lost) => Ok(self.not_leader()),
                    Err(_) => Err(Error::unknown_outcome("the leader could not reach a majority in time")),
                }
            }
            Request::Outcome { id } => match self.visibility.leading() {
                Some(_) if self.leads_alone_or_for_sure() => {
                    let limit = Duration::from_millis(self.limits.reach_milliseconds);
                    let known = tokio::time::timeout(limit, self.commits.outcome(message::ulid(id))).await;
                    Ok(Response::Outcome(known.unwrap_or_else(|_| Err(self.unreachable()))?))
                }
                _ => Ok(self.not_leader()),
            },
            Request::ReadIndex => match self.visibility.read_index(self.leads_for_sure()) {
                Some(entry) => Ok(Response::ReadIndex { visible: self.visibility.visible(), entry }),
                None => Ok(self.not_leader()),
            },
            Request::Join(candidate) => self.admit(from, candidate).await,
            Request::Remove { id } => self.dismiss(id).await,
            Request::TransferTo { id } => self.pass_leadership(id).await,
            Request::Status => Ok(Response::Status(self.report())),
            Request::ShortOfRoom => Ok(self.note_short_of_room(from)),
        }
    }

    /// Whether a node has not been removed, as far as this one knows.
    pub fn takes_part(&self, node: u64) -> bool {
        node == self.id || self.journal.has_member(node)
    }

    pub fn leads_alone_or_for_sure(&self) -> bool {
        self.visibility.read_index(self.leads_for_sure()).is_some()
    }

    pub fn not_leader(&self) -> Response {
        Response::NotLeader { leader: self.leader().filter(|(leader, _)| *leader != self.id) }
    }

    /// Whether this node knows what it has promised: started anew, it may have forgotten that it was not to vote for a
    /// while.
    fn check_memory(&self) -> Result<()> {
        if self.is_twin() {
            return Err(Error::unavailable("another process has this node's number"));
        }
        if self.journal.last_index() == 0 {
            return Err(Error::unavailable("this node has no journal to vote by"));
        }
        let age = self.clock.monotonic_micros().saturating_sub(self.started);
        if age < self.visibility.rules.abstains_for() {
            return Err(Error::unavailable("this node has just been started, and does not vote yet"));
        }
        Ok(())
    }

    /// Nobody speaks in another's name. Who is a member is not asked: this node may have been away while others came.
    fn check_vote(&self, from: u64, vote: &Vote) -> Result<()> {
        if vote.leader_id.voted_for == from { Ok(()) } else { Err(Error::not_a_member(from)) }
    }

    fn append(self: Arc<Self>, from: u64, requests: Frames) -> BoxStream<'static, Vec<u8>> {
        let requests = requests.map(|frame| frame.ok().and_then(|frame| message::decode::<Append>(&frame).ok()));
        let requests = requests.take_while(|request| ready(request.is_some())).filter_map(ready);
        let weak = Arc::downgrade(&self);
        let requests = requests.take_while(move |request| {
            let Some(cluster) = weak.upgrade() else { return ready(false) };
            let speaks = cluster.check_vote(from, &request.vote).is_ok();
            if speaks {
                cluster.be_patient();
            } else {
                tracing::warn!(from, "a peer appends in another's name");
            }
            ready(speaks)
        });
        let answers = self.journal.raft.stream_append(requests);
        answers
            .take_while(|answer| ready(answer.is_ok()))
            .filter_map(|answer| ready(answer.ok()))
            .map(|answer| message::encode(&answer))
            .boxed()
    }
}

fn receive_snapshot(cluster: Arc<Cluster>, arriving: Arriving, frames: Frames) -> BoxStream<'static, Vec<u8>> {
    let (answers, stream) = mpsc::channel(cluster.limits.peer_frames);
    tokio::spawn(async move {
        let mut reports = answers.clone();
        let from = arriving.vote.leader_id.voted_for;
        let answer = install(&cluster, arriving, frames, |chunks| {
            // Whoever does not read misses a report.
            let _ = reports.try_send(message::encode(&SnapshotAnswer::Have { chunks }));
        });
        let answer = match answer.await {
            Ok(vote) => SnapshotAnswer::Installed { vote },
            Err(error) => {
                tracing::warn!(%error, from, "a snapshot is not installed");
                SnapshotAnswer::Failed(error.to_string())
            }
        };
        let mut answers = answers;
        let _ = answers.send(message::encode(&answer)).await;
    });
    stream.boxed()
}

/// Whatever can be said against a snapshot is said before the journal hears of it, which cannot go on without what it
/// has begun to install.
async fn install(cluster: &Cluster, arriving: Arriving, frames: Frames, report: impl FnMut(u64)) -> Result<Vote> {
    let Arriving { vote, meta, id } = arriving;
    let Some(last) = meta.last_log_id.filter(|last| last.leader_id.term <= vote.leader_id.term) else {
        return Err(Error::bad_snapshot("it is of no term that its sender has seen"));
    };
    let last = (!cluster.member.witness).then_some(last.index);
    let chunks = cluster.inbox.receive(id, last, frames, report).await?;
    let snapshot = SnapshotOf::<Types, SnapshotData> { meta, snapshot: SnapshotData { id, chunks } };
    let answer = cluster.journal.raft.install_full_snapshot(vote, snapshot).await;
    Ok(answer.map_err(crate::journal::failed)?.vote)
}
