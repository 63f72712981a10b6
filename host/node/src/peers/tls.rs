//! TLS 1.3 in both directions: each side shows a certificate that the cluster's authority has signed for a node of
//! this cluster, and no other is talked to.

use std::sync::{Arc, LazyLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ServerConfig};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, PeerIncompatible, SignatureScheme,
};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::peers::identity::Identity;
use crate::peers::membership::Membership;

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring::default_provider()));

/// HTTP/2, in the handshake (RFC 9113, section 3.2).
const PROTOCOL: &[u8] = b"h2";

/// What a node expects of whoever connects to it.
pub fn server(membership: &Membership) -> Result<ServerConfig, Error> {
    let verifier = Arc::new(Verifier::new(membership));
    let mut server = ServerConfig::builder_with_provider(PROVIDER.clone())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![membership.certificate.clone()], membership.key.clone_key())?;
    server.alpn_protocols = vec![PROTOCOL.to_vec()];
    // Each connection shows its certificate anew, so that one that has expired opens nothing.
    server.session_storage = Arc::new(NoServerSessionStorage {});
    server.send_tls13_tickets = 0;
    Ok(server)
}

/// What a node expects of whomever it connects to.
pub fn client(membership: &Membership) -> Result<ClientConfig, Error> {
    let verifier = Arc::new(Verifier::new(membership));
    let mut client = ClientConfig::builder_with_provider(PROVIDER.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(vec![membership.certificate.clone()], membership.key.clone_key())?;
    client.alpn_protocols = vec![PROTOCOL.to_vec()];
    client.resumption = Resumption::disabled();
    // Nodes are known by their certificates, not by names of hosts.
    client.enable_sni = false;
    Ok(client)
}

/// The node for which the authority has signed this certificate, if it is good at that time for both ends of a
/// connection.
pub fn identity_of(
    authority: &CertificateDer<'_>,
    certificate: &CertificateDer<'_>,
    time: UnixTime,
) -> Result<Identity, Error> {
    let anchors = [anchor_from_trusted_cert(authority).map_err(invalid)?];
    let certificate = EndEntityCert::try_from(certificate).map_err(invalid)?;
    for usage in [KeyUsage::client_auth(), KeyUsage::server_auth()] {
        let algorithms = PROVIDER.signature_verification_algorithms.all;
        certificate.verify_for_usage(algorithms, &anchors, &[], time, usage, None, None).map_err(invalid)?;
    }
    let mut names = certificate.valid_uri_names();
    match (names.next().map(str::parse), names.next()) {
        (Some(Ok(identity)), None) => Ok(identity),
        _ => Err(refused("the certificate does not name one node of a cluster")),
    }
}

fn invalid(error: webpki::Error) -> Error {
    Error::InvalidCertificate(match error {
        webpki::Error::CertExpired { time, not_after } => CertificateError::ExpiredContext { time, not_after },
        webpki::Error::CertNotValidYet { time, not_before } => {
            CertificateError::NotValidYetContext { time, not_before }
        }
        webpki::Error::UnknownIssuer => CertificateError::UnknownIssuer,
        webpki::Error::BadDer => CertificateError::BadEncoding,
        error => CertificateError::Other(OtherError(Arc::new(error))),
    })
}

fn refused(reason: impl Into<String>) -> Error {
    let reason: Box<dyn std::error::Error + Send + Sync> = reason.into().into();
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::from(reason))))
}

#[derive(Debug)]
struct Verifier {
    authority: CertificateDer<'static>,
    cluster: String,
}

impl Verifier {
    fn new(membership: &Membership) -> Verifier {
        Verifier { authority: membership.authority.clone(), cluster: membership.identity.cluster.clone() }
    }

    fn verify(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
        let found = identity_of(&self.authority, certificate, now)?;
        if found.cluster != self.cluster {
            return Err(refused(format!("{found} is a node of another cluster")));
        }
        Ok(())
    }
}

/// The node that a verified connection leads to.
pub fn peer_of(certificates: Option<&[CertificateDer<'_>]>) -> Result<Identity, String> {
    let [certificate, ..] = certificates.unwrap_or_default() else { return Err("no certificate was shown".into()) };
    let certificate = EndEntityCert::try_from(certificate).map_err(|error| error.to_string())?;
    certificate.valid_uri_names().next().unwrap_or_default().parse()
}

fn signed(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    verify_tls13_signature(message, certificate, signature, &PROVIDER.signature_verification_algorithms)
}

/// Only TLS 1.3 is compiled in.
fn too_old() -> Error {
    Error::PeerIncompatible(PeerIncompatible::SupportedVersionsExtensionRequired)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verify(certificate, now).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(too_old())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.verify(certificate, now).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(too_old())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        PROVIDER.signature_verification_algorithms.supported_schemes()
    }
}
