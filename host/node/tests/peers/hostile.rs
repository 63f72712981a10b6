//! What strangers and misbehaving peers send costs their connection, and nothing else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2::SendRequest;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use isobar_node::peers::{Configuration, Invitation};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::nodes::{Cluster, Event, Node, configuration, soon};

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;

/// Believes whatever it is shown.
#[derive(Debug)]
struct Credulous(Arc<CryptoProvider>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A TLS connection that shows an invitation's certificate, or none.
async fn tls(to: SocketAddr, shown: Option<&Invitation>) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Credulous(provider)));
    let mut client = match shown {
        None => builder.with_no_client_auth(),
        Some(invitation) => {
            let certificate = CertificateDer::from_pem_slice(invitation.certificate.as_bytes()).expect("PEM");
            let key = PrivateKeyDer::from_pem_slice(invitation.key.as_bytes()).expect("PEM");
            builder.with_client_auth_cert(vec![certificate], key).expect("a key")
        }
    };
    client.alpn_protocols = vec![b"h2".to_vec()];
    let name = ServerName::try_from("node").expect("a name");
    TlsConnector::from(Arc::new(client)).connect(name, TcpStream::connect(to).await?).await
}

async fn http(to: &Node, shown: &Invitation) -> SendRequest<Body> {
    let stream = tls(address(to), Some(shown)).await.expect("TLS");
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("HTTP/2");
    tokio::spawn(connection);
    sender
}

fn address(node: &Node) -> SocketAddr {
    node.server.as_ref().expect("it runs").address
}

/// Chunks as a body that then ends, or stays open.
fn body(chunks: Vec<Vec<u8>>, ends: bool) -> Body {
    let chunks = stream::iter(chunks.into_iter().map(|chunk| Ok(Frame::data(Bytes::from(chunk)))));
    let rest = if ends { stream::empty().boxed() } else { stream::pending().boxed() };
    StreamBody::new(chunks.chain(rest)).boxed_unsync()
}

async fn post(sender: &mut SendRequest<Body>, path: &str, body: Body) -> (StatusCode, Vec<u8>) {
    let request = Request::post(path).body(body).expect("a request");
    let response = soon(sender.send_request(request)).await.expect("an answer");
    let status = response.status();
    let text = soon(response.into_body().collect()).await.map(|body| body.to_bytes().to_vec());
    (status, text.unwrap_or_default())
}

/// A node with small limits, a peer that behaves, and the papers of one that does not.
async fn small(change: impl FnOnce(&mut Configuration)) -> (Node, Node, Invitation) {
    let mut cluster = Cluster::new();
    let mut limits = configuration();
    (limits.message_mb, limits.memory_mb) = (1, 2);
    change(&mut limits);
    let target = Node::start(cluster.invite("oregon"), limits).await;
    (target, cluster.node("tokyo").await, cluster.invite("mordor"))
}

