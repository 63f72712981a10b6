//! What makes a node a member: one text file with the cluster's certificate, and the node's own with its key.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use serde::Deserialize;

use crate::peers::identity::Identity;
use crate::peers::membership::Membership;
use crate::peers::tls;

/// An invitation as it is written; only [`verify`](Invitation::verify) says whether it is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The cluster's name, for people.
    pub name: String,
    pub identity: Identity,
    /// The authority's certificate, PEM.
    pub authority: String,
    /// The node's certificate, PEM.
    pub certificate: String,
    /// The node's private key, PEM.
    pub key: String,
}

/// As TOML has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    cluster: String,
    node: u64,
    region: String,
    authority: String,
    certificate: String,
    key: String,
}

/// The longest file that is read as an invitation.
const FILE_BYTES_MAX: u64 = 64 << 10;

impl Invitation {
    /// Reads a file; the message of a failure names it.
    pub fn read(path: &Path) -> Result<Invitation, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let length = fs::metadata(path).map_err(|error| failed(&error))?.len();
        if length > FILE_BYTES_MAX {
            return Err(failed(&"is no invitation, it is too long"));
        }
        let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
        Invitation::parse(&text).map_err(|error| failed(&format!("is no invitation: {error}")))
    }

    pub fn parse(text: &str) -> Result<Invitation, String> {
        let written: Written = toml::from_str(text).map_err(|error| error.message().to_string())?;
        let identity = Identity { cluster: written.cluster, node: written.node, region: written.region };
        Ok(Invitation {
            name: written.name,
            identity,
            authority: written.authority,
            certificate: written.certificate,
            key: written.key,
        })
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let Identity { cluster, node, region } = &self.identity;
        let quoted = |text: &str| toml::Value::from(text).to_string();
        format!(
            "# Makes a node a member of a cluster: isobar cluster join FILE --data DIRECTORY\n\
             # The node's private key is in here: hand it on as you would a password, and to one node only.\n\
             name = {}\ncluster = {}\nnode = {node}\nregion = {}\n\
             authority = \"\"\"\n{}\"\"\"\ncertificate = \"\"\"\n{}\"\"\"\nkey = \"\"\"\n{}\"\"\"\n",
            quoted(&self.name),
            quoted(cluster),
            quoted(region),
            self.authority,
            self.certificate,
            self.key,
        )
    }

    /// Checks that the authority has signed the certificate for this node, that it is good today, and that the key
    /// belongs to it.
    pub fn verify(&self) -> Result<Membership, String> {
        let authority = CertificateDer::from_pem_slice(self.authority.as_bytes())
            .map_err(|error| format!("the authority's certificate cannot be read: {error}"))?;
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .map_err(|error| format!("the node's certificate cannot be read: {error}"))?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())
            .map_err(|error| format!("the node's key cannot be read: {error}"))?;
        let membership =
            Membership { name: self.name.clone(), identity: self.identity.clone(), authority, certificate, key };
        let found = tls::identity_of(&membership.authority, &membership.certificate, UnixTime::now())
            .map_err(|error| error.to_string())?;
        if found != self.identity {
            return Err(format!("the certificate is for {found}, the invitation for {}", self.identity));
        }
        // rustls compares the key with the certificate.
        tls::server(&membership).map_err(|error| format!("the key does not belong to the certificate: {error}"))?;
        Ok(membership)
    }
}

impl Membership {
    /// Whether the certificate is no longer good when so much time has passed.
    pub fn expires_within(&self, time: Duration) -> bool {
        let then = UnixTime::since_unix_epoch(Duration::from_secs(UnixTime::now().as_secs()).saturating_add(time));
        tls::identity_of(&self.authority, &self.certificate, then).is_err()
    }
}
