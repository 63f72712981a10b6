//! The listener: accepts connections, and on shutdown lets requests under way finish.

use super::router;
use crate::node::Node;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

/// Most bytes of a request's headers.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// How long accepting pauses when the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running listener.
pub struct Server {
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Accepts nothing more, and returns when what was under way has ended or the drain time is over.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.accepting.await;
    }
}

/// Listens on the configured address.
pub async fn serve(node: Arc<Node>) -> io::Result<Server> {
    let listener = TcpListener::bind(node.config.http.address).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let accepting = tokio::spawn(accept(listener, node, stopped));
    Ok(Server { address, stop, accepting })
}

async fn accept(listener: TcpListener, node: Arc<Node>, mut stopped: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(node.config.http.connections));
    loop {
        let next = async {
            let permit = room.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
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
        let _ = stream.set_nodelay(true);
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(node.config.http.header_ms))
            .max_buf_size(HEADER_BYTES_MAX);
        let service_node = node.clone();
        let service = service_fn(move |request| router::route(service_node.clone(), request));
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        let node = node.clone();
        tokio::spawn(async move {
            let _counted = node.metrics.connection();
            // What fails here is the client's connection, and nothing of ours.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    let drain = Duration::from_millis(node.config.http.drain_ms);
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end within http.drain_ms and are cut off");
    }
}
