//! Arrays in binary form: dimensions, whether there are NULLs, the elements' type, and per dimension its length and
//! lower bound; then the elements as packed values.

use wasmtime::component::Val;

use crate::error::sqlstate;
use crate::sandbox::procedure::value::{Misfit, Packed};

/// Dimensions of an array, PostgreSQL's MAXDIM.
const DIMENSIONS_MAX: i32 = 6;

/// The lengths of an array's dimensions, none when it is empty, and its elements. No length is more than there are
/// bytes for.
pub fn dimensions(bytes: &[u8]) -> Result<(Vec<usize>, Packed<'_>), Misfit> {
    let malformed = || Misfit::malformed("array");
    let mut packed = Packed(bytes);
    let dimensions = packed.number()?;
    let _has_nulls = packed.number()?;
    let _element_oid = packed.number()?;
    if !(0..=DIMENSIONS_MAX).contains(&dimensions) {
        return Err(malformed());
    }
    let mut lengths = Vec::new();
    for _ in 0..dimensions {
        lengths.push(usize::try_from(packed.number()?).map_err(|_| malformed())?);
        let _lower_bound = packed.number()?;
    }
    let elements = lengths.iter().try_fold(1usize, |product, length| product.checked_mul(*length));
    // Each element has four bytes of length at least.
    if elements.is_none_or(|elements| elements > packed.0.len() / 4 && !lengths.is_empty()) {
        return Err(malformed());
    }
    Ok((lengths, packed))
}

/// The elements of an array of at most one dimension.
pub fn elements<T>(
    bytes: &[u8],
    count_max: usize,
    mut element: impl FnMut(Option<&[u8]>) -> Result<T, Misfit>,
) -> Result<Vec<T>, Misfit> {
    let (lengths, mut packed) = dimensions(bytes)?;
    let count = match lengths[..] {
        [] => return Ok(Vec::new()),
        [count] => count,
        [..] => {
            let why = format!("array has {} dimensions, a list has one", lengths.len());
            return Err(Misfit::new(sqlstate::ARRAY_SUBSCRIPT_ERROR, why));
        }
    };
    if count > count_max {
        let why = format!("array of {count} elements is larger than one call may have");
        return Err(Misfit::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, why));
    }
    (0..count).map(|_| element(packed.value()?)).collect()
}

/// Appends an array; `element` appends one packed value.
pub fn push_array(
    out: &mut Vec<u8>,
    values: &[Val],
    has_nulls: bool,
    element_oid: u32,
    mut element: impl FnMut(&mut Vec<u8>, &Val) -> Result<(), Misfit>,
) -> Result<(), Misfit> {
    let count = i32::try_from(values.len())
        .map_err(|_| Misfit::new(sqlstate::PROGRAM_LIMIT_EXCEEDED, "too many elements for an array"))?;
    out.extend_from_slice(&i32::from(count > 0).to_be_bytes());
    out.extend_from_slice(&i32::from(has_nulls).to_be_bytes());
    out.extend_from_slice(&element_oid.to_be_bytes());
    if count > 0 {
        out.extend_from_slice(&count.to_be_bytes());
        out.extend_from_slice(&1i32.to_be_bytes());
    }
    values.iter().try_for_each(|value| element(out, value))
}
