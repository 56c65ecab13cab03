//! What a scene is: a name, what it measures, and the bars it is held to. Bars are data, so that the printed table, the
//! JSON file and the exit code say the same.

use crate::race::Runs;

/// What a commit of the scene promises once it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The scene commits nothing.
    None,
    /// Published, gone with the process. Peers: no file, or no fsync.
    Memory,
    /// Synced to the disk, all of a batch at once.
    Fsync,
}

impl Durability {
    pub fn name(self) -> &'static str {
        match self {
            Durability::None => "-",
            Durability::Memory => "memory",
            Durability::Fsync => "fsync",
        }
    }
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds per item.
    Nanoseconds,
    /// Bytes of memory per record.
    Bytes,
    /// Crates.
    Count,
}

impl Unit {
    pub fn name(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "ns",
            Unit::Bytes => "bytes",
            Unit::Count => "count",
        }
    }

    /// A figure as people read it.
    pub fn show(self, value: f64) -> String {
        match self {
            Unit::Nanoseconds if value >= 1e9 => format!("{:.2} s", value / 1e9),
            Unit::Nanoseconds if value >= 1e6 => format!("{:.2} ms", value / 1e6),
            Unit::Nanoseconds if value >= 1e4 => format!("{:.2} us", value / 1e3),
            Unit::Nanoseconds => format!("{value:.2} ns"),
            Unit::Bytes => format!("{value:.0} B"),
            Unit::Count => format!("{value:.0}"),
        }
    }
}

/// What our side is held to, by its minimum.
#[derive(Debug, Clone, Copy)]
pub enum Bar {
    /// At most so much.
    AtMost(f64),
    /// At most so many times what the side of this name takes.
    Ratio(&'static str, f64),
    /// At most so much more than the side of this name takes.
    Beyond(&'static str, f64),
}

/// A bar beside what was measured.
#[derive(Debug, Clone)]
pub struct Verdict {
    pub bar: Bar,
    /// In the bar's own terms: a figure, a ratio, a difference.
    pub measured: f64,
    pub is_met: bool,
}

impl Bar {
    /// The side that the bar compares with.
    pub fn peer(self) -> Option<&'static str> {
        match self {
            Bar::AtMost(_) => None,
            Bar::Ratio(peer, _) | Bar::Beyond(peer, _) => Some(peer),
        }
    }

    pub fn limit(self) -> f64 {
        match self {
            Bar::AtMost(limit) | Bar::Ratio(_, limit) | Bar::Beyond(_, limit) => limit,
        }
    }

    pub fn kind(self) -> &'static str {
        match self {
            Bar::AtMost(_) => "at most",
            Bar::Ratio(..) => "ratio at most",
            Bar::Beyond(..) => "beyond the peer at most",
        }
    }

    /// Whether our side, the first one, meets it; `None` if the peer it names did not run.
    pub fn judge(self, sides: &[Runs]) -> Option<Verdict> {
        let ours = sides.first()?.min;
        let theirs = |peer: &str| sides.iter().find(|side| side.side == peer).map(|side| side.min);
        let measured = match self {
            Bar::AtMost(_) => ours,
            Bar::Ratio(peer, _) => ours / theirs(peer)?,
            Bar::Beyond(peer, _) => ours - theirs(peer)?,
        };
        Some(Verdict { bar: self, measured, is_met: measured <= self.limit() })
    }
}

/// One piece of work, done by us and by peers.
pub struct Scene {
    /// Short, for `--only`.
    pub name: &'static str,
    /// What is measured, with the size.
    pub title: &'static str,
    pub durability: Durability,
    pub unit: Unit,
    pub bars: &'static [Bar],
    /// Runs it. Our side is the first.
    pub run: fn() -> Vec<Runs>,
}

/// A scene with what it measured.
pub struct Outcome {
    pub scene: &'static Scene,
    pub sides: Vec<Runs>,
    pub verdicts: Vec<Verdict>,
}

impl Scene {
    pub fn outcome(&'static self) -> Outcome {
        let sides = (self.run)();
        let verdicts = self.bars.iter().filter_map(|bar| bar.judge(&sides)).collect();
        Outcome { scene: self, sides, verdicts }
    }
}
