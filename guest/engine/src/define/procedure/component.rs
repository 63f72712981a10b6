//! The bytes of components, which the host keeps by their digest in a space of its own: the nine bytes of `PREFIX`, the
//! digest, and the number of a chunk as u32 big-endian. The engine deletes what nobody needs any more.

use super::super::DefineContext;
use crate::catalog::keys;
use crate::catalog::procedure::{Procedure, ProcedureVersion};
use crate::encode::writes::WriteBuffer;
use crate::error::Result;

const PREFIX: [u8; 9] = [2, 0, 0, 0, 0, 0, 0, 0, 2];

/// Bytes of every chunk but the last.
const CHUNK_BYTES: u64 = 1 << 20;

/// Notes that somebody uses a component: whoever finds at the same time that nobody does conflicts with that.
pub fn claim(context: &DefineContext, digest: &[u8; 32]) -> Result<()> {
    let mut writes = WriteBuffer::new();
    writes.put(&keys::component_name(digest), &[]);
    writes.flush(context.host)
}

/// Deletes the components of removed versions that no other version of any procedure uses. `gone` are the procedures
/// that they belonged to, `kept` is what remains of them.
pub fn release(
    context: &DefineContext,
    removed: &[ProcedureVersion],
    kept: Option<&Procedure>,
    gone: &[u32],
) -> Result<()> {
    let others = context.catalog.procedures().iter().map(|other| &**other);
    let others = others.filter(|procedure| !gone.contains(&procedure.id));
    let used: Vec<[u8; 32]> =
        others.chain(kept).flat_map(|procedure| &procedure.versions).map(|version| version.digest).collect();
    let mut writes = WriteBuffer::new();
    for (at, version) in removed.iter().enumerate() {
        let again = removed[..at].iter().any(|earlier| earlier.digest == version.digest);
        if again || used.contains(&version.digest) {
            continue;
        }
        writes.delete(&keys::component_name(&version.digest));
        for chunk in 0..version.size.div_ceil(CHUNK_BYTES) as u32 {
            writes.delete(&[&PREFIX[..], &version.digest, &chunk.to_be_bytes()].concat());
        }
    }
    writes.flush(context.host)
}
