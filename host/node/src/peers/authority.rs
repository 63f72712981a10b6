//! The cluster's certificate authority: a folder on the machine of whoever runs the cluster. It numbers the nodes and
//! signs their certificates; no node needs it to run.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::peers::identity::{Identity, check_region};
use crate::peers::invitation::Invitation;
use crate::peers::membership::{create_private, replace};

const CERTIFICATE_FILE: &str = "ca.pem";
const KEY_FILE: &str = "ca.key";
const CLUSTER_FILE: &str = "cluster.toml";

/// How long the authority's own certificate is good, in days.
const AUTHORITY_DAYS: i64 = 3650;

/// The longest that a node's certificate may be good, in days.
pub const VALID_DAYS_MAX: u32 = 3650;

/// Clocks of machines differ: a certificate is good a little before it is made.
const BEFORE: Duration = Duration::hours(1);

/// An authority whose folder is locked for this process.
pub struct Authority {
    folder: PathBuf,
    cluster: Cluster,
    key: KeyPair,
    certificate: String,
    /// Locked while it is open.
    _lock: File,
}

/// What `cluster.toml` holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cluster {
    /// For people.
    name: String,
    /// ULID.
    id: String,
    /// The number of the next new node. Numbers are never given twice.
    next_node: u64,
    #[serde(default, rename = "node")]
    nodes: Vec<Issued>,
}

/// A node that has been invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    pub number: u64,
    pub region: String,
}

impl Authority {
    /// Makes the authority of a new cluster in a folder that has none.
    pub fn create(folder: &Path, name: &str) -> Result<Authority, String> {
        if folder.join(KEY_FILE).exists() || folder.join(CLUSTER_FILE).exists() {
            return Err(format!("{} already holds a cluster's authority", folder.display()));
        }
        let failed = |error| format!("cannot make {}: {error}", folder.display());
        create_folder(folder).map_err(failed)?;
        let cluster =
            Cluster { name: name.into(), id: ulid::Ulid::generate().to_string(), next_node: 1, nodes: vec![] };
        let key = KeyPair::generate().map_err(unmade)?;
        let certificate = authority_parameters(&cluster.id).self_signed(&key).map_err(unmade)?.pem();
        create_private(&folder.join(KEY_FILE), key.serialize_pem().as_bytes()).map_err(failed)?;
        fs::write(folder.join(CERTIFICATE_FILE), &certificate).map_err(failed)?;
        // Last: a folder without it is no authority.
        replace(&folder.join(CLUSTER_FILE), cluster_text(&cluster)?.as_bytes()).map_err(failed)?;
        Authority::open(folder)
    }

    pub fn open(folder: &Path) -> Result<Authority, String> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => format!(
                    "{} is not there: `isobar cluster init --directory {}` makes a cluster",
                    path.display(),
                    folder.display()
                ),
                _ => format!("cannot read {}: {error}", path.display()),
            })
        };
        let path = folder.join(KEY_FILE);
        let key = read(KEY_FILE)?;
        let lock = File::open(&path).map_err(|error| format!("cannot open {}: {error}", path.display()))?;
        lock.lock().map_err(|error| format!("cannot lock {}: {error}", path.display()))?;
        let text = read(CLUSTER_FILE)?;
        let cluster =
            toml::from_str(&text).map_err(|error| format!("{}: {error}", folder.join(CLUSTER_FILE).display()))?;
        let key = KeyPair::from_pem(&key).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Authority { folder: folder.into(), cluster, key, certificate: read(CERTIFICATE_FILE)?, _lock: lock })
    }

    pub fn name(&self) -> &str {
        &self.cluster.name
    }

    pub fn id(&self) -> &str {
        &self.cluster.id
    }

    /// The nodes invited so far.
    pub fn nodes(&self) -> &[Issued] {
        &self.cluster.nodes
    }

    /// Gives a new node its number and its certificate, good for `days`.
    pub fn invite(&mut self, region: &str, days: u32) -> Result<Invitation, String> {
        check_region(region)?;
        let node = Issued { number: self.cluster.next_node, region: region.into() };
        self.cluster.next_node = node.number.checked_add(1).ok_or("all numbers of nodes have been given")?;
        self.cluster.nodes.push(node.clone());
        // The number is spent before anybody hears of it.
        let path = self.folder.join(CLUSTER_FILE);
        replace(&path, cluster_text(&self.cluster)?.as_bytes())
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        self.issue(&node, days)
    }

    /// Gives a node that has been invited before a new certificate.
    pub fn renew(&self, number: u64, days: u32) -> Result<Invitation, String> {
        let node = self.cluster.nodes.iter().find(|node| node.number == number);
        let node = node.ok_or_else(|| format!("no node {number} has been invited to this cluster"))?;
        self.issue(node, days)
    }

    fn issue(&self, node: &Issued, days: u32) -> Result<Invitation, String> {
        let identity = Identity { cluster: self.cluster.id.clone(), node: node.number, region: node.region.clone() };
        let key = KeyPair::generate().map_err(unmade)?;
        let issuer = Issuer::new(authority_parameters(&self.cluster.id), &self.key);
        let parameters = node_parameters(&identity, days)?;
        let certificate = parameters.signed_by(&key, &issuer).map_err(unmade)?.pem();
        let invitation = Invitation {
            name: self.cluster.name.clone(),
            identity,
            authority: self.certificate.clone(),
            certificate,
            key: key.serialize_pem(),
        };
        // Where the folder's key and certificate do not belong together, it shows here and not at the node.
        invitation.verify().map_err(|error| format!("{} is damaged: {error}", self.folder.display()))?;
        Ok(invitation)
    }
}

fn unmade(error: rcgen::Error) -> String {
    format!("cannot make a certificate: {error}")
}

fn cluster_text(cluster: &Cluster) -> Result<String, String> {
    let text = toml::to_string(cluster).map_err(|error| error.to_string())?;
    Ok(format!(
        "# Written by `isobar cluster`. Numbers of nodes are never given twice: do not lower next_node.\n{text}"
    ))
}

fn authority_parameters(cluster: &str) -> CertificateParams {
    let now = OffsetDateTime::now_utc();
    let mut parameters = CertificateParams::default();
    parameters.not_before = now - BEFORE;
    parameters.not_after = now + Duration::days(AUTHORITY_DAYS);
    parameters.distinguished_name = common_name(&format!("Isobar cluster {cluster}"));
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

fn node_parameters(identity: &Identity, days: u32) -> Result<CertificateParams, String> {
    let now = OffsetDateTime::now_utc();
    let name = identity.to_string().try_into().map_err(unmade)?;
    let mut parameters = CertificateParams::default();
    parameters.not_before = now - BEFORE;
    parameters.not_after = now + Duration::days(days.clamp(1, VALID_DAYS_MAX).into());
    parameters.distinguished_name = common_name(&format!("Isobar node {}", identity.node));
    parameters.subject_alt_names = vec![SanType::URI(name)];
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished_name = DistinguishedName::new();
    distinguished_name.push(DnType::CommonName, name);
    distinguished_name
}

/// Makes a folder that only its owner may look into.
fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
