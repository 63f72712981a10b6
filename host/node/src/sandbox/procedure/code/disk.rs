//! Machine code on disk. It is never trusted for lying there: each file is sealed with a key that only this node has,
//! and what is not sealed is compiled again.

use std::fs::{self, DirBuilder, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rand::Rng;
use serde::{Deserialize, Serialize};
use wasmtime::Engine;

use crate::sandbox::procedure::code::seal::{KEY_BYTES, SEAL_BYTES, Seal};
use crate::sandbox::procedure::component::Digest;
use crate::sandbox::procedure::description::Description;

/// The first bytes of a file: what it is, and the version of its form.
const MAGIC: &[u8; 16] = b"isobar code   1\n";

/// A component's machine code and what was reflected from it.
#[derive(Serialize, Deserialize)]
pub struct Compiled {
    pub description: Description,
    pub code: Vec<u8>,
}

/// A folder of compiled components, of one version and setting of the compiler.
pub struct DiskCache {
    folder: PathBuf,
    key: [u8; KEY_BYTES],
    /// The oldest files go when there are more bytes.
    bytes_max: u64,
}

impl DiskCache {
    /// Opens or creates the cache in a folder of its own. Code of other compilers in it is deleted.
    pub fn open(folder: &Path, engine: &Engine, bytes_max: u64) -> io::Result<DiskCache> {
        create_private(folder)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let version = format!("{:016x}", hasher.finish());
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() && entry.file_name() != version.as_str() {
                fs::remove_dir_all(entry.path())?;
            }
        }
        let key = read_or_create_key(&folder.join("key"))?;
        let folder = folder.join(version);
        create_private(&folder)?;
        Ok(DiskCache { folder, key, bytes_max })
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.folder.join(format!("{digest}.cwasm"))
    }

    /// What was written for this component on this node, none when there is nothing or somebody else wrote it.
    pub fn read(&self, digest: Digest) -> Option<Compiled> {
        let bytes = fs::read(self.path(digest)).ok()?;
        let rest = bytes.strip_prefix(MAGIC)?;
        let (seal, body) = rest.split_at_checked(SEAL_BYTES)?;
        if !self.seal(digest, body).is(seal) {
            tracing::warn!(%digest, "compiled code on disk is not as this node left it; it is compiled again");
            return None;
        }
        postcard::from_bytes(body).ok()
    }

    /// Writes the whole file or none.
    pub fn write(&self, digest: Digest, compiled: &Compiled) -> io::Result<()> {
        let body = postcard::to_stdvec(compiled).map_err(io::Error::other)?;
        let seal = self.seal(digest, &body);
        let (path, temporary) =
            (self.path(digest), self.folder.join(format!("{digest}.{:016x}.new", rand::random::<u64>())));
        let written =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary).and_then(|mut file| {
                file.write_all(MAGIC)?;
                file.write_all(&seal.0)?;
                file.write_all(&body)?;
                file.sync_all()
            });
        match written.and_then(|()| fs::rename(&temporary, &path)) {
            Ok(()) => self.shrink(&path),
            Err(error) => {
                let _ = fs::remove_file(&temporary);
                Err(error)
            }
        }
    }

    /// Holds for this component's code only.
    fn seal(&self, digest: Digest, body: &[u8]) -> Seal {
        Seal::of(&self.key, &[&digest.0, body])
    }

    /// Deletes the oldest files, but not `newest`, until the others fit.
    fn shrink(&self, newest: &Path) -> io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            files.push((metadata.modified()?, metadata.len(), entry.path()));
        }
        files.sort();
        let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, size, path) in files {
            if bytes <= self.bytes_max {
                break;
            }
            if path != newest {
                fs::remove_file(&path)?;
                bytes -= size;
            }
        }
        Ok(())
    }
}

fn create_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The key that was made when the cache was, or a new one where it is missing, damaged or readable by others.
fn read_or_create_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let mut key = [0; KEY_BYTES];
    if let Ok(mut file) = fs::File::open(path)
        && let Ok(metadata) = file.metadata()
        && metadata.len() == KEY_BYTES as u64
        && metadata.mode() & 0o077 == 0
    {
        file.read_exact(&mut key)?;
        return Ok(key);
    }
    rand::rng().fill_bytes(&mut key);
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&key)?;
    file.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(code: &[u8]) -> Compiled {
        Compiled { description: Description { imports: vec![], routines: vec![] }, code: code.into() }
    }

    fn cache(folder: &Path) -> DiskCache {
        DiskCache::open(folder, &Engine::default(), 1000).expect("a cache")
    }

    #[test]
    fn only_sealed_code_is_read() {
        let folder = tempfile::tempdir().expect("a directory");
        let digest = Digest([7; 32]);
        cache(folder.path()).write(digest, &compiled(b"code")).expect("written");
        let cache = cache(folder.path());
        assert_eq!(cache.read(digest).expect("it is there").code, b"code");
        assert!(cache.read(Digest([8; 32])).is_none());
        // Under another component's name it is as good as forged.
        fs::copy(cache.path(digest), cache.path(Digest([8; 32]))).expect("copied");
        assert!(cache.read(Digest([8; 32])).is_none());
        let mut bytes = fs::read(cache.path(digest)).expect("bytes");
        *bytes.last_mut().expect("not empty") ^= 1;
        fs::write(cache.path(digest), &bytes).expect("written");
        assert!(cache.read(digest).is_none());
    }

    #[test]
    fn a_key_that_others_can_read_is_replaced() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a directory");
        let digest = Digest([7; 32]);
        cache(folder.path()).write(digest, &compiled(b"code")).expect("written");
        let key = folder.path().join("key");
        assert_eq!(fs::metadata(&key).expect("a key").mode() & 0o777, 0o600);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("changed");
        assert!(cache(folder.path()).read(digest).is_none());
    }

    #[test]
    fn the_oldest_code_makes_room() {
        let folder = tempfile::tempdir().expect("a directory");
        let cache = cache(folder.path());
        for number in 0..5 {
            cache.write(Digest([number; 32]), &compiled(&[0; 300])).expect("written");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let kept: Vec<_> = (0..5).filter(|number| cache.read(Digest([*number; 32])).is_some()).collect();
        assert_eq!(kept, [3, 4]);
    }
}
