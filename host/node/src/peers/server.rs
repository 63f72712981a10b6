//! The listener for peers. Whoever has no certificate of this cluster is not talked to; whatever a peer sends costs
//! at most its own connection.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use isobar_replica::Peer;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::peers::configuration::Configuration;
use crate::peers::connection::{FRAME_BYTES, HEADER_BYTES, PONG_TIME, prepare};
use crate::peers::frames::{self, Body, Memory, Room};
use crate::peers::identity::Identity;
use crate::peers::membership::Membership;
use crate::peers::metrics::{Metrics, PeerMetrics};
use crate::peers::silence::Watched;
use crate::peers::tls;
use crate::peers::transport::{CALL, STREAM};

/// How long accepting pauses when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Strangers are reported at most so often.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// An address that is taken, where nobody is answered yet.
pub struct Listener {
    pub address: SocketAddr,
    listener: TcpListener,
    serving: Serving,
}

/// What all connections share.
struct Serving {
    configuration: Configuration,
    tls: TlsAcceptor,
    metrics: Arc<Metrics>,
    memory: Arc<Memory>,
    /// Open connections of each node.
    connections: Mutex<HashMap<u64, usize>>,
    reported: Mutex<Option<Instant>>,
}

/// A running listener. Dropping it closes all connections.
pub struct Server {
    pub address: SocketAddr,
    accepting: JoinHandle<()>,
    /// Connections end when it is dropped.
    _stop: watch::Sender<()>,
}

impl Listener {
    /// Takes the configured address.
    pub async fn bind(
        configuration: &Configuration,
        membership: &Membership,
        metrics: Arc<Metrics>,
    ) -> Result<Listener, String> {
        let tls = tls::server(membership).map_err(|error| error.to_string())?;
        let listen = configuration.listen;
        let failed = |error| format!("cannot listen for peers on {listen}: {error}");
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let serving = Serving {
            configuration: configuration.clone(),
            tls: TlsAcceptor::from(Arc::new(tls)),
            metrics,
            memory: Memory::new(configuration.memory_bytes()),
            connections: Mutex::default(),
            reported: Mutex::default(),
        };
        Ok(Listener { address, listener, serving })
    }

    /// Answers from now on.
    pub fn serve(self, peer: Arc<dyn Peer>) -> Server {
        let (stop, stopped) = watch::channel(());
        let accepting = tokio::spawn(accept(self.listener, Arc::new(self.serving), peer, stopped));
        Server { address: self.address, accepting, _stop: stop }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, serving: Arc<Serving>, peer: Arc<dyn Peer>, stopped: watch::Receiver<()>) {
    let handshakes = Arc::new(Semaphore::new(serving.configuration.handshakes.min(Semaphore::MAX_PERMITS)));
    loop {
        let Ok(permit) = handshakes.clone().acquire_owned().await else { return };
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a peer's connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (serving, peer, mut stopped) = (serving.clone(), peer.clone(), stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = connection(serving, stream, address, permit, peer) => {}
                _ = stopped.changed() => {}
            }
        });
    }
}

async fn connection(
    serving: Arc<Serving>,
    stream: TcpStream,
    address: SocketAddr,
    permit: OwnedSemaphorePermit,
    peer: Arc<dyn Peer>,
) {
    let accepted = serving.handshake(stream).await;
    drop(permit);
    let (stream, identity) = match accepted {
        Ok(accepted) => accepted,
        Err(reason) => return serving.report(address, &reason),
    };
    let Some(_place) = Place::take(&serving, identity.node) else {
        return serving.report(address, &format!("node {} has too many connections", identity.node));
    };
    let configuration = &serving.configuration;
    let streams = configuration.streams;
    let stream = Watched::new(stream, configuration.silence());
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(configuration.stream_window())
        .initial_connection_window_size(configuration.connection_window())
        .max_frame_size(FRAME_BYTES)
        .max_header_list_size(HEADER_BYTES)
        .max_concurrent_streams(streams)
        // Callers who give up all at once are no attack.
        .max_pending_accept_reset_streams(streams as usize)
        .auto_date_header(false)
        .keep_alive_interval(configuration.ping_interval())
        .keep_alive_timeout(PONG_TIME);
    let asked =
        Arc::new(Asked { metrics: serving.metrics.of(&identity), from: identity.node, peer, serving: serving.clone() });
    let service = service_fn(move |request| answer(asked.clone(), request));
    // What fails here is the peer's connection, and nothing of ours.
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, node = identity.node, "a peer's connection has ended");
    }
}

