//! Choice among functions of one name (PostgreSQL 15, sections 10.2 and 10.3).

use super::category::{Category, category, implicitly_castable, is_preferred};
use super::polymorphic;
use crate::functions::Signature;
use crate::types::DataType;

/// What the rules need to know of a function, whatever its kind.
pub trait Candidate {
    fn signatures(&self) -> &'static [Signature];
    fn is_variadic(&self) -> bool;

    /// Arguments at the end that may be left out.
    fn optional(&self) -> usize {
        0
    }
}

/// Whether the function can take this many arguments.
pub fn takes<F: Candidate>(function: &F, count: usize) -> bool {
    let declared = function.signatures().len();
    if function.is_variadic() {
        count >= declared
    } else {
        count <= declared && count + function.optional() >= declared
    }
}

/// The signature of argument `index`, the last one standing for all that follow it.
pub fn signature_of<F: Candidate>(function: &F, index: usize) -> Signature {
    let signatures = function.signatures();
    signatures[index.min(signatures.len() - 1)]
}

pub enum Choice<'a, F> {
    One(&'a F),
    None,
    Ambiguous,
}

pub fn choose<F: Candidate>(candidates: Vec<&'static F>, arguments: &[DataType]) -> Choice<'static, F> {
    let candidates: Vec<_> = candidates.into_iter().filter(|function| takes(*function, arguments.len())).collect();
    let exact = candidates.iter().find(|function| {
        (0..arguments.len()).all(|index| signature_of(**function, index) == Signature::Exact(arguments[index]))
    });
    if let Some(function) = exact {
        return Choice::One(function);
    }
    let mut candidates: Vec<_> = candidates.into_iter().filter(|function| accepts(*function, arguments)).collect();
    // An argument list spelled out beats one that a variadic parameter was expanded for.
    if candidates.iter().any(|function| !function.is_variadic()) && candidates.len() > 1 {
        let spelled: Vec<_> = candidates.iter().filter(|function| !function.is_variadic()).copied().collect();
        if spelled.len() == 1 && same_signatures(spelled[0], &candidates, arguments.len()) {
            return Choice::One(spelled[0]);
        }
    }
    match candidates.len() {
        0 => return Choice::None,
        1 => return Choice::One(candidates[0]),
        _ => {}
    }
    let known: Vec<usize> = (0..arguments.len()).filter(|&index| arguments[index] != DataType::Unknown).collect();
    let unknown: Vec<usize> = (0..arguments.len()).filter(|&index| arguments[index] == DataType::Unknown).collect();

    // Most exact matches among the arguments whose type is known.
    keep_best(&mut candidates, |function| {
        known.iter().filter(|&&index| signature_of(function, index) == Signature::Exact(arguments[index])).count()
    });
    if let [function] = candidates[..] {
        return Choice::One(function);
    }

    // Most exact or preferred types among them.
    keep_best(&mut candidates, |function| {
        known
            .iter()
            .filter(|&&index| match signature_of(function, index) {
                Signature::Exact(wanted) => {
                    wanted == arguments[index]
                        || (is_preferred(wanted) && category(wanted) == category(arguments[index]))
                }
                _ => false,
            })
            .count()
    });
    if let [function] = candidates[..] {
        return Choice::One(function);
    }
    if unknown.is_empty() {
        return Choice::Ambiguous;
    }

    resolve_unknown(&mut candidates, &unknown);
    if let [function] = candidates[..] {
        return Choice::One(function);
    }

    // If all known arguments are of one type, assume that the unknown ones are too.
    if let Some((&first, rest)) = known.split_first()
        && rest.iter().all(|&index| arguments[index] == arguments[first])
    {
        let assumed = vec![arguments[first]; arguments.len()];
        let mut matching = candidates.iter().filter(|function| accepts(**function, &assumed));
        if let (Some(function), None) = (matching.next(), matching.next()) {
            return Choice::One(function);
        }
    }
    Choice::Ambiguous
}

/// Chooses a category for each argument of unknown type and drops the candidates of another one, and those that do
/// not take the preferred type where some do.
fn resolve_unknown<F: Candidate>(candidates: &mut Vec<&'static F>, unknown: &[usize]) {
    let mut chosen = Vec::with_capacity(unknown.len());
    for &index in unknown {
        let mut slot: Option<(Category, bool)> = None;
        let mut conflict = false;
        for function in candidates.iter() {
            let (found, preferred) = signature_category(signature_of(*function, index));
            match &mut slot {
                None => slot = Some((found, preferred)),
                Some((current, has_preferred)) if *current == found => *has_preferred |= preferred,
                Some(current) if found == Category::String => *current = (found, preferred),
                Some(_) => conflict = true,
            }
        }
        let Some((found, has_preferred)) = slot else { return };
        if conflict && found != Category::String {
            return;
        }
        chosen.push((index, found, has_preferred));
    }
    let kept: Vec<_> = candidates
        .iter()
        .filter(|function| {
            chosen.iter().all(|&(index, wanted, has_preferred)| {
                let (found, preferred) = signature_category(signature_of(**function, index));
                found == wanted && (preferred || !has_preferred)
            })
        })
        .copied()
        .collect();
    if !kept.is_empty() {
        *candidates = kept;
    }
}

fn signature_category(signature: Signature) -> (Category, bool) {
    match signature {
        Signature::Exact(data_type) => (category(data_type), is_preferred(data_type)),
        _ => (Category::Pseudo, false),
    }
}

/// Keeps the candidates with the highest score; all of them when it is 0.
fn keep_best<F>(candidates: &mut Vec<&'static F>, score: impl Fn(&'static F) -> usize) {
    let scores: Vec<usize> = candidates.iter().map(|function| score(function)).collect();
    let best = scores.iter().copied().max().unwrap_or(0);
    let mut scores = scores.into_iter();
    candidates.retain(|_| scores.next() == Some(best));
}

/// Whether every argument can be converted implicitly, polymorphic ones consistently.
fn accepts<F: Candidate>(function: &F, arguments: &[DataType]) -> bool {
    let exact = arguments.iter().enumerate().all(|(index, &given)| match signature_of(function, index) {
        Signature::Exact(wanted) => implicitly_castable(given, wanted),
        _ => true,
    });
    exact && polymorphic::is_consistent(function, arguments)
}

/// Whether another candidate takes, for this many arguments, the very types that `function` takes.
fn same_signatures<F: Candidate>(function: &'static F, candidates: &[&'static F], count: usize) -> bool {
    candidates.iter().all(|other| {
        std::ptr::eq(*other, function)
            || (0..count).all(|index| signature_of(*other, index) == signature_of(function, index))
    })
}
