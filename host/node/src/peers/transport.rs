//! The way to the peers: one connection each, made when it is needed and made again when it has ended.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use futures::stream::BoxStream;
use hyper::{Method, Request, Response, body::Incoming};
use isobar_replica::{ANYBODY, Frames, Member, Transport};
use parking_lot::Mutex;
use rustls::ClientConfig;
use tokio::sync::oneshot;

use crate::peers::configuration::Configuration;
use crate::peers::connection::{self, Connection, Failure};
use crate::peers::frames::{self, Body, Room};
use crate::peers::membership::Membership;
use crate::peers::metrics::{Metrics, PeerMetrics};
use crate::peers::tls;

/// Reaches the peers over HTTP/2 and mutual TLS.
#[derive(Clone)]
pub struct HttpTransport {
    shared: Arc<Transporting>,
}

struct Transporting {
    configuration: Configuration,
    tls: Arc<ClientConfig>,
    metrics: Arc<Metrics>,
    links: Mutex<HashMap<Destination, Link>>,
}

/// A node, or with [`ANYBODY`] whoever is at the address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Destination {
    node: u64,
    address: String,
}

/// A connection, or what has come of the attempt to make one.
#[derive(Clone)]
enum Link {
    Connecting(Shared<BoxFuture<'static, Result<Connection, Failed>>>),
    Connected(Connection),
    /// When: the next attempt comes a moment later, however many ask for it.
    Failed(Instant, Failed),
}

/// An error that many callers hear.
#[derive(Clone)]
struct Failed {
    kind: io::ErrorKind,
    text: Arc<str>,
}

/// Time between an attempt that failed and the next one, for which callers wait.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Addresses with a connection, or an attempt at one, at once; beyond, those without a connection are forgotten.
const LINKS_MAX: usize = 256;

impl HttpTransport {
    pub fn new(
        membership: &Membership,
        configuration: Configuration,
        metrics: Arc<Metrics>,
    ) -> Result<HttpTransport, String> {
        let tls = Arc::new(tls::client(membership).map_err(|error| error.to_string())?);
        Ok(HttpTransport { shared: Arc::new(Transporting { configuration, tls, metrics, links: Mutex::default() }) })
    }
}

impl Transporting {
    fn destination(&self, node: u64, member: &Member) -> Destination {
        let own: &BTreeMap<_, _> = &self.configuration.addresses;
        let by_number = if node == ANYBODY { None } else { own.get(&node.to_string()) };
        let address = by_number.or_else(|| own.get(&member.region)).unwrap_or(&member.address);
        Destination { node, address: address.clone() }
    }

    /// The connection that there is, or a new one.
    async fn connection(self: &Arc<Self>, to: &Destination) -> io::Result<Connection> {
        let begin = Instant::now();
        let connecting = loop {
            let pause = match self.connect_or_pause(to) {
                Link::Connected(connection) => return Ok(connection),
                Link::Connecting(connecting) => break connecting,
                // Somebody else has tried meanwhile.
                Link::Failed(at, failed) if at >= begin => return Err(failed.error()),
                Link::Failed(at, _) => at + RETRY_PAUSE,
            };
            tokio::time::sleep_until(pause.into()).await;
        };
        connecting.await.map_err(|failed| failed.error())
    }

    /// A connection, an attempt at one, or one that has failed a moment ago.
    fn connect_or_pause(self: &Arc<Self>, to: &Destination) -> Link {
        let mut links = self.links.lock();
        match links.get(to) {
            Some(Link::Connected(connection)) if connection.is_closed() => {}
            Some(Link::Connecting(connecting)) if connecting.peek().is_some() => {}
            Some(Link::Failed(at, _)) if at.elapsed() >= RETRY_PAUSE => {}
            Some(link) => return link.clone(),
            None => {}
        }
        if links.len() >= LINKS_MAX {
            links.retain(|_, link| matches!(link, Link::Connected(open) if !open.is_closed()));
        }
        // A node has one address at a time.
        links.retain(|other, _| to.node == ANYBODY || other.node != to.node);
        let link = Link::Connecting(self.connect(to.clone()));
        links.insert(to.clone(), link.clone());
        link
    }

    /// Connects in a task of its own, so that a caller who gives up takes nothing from the others.
    fn connect(self: &Arc<Self>, to: Destination) -> Shared<BoxFuture<'static, Result<Connection, Failed>>> {
        let shared = self.clone();
        let task = tokio::spawn(async move {
            let outcome = shared.attempt(&to).await;
            let link = match &outcome {
                Ok(connection) => Link::Connected(connection.clone()),
                Err(failed) => Link::Failed(Instant::now(), failed.clone()),
            };
            // Unless the node has moved meanwhile.
            if let Some(place) = shared.links.lock().get_mut(&to) {
                *place = link;
            }
            outcome
        });
        let stopped = |_| Failed { kind: io::ErrorKind::Interrupted, text: "the node is stopping".into() };
        async move { task.await.map_err(stopped)? }.boxed().shared()
    }

