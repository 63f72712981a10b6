//! What peers say arrives, in its order, whole and at once.

use std::time::{Duration, Instant};

use futures::StreamExt;
use isobar_replica::{ANYBODY, Member, Transport};

use crate::nodes::{Cluster, Event, Node, configuration, soon};

#[tokio::test]
async fn calls_are_answered_and_say_who_asks() {
    let mut cluster = Cluster::new();
    let (oregon, tokyo) = (cluster.node("oregon").await, cluster.node("tokyo").await);
    assert_eq!(oregon.call(&tokyo, b"hello").await.expect("an answer"), b"hello");
    assert_eq!(oregon.call(&tokyo, b"").await.expect("an answer"), b"");
    assert_eq!(oregon.call(&tokyo, b"who").await.expect("an answer"), b"1");
    assert_eq!(tokyo.call(&oregon, b"who").await.expect("an answer"), b"2");
    let error = oregon.call(&tokyo, b"fail").await.expect_err("a failure");
    assert_eq!(error.to_string(), "no leader is known");
    let peers = oregon.metrics.all();
    let [(2, region, metrics)] = peers.as_slice() else { panic!("{peers:?}") };
    assert_eq!((region.as_str(), metrics.asked.calls.get(), metrics.connections.get()), ("tokyo", 4, 1));
    assert_eq!((metrics.asked.bytes_sent.get(), metrics.asked.bytes_received.get()), (12, 6));
    assert_eq!(metrics.answered.calls.get(), 1);
}

#[tokio::test]
async fn whoever_serves_an_address_answers() {
    let mut cluster = Cluster::new();
    let (oregon, tokyo) = (cluster.node("oregon").await, cluster.node("tokyo").await);
    let somebody = Member { address: tokyo.member.address.clone(), ..Member::default() };
    assert_eq!(oregon.transport.call(ANYBODY, &somebody, b"who".to_vec()).await.expect("an answer"), b"1");
}

#[tokio::test]
async fn own_addresses_win_over_advertised_ones() {
    let mut cluster = Cluster::new();
    let tokyo = cluster.node("tokyo").await;
    let advertised = Member { address: "127.0.0.1:1".into(), ..tokyo.member.clone() };
    for by in ["tokyo", "1"] {
        let mut configuration = configuration();
        configuration.addresses.insert(by.into(), tokyo.member.address.clone());
        let other = Node::start(cluster.invite("oregon"), configuration).await;
        let answer = other.transport.call(1, &advertised, b"hello".to_vec()).await;
        assert_eq!(answer.expect("an answer"), b"hello", "by {by}");
        let error = tokyo.transport.call(1, &advertised, b"hello".to_vec()).await.expect_err("nobody is there");
        assert!(error.to_string().starts_with("cannot reach node 1 at 127.0.0.1:1: "), "{error}");
    }
}

#[tokio::test]
async fn frames_keep_their_order_both_ways() {
    let mut cluster = Cluster::new();
    let (oregon, mut tokyo) = (cluster.node("oregon").await, cluster.node("tokyo").await);
    let (sender, mut answers) = oregon.stream(&tokyo).await.expect("a stream");
    for number in 0..10_000_u32 {
        sender.send(number.to_le_bytes().repeat(number as usize % 7)).expect("the stream is open");
    }
    for number in 0..10_000_u32 {
        let answer = soon(answers.next()).await.expect("a frame").expect("no error");
        assert_eq!(answer, number.to_le_bytes().repeat(number as usize % 7));
    }
    drop(sender);
    assert_eq!(tokyo.event().await, Event::Ended(None));
    assert!(soon(answers.next()).await.is_none());
    let (_, _, metrics) = &oregon.metrics.all()[0];
    assert_eq!((metrics.asked.frames_sent.get(), metrics.asked.frames_received.get()), (10_000, 10_000));
}

#[tokio::test]
async fn small_frames_are_not_kept_waiting() {
    let mut cluster = Cluster::new();
    let (oregon, tokyo) = (cluster.node("oregon").await, cluster.node("tokyo").await);
    let (sender, mut answers) = oregon.stream(&tokyo).await.expect("a stream");
    let begin = Instant::now();
    for number in 0..100_u8 {
        sender.send(vec![number]).expect("the stream is open");
        assert_eq!(soon(answers.next()).await.expect("a frame").expect("no error"), [number]);
    }
    // With Nagle's algorithm and delayed acknowledgements each would take 40 ms.
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn large_messages_arrive_whole() {
    let mut cluster = Cluster::new();
    let (oregon, tokyo) = (cluster.node("oregon").await, cluster.node("tokyo").await);
    let large: Vec<u8> = (0..8_u32 << 20).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert!(soon(oregon.call(&tokyo, &large)).await.expect("an answer") == large);
    let (sender, mut answers) = oregon.stream(&tokyo).await.expect("a stream");
    for _ in 0..3 {
        sender.send(large.clone()).expect("the stream is open");
        sender.send(b"small".to_vec()).expect("the stream is open");
    }
    for _ in 0..3 {
        assert!(soon(answers.next()).await.expect("a frame").expect("no error") == large);
        assert_eq!(soon(answers.next()).await.expect("a frame").expect("no error"), b"small");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_share_one_connection() {
    let mut cluster = Cluster::new();
    let (oregon, tokyo) = (cluster.node("oregon").await, cluster.node("tokyo").await);
    let calls = (0..1000_u32).map(|number| {
        let (oregon, tokyo) = (&oregon, &tokyo);
        async move {
            let request = number.to_le_bytes().repeat(100);
            assert_eq!(oregon.call(tokyo, &request).await.expect("an answer"), request);
        }
    });
    soon(futures::future::join_all(calls)).await;
    let (_, _, metrics) = &oregon.metrics.all()[0];
    assert_eq!((metrics.asked.calls.get(), metrics.connections.get()), (1000, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_who_give_up_cost_nobody_the_connection() {
    let mut cluster = Cluster::new();
    let (oregon, mut tokyo) = (cluster.node("oregon").await, cluster.node("tokyo").await);
    assert_eq!(oregon.call(&tokyo, b"hello").await.expect("an answer"), b"hello");
    let waiting: Vec<_> =
        (0..1000).map(|_| tokio::spawn(oregon.transport.call(tokyo.number, &tokyo.member, b"wait".to_vec()))).collect();
    assert_eq!(tokyo.event().await, Event::Waiting);
    waiting.iter().for_each(|call| call.abort());
    // Those that had begun end at the peer too.
    while tokyo.event().await != Event::GivenUp {}
    for _ in 0..100 {
        assert_eq!(soon(oregon.call(&tokyo, b"hello")).await.expect("an answer"), b"hello");
    }
    assert_eq!(oregon.metrics.all()[0].2.connections.get(), 1);
}

#[tokio::test]
async fn a_stream_ends_for_both_when_one_drops_it() {
    let mut cluster = Cluster::new();
    let (oregon, mut tokyo) = (cluster.node("oregon").await, cluster.node("tokyo").await);
    let (sender, answers) = oregon.stream(&tokyo).await.expect("a stream");
    drop(answers);
    assert!(matches!(tokyo.event().await, Event::Ended(Some(_)) | Event::Closed));
    soon(sender.closed()).await;
    // The other end drops it.
    let (sender, mut answers) = oregon.stream(&tokyo).await.expect("a stream");
    sender.send(b"end".to_vec()).expect("the stream is open");
    assert!(soon(answers.next()).await.is_none());
    soon(sender.closed()).await;
}
