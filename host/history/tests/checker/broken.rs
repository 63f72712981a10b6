//! Histories of databases with a flaw are caught, whatever the flaw.

use crate::notation::assert_cycles_are_whole;
use crate::simulator::{Flaw, Settings, simulate};
use isobar_history::{Class, Kind, Order, check};
use std::collections::BTreeMap;

const SEEDS: u64 = 60;

/// At least `percent` of seeds are caught, each of `kinds` is among what is found, and `only` says what may be found.
fn caught(flaw: Flaw, serializable_percent: u64, percent: u64, kinds: &[Kind], only: impl Fn(Kind) -> bool) {
    let mut found: BTreeMap<Kind, u64> = BTreeMap::new();
    let mut seeds = 0;
    for seed in 0..SEEDS {
        let settings = Settings {
            sessions: 6,
            keys: 4,
            serializable_percent,
            flaw,
            unknown_percent: 2,
            ..Settings::of_seed(seed)
        };
        let report = check(&simulate(&settings));
        assert_cycles_are_whole(&report);
        seeds += u64::from(!report.is_clean());
        for kind in report.kinds() {
            assert!(only(kind), "{flaw:?}, seed {seed}: {report}");
            *found.entry(kind).or_default() += 1;
        }
    }
    assert!(seeds * 100 >= SEEDS * percent, "{flaw:?}: {seeds} of {SEEDS} seeds caught: {found:?}");
    for kind in kinds {
        assert!(found.contains_key(kind), "{flaw:?}: no {kind}: {found:?}");
    }
}

const G_SINGLE: Kind = Kind::Cycle(Class::GSingle, Order::Data);

#[test]
fn later_committers_win_as_well() {
    caught(Flaw::NoFirstCommitter, 0, 100, &[Kind::LostUpdate, G_SINGLE], |kind| {
        matches!(kind, Kind::LostUpdate | Kind::Cycle(..))
    });
}

#[test]
fn reads_are_not_certified() {
    let is_antidependent = |kind| matches!(kind, Kind::Cycle(Class::G2Item, _) | Kind::TimestampOrder);
    caught(Flaw::NoCertification, 100, 100, &[Kind::Cycle(Class::G2Item, Order::Data)], is_antidependent);
    caught(Flaw::NoCertification, 60, 100, &[Kind::Cycle(Class::G2Item, Order::Data)], is_antidependent);
    // Nobody asked.
    caught(Flaw::NoCertification, 0, 0, &[], |_| false);
}

#[test]
fn snapshots_lag() {
    let kinds = [Kind::StaleRead, Kind::Cycle(Class::GSingle, Order::RealTime)];
    caught(Flaw::OldSnapshots, 0, 100, &kinds, |kind| {
        matches!(kind, Kind::StaleRead | Kind::LostAppend | Kind::Cycle(_, Order::Process | Order::RealTime))
    });
}

#[test]
fn snapshots_are_torn() {
    caught(Flaw::TornSnapshots, 0, 100, &[Kind::Internal, Kind::LostUpdate, G_SINGLE], |kind| {
        matches!(kind, Kind::Internal | Kind::LostUpdate | Kind::Cycle(..))
    });
}

#[test]
fn acknowledged_too_early() {
    caught(Flaw::EarlyAcknowledgement, 0, 100, &[Kind::StaleRead], |_| true);
}

#[test]
fn aborted_and_not_undone() {
    caught(Flaw::NoUndo, 0, 100, &[Kind::AbortedRead], |_| true);
}

#[test]
fn acknowledged_and_forgotten() {
    caught(Flaw::ForgottenCommit, 0, 95, &[Kind::LostAppend], |kind| {
        matches!(kind, Kind::LostAppend | Kind::LostUpdate)
    });
}

#[test]
fn wrong_timestamps() {
    caught(Flaw::WrongTimestamps, 0, 100, &[Kind::TimestampOrder], |kind| {
        matches!(kind, Kind::TimestampOrder | Kind::DuplicateTimestamp)
    });
}

#[test]
fn own_writes_are_not_seen() {
    caught(Flaw::NoOwnWrites, 0, 100, &[Kind::Internal], |kind| kind == Kind::Internal);
}

#[test]
fn regions_disagree() {
    caught(Flaw::TwoOrders, 0, 100, &[Kind::IncompatibleOrder], |_| true);
}
