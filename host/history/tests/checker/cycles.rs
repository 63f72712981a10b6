//! Planted cycles, one of each class and order; and what isolation levels make of them.

use crate::notation::{expect, history};
use isobar_history::{Class, Kind, Order, check};

fn cycle(class: Class) -> Vec<Kind> {
    vec![Kind::Cycle(class, Order::Data)]
}

#[test]
fn g0() {
    let report = expect(
        "0 1-9 a1:1 a2:1
         1 1-9 a1:2 a2:2
         2 1-9 r1:1,2
         3 1-9 r2:2,1",
        &cycle(Class::G0),
    );
    assert_eq!(report.findings[0].transactions, [0, 1]);
    let text = report.to_string();
    assert!(
        text.contains("T0 (session 0 at node 0, snapshot, 0.000001 ms to 0.000009 ms, committed): append"),
        "{text}"
    );
    assert!(text.contains("-ww-> T1, whose append of 2 to key 1 comes after T0's"), "{text}");
}

#[test]
fn g1c() {
    let report = expect(
        "0 1-9 a1:1 r2:1
         1 1-9 a2:1 r1:1",
        &cycle(Class::G1c),
    );
    assert!(report.to_string().contains("-wr-> T0, which read key 2 with T1's 1 in it"), "{report}");
}

#[test]
fn g_single() {
    let report = expect(
        "0 1-9 a1:1 a2:1
         1 1-9 r1:1 r2:",
        &cycle(Class::GSingle),
    );
    let expected = "-rw-> T0, which appended 1 to key 2: T1 read it without that";
    assert!(report.to_string().contains(expected), "{report}");
}

/// Two readers see two writers in different orders (a long fork).
#[test]
fn g_nonadjacent() {
    let report = expect(
        "0 1-9 a1:1
         1 1-9 a2:1
         2 1-9 r1:1 r2:
         3 1-9 r1: r2:1",
        &cycle(Class::GNonadjacent),
    );
    assert_eq!(report.findings[0].transactions, [0, 1, 2, 3]);
}

#[test]
fn write_skew() {
    let skew = |first: &str, second: &str| format!("0 1-9 r1: a2:1 {first}\n 1 1-9 r2: a1:1 {second}");
    let report = expect(&skew("serializable", "serializable"), &cycle(Class::G2Item));
    assert!(report.to_string().contains("asked for SERIALIZABLE"), "{report}");
    expect(&skew("", ""), &[]);
    expect(&skew("serializable", ""), &[]);
    expect(&skew("", "serializable"), &[]);
    // Seen by others.
    let seen = "\n 2 1-9 r1:1\n 3 1-9 r2:1";
    expect(&(skew("serializable", "serializable") + seen), &cycle(Class::G2Item));
    expect(&(skew("", "") + seen), &[]);
}

/// T0 -rw-> T1 -rw-> T2 -wr-> T0: only what T1, in the middle, asked for matters.
#[test]
fn the_middle_decides() {
    let history = |middle: &str, others: &str| {
        format!(
            "0 1-9 r1: r2:1 {others}
             1 1-9 a1:1 r2: {middle}
             2 1-9 a2:1 {others}"
        )
    };
    expect(&history("", ""), &[]);
    expect(&history("", "serializable"), &[]);
    expect(&history("serializable", ""), &cycle(Class::G2Item));
    expect(&history("serializable", "serializable"), &cycle(Class::G2Item));
}

/// An anomaly at both levels is one when they are mixed.
#[test]
fn levels_do_not_excuse_read_skew() {
    for (writer, reader) in [("", "serializable"), ("serializable", ""), ("serializable", "serializable")] {
        expect(&format!("0 1-9 a1:1 a2:1 {writer}\n 1 1-9 r1:1 r2: {reader}"), &cycle(Class::GSingle));
    }
}

/// Runs a history in which A comes before B in one session, and then in which A comes before B in real time only.
fn with_order(text: &str, class: Class, further: &[Kind]) {
    let process = text.replace("A", "0 1-10").replace("B", "0 10-20");
    expect(&process, &[Kind::Cycle(class, Order::Process)]);
    let time = text.replace("A", "0 1-10").replace("B", "2 11-20");
    expect(&time, &[further, &[Kind::Cycle(class, Order::RealTime)]].concat());
    let none = text.replace("A", "0 1-10").replace("B", "2 10-20");
    expect(&none, &[]);
}

#[test]
fn g0_by_order() {
    with_order(
        "A a1:1
         B a1:2
         9 1-90 r1:2,1",
        Class::G0,
        &[],
    );
}

#[test]
fn g1c_by_order() {
    with_order(
        "A r1:1
         B a1:1",
        Class::G1c,
        &[],
    );
}

#[test]
fn g_single_by_order() {
    with_order(
        "A a1:1
         B r1:
         9 1-90 r1:1",
        Class::GSingle,
        &[Kind::StaleRead],
    );
}

