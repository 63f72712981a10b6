use super::*;

struct Still;

impl Clock for Still {
    fn now_micros(&self) -> u64 {
        0
    }

    fn monotonic_micros(&self) -> u64 {
        0
    }
}

const SEEN: Visible = Visible { timestamp: 0, catalog_timestamp: 0 };

/// A node that leads in term 3, whose first entry is all that there is. These others have it.
fn leader(others: &[u64]) -> Visibility {
    let rules = Rules::new(&Limits::default());
    let visibility = Visibility::new(Snapshots::default(), Arc::new(Still), rules, 0, SEEN);
    visibility.applied([(1, SEEN)].into_iter(), 3);
    visibility.lead(3, 1, others.to_vec(), false);
    visibility.progress(3, others.iter().map(|other| (*other, 1)).collect());
    visibility
}

fn sure(term: u64, age: u64) -> Option<Sure> {
    Some(Sure { term, age })
}

#[test]
fn entries_of_another_term_wait_for_the_word_of_their_leader() {
    let visibility = leader(&[]);
    visibility.applied([(2, SEEN)].into_iter(), 3);
    assert_eq!(visibility.visible(), 2, "nobody else reads");
    visibility.applied([(3, SEEN)].into_iter(), 4);
    assert_eq!(visibility.visible(), 2, "whoever leads now may have granted leases");
    assert_eq!(visibility.leading(), None);
    visibility.told(3);
    assert_eq!(visibility.visible(), 3);
}

#[test]
fn a_lease_that_could_outlast_the_leader_is_not_granted() {
    let visibility = leader(&[2]);
    let answer = |term, age| visibility.answer(2, true, sure(term, age)).unwrap();
    assert!(answer(3, visibility.rules.grants_for() - 1).leased);
    let late = answer(3, visibility.rules.grants_for());
    assert!(late.fresh && !late.leased);
    let other = answer(4, 0);
    assert!(!other.fresh && !other.leased, "what it has is of term 3");
    assert_eq!(visibility.read_index(sure(4, 0)), None);
}

#[test]
fn leases_bind_whoever_has_granted_them_in_later_terms_too() {
    let visibility = leader(&[2]);
    assert!(!visibility.is_bound());
    assert!(visibility.answer(2, true, sure(3, 0)).unwrap().leased);
    visibility.follow();
    assert!(visibility.is_bound());
    visibility.applied([(2, SEEN)].into_iter(), 5);
    visibility.lead(5, 2, vec![2], false);
    visibility.progress(5, BTreeMap::from([(2, 1)]));
    assert_eq!(visibility.visible(), 1, "node 2 may be reading without the second entry");
}

#[test]
fn who_is_asked_for_a_vote_grants_nothing_before_the_answer() {
    let visibility = leader(&[2]);
    let leased = || visibility.answer(2, true, sure(3, 0)).unwrap().leased;
    assert!(visibility.may_vote(4));
    assert!(!leased());
    visibility.has_voted(4, false);
    assert!(leased());
    assert!(!visibility.may_vote(4), "a lease has been granted");
    let visibility = leader(&[2]);
    assert!(visibility.may_vote(4));
    visibility.has_voted(4, true);
    assert!(!visibility.answer(2, true, sure(3, 0)).unwrap().leased);
}

#[test]
fn nobody_leads_who_has_applied_what_a_later_leader_sent() {
    let visibility = leader(&[2]);
    visibility.applied([(2, SEEN)].into_iter(), 4);
    visibility.lead(3, 1, vec![2], false);
    assert_eq!((visibility.leading(), visibility.visible()), (None, 1));
}

#[test]
fn a_leader_whose_store_is_replaced_does_not_lead() {
    let visibility = leader(&[]);
    visibility.replaced(9, SEEN);
    assert_eq!((visibility.leading(), visibility.visible()), (None, 1));
}