#[tokio::test]
async fn strangers_are_refused() {
    let (target, friend, _) = small(|_| {}).await;
    // No certificate: in TLS 1.3 the client hears of it when it reads.
    let mut stream = tls(address(&target), None).await.expect("the client is content");
    let read = soon(stream.read(&mut [0; 64])).await;
    assert!(read.as_ref().is_err_and(|error| error.to_string().contains("CertificateRequired")), "{read:?}");
    // No TLS at all.
    for text in [&b"POST /call HTTP/1.1\r\nhost: x\r\n\r\n"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[0; 100_000]] {
        let mut stream = TcpStream::connect(address(&target)).await.expect("a connection");
        // It may be closed before all is written.
        let _ = stream.write_all(text).await;
        let mut answer = vec![];
        let _ = soon(stream.read_to_end(&mut answer)).await;
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    assert_eq!(friend.call(&target, b"hello").await.expect("an answer"), b"hello");
    assert_eq!(target.metrics.refused.get(), 4);
}

#[tokio::test]
async fn the_silent_are_let_go_and_keep_nobody_out_for_long() {
    let (target, friend, _) = small(|limits| (limits.handshakes, limits.handshake_ms) = (2, 200)).await;
    let mut silent = vec![];
    for _ in 0..4 {
        silent.push(TcpStream::connect(address(&target)).await.expect("a connection"));
    }
    assert_eq!(soon(friend.call(&target, b"hello")).await.expect("an answer"), b"hello");
    for stream in &mut silent {
        assert_eq!(soon(stream.read(&mut [0; 1])).await.expect("the end"), 0);
    }
}

#[tokio::test]
async fn a_frame_that_is_cut_off_is_an_error() {
    let (mut target, friend, papers) = small(|_| {}).await;
    let mut sender = http(&target, &papers).await;
    for cut in [vec![3], vec![3, 0, 0, 0, 1, 2]] {
        let (status, _) = post(&mut sender, "/stream", body(vec![cut], true)).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(target.event().await, Event::Ended(Some(std::io::ErrorKind::UnexpectedEof)));
        assert_eq!(target.event().await, Event::Closed);
    }
    // Frames may come in any pieces.
    let pieces = b"\x03\0\0\0abc\0\0\0\0\x01\0\0\0d".iter().map(|byte| vec![*byte]).collect();
    let (_, echoed) = post(&mut sender, "/stream", body(pieces, true)).await;
    assert_eq!(echoed, b"\x03\0\0\0abc\0\0\0\0\x01\0\0\0d");
    assert_eq!(friend.call(&target, b"hello").await.expect("an answer"), b"hello");
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let (mut target, friend, papers) = small(|_| {}).await;
    let mut sender = http(&target, &papers).await;
    // It is refused by what it announces, before a byte of it is there.
    let (_, _) = post(&mut sender, "/stream", body(vec![vec![1, 0, 16, 0]], false)).await;
    assert_eq!(target.event().await, Event::Ended(Some(std::io::ErrorKind::InvalidData)));
    assert_eq!(target.event().await, Event::Closed);
    let (status, text) = post(&mut sender, "/call", body(vec![vec![0; 1 << 19]; 3], true)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{}", String::from_utf8_lossy(&text));
    assert_eq!(friend.call(&target, &[0; 1 << 20]).await.expect("an answer").len(), 1 << 20);
    let error = friend.call(&target, &[0; (1 << 20) + 1]).await.expect_err("it is too long");
    assert!(error.to_string().contains("peers.message_mb"), "{error}");
    // Nor does this node send what its peers would refuse.
    let (frames, mut answers) = target.stream(&friend).await.expect("a stream");
    frames.send(vec![0; (1 << 20) + 1]).expect("the stream is open");
    assert!(soon(answers.next()).await.expect("an item").is_err());
}

#[tokio::test]
async fn half_sent_messages_do_not_fill_the_memory() {
    let (target, friend, papers) = small(|_| {}).await;
    let mut sender = http(&target, &papers).await;
    let mut half = || {
        let request = Request::post("/call").body(body(vec![vec![0; 1 << 20]], false)).expect("a request");
        tokio::spawn(sender.send_request(request))
    };
    let mut open = [half(), half()];
    let fill = async {
        loop {
            if let Err(error) = friend.call(&target, &[0; 1 << 18]).await {
                break error;
            }
            // One that came while the friend's call had the room was refused itself.
            for call in open.iter_mut().filter(|call| call.is_finished()) {
                *call = half();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let error = soon(fill).await;
    assert!(error.to_string().contains("peers.memory_mb"), "{error}");
    assert_eq!(error.kind(), std::io::ErrorKind::OutOfMemory);
    open.iter().for_each(|call| call.abort());
    let freed = async {
        while friend.call(&target, &[0; 1 << 20]).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(freed).await;
}

#[tokio::test]
async fn a_panic_costs_one_answer() {
    let (target, friend, _) = small(|_| {}).await;
    let error = friend.call(&target, b"panic").await.expect_err("it panics");
    assert!(error.to_string().contains("mistake"), "{error}");
    assert_eq!(friend.call(&target, b"hello").await.expect("an answer"), b"hello");
    assert_eq!(friend.metrics.all()[0].2.connections.get(), 1);
}

#[tokio::test]
async fn senseless_requests_are_refused() {
    let (target, friend, papers) = small(|_| {}).await;
    let mut sender = http(&target, &papers).await;
    assert_eq!(post(&mut sender, "/sql", body(vec![], true)).await.0, StatusCode::NOT_FOUND);
    let get = Request::get("/call").body(body(vec![], true)).expect("a request");
    let status = soon(sender.send_request(get)).await.expect("an answer").status();
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    // A peer that speaks no HTTP/2.
    let mut stream = tls(address(&target), Some(&papers)).await.expect("TLS");
    stream.write_all(&[0xFF; 10_000]).await.expect("written");
    let mut answer = vec![];
    let _ = soon(stream.read_to_end(&mut answer)).await;
    assert_eq!(friend.call(&target, b"hello").await.expect("an answer"), b"hello");
}

#[tokio::test]
async fn a_node_has_so_many_connections() {
    let (target, friend, papers) = small(|limits| limits.connections = 2).await;
    let mut kept = vec![http(&target, &papers).await, http(&target, &papers).await];
    for sender in &mut kept {
        assert_eq!(post(sender, "/call", body(vec![b"hello".to_vec()], true)).await.1, b"hello");
    }
    let mut third = tls(address(&target), Some(&papers)).await.expect("TLS");
    let mut answer = vec![];
    let _ = soon(third.read_to_end(&mut answer)).await;
    assert_eq!(answer, b"");
    // Other nodes have theirs, and a place that is left is free again.
    assert_eq!(friend.call(&target, b"hello").await.expect("an answer"), b"hello");
    kept.pop();
    soon(async {
        loop {
            let stream = tls(address(&target), Some(&papers)).await.expect("TLS");
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake::<_, _, Body>(TokioExecutor::new(), TokioIo::new(stream))
                    .await
                    .expect("HTTP/2");
            tokio::spawn(connection);
            let request = Request::post("/call").body(body(vec![], true)).expect("a request");
            if sender.send_request(request).await.is_ok() {
                break;
            }
        }
    })
    .await;
}
