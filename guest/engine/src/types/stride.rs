//! Loops over many values or rows.
//!
//! The sandbox interrupts loops where they begin anew, and its compiler keeps what is needed after such a place in
//! memory, as it does with most variables of a long function. So these loops are functions of their own, and take many
//! values for each such place: the compiler before that one unrolls what is done with as many, or makes it vectors.

/// Rows that a loop takes at a time.
pub const ROWS: usize = 8;

/// Values that a loop takes at a time where several fit into a register.
pub const VALUES: usize = 32;

/// `Iterator::for_each` over pairs of two slices that are equally long.
#[inline(always)]
pub fn each_pair<A: Copy, B: Copy>(left: &[A], right: &[B], mut receive: impl FnMut(A, B)) {
    debug_assert_eq!(left.len(), right.len());
    let (left, left_last) = left.as_chunks::<ROWS>();
    let (right, right_last) = right.as_chunks::<ROWS>();
    for (left, right) in left.iter().zip(right) {
        for place in 0..ROWS {
            receive(left[place], right[place]);
        }
    }
    for (&left, &right) in left_last.iter().zip(right_last) {
        receive(left, right);
    }
}

/// `Iterator::fold`.
#[inline(always)]
pub fn fold<T: Copy, A>(values: &[T], initial: A, step: impl Fn(A, T) -> A) -> A {
    let (strides, last) = values.as_chunks::<ROWS>();
    let all = strides.iter().fold(initial, |all, stride| stride.iter().fold(all, |all, &value| step(all, value)));
    last.iter().fold(all, |all, &value| step(all, value))
}

/// Appends the values at these places.
#[inline(never)]
pub fn gather<T: Clone>(target: &mut Vec<T>, values: &[T], places: &[u32]) {
    target.reserve(places.len());
    let (strides, last) = places.as_chunks::<ROWS>();
    for stride in strides {
        target.extend(stride.iter().map(|&place| values[place as usize].clone()));
    }
    target.extend(last.iter().map(|&place| values[place as usize].clone()));
}

/// The places of those that are true. Without branches, which nobody could predict.
#[inline(never)]
pub fn true_places(values: &[bool]) -> Vec<u32> {
    let mut places = vec![0; values.len()];
    let mut count = 0;
    let mut note = |place: usize, value: bool| {
        places[count] = place as u32;
        count += usize::from(value);
    };
    let (strides, last) = values.as_chunks::<ROWS>();
    for (stride, values) in strides.iter().enumerate() {
        for (place, &value) in values.iter().enumerate() {
            note(stride * ROWS + place, value);
        }
    }
    for (place, &value) in last.iter().enumerate() {
        note(strides.len() * ROWS + place, value);
    }
    places.truncate(count);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_and_what_is_left_of_them_are_all_there() {
        for length in [0, 1, 7, 8, 9, 31, 32, 33, 100] {
            let values: Vec<u32> = (0..length).map(|value| value * 7919 % 101).collect();
            let backwards: Vec<u32> = (0..length).rev().collect();
            let mut pairs = vec![];
            each_pair(&values, &backwards, |left, right| pairs.push((left, right)));
            assert!(pairs.iter().copied().eq(values.iter().copied().zip(backwards.iter().copied())), "{length}");
            assert_eq!(fold(&values, 0, |sum, value| sum + value), values.iter().sum::<u32>());
            let mut gathered = vec![7];
            gather(&mut gathered, &values, &backwards);
            assert!(gathered.into_iter().eq([7].into_iter().chain(values.iter().rev().copied())), "{length}");
            let odd: Vec<bool> = values.iter().map(|value| value % 2 == 1).collect();
            let expected: Vec<u32> = (0..length).filter(|place| odd[*place as usize]).collect();
            assert_eq!(true_places(&odd), expected);
        }
    }
}
