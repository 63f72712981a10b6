//! One HTTP/2 connection to a peer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls::pki_types::{IpAddr, Ipv4Addr, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::peers::configuration::Configuration;
use crate::peers::frames::{Body, innermost};
use crate::peers::identity::Identity;
use crate::peers::silence::Watched;
use crate::peers::tls;

/// Largest HTTP/2 frame (RFC 9113, section 4.2): small messages pass between the frames of a large one.
pub const FRAME_BYTES: u32 = 64 << 10;

/// Headers of one request or answer.
pub const HEADER_BYTES: u32 = 16 << 10;

/// Whoever is silent is noticed by [`Watched`]; to a ping there may be no answer for longer than that, while others
/// arrive.
pub const PONG_TIME: Duration = Duration::from_secs(60);

/// Bytes that wait in the kernel to be sent. HTTP/2 lets small messages pass large ones only before they get there.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: libc::c_int = 128 << 10;

/// Sets up a socket for messages of which some are large and all are awaited.
pub fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        let value = UNSENT_BYTES;
        let length = size_of_val(&value) as libc::socklen_t;
        // SAFETY: the option's value is an integer of this length, which the call only reads.
        let outcome = unsafe {
            let value = (&raw const value).cast();
            libc::setsockopt(stream.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT, value, length)
        };
        if outcome != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// A connection that has been verified. Clones share it; it closes when the last is dropped.
#[derive(Clone)]
pub struct Connection {
    pub peer: Identity,
    sender: SendRequest<Body>,
}

/// Connects to whoever listens at the address and is a node of the same cluster.
pub async fn connect(address: &str, tls: Arc<ClientConfig>, configuration: &Configuration) -> io::Result<Connection> {
    let within = configuration.connect_time();
    let stream =
        timeout(within, TcpStream::connect(address)).await.map_err(|_| silent("take a connection", within))??;
    prepare(&stream)?;
    // The name is not used: TLS verifies certificates of nodes.
    let name = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::from([127, 0, 0, 1])));
    let handshake = TlsConnector::from(tls).connect(name, stream);
    let stream = timeout(within, handshake).await.map_err(|_| silent("speak TLS", within))??;
    let peer = tls::peer_of(stream.get_ref().1.peer_certificates()).map_err(io::Error::other)?;
    let stream = Watched::new(stream, configuration.silence());
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(configuration.stream_window())
        .initial_connection_window_size(configuration.connection_window())
        .max_frame_size(FRAME_BYTES)
        .max_header_list_size(HEADER_BYTES)
        .keep_alive_interval(configuration.ping_interval())
        .keep_alive_timeout(PONG_TIME)
        .keep_alive_while_idle(false)
        .max_concurrent_reset_streams(configuration.streams as usize);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(io_error)?;
    tokio::spawn(async move {
        // Whoever waits for an answer hears of it.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to a peer has ended");
        }
    });
    Ok(Connection { peer, sender })
}

/// Why a request has no answer.
pub enum Failure {
    /// It was never sent, as the connection had ended before.
    Unsent(Box<Request<Body>>),
    Lost(io::Error),
}

impl Connection {
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Sends a request; an answer that is not 200 is the error that it says.
    pub async fn send(&mut self, request: Request<Body>) -> Result<Response<Incoming>, Failure> {
        if self.sender.ready().await.is_err() {
            return Err(Failure::Unsent(Box::new(request)));
        }
        let response = self.sender.try_send_request(request).await.map_err(|mut error| match error.take_message() {
            Some(request) => Failure::Unsent(Box::new(request)),
            None => Failure::Lost(io_error(error.into_error())),
        })?;
        if response.status() == StatusCode::OK {
            return Ok(response);
        }
        Err(Failure::Lost(refusal(response).await))
    }
}

/// The longest text of a refusal that is kept.
const REFUSAL_BYTES_MAX: usize = 4 << 10;

async fn refusal(response: Response<Incoming>) -> io::Error {
    use http_body_util::{BodyExt, Limited};
    let status = response.status();
    let body = Limited::new(response.into_body(), REFUSAL_BYTES_MAX).collect().await;
    let text = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
    let kind = match status {
        StatusCode::SERVICE_UNAVAILABLE => io::ErrorKind::OutOfMemory,
        StatusCode::PAYLOAD_TOO_LARGE => io::ErrorKind::InvalidData,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, if text.is_empty() { format!("HTTP {status}") } else { text })
}

fn silent(what: &str, within: Duration) -> io::Error {
    let text = format!("it did not {what} within {} ms (peers.connect_ms)", within.as_millis());
    io::Error::new(io::ErrorKind::TimedOut, text)
}

fn io_error(error: hyper::Error) -> io::Error {
    let kind = if error.is_timeout() { io::ErrorKind::TimedOut } else { io::ErrorKind::ConnectionAborted };
    io::Error::new(kind, innermost(&error))
}