    async fn attempt(&self, to: &Destination) -> Result<Connection, Failed> {
        let Destination { node, address } = to;
        let connected = connection::connect(address, self.tls.clone(), &self.configuration).await;
        let outcome = match connected {
            Ok(connection) if *node == ANYBODY || connection.peer.node == *node => Ok(connection),
            Ok(connection) => {
                let found = connection.peer.node;
                let text = format!("cannot reach node {node} at {address}: node {found} is there");
                Err(Failed { kind: io::ErrorKind::PermissionDenied, text: text.into() })
            }
            Err(error) => {
                let whom = if *node == ANYBODY { "a node".to_string() } else { format!("node {node}") };
                let text = format!("cannot reach {whom} at {address}: {}", innermost(&error));
                Err(Failed { kind: error.kind(), text: text.into() })
            }
        };
        match &outcome {
            Ok(connection) => self.metrics.of(&connection.peer).connections.add(1),
            Err(_) => self.metrics.failures.add(1),
        }
        outcome
    }

    /// Sends a request and waits for its headers. One that found its connection ended goes over the next one.
    async fn send(
        self: &Arc<Self>,
        to: &Destination,
        path: &'static str,
        body: impl FnOnce(&Arc<PeerMetrics>) -> Body,
    ) -> io::Result<(Response<Incoming>, Arc<PeerMetrics>)> {
        let mut connection = self.connection(to).await?;
        let metrics = self.metrics.of(&connection.peer);
        let mut request = Request::new(body(&metrics));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = hyper::Uri::from_static(path);
        let failure = match connection.send(request).await {
            Ok(response) => return Ok((response, metrics)),
            Err(Failure::Unsent(request)) => {
                let request = *request;
                let mut connection = self.connection(to).await?;
                match connection.send(request).await {
                    Ok(response) => return Ok((response, self.metrics.of(&connection.peer))),
                    Err(Failure::Unsent(_)) => io::ErrorKind::ConnectionAborted.into(),
                    Err(Failure::Lost(error)) => error,
                }
            }
            Err(Failure::Lost(error)) => error,
        };
        Err(failure)
    }
}

impl Failed {
    fn error(&self) -> io::Error {
        io::Error::new(self.kind, self.text.to_string())
    }
}

fn innermost(error: &io::Error) -> String {
    error.get_ref().map_or_else(|| error.to_string(), |inner| frames::innermost(inner))
}

impl Transport for HttpTransport {
    fn call(&self, to: u64, member: &Member, request: Vec<u8>) -> BoxFuture<'static, io::Result<Vec<u8>>> {
        let shared = self.shared.clone();
        let to = shared.destination(to, member);
        let limit = shared.configuration.message_bytes();
        async move {
            let sent = |metrics: &Arc<PeerMetrics>| {
                metrics.asked.calls.add(1);
                metrics.asked.bytes_sent.add(request.len() as u64);
                frames::whole(request)
            };
            let (response, metrics) = shared.send(&to, CALL, sent).await?;
            let answer = frames::message(response.into_body(), limit, &mut Room::new(None)).await?;
            metrics.asked.bytes_received.add(answer.len() as u64);
            Ok(answer)
        }
        .boxed()
    }

    fn stream(
        &self,
        to: u64,
        member: &Member,
        frames: BoxStream<'static, Vec<u8>>,
    ) -> BoxFuture<'static, io::Result<Frames>> {
        let shared = self.shared.clone();
        let to = shared.destination(to, member);
        let limit = shared.configuration.message_bytes();
        async move {
            let (need, needed) = oneshot::channel();
            let sent = |metrics: &Arc<PeerMetrics>| {
                metrics.asked.streams.add(1);
                let metrics = metrics.clone();
                frames::sent(frames, limit, Some(needed), move |bytes| metrics.asked.frame_sent(bytes))
            };
            let (response, metrics) = shared.send(&to, STREAM, sent).await?;
            let count = move |bytes| {
                // Lives as long as the frames that are received.
                let _ = &need;
                metrics.asked.frame_received(bytes);
            };
            Ok(frames::received(response.into_body(), limit, Room::new(None), count))
        }
        .boxed()
    }
}

/// Paths of what peers ask each other.
pub const CALL: &str = "/call";
pub const STREAM: &str = "/stream";
