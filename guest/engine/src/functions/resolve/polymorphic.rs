//! Polymorphic types (PostgreSQL 15, section 38.2.5): whether a call's arguments agree on one type, and which.

use super::candidate::{Candidate, signature_of};
use super::common_type::select_common_type;
use crate::error::{Error, Result, sqlstate};
use crate::functions::Signature;
use crate::types::DataType;

/// The types that the polymorphic arguments of a call agree on.
struct Agreement {
    /// anyelement's type
    element: Option<DataType>,
    /// anycompatible's type
    compatible: Option<DataType>,
}

pub fn is_consistent<F: Candidate>(function: &F, arguments: &[DataType]) -> bool {
    agree(function, arguments).is_some()
}

/// None when the arguments contradict each other.
fn agree<F: Candidate>(function: &F, arguments: &[DataType]) -> Option<Agreement> {
    let mut agreement = Agreement { element: None, compatible: None };
    let mut compatible = vec![];
    for (index, &given) in arguments.iter().enumerate() {
        let signature = signature_of(function, index);
        if given == DataType::Unknown {
            continue;
        }
        let element = match signature {
            Signature::AnyElement => given,
            Signature::AnyNonArray if given.element().is_some() => return None,
            Signature::AnyNonArray => given,
            Signature::AnyArray => given.element()?,
            Signature::AnyCompatible => {
                compatible.push(given);
                continue;
            }
            Signature::AnyCompatibleArray => {
                compatible.push(given.element()?);
                continue;
            }
            Signature::Exact(_) | Signature::Any => continue,
        };
        if *agreement.element.get_or_insert(element) != element {
            return None;
        }
    }
    if !compatible.is_empty() {
        agreement.compatible = Some(select_common_type(&compatible)?);
    }
    Some(agreement)
}

/// The types that a call's arguments are to be cast to, and its result type.
pub fn instantiate<F: Candidate>(
    function: &F,
    result: Signature,
    arguments: &[DataType],
) -> Result<(Vec<DataType>, DataType)> {
    let agreement = agree(function, arguments)
        .ok_or_else(|| Error::internal("the arguments of a chosen function do not agree on a type"))?;
    let uses_compatible = (0..arguments.len())
        .any(|index| matches!(signature_of(function, index), Signature::AnyCompatible | Signature::AnyCompatibleArray));
    // Arguments of the anycompatible family that are all unknown literals are text.
    let compatible = agreement.compatible.or(uses_compatible.then_some(DataType::Text));
    let undetermined = || {
        Error::new(sqlstate::DATATYPE_MISMATCH, "could not determine polymorphic type because input has type unknown")
    };
    let instantiate = |signature, given: DataType| match signature {
        Signature::Exact(data_type) => Ok(data_type),
        Signature::AnyElement | Signature::AnyNonArray => agreement.element.ok_or_else(undetermined),
        Signature::AnyArray => Ok(agreement.element.ok_or_else(undetermined)?.array_of()),
        Signature::AnyCompatible => compatible.ok_or_else(undetermined),
        Signature::AnyCompatibleArray => Ok(compatible.ok_or_else(undetermined)?.array_of()),
        Signature::Any if given == DataType::Unknown => Ok(DataType::Text),
        Signature::Any => Ok(given),
    };
    let types = arguments
        .iter()
        .enumerate()
        .map(|(index, &given)| {
            Ok(super::category::cast_target(given, instantiate(signature_of(function, index), given)?))
        })
        .collect::<Result<_>>()?;
    Ok((types, instantiate(result, DataType::Unknown)?))
}