impl Serving {
    /// TLS, at the end of which it is known who the peer is.
    async fn handshake(&self, stream: TcpStream) -> Result<(TlsStream<TcpStream>, Identity), String> {
        prepare(&stream).map_err(|error| error.to_string())?;
        let accepted = tokio::time::timeout(self.configuration.handshake_time(), self.tls.accept(stream)).await;
        let stream =
            accepted.map_err(|_| "no TLS within peers.handshake_ms".to_string())?.map_err(|error| error.to_string())?;
        let identity = tls::peer_of(stream.get_ref().1.peer_certificates())?;
        Ok((stream, identity))
    }

    fn report(&self, address: SocketAddr, reason: &str) {
        self.metrics.refused.add(1);
        let mut reported = self.reported.lock();
        if reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY) {
            *reported = Some(Instant::now());
            tracing::warn!(%address, reason, "a peer's connection was refused");
        }
    }
}

/// One of the connections that a node may have.
struct Place<'a> {
    serving: &'a Serving,
    node: u64,
}

impl<'a> Place<'a> {
    fn take(serving: &'a Serving, node: u64) -> Option<Place<'a>> {
        let mut connections = serving.connections.lock();
        let count = connections.entry(node).or_default();
        if *count >= serving.configuration.connections {
            return None;
        }
        *count += 1;
        Some(Place { serving, node })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut connections = self.serving.connections.lock();
        if let Some(count) = connections.get_mut(&self.node) {
            *count -= 1;
            if *count == 0 {
                connections.remove(&self.node);
            }
        }
    }
}

/// Who asks whom in one connection.
struct Asked {
    from: u64,
    peer: Arc<dyn Peer>,
    metrics: Arc<PeerMetrics>,
    serving: Arc<Serving>,
}

async fn answer(asked: Arc<Asked>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    if request.method() != Method::POST {
        return Ok(refusal(StatusCode::METHOD_NOT_ALLOWED, "peers only POST"));
    }
    let path = request.uri().path();
    if path == CALL {
        // A panic costs this answer; the peer hears of it.
        let answered = std::panic::AssertUnwindSafe(call(&asked, request.into_body())).catch_unwind().await;
        return Ok(answered.unwrap_or_else(|_| refusal(StatusCode::INTERNAL_SERVER_ERROR, "the node made a mistake")));
    }
    if path == STREAM {
        return Ok(stream(&asked, request.into_body()));
    }
    Ok(refusal(StatusCode::NOT_FOUND, &format!("{path} is nothing that peers ask for")))
}

async fn call(asked: &Asked, body: Incoming) -> Response<Body> {
    let traffic = &asked.metrics.answered;
    let mut room = Room::new(Some(asked.serving.memory.clone()));
    let request = match frames::message(body, asked.serving.configuration.message_bytes(), &mut room).await {
        Ok(request) => request,
        Err(error) => {
            let status = match error.kind() {
                io::ErrorKind::OutOfMemory => StatusCode::SERVICE_UNAVAILABLE,
                io::ErrorKind::InvalidData => StatusCode::PAYLOAD_TOO_LARGE,
                _ => StatusCode::BAD_REQUEST,
            };
            return refusal(status, &error.to_string());
        }
    };
    traffic.calls.add(1);
    traffic.bytes_received.add(request.len() as u64);
    match asked.peer.answer(asked.from, request).await {
        Ok(answer) => {
            traffic.bytes_sent.add(answer.len() as u64);
            Response::new(frames::whole(answer))
        }
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn stream(asked: &Asked, body: Incoming) -> Response<Body> {
    asked.metrics.answered.streams.add(1);
    let limit = asked.serving.configuration.message_bytes();
    let room = Room::new(Some(asked.serving.memory.clone()));
    let metrics = asked.metrics.clone();
    let received = frames::received(body, limit, room, move |bytes| metrics.answered.frame_received(bytes));
    let answers = asked.peer.answer_stream(asked.from, received);
    let metrics = asked.metrics.clone();
    Response::new(frames::sent(answers, limit, None, move |bytes| metrics.answered.frame_sent(bytes)))
}

fn refusal(status: StatusCode, reason: &str) -> Response<Body> {
    let mut response = Response::new(frames::whole(reason.as_bytes().to_vec()));
    *response.status_mut() = status;
    response
}
