//! What a scan hands out.

use std::ops::Deref;
use std::sync::Arc;

/// Packed pairs. Those of a segment are not copied: whoever takes them copies them to where they are wanted.
#[derive(Clone, Debug)]
pub enum Batch {
    Own(Vec<u8>),
    Segment(Arc<Vec<u8>>),
}

impl Default for Batch {
    fn default() -> Batch {
        Batch::Own(Vec::new())
    }
}

impl Deref for Batch {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Batch::Own(pairs) => pairs,
            Batch::Segment(pairs) => pairs,
        }
    }
}

impl From<Batch> for Vec<u8> {
    fn from(batch: Batch) -> Vec<u8> {
        match batch {
            Batch::Own(pairs) => pairs,
            Batch::Segment(pairs) => pairs.to_vec(),
        }
    }
}
