//! openraft's messages on their way to a peer. Appends are pipelined: a stream carries request after request, and the
//! answers come back in order.

use super::message::{self, Append, Opening, Request, Response, SnapshotAnswer};
use super::snapshot;
use super::surety::Answered;
use crate::journal::{SnapshotData, Types, Vote};
use crate::options::Clock;
use crate::transport::{Member, Transport};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use openraft::alias::SnapshotOf;
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{Backoff, RPCOption};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendError, StreamAppendResult,
    TransferLeaderRequest, TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{OptionalSend, RaftNetworkFactory, RaftNetworkV2};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The peers' network; none: this node has no peers.
#[derive(Clone)]
pub struct Network {
    transport: Option<Arc<dyn Transport>>,
    /// Where each node is now: openraft keeps to what it has begun with.
    members: Arc<Mutex<BTreeMap<u64, Member>>>,
    pub(super) answered: Arc<Answered>,
}

impl Network {
    pub fn new(transport: Option<Arc<dyn Transport>>, clock: Arc<dyn Clock>) -> Network {
        Network { transport, members: Arc::default(), answered: Answered::new(clock) }
    }

    pub fn set_members(&self, members: BTreeMap<u64, Member>) {
        *self.members.lock() = members;
    }
}

/// The way to one peer.
pub struct PeerNetwork {
    to: u64,
    /// What it was when the way was opened.
    member: Member,
    network: Network,
}

impl RaftNetworkFactory<Types> for Network {
    type Network = PeerNetwork;

    async fn new_client(&mut self, target: u64, member: &Member) -> PeerNetwork {
        PeerNetwork { to: target, member: member.clone(), network: self.clone() }
    }
}

fn unreachable(error: &io::Error) -> Unreachable<Types> {
    Unreachable::new(error)
}

/// Peers that cannot be reached are tried again after so long.
const BACKOFF: Duration = Duration::from_millis(100);

/// A node that has refused a snapshot gets it again after so long.
const REFUSED: Duration = Duration::from_secs(1);

impl PeerNetwork {
    fn transport(&self) -> io::Result<&Arc<dyn Transport>> {
        self.network.transport.as_ref().ok_or_else(|| io::Error::other("this node has no network"))
    }

    fn member(&self) -> Member {
        self.network.members.lock().get(&self.to).unwrap_or(&self.member).clone()
    }

    async fn call(&self, request: Request, option: RPCOption) -> Result<Response, RPCError<Types>> {
        let answer = async {
            let answer = self.transport()?.call(self.to, &self.member(), message::encode(&request)).await?;
            message::decode::<Response>(&answer)
        };
        let limit = option.hard_ttl();
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "a peer did not answer in time");
        let answer = tokio::time::timeout(limit, answer).await.map_err(late);
        answer.and_then(|answer| answer).map_err(|error| unreachable(&error).into())
    }

    async fn stream_frames<S>(&self, input: S) -> io::Result<crate::transport::Frames>
    where
        S: Stream<Item = AppendEntriesRequest<Types>> + Send + Unpin + 'static,
    {
        let opening = stream::once(async { message::encode(&Opening::Append) });
        let frames = opening.chain(input.map(|request| message::encode::<Append>(&request)));
        self.transport()?.stream(self.to, &self.member(), frames.boxed()).await
    }
}

fn unexpected() -> RPCError<Types> {
    NetworkError::new(&io::Error::new(io::ErrorKind::InvalidData, "a peer answered something else")).into()
}

type Answers<'s> = BoxStream<'s, Result<StreamAppendResult<Types>, RPCError<Types>>>;

impl RaftNetworkV2<Types> for PeerNetwork {
    type SnapshotData = SnapshotData;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<Types>, RPCError<Types>> {
        let input = Box::pin(stream::once(async { request }));
        let mut answers = self.stream_append(input, option).await?;
        answers.next().await.ok_or_else(unexpected)?.map(AppendEntriesResponse::from)
    }

