//! One type for the branches of a CASE, UNION and their like (PostgreSQL 15, section 10.5).

use super::category::{category, implicitly_castable, is_preferred};
use crate::error::{Error, Result, sqlstate};
use crate::types::DataType;

/// The type that all of `types` are to be cast to. `construct` is what messages call it: `CASE`, `UNION`, `ARRAY`.
pub fn common_type(types: &[DataType], construct: &str) -> Result<DataType> {
    let chosen = select(types).map_err(|(first, second)| {
        Error::new(
            sqlstate::DATATYPE_MISMATCH,
            format!("{construct} types {} and {} cannot be matched", first.name(), second.name()),
        )
    })?;
    match types.iter().position(|given| !implicitly_castable(*given, chosen)) {
        Some(at) => Err(Error::new(
            sqlstate::CANNOT_COERCE,
            format!("{} could not convert type {} to {}", part(construct, at), types[at].name(), chosen.name()),
        )),
        None => Ok(chosen),
    }
}

/// A CASE's first type is that of ELSE.
fn part(construct: &str, at: usize) -> &str {
    match construct {
        "CASE" if at == 0 => "CASE/ELSE",
        "CASE" => "CASE/WHEN",
        construct => construct,
    }
}

/// None when there is no such type.
pub fn select_common_type(types: &[DataType]) -> Option<DataType> {
    let chosen = select(types).ok()?;
    types.iter().all(|given| implicitly_castable(*given, chosen)).then_some(chosen)
}

/// The pair of types that cannot be matched is the error.
fn select(types: &[DataType]) -> std::result::Result<DataType, (DataType, DataType)> {
    let mut chosen = DataType::Unknown;
    for &given in types {
        if given == DataType::Unknown || given == chosen {
            continue;
        }
        if chosen == DataType::Unknown {
            chosen = given;
        } else if category(given) != category(chosen) {
            return Err((chosen, given));
        } else if !is_preferred(chosen) && implicitly_castable(chosen, given) && !implicitly_castable(given, chosen) {
            chosen = given;
        }
    }
    Ok(if chosen == DataType::Unknown { DataType::Text } else { chosen })
}
