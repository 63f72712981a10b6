//! The rules that are kept, how long the timers run, and how far the exploration goes.

/// A rule that is false is not kept.
#[derive(Clone, Copy)]
pub struct Rules {
    /// A new leader takes every node for a lease holder for T·(1+ρ). Not needed where leases end before elections.
    pub new_leader_waits: bool,
    /// A grant goes to nodes that hold everything visible …
    pub grant_needs_visible: bool,
    /// … and the leader's blank, …
    pub grant_needs_blank: bool,
    /// … is given only by a leader that has committed its blank …
    pub grant_needs_committed_blank: bool,
    /// … and is sure of its lead.
    pub grant_needs_lead: Lead,
    /// Leadership is handed on, which voters do not wait for, when no lease is remembered.
    pub transfer_waits: bool,
    /// A leader remembers what it grants.
    pub grant_is_remembered: bool,
    /// Whoever remembers a grant votes for nobody else, and counts it when it is elected again.
    pub grantor_is_sticky: bool,
    /// A follower that has heard of a leader votes for nobody for E.
    pub voters_are_sticky: bool,
    /// A node that has started votes for no other node for E …
    pub restart_waits: bool,
    /// … and does not stand for election either; else it does after half of that.
    pub restart_stands_late: bool,
    /// When a reader looks at its lease: as it notes its last entry, or earlier or later.
    pub lease_checked: Checked,
    /// A leader that is asked for a read answers only while it surely leads.
    pub read_needs_sure_lead: bool,
    /// A leader reads, and has others read, at its blank or later.
    pub read_needs_blank: bool,
    /// Nothing is acknowledged before V covers it.
    pub acknowledge_when_visible: bool,
    /// A leader that starts again leads no more; else it goes on in its term, waits like a new leader, and has its old
    /// blank.
    pub restarted_leader_follows: bool,
}

/// For how long a leader must be sure that it leads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    NotAtAll,
    AtThatMoment,
    /// T·(1+ρ): so the lease ends before another leader is elected.
    ForTheLease,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    Together,
    Before,
    After,
}

pub const FULL: Rules = Rules {
    new_leader_waits: false,
    grant_needs_visible: true,
    grant_needs_blank: true,
    grant_needs_committed_blank: true,
    grant_needs_lead: Lead::ForTheLease,
    transfer_waits: true,
    grant_is_remembered: true,
    grantor_is_sticky: true,
    voters_are_sticky: true,
    restart_waits: true,
    restart_stands_late: true,
    lease_checked: Checked::Together,
    read_needs_sure_lead: true,
    read_needs_blank: true,
    acknowledge_when_visible: true,
    restarted_leader_follows: true,
};

/// What a slow clock counts in one tick of true time, and a fast one: 1 and 2, any at any tick.
pub const SLOW: u8 = 1;
pub const FAST: u8 = 2;

/// How long each timer runs, in units of the clock of the node that runs it.
#[derive(Clone, Copy)]
pub struct Timers {
    /// E: how long a follower that has heard of a leader votes for nobody.
    pub refuses: u8,
    /// E less its margin: how long an acknowledgement makes a leader sure.
    pub heard: u8,
    /// T·(1−ρ): how long the holder uses a lease.
    pub lease: u8,
    /// T·(1+ρ): how long the leader remembers it.
    pub granted: u8,
}

/// The margins that two clocks need of which one may run twice as fast as the other, and nothing to spare.
pub const TIMERS: Timers = Timers { refuses: 6, heard: 3, lease: 1, granted: 2 };

/// The same for leases that may outlast their leader, where a new one waits.
pub const WAITING_TIMERS: Timers = Timers { refuses: 4, heard: 2, lease: 2, granted: 4 };

#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Terms, the first included: one election fewer.
    pub terms: u8,
    /// A log that is so long takes no more from clients; blanks come on top.
    pub log: u8,
    /// Whether what a leader sent may arrive after it has stopped leading.
    pub delayed: bool,
    /// Whether leaders hand leadership on.
    pub transfers: bool,
    pub clocks: Clocks,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clocks {
    /// Every timer of a node runs on that node's one clock, and every follower knows the V that it was told.
    Drifting,
    /// Every timer runs at the rate that is worst for it, even two of one node, and a read is wrong as soon as it
    /// notes too early an entry: what holds here holds with drifting clocks, and is found with far fewer states.
    Worst,
}

/// What a model looks for besides entries lost or changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// A read sees all that was acknowledged or shown before it began.
    StrictReads,
    /// While a leader is sure that it leads, no later one has been elected.
    SoleLeader,
}