    fn stream_append<'s, S>(
        &'s mut self,
        input: S,
        option: RPCOption,
    ) -> futures::future::BoxFuture<'s, Result<Answers<'s>, RPCError<Types>>>
    where
        S: Stream<Item = AppendEntriesRequest<Types>> + OptionalSend + Unpin + 'static,
    {
        Box::pin(async move {
            // Answers that end before the questions do have been cut off: openraft would take their end for success.
            let asked_all = Arc::new(AtomicBool::new(false));
            let end = asked_all.clone();
            let input = input.map(Some).chain(stream::once(async move {
                end.store(true, Ordering::SeqCst);
                None
            }));
            let sent = self.network.answered.stream(self.to);
            let sends = sent.clone();
            let input = input.filter_map(ready).inspect(move |request: &AppendEntriesRequest<Types>| {
                sends.sends(request.vote.leader_id.term);
            });
            let input = Box::pin(input);
            let opening = tokio::time::timeout(option.hard_ttl().max(MINIMAL_OPENING), self.stream_frames(input));
            let late = |_| io::Error::new(io::ErrorKind::TimedOut, "a peer took no stream in time");
            let frames = match opening.await.map_err(late).and_then(|frames| frames) {
                Ok(frames) => frames,
                Err(error) => {
                    // openraft pauses before it asks for a request, which a connection that is refused never does.
                    tokio::time::sleep(BACKOFF).await;
                    return Err(unreachable(&error).into());
                }
            };
            let answers = frames.map(move |frame| match frame.and_then(|frame| message::decode(&frame)) {
                Ok(answer) => {
                    sent.is_answered(!matches!(answer, Err(StreamAppendError::HigherVote(_))));
                    Ok(answer)
                }
                Err(error) => Err(RPCError::from(unreachable(&error))),
            });
            let cut_off = stream::once(ready(())).filter_map(move |()| {
                let cut_off = io::Error::new(io::ErrorKind::UnexpectedEof, "a peer has stopped answering");
                ready((!asked_all.load(Ordering::SeqCst)).then(|| Err(unreachable(&cut_off).into())))
            });
            Ok::<Answers<'s>, _>(answers.chain(cut_off).boxed())
        })
    }

    async fn vote(
        &mut self,
        request: VoteRequest<Types>,
        option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        match self.call(Request::Vote(request), option).await? {
            Response::Vote(answer) => Ok(answer),
            _ => Err(unexpected()),
        }
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<Types>,
        option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        match self.call(Request::PreVote(request), option).await? {
            Response::Vote(answer) => Ok(answer),
            _ => Err(unexpected()),
        }
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: SnapshotOf<Types, SnapshotData>,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<Types>, StreamingError<Types>> {
        let failed = |error: &io::Error| StreamingError::Unreachable(unreachable(error));
        let transport = self.transport().map_err(|error| failed(&error))?;
        let member = self.member();
        let send = async {
            let answer = snapshot::send(transport, self.to, &member, vote, snapshot).await;
            if let Ok(SnapshotAnswer::Failed(_)) = &answer {
                // What the node lacks it will hardly have at once.
                tokio::time::sleep(REFUSED).await;
            }
            answer
        };
        let answer = tokio::select! {
            answer = send => answer.map_err(|error| failed(&error))?,
            closed = cancel => return Err(closed.into()),
        };
        match answer {
            SnapshotAnswer::Installed { vote } => Ok(SnapshotResponse { vote }),
            SnapshotAnswer::Have { .. } => Err(failed(&io::ErrorKind::InvalidData.into())),
            SnapshotAnswer::Failed(why) => {
                tracing::warn!(%why, to = self.to, %member, "a node does not take a snapshot");
                Err(failed(&io::Error::other(why)))
            }
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<Types>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<Types>, RPCError<Types>> {
        match self.call(Request::Transfer(request), option).await? {
            Response::Transfer(answer) => Ok(answer),
            _ => Err(unexpected()),
        }
    }

    fn backoff(&self) -> Option<Backoff> {
        Some(Backoff::new(std::iter::repeat(BACKOFF)))
    }
}

/// A new connection to a far region takes several round trips.
const MINIMAL_OPENING: Duration = Duration::from_secs(2);
