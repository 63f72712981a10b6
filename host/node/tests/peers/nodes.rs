//! Clusters of listeners and transports, whose replicas only echo.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use isobar_node::peers::{Authority, Configuration, HttpTransport, Invitation, Listener, Metrics, Server};
use isobar_replica::{Frames, Member, Peer, Transport};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// A cluster's authority in a folder of its own.
pub struct Cluster {
    pub authority: Authority,
    pub folder: TempDir,
}

impl Cluster {
    pub fn new() -> Cluster {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::create(&folder.path().join("authority"), "test").expect("an authority");
        Cluster { authority, folder }
    }

    pub fn invite(&mut self, region: &str) -> Invitation {
        self.authority.invite(region, 30).expect("an invitation")
    }

    /// A listener of its own for a new node.
    pub async fn node(&mut self, region: &str) -> Node {
        let invitation = self.invite(region);
        Node::start(invitation, configuration()).await
    }
}

pub fn configuration() -> Configuration {
    Configuration { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Configuration::default() }
}

/// A node whose replica echoes.
pub struct Node {
    pub number: u64,
    pub invitation: Invitation,
    pub member: Member,
    pub transport: HttpTransport,
    pub metrics: Arc<Metrics>,
    pub server: Option<Server>,
    /// What its echo was told.
    pub events: mpsc::UnboundedReceiver<Event>,
}

impl Node {
    pub async fn start(invitation: Invitation, configuration: Configuration) -> Node {
        let membership = invitation.verify().expect("a good invitation");
        let metrics = Arc::<Metrics>::default();
        let listener = Listener::bind(&configuration, &membership, metrics.clone()).await.expect("a listener");
        let transport = HttpTransport::new(&membership, configuration, metrics.clone()).expect("a transport");
        let (sender, events) = mpsc::unbounded_channel();
        let server = listener.serve(Arc::new(Echo { events: sender }));
        let region = invitation.identity.region.clone();
        let member = Member { region, address: server.address.to_string(), witness: false };
        let number = invitation.identity.node;
        Node { number, invitation, member, transport, metrics, server: Some(server), events }
    }

    pub async fn call(&self, to: &Node, request: &[u8]) -> io::Result<Vec<u8>> {
        self.transport.call(to.number, &to.member, request.to_vec()).await
    }

    /// Opens a stream and gives its sending end.
    pub async fn stream(&self, to: &Node) -> io::Result<(mpsc::UnboundedSender<Vec<u8>>, Frames)> {
        let (sender, frames) = frames();
        Ok((sender, self.transport.stream(to.number, &to.member, frames).await?))
    }

    /// The next thing its echo is told.
    pub async fn event(&mut self) -> Event {
        soon(self.events.recv()).await.expect("an event")
    }
}

/// Frames as they are sent into a channel.
pub fn frames() -> (mpsc::UnboundedSender<Vec<u8>>, BoxStream<'static, Vec<u8>>) {
    let (sender, receiver) = mpsc::unbounded_channel::<Vec<u8>>();
    let frames = stream::unfold(receiver, |mut receiver| async move { Some((receiver.recv().await?, receiver)) });
    (sender, frames.boxed())
}

/// Fails a test that waits for ever.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it takes too long")
}

#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A call that waits has begun, or has been given up.
    Waiting,
    GivenUp,
    /// A stream's frames have ended, with an error or without.
    Ended(Option<io::ErrorKind>),
    /// Nobody reads a stream's answers any more, or they have ended.
    Closed,
}

struct Echo {
    events: mpsc::UnboundedSender<Event>,
}

/// Sends an event when it is dropped.
struct Last(mpsc::UnboundedSender<Event>, Option<Event>);

impl Drop for Last {
    fn drop(&mut self) {
        // A test that has ended listens no more.
        let _ = self.1.take().map(|event| self.0.send(event));
    }
}

impl Peer for Echo {
    fn answer(&self, from: u64, request: Vec<u8>) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        let events = self.events.clone();
        Box::pin(async move {
            match request.as_slice() {
                b"fail" => Err(io::Error::other("no leader is known")),
                b"panic" => panic!("asked for"),
                b"who" => Ok(from.to_string().into_bytes()),
                b"wait" => {
                    let _ = events.send(Event::Waiting);
                    let _last = Last(events, Some(Event::GivenUp));
                    std::future::pending().await
                }
                _ => Ok(request),
            }
        })
    }

    /// Answers each frame with itself, `end` by ending.
    fn answer_stream(&self, _from: u64, frames: Frames) -> BoxStream<'static, Vec<u8>> {
        let last = Last(self.events.clone(), Some(Event::Closed));
        let echo = stream::unfold((frames, last), |(mut frames, last)| async move {
            let kind = match frames.next().await {
                Some(Ok(frame)) if frame == b"end" => return None,
                Some(Ok(frame)) => return Some((frame, (frames, last))),
                Some(Err(error)) => Some(error.kind()),
                None => None,
            };
            let _ = last.0.send(Event::Ended(kind));
            None
        });
        echo.boxed()
    }
}
