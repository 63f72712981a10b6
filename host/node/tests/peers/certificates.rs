//! Whoever is no node of the cluster is not talked to, by neither end.

use std::fs;

use isobar_node::peers::{Authority, Identity, Invitation, Membership};
use isobar_replica::Transport;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, SanType};

use crate::nodes::{Cluster, Node, configuration};

/// Neither can call the other, and both are well.
async fn strangers(one: &Node, other: &Node) {
    for (from, to) in [(one, other), (other, one)] {
        let refused = to.metrics.refused.get();
        let error = from.call(to, b"hello").await.expect_err("they are strangers");
        assert!(error.to_string().starts_with(&format!("cannot reach node {} at ", to.number)), "{error}");
        assert_eq!(from.call(from, b"hello").await.expect("an answer"), b"hello");
        // The refused hear of it before the one who refuses has counted.
        while to.metrics.refused.get() == refused {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn nodes_of_another_authority_are_refused() {
    let (mut cluster, mut foreign) = (Cluster::new(), Cluster::new());
    let (oregon, tokyo) = (cluster.node("oregon").await, foreign.node("tokyo").await);
    strangers(&oregon, &tokyo).await;
}

/// An invitation that the authority has signed, for whatever node.
fn forged(cluster: &Cluster, names: &[String], identity: Identity) -> Invitation {
    let genuine = cluster.authority.renew(1, 30).expect("node 1 is invited");
    let key = fs::read_to_string(cluster.folder.path().join("authority/ca.key")).expect("the key");
    let issuer = {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = Default::default();
        let name = format!("Isobar cluster {}", genuine.identity.cluster);
        parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
        Issuer::new(parameters, KeyPair::from_pem(&key).expect("a key"))
    };
    let mut parameters = CertificateParams::default();
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    parameters.subject_alt_names =
        names.iter().map(|name| SanType::URI(name.as_str().try_into().expect("ASCII"))).collect();
    let key = KeyPair::generate().expect("a key");
    let certificate = parameters.signed_by(&key, &issuer).expect("a certificate");
    Invitation { identity, certificate: certificate.pem(), key: key.serialize_pem(), ..genuine }
}

#[tokio::test]
async fn nodes_of_another_cluster_are_refused_though_the_authority_is_the_same() {
    let mut cluster = Cluster::new();
    let oregon = cluster.node("oregon").await;
    let identity = Identity { cluster: "ANOTHER".into(), node: 2, region: "tokyo".into() };
    let tokyo = Node::start(forged(&cluster, &[identity.to_string()], identity), configuration()).await;
    strangers(&oregon, &tokyo).await;
}

#[tokio::test]
async fn another_node_than_the_wanted_one_is_refused() {
    let mut cluster = Cluster::new();
    let (oregon, tokyo) = (cluster.node("oregon").await, cluster.node("tokyo").await);
    let error = oregon.transport.call(3, &tokyo.member, b"hello".to_vec()).await.expect_err("tokyo is node 2");
    let address = &tokyo.member.address;
    assert_eq!(error.to_string(), format!("cannot reach node 3 at {address}: node 2 is there"));
}

#[test]
fn certificates_name_one_node() {
    let mut cluster = Cluster::new();
    let identity = cluster.invite("oregon").identity;
    let name = identity.to_string();
    assert!(forged(&cluster, std::slice::from_ref(&name), identity.clone()).verify().is_ok());
    for names in [vec![], vec!["https://oregon.example/".into()], vec![name.clone(), name]] {
        let error = forged(&cluster, &names, identity.clone()).verify().err().expect("not one node");
        assert!(error.contains("does not name one node"), "{error}");
    }
}

#[test]
fn invitations_survive_being_written() {
    let mut cluster = Cluster::new();
    let invitation = cluster.invite("oregon");
    assert_eq!(Invitation::parse(&invitation.text()).as_ref(), Ok(&invitation));
    assert!(invitation.verify().is_ok());
}

#[test]
fn invitations_that_do_not_hold_together_are_refused() {
    let (mut cluster, mut foreign) = (Cluster::new(), Cluster::new());
    let (one, two, strange) = (cluster.invite("oregon"), cluster.invite("tokyo"), foreign.invite("oregon"));
    for (changed, complaint) in [
        (Invitation { key: two.key.clone(), ..one.clone() }, "the key does not belong"),
        (Invitation { authority: strange.authority.clone(), ..one.clone() }, "UnknownIssuer"),
        (Invitation { certificate: one.authority.clone(), ..one.clone() }, "CaUsedAsEndEntity"),
        (Invitation { identity: two.identity.clone(), ..one.clone() }, "the certificate is for"),
        (Invitation { certificate: "none".into(), ..one.clone() }, "cannot be read"),
    ] {
        let error = changed.verify().err().expect(complaint);
        assert!(error.contains(complaint), "{error} does not say {complaint}");
    }
    for text in ["", "name = 1", "-----BEGIN CERTIFICATE-----", &one.text().replace("node = 1", "node = -1")] {
        assert!(Invitation::parse(text).is_err(), "{text}");
    }
}

#[test]
fn numbers_are_never_given_twice() {
    let cluster = Cluster::new();
    let folder = cluster.folder.path().join("authority");
    drop(cluster.authority);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let folder = folder.clone();
            std::thread::spawn(move || {
                let invite = |_| {
                    let mut authority = Authority::open(&folder).expect("the authority");
                    authority.invite("oregon", 1).expect("an invitation").identity.node
                };
                (0..5).map(invite).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut numbers: Vec<u64> = threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
    assert!(Authority::create(&folder, "again").is_err_and(|error| error.contains("already holds")));
}

#[test]
fn a_data_directory_has_one_membership_which_can_be_renewed() {
    let (mut cluster, mut foreign) = (Cluster::new(), Cluster::new());
    let data = tempfile::tempdir().expect("a folder");
    assert!(Membership::of(data.path()).expect("nothing is wrong").is_none());
    let invitation = cluster.invite("oregon");
    Membership::install(&invitation, data.path()).expect("a member");
    for other in [cluster.invite("oregon"), foreign.invite("oregon")] {
        let error = Membership::install(&other, data.path()).err().expect("it is a member already");
        assert!(error.contains("belongs to"), "{error}");
    }
    let renewed = cluster.authority.renew(1, 60).expect("node 1 is invited");
    assert_ne!(renewed.certificate, invitation.certificate);
    Membership::install(&renewed, data.path()).expect("the same node");
    let membership = Membership::of(data.path()).expect("nothing is wrong").expect("a member");
    assert_eq!(membership.identity, invitation.identity);
    let days = |days: u64| std::time::Duration::from_secs(days * 86_400);
    assert!(!membership.expires_within(days(59)) && membership.expires_within(days(61)));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for path in [data.path().join("cluster/membership.toml"), cluster.folder.path().join("authority/ca.key")] {
            let mode = fs::metadata(&path).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", path.display());
        }
    }
}
