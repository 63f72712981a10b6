//! A node's membership of a cluster, as it is installed in the node's data directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::peers::identity::Identity;
use crate::peers::invitation::Invitation;

/// A node's name and papers, checked.
pub struct Membership {
    /// The cluster's name, for people.
    pub name: String,
    pub identity: Identity,
    pub(super) authority: CertificateDer<'static>,
    pub(super) certificate: CertificateDer<'static>,
    pub(super) key: PrivateKeyDer<'static>,
}

/// In the data directory.
const FILE: &str = "cluster/membership.toml";

fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

impl Membership {
    /// The membership of the node with this data directory; none: it is on its own.
    pub fn of(data: &Path) -> Result<Option<Membership>, String> {
        let path = path(data);
        if !path.try_exists().map_err(|error| format!("cannot read {}: {error}", path.display()))? {
            return Ok(None);
        }
        let membership = Invitation::read(&path)?.verify();
        membership.map(Some).map_err(|error| {
            format!(
                "{}: {error}. `isobar cluster invite --renew NUMBER` makes a new certificate, `isobar cluster join` \
                 installs it",
                path.display()
            )
        })
    }

    /// Installs an invitation that is good for a node that is in no cluster, or a newer one of the same node.
    pub fn install(invitation: &Invitation, data: &Path) -> Result<Membership, String> {
        let membership = invitation.verify()?;
        let path = path(data);
        let failed = |error: io::Error| format!("cannot write {}: {error}", path.display());
        if path.try_exists().map_err(failed)? {
            let installed = Invitation::read(&path)?.identity;
            if installed != invitation.identity {
                return Err(format!(
                    "{} belongs to {installed} already, and cannot become {}; take another data directory",
                    data.display(),
                    invitation.identity
                ));
            }
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        replace(&path, invitation.text().as_bytes()).map_err(failed)?;
        Ok(membership)
    }
}

/// Creates a file that only its owner may read, durably; it must not be there yet.
pub fn create_private(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// Puts a file that only its owner may read in the place of another, durably, all of it or nothing.
pub fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let written = path.with_extension("new");
    match fs::remove_file(&written) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    create_private(&written, text)?;
    fs::rename(&written, path)?;
    match path.parent() {
        Some(folder) => File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all(),
        None => Ok(()),
    }
}
