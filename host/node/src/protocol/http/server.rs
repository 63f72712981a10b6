//! The listener: accepts connections, and on shutdown lets requests under way finish.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use crate::node::Node;
use crate::protocol::http::request::Memory;
use crate::protocol::http::router::{Service, route};
use crate::protocol::http::transactions::Transactions;

/// How long accepting pauses when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often idle transactions are looked for.
const IDLE_CHECK: Duration = Duration::from_millis(500);

/// A running listener.
pub struct Server {
    pub address: SocketAddr,
    service: Arc<Service>,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Listens on the configured address.
    pub async fn start(node: Arc<Node>) -> io::Result<Server> {
        let configuration = &node.configuration.http;
        let listener = TcpListener::bind(configuration.listen).await?;
        let address = listener.local_addr()?;
        let service = Arc::new(Service {
            transactions: Transactions::new(configuration.transactions, configuration.transaction_idle()),
            memory: Memory::new(configuration),
            connections: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            node,
        });
        let (stop, stopped) = oneshot::channel();
        let accepting = tokio::spawn(accept(listener, service.clone(), stopped));
        Ok(Server { address, service, stop, accepting })
    }

    /// Accepts nothing more, and returns when what was under way has ended or the drain time is over. Open
    /// interactive transactions are rolled back.
    pub async fn stop(self) {
        self.service.stopping.store(true, Ordering::Relaxed);
        // The other end is gone when accepting has ended by itself, which is as well.
        let _ = self.stop.send(());
        let _ = self.accepting.await;
        self.service.transactions.clear();
    }
}

async fn accept(listener: TcpListener, service: Arc<Service>, mut stopped: oneshot::Receiver<()>) {
    let configuration = &service.node.configuration;
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(configuration.http.connections.clamp(1, Semaphore::MAX_PERMITS)));
    let mut builder = http1::Builder::new();
    let header_bytes = (configuration.http.header_kb << 10).max(8 << 10);
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(configuration.http.header_ms))
        .max_header_size(header_bytes)
        .max_buf_size(header_bytes.max(64 << 10));
    let mut idle_check = tokio::time::interval(IDLE_CHECK);
    loop {
        let next = async {
            let permit = room.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            _ = idle_check.tick() => {
                service.transactions.drop_idle();
                continue;
            }
            _ = &mut stopped => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Answers are small and awaited: they must not wait for more to send.
        let _ = stream.set_nodelay(true);
        let shared = service.clone();
        let answer = service_fn(move |request| route(shared.clone(), request));
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), answer));
        let counted = Counted::new(service.clone());
        tokio::spawn(async move {
            // What fails here is the client's connection, and nothing of ours.
            let _ = connection.await;
            drop((permit, counted));
        });
    }
    drop(listener);
    let drain = Duration::from_millis(configuration.drain_ms);
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end within drain_ms and are cut off");
    }
}

/// Counts a connection for as long as it lives.
struct Counted(Arc<Service>);

impl Counted {
    fn new(service: Arc<Service>) -> Counted {
        service.connections.fetch_add(1, Ordering::Relaxed);
        Counted(service)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
