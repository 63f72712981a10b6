mod explore;
mod rules;
mod state;
mod step;
mod tell;

use explore::explore;
use rules::{Bounds, Checked, FULL, Restarted, Rules, TIMERS, Timers};
use step::Model;

#[test]
fn all() {
    let env = |name: &str, default: u8| std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default);
    let bounds = Bounds { terms: env("TERMS", 2), log: env("LOG", 2), delayed: env("DELAYED", 1) > 0, exact: env("EXACT", 0) > 0 };
    let cases: Vec<(&str, Rules, Timers)> = vec![
        ("full", FULL, TIMERS),
        ("new_leader_waits", Rules { new_leader_waits: false, ..FULL }, TIMERS),
        ("grant_needs_visible", Rules { grant_needs_visible: false, ..FULL }, TIMERS),
        ("grant_needs_blank", Rules { grant_needs_blank: false, ..FULL }, TIMERS),
        ("grant_needs_committed_blank", Rules { grant_needs_committed_blank: false, ..FULL }, TIMERS),
        ("grant_needs_sure_lead", Rules { grant_needs_sure_lead: false, ..FULL }, TIMERS),
        ("grant_is_remembered", Rules { grant_is_remembered: false, ..FULL }, TIMERS),
        ("voters_are_sticky", Rules { voters_are_sticky: false, ..FULL }, TIMERS),
        ("restart_waits", Rules { restart_waits: false, ..FULL }, TIMERS),
        ("after", Rules { lease_checked: Checked::AfterNoting, ..FULL }, TIMERS),
        ("before", Rules { lease_checked: Checked::BeforeNoting, ..FULL }, TIMERS),
        ("read_needs_sure_lead", Rules { read_needs_sure_lead: false, ..FULL }, TIMERS),
        ("read_needs_blank", Rules { read_needs_blank: false, ..FULL }, TIMERS),
        ("ack_visible", Rules { acknowledge_when_visible: false, ..FULL }, TIMERS),
        ("resumes", Rules { restarted_leader: Restarted::Resumes, ..FULL }, TIMERS),
        ("resumes log end", Rules { restarted_leader: Restarted::ResumesAtLogEnd, ..FULL }, TIMERS),
        ("T margin", FULL, Timers { lease: 3, granted: 3, ..TIMERS }),
        ("E margin", FULL, Timers { heard: 4, ..TIMERS }),
        ("E margin of T", FULL, Timers { heard: 4, refuses: 6, ..TIMERS }),
    ];
    let only = std::env::var("ONLY").unwrap_or_default();
    for (name, rules, timers) in cases {
        if !only.is_empty() && !name.contains(&only) { continue; }
        let model = Model { rules, timers, bounds };
        let began = std::time::Instant::now();
        let explored = explore(&model);
        println!("{name}: {} states {} transitions depth {} in {:?} {:?}", explored.states, explored.transitions, explored.depth, began.elapsed(), explored.violation.as_ref().map(|v| v.1.clone()));
        if let Some((way, broken)) = explored.violation && !only.is_empty() {
            println!("{}", tell::told(&model.start(), &way, &broken));
        }
    }
}