#[test]
fn g_nonadjacent_by_order() {
    with_order(
        "A a1:1
         B r2:
         7 1-90 a2:1
         8 1-90 r2:1 r1:
         9 1-90 r1:1",
        Class::GNonadjacent,
        &[],
    );
}

#[test]
fn g2_item_by_order() {
    with_order(
        "A a2:1 serializable
         B r1: serializable
         9 1-90 a1:1 r2: serializable",
        Class::G2Item,
        &[],
    );
}

/// T0 was acknowledged before T1 began; who sees T1 must see T0, even where strict reads do not ask for it.
#[test]
fn causal_reverse() {
    let report = expect(
        "0 10-11 a1:1
         1 12-13 a2:1
         2 1-90 r1: r2:1",
        &[Kind::Cycle(Class::GSingle, Order::RealTime)],
    );
    let expected = "-realtime-> T1, which began at 0.000012 ms, after T0 was acknowledged at 0.000011 ms";
    assert!(report.to_string().contains(expected), "{report}");
}

/// Appends that nobody read come after those that somebody read, in whatever order.
#[test]
fn unread_appends() {
    // Three of them, all unread; and one transaction that saw none of them but something that depends on one.
    expect(
        "0 1-90 a1:1
         1 1-90 a1:2
         2 1-90 a1:3 a2:1
         3 1-90 r1: r2:1",
        &cycle(Class::GSingle),
    );
    // They come after what was read.
    expect(
        "0 1-90 a1:1 r2:1
         1 1-90 a1:2 a2:1
         2 1-90 a1:3
         3 1-90 r1:1",
        &cycle(Class::G1c),
    );
    // T0 -rw-> T2 -wr-> T3 -rw-> T0, where the last is known of T0 or T1.
    let text = "0 1-90 a1:1 r3: L\n 1 1-90 a1:2 r3: L\n 2 1-90 a3:1 L\n 3 1-90 r3:1 r1: L";
    expect(&text.replace('L', ""), &[]);
    expect(&text.replace('L', "serializable"), &cycle(Class::G2Item));
    // The writer of what was read last goes on first, and that is no cycle.
    expect(
        "0 1-90 a1:1 a1:2
         1 1-90 r1:1
         2 1-90 a1:3",
        &[Kind::IntermediateRead, Kind::Cycle(Class::GSingle, Order::Data)],
    );
    // A reader that appends is next, and is no cycle with itself.
    for level in ["", "serializable"] {
        let text = "0 1-90 a1:1 L\n 1 1-90 r1: a1:2 L\n 2 1-90 a1:3 L\n 3 1-90 r1: L";
        expect(&text.replace('L', level), &[]);
    }
    // So is who appends twice and is seen in between by itself only.
    expect("0 1-90 a1:1 r1:1 a1:2 serializable\n 1 1-90 a1:3 serializable\n 2 1-90 a1:4 serializable", &[]);
}

#[test]
fn long_cycles() {
    let length = 5000;
    let mut text = String::new();
    for place in 0..length {
        text += &format!("{place} 1-9 a{place}:1 r{}:1\n", (place + 1) % length);
    }
    let report = expect(&text, &cycle(Class::G1c));
    assert_eq!(report.findings[0].transactions.len(), length);
    assert!(report.to_string().contains("and so on, 4976 more steps back to T"), "{report}");
    // Write skew of many.
    let skew = text.replace(":1\n", ": serializable\n");
    let report = expect(&skew, &cycle(Class::G2Item));
    assert_eq!(report.findings[0].transactions.len(), length);
    expect(&skew.replace("serializable", ""), &[]);
    // One of them at snapshot isolation is enough of an excuse.
    expect(&skew.replacen("serializable", "", 1), &[]);
}

/// In the middle of much that is right, and through all of its real time: still the short one.
#[test]
fn short_cycles_are_preferred() {
    let mut text = String::new();
    for place in 0..2000 {
        let further = if place == 1407 { "r703:" } else { "" };
        text += &format!("{place} {}-{} a{place}:1 {further}\n", place * 10, place * 10 + 5);
    }
    text += "9999 1-90000 r703:1\n";
    // A longer one around it.
    text += "7001 1-90000 r1900:1 a6000:1\n7002 1-90000 r6000:1 r200:";
    let report = expect(&text, &[Kind::StaleRead, Kind::Cycle(Class::GSingle, Order::RealTime)]);
    assert_eq!(report.findings[1].transactions, [703, 1407]);
}

#[test]
fn cycles_apart_are_found_apart() {
    let mut text = String::new();
    for place in 0..300 {
        text += &format!("{0} 1-9 a{0}:1 a{1}:1\n{1} 1-9 r{0}:1 r{1}:\n", place * 2, place * 2 + 1);
    }
    let report = check(&history(&text));
    let kind = Kind::Cycle(Class::GSingle, Order::Data);
    assert_eq!(report.count(kind), 300);
    assert_eq!(report.findings.len(), isobar_history::Report::FINDINGS_KEPT);
    assert!(report.to_string().contains("G-single: 300 found"), "{report}");
}
