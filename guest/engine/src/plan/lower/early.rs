//! Filters whose columns are decoded before the others.

use crate::execute::expression::{Compiled, cannot_fail, has_subquery};
use crate::plan::physical::EarlyFilter;

/// What of a filter over `columns` decoded columns can go first and leave other columns to be decoded later; none when
/// it reads them all, or what it reads is not in it.
pub fn early_filter(filter: &Compiled, columns: usize) -> Option<EarlyFilter> {
    if has_subquery(filter) {
        return None;
    }
    let conjuncts = match filter {
        Compiled::And(conjuncts) => conjuncts.as_slice(),
        filter => std::slice::from_ref(filter),
    };
    // As `expression::select` orders them: the cheap ones leave the others fewer rows.
    let (cheap, others): (Vec<Compiled>, Vec<Compiled>) = conjuncts.iter().cloned().partition(cannot_fail);
    let (first, rest) = if cheap.is_empty() { (others, vec![]) } else { (cheap, others) };
    let (first, rest) = (conjunction(first)?, conjunction(rest));
    let mut read = vec![false; columns];
    first.columns(&mut |position| read[position] = true);
    read.contains(&false).then_some(EarlyFilter { first, columns: read, rest })
}

fn conjunction(mut conjuncts: Vec<Compiled>) -> Option<Compiled> {
    match conjuncts.len() {
        0 | 1 => conjuncts.pop(),
        _ => Some(Compiled::And(conjuncts)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{DataType, Value};

    fn column(position: usize) -> Compiled {
        Compiled::Column { position, data_type: DataType::Boolean }
    }

    /// A conjunct that may fail.
    fn cast(position: usize) -> Compiled {
        let (to, modifier, explicit) = (DataType::Boolean, -1, true);
        Compiled::Cast { input: Box::new(column(position)), to, modifier, explicit }
    }

    fn split(conjuncts: Vec<Compiled>) -> Option<(String, Vec<bool>, Option<String>)> {
        let early = early_filter(&Compiled::And(conjuncts), 3)?;
        Some((format!("{:?}", early.first), early.columns, early.rest.map(|rest| format!("{rest:?}"))))
    }

    #[test]
    fn conjuncts_that_cannot_fail_go_first() {
        let (first, columns, rest) = split(vec![cast(0), column(2)]).unwrap();
        assert_eq!(first, format!("{:?}", column(2)));
        assert_eq!(columns, [false, false, true]);
        assert_eq!(rest, Some(format!("{:?}", cast(0))));
    }

    #[test]
    fn a_filter_of_others_goes_first_as_a_whole() {
        let (first, columns, rest) = split(vec![cast(0), cast(1)]).unwrap();
        assert_eq!(first, format!("{:?}", Compiled::And(vec![cast(0), cast(1)])));
        assert_eq!((columns, rest), (vec![true, true, false], None));
    }

    #[test]
    fn nothing_goes_first_where_no_column_is_left() {
        assert_eq!(split(vec![column(0), column(1), column(2)]), None);
        assert_eq!(
            split(vec![column(0), Compiled::Subquery { index: 0, left: vec![], data_type: DataType::Boolean }]),
            None
        );
        assert!(early_filter(&Compiled::Literal(Value::Boolean(true), DataType::Boolean), 0).is_none());
    }
}
