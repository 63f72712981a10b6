//! Peers that die, vanish or come back are noticed soon.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use isobar_replica::{Member, Transport};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::nodes::{Cluster, Node, configuration, soon};

#[tokio::test]
async fn a_peer_that_is_killed_ends_calls_and_streams_at_once() {
    let mut cluster = Cluster::new();
    let (oregon, mut tokyo) = (cluster.node("oregon").await, cluster.node("tokyo").await);
    let (_sender, mut answers) = oregon.stream(&tokyo).await.expect("a stream");
    let call = tokio::spawn(oregon.transport.call(tokyo.number, &tokyo.member, b"wait".to_vec()));
    tokyo.event().await;
    let begin = Instant::now();
    tokyo.server = None;
    assert!(soon(answers.next()).await.expect("an item").is_err());
    assert!(soon(call).await.expect("no panic").is_err());
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    let error = oregon.call(&tokyo, b"hello").await.expect_err("nobody is there");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "{error}");
}

#[tokio::test]
async fn a_peer_that_comes_back_is_reached_again() {
    let mut cluster = Cluster::new();
    let (oregon, mut tokyo) = (cluster.node("oregon").await, cluster.node("tokyo").await);
    for _ in 0..3 {
        assert_eq!(soon(oregon.call(&tokyo, b"hello")).await.expect("an answer"), b"hello");
        let address = tokyo.server.take().expect("it runs").address;
        let back = async {
            loop {
                // The old connections may hold the address for a moment.
                tokio::time::sleep(Duration::from_millis(10)).await;
                if TcpListener::bind(address).await.is_ok() {
                    break;
                }
            }
        };
        soon(back).await;
        let mut same = configuration();
        same.listen = address;
        tokyo = Node::start(tokyo.invitation, same).await;
        let answered = async { while oregon.call(&tokyo, b"hello").await.is_err() {} };
        soon(answered).await;
    }
}

/// A line that can fall silent without being closed.
async fn line(to: SocketAddr) -> (SocketAddr, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    let (silence, silent) = watch::channel(false);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut silent = silent.clone();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(to).await.expect("a connection");
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    _ = silent.wait_for(|silent| *silent) => {}
                }
                // Both connections stay open, and nothing passes.
                let _ = silent.wait_for(|silent| !*silent).await;
            });
        }
    });
    (address, silence)
}

#[tokio::test]
async fn a_line_that_falls_silent_is_noticed() {
    let mut cluster = Cluster::new();
    let (oregon, tokyo) = (cluster.node("oregon").await, cluster.node("tokyo").await);
    let (address, silence) = line(tokyo.server.as_ref().expect("it runs").address).await;
    let member = Member { address: address.to_string(), ..tokyo.member.clone() };
    let (_sender, frames) = crate::nodes::frames();
    let mut answers = oregon.transport.stream(tokyo.number, &member, frames).await.expect("a stream");
    // Long enough for an idle moment on the line.
    tokio::time::sleep(Duration::from_millis(700)).await;
    silence.send_replace(true);
    let begin = Instant::now();
    let call = tokio::spawn(oregon.transport.call(tokyo.number, &member, b"hello".to_vec()));
    assert!(soon(answers.next()).await.expect("an item").is_err());
    assert!(soon(call).await.expect("no panic").is_err());
    // ping_ms and ping_timeout_ms after the last sign of life, and some time to be scheduled on a busy machine.
    assert!(begin.elapsed() < Duration::from_millis(2400), "{:?}", begin.elapsed());
    silence.send_replace(false);
    let answered = async {
        while oregon.transport.call(tokyo.number, &member, b"hello".to_vec()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(answered).await;
}

#[tokio::test]
async fn a_peer_that_does_not_speak_is_not_waited_for() {
    let mut cluster = Cluster::new();
    let mut hasty = configuration();
    hasty.connect_ms = 200;
    let oregon = Arc::new(Node::start(cluster.invite("oregon"), hasty).await);
    let mute = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = mute.local_addr().expect("an address").to_string();
    let member = Member { address, ..Member::default() };
    let begin = Instant::now();
    // All who wait at once hear of the same attempt.
    let calls = (0..100).map(|_| oregon.transport.call(2, &member, b"hello".to_vec()));
    for answer in soon(futures::future::join_all(calls)).await {
        let error = answer.expect_err("it says nothing");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(error.to_string().contains("peers.connect_ms"), "{error}");
    }
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    assert_eq!(oregon.metrics.failures.get(), 1);
}

#[tokio::test]
async fn a_crowd_at_a_closed_door_hears_of_it_soon() {
    let mut cluster = Cluster::new();
    let oregon = cluster.node("oregon").await;
    let member = Member { address: "127.0.0.1:1".into(), ..Member::default() };
    let begin = Instant::now();
    let callers = (0..100).map(|_| async {
        for _ in 0..5 {
            let refused = oregon.transport.call(2, &member, b"hello".to_vec()).await.expect_err("nobody is there");
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused, "{refused}");
        }
    });
    soon(futures::future::join_all(callers)).await;
    // A pause between two attempts, and none of the callers has to wait for all the others.
    let attempts = oregon.metrics.failures.get();
    assert!((5..=50).contains(&attempts), "{attempts} attempts");
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
}
