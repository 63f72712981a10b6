//! Histories of a database without flaws have no findings.

use crate::simulator::{Flaw, Settings, simulate};
use isobar_history::{Report, check};

fn clean(settings: Settings) -> Report {
    let report = check(&simulate(&settings));
    assert!(report.is_clean(), "seed {}: {report}", settings.seed);
    assert!(report.summary.committed > 50, "seed {}: {report}", settings.seed);
    report
}

#[test]
fn serial() {
    for seed in 0..200 {
        let settings =
            Settings { sessions: 1, serializable_percent: 50, unknown_percent: 0, ..Settings::of_seed(seed) };
        let report = clean(settings);
        assert!(report.summary.write_write > 20 && report.summary.write_read > 20, "seed {seed}: {report}");
    }
}

#[test]
fn snapshot_isolation() {
    let mut read_write = 0;
    for seed in 0..300 {
        read_write += clean(Settings::of_seed(seed)).summary.read_write;
    }
    assert!(read_write > 3000, "only {read_write} antidependencies in all");
}

#[test]
fn serializable() {
    for seed in 0..300 {
        clean(Settings { serializable_percent: 100, ..Settings::of_seed(seed) });
    }
}

#[test]
fn mixed_levels_and_stale_reads() {
    let mut unknown_seen = 0;
    for seed in 0..300 {
        let settings = Settings { serializable_percent: 50, staleness: true, ..Settings::of_seed(seed) };
        unknown_seen += clean(settings).summary.unknown_seen;
    }
    assert!(unknown_seen > 100, "only {unknown_seen} of unknown outcome were seen");
}

/// Nothing is quadratic: this would take minutes. `ISOBAR_HISTORY` sets the number of transactions.
#[test]
fn large() {
    let transactions = std::env::var("ISOBAR_HISTORY").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    for flaw in [Flaw::None, Flaw::OldSnapshots, Flaw::NoFirstCommitter, Flaw::TornSnapshots, Flaw::TwoOrders] {
        let settings = Settings { sessions: 100, keys: 50, transactions, flaw, ..Settings::of_seed(6) };
        let history = simulate(&settings);
        let start = std::time::Instant::now();
        let report = check(&history);
        println!("{flaw:?}: {:?} for {report}", start.elapsed());
        assert_eq!(report.is_clean(), flaw == Flaw::None, "{report}");
    }
}
