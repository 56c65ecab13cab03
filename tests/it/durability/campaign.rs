//! The oracle, and the campaigns that it judges: a script runs on a disk that loses power, or fails, at some operation;
//! what is left is opened, judged, and opened again while power fails during *that*.
//!
//! A script runs once, on a disk that remembers what it was before each operation: what power leaves behind when it fails
//! there needs no second run. Disks that are equal byte for byte are opened once; the later ones are judged by what came of
//! it. Both are counted: images, and those among them that differ.
//!
//! | | what must hold of what is opened |
//! |---|---|
//! | D1 | it is at least at the last commit that was acknowledged as durable |
//! | D2 | it equals the model at its commit: no hole, no half transaction |
//! | D3 | slots, heap, indexes, uniques and references equal those recomputed from the rows |
//! | D4 | opening it again changes nothing |
//! | D5 | it accepts a commit, and reopens with it |
//! | D6 | nothing that ends in `.tmp` is left, and the disk holds no more than it should |
//! | D7 | errors are typed; nothing panics |
//! | D8 | what is provably durable and cannot be read is an error, never a smaller past |

use super::world::{Model, SEGMENT_BYTES, World, builder, transact};
use dbgen_runtime::storage::Sabotage;
use dbgen_runtime::storage::simulated::{Fault, Profile, Simulated};
use dbgen_runtime::{Database, Error, SyncLevel, Value};
use std::collections::HashMap;
use std::ops::AddAssign;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Transactions of a script that is finished.
const FINISHED_STEPS: usize = 12;
/// Bytes that the disk of a script may hold at the end.
const DISK_BYTES_MAX: usize = 1 << 20;
/// Of so many disks one is opened with a power cut, and with every fault, at every operation of the opening itself.
const DARK_EVERY: u64 = 256;

/// Whether everything is to be proved, as CI does with a build for release, or a part, as fits a plain `cargo test`.
pub(super) fn is_whole() -> bool {
    std::env::var_os("DBGEN_CRASH_IMAGES").is_some()
}

/// How much a campaign has judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Disks that power left behind.
    pub(super) images: u64,
    /// Those that differ from all before.
    pub(super) distinct: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.images += other.images;
        self.distinct += other.distinct;
    }
}

/// What a campaign does.
#[derive(Debug, Clone)]
pub(super) struct Campaign {
    pub(super) world: World,
    pub(super) seed: u64,
    /// What the script waits for. What is only written waits for the next sync with all that is written beside it: power
    /// takes any part of that.
    pub(super) level: SyncLevel,
    /// Bytes of a segment of the log.
    pub(super) segment_bytes: u64,
    /// Transactions of the script.
    pub(super) steps: usize,
    /// After which steps a snapshot is taken.
    pub(super) snapshots: &'static [usize],
    /// Crash images at each operation and profile.
    pub(super) crashes: u64,
    /// At every so many images power fails at each operation of the recovery, too; 0 = at none.
    pub(super) recovery_every: u64,
    pub(super) sabotage: Sabotage,
}

/// What a script has come to on a disk.
#[derive(Debug, Default)]
struct Run {
    /// Commits that were acknowledged, each with the operations that were done by then.
    acknowledged: Vec<(u64, u64)>,
    failed: bool,
    /// What was wrong with a version that was published.
    unsound: Option<String>,
}

impl Run {
    /// The last commit that was acknowledged before power failed at operation `at`.
    fn before(&self, at: u64) -> u64 {
        self.acknowledged.iter().rfind(|(done, _)| *done <= at).map_or(0, |(_, commit)| *commit)
    }
}

impl Campaign {
    /// The usual script: every third time of the small world.
    pub(super) fn new(seed: u64) -> Campaign {
        Campaign {
            world: if seed.is_multiple_of(3) { World::Small } else { World::Rich },
            seed,
            level: if seed % 4 < 2 { SyncLevel::Group } else { SyncLevel::Buffered },
            segment_bytes: if seed % 8 < 4 { SEGMENT_BYTES } else { 4 * SEGMENT_BYTES },
            steps: if is_whole() { 12 } else { 5 },
            snapshots: &[2, 8],
            crashes: 1,
            recovery_every: if is_whole() { 1 } else { 16 },
            sabotage: Sabotage::default(),
        }
    }

    fn disk(&self) -> Simulated {
        let disk = Simulated::new(self.seed);
        disk.sabotage_with(self.sabotage);
        disk
    }

    /// Runs the script as far as the disk lets it.
    fn run(&self, disk: &Simulated) -> Run {
        let mut run = Run::default();
        let builder = builder(self.world, disk).sync(self.level).log_segment_bytes(self.segment_bytes);
        let Ok(db) = builder.open() else { return Run { failed: true, ..run } };
        for step in 0..self.steps {
            if transact(self.world, &db, self.seed, step).is_err() {
                run.failed = true;
                break;
            }
            if self.level == SyncLevel::Buffered && step % 4 == 3 && db.sync().is_err() {
                run.failed = true;
                break;
            }
            let durable = db.durability().map_or(0, |status| status.durable);
            let is_synced = self.level == SyncLevel::Group;
            run.acknowledged.push((disk.operations(), if is_synced { db.read().commit() } else { durable }));
            if let Err(faults) = db.read().verify() {
                run.unsound.get_or_insert(format!("D3: while it ran, at step {step}: {faults:?}"));
            }
            if self.snapshots.contains(&step) && db.snapshot().is_err() {
                run.failed = true;
                break;
            }
        }
        // The disk is judged as it is now, not as an orderly end would leave it.
        disk.power_off_at(disk.operations());
        run
    }

    /// Loses power at every operation of the script, in every profile, and again at every operation of the recovery.
    pub(super) fn crashes(&self) -> Result<Tally, String> {
        let whole = self.disk();
        whole.remember();
        let run = self.run(&whole);
        if let Some(what) = run.unsound {
            return Err(format!("{}: {what}", self.place()));
        }
        let mut court = Court::new(self);
        for (at, disk) in whole.past().into_iter().enumerate() {
            let acknowledged = run.before(at as u64);
            for profile in Profile::ALL {
                for image in 0..self.crashes {
                    let seed = (at as u64).wrapping_mul(31) ^ image << 32 ^ self.seed;
                    let place = || format!("{} operation {at} profile {profile:?} image {image}", self.place());
                    let after = disk.crash(seed, profile);
                    let is_new = court.judge(&after, acknowledged).map_err(|what| format!("{}: {what}", place()))?;
                    if is_new && self.recovery_every > 0 && court.tally.images.is_multiple_of(self.recovery_every) {
                        let again = court.crash_recovery(&after, seed, profile, acknowledged);
                        again.map_err(|what| format!("{}, then {what}", place()))?;
                    }
                    if is_new && court.tally.distinct.is_multiple_of(DARK_EVERY) {
                        let dark = court.fail_recovery(&after, acknowledged);
                        dark.map_err(|what| format!("{}, then {what}", place()))?;
                    }
                }
            }
        }
        Ok(court.tally)
    }

    /// Meets every fault at every operation, and then loses power or not.
    pub(super) fn faults(&self) -> Result<Tally, String> {
        let whole = self.disk();
        self.run(&whole);
        let mut court = Court::new(self);
        for at in 0..whole.operations() {
            for fault in [Fault::Io, Fault::NoSpace, Fault::Short, Fault::Interrupted] {
                let disk = self.disk();
                disk.fault_at(at, fault);
                let run = self.run(&disk);
                let place = || format!("{} operation {at} fault {fault:?}", self.place());
                if run.failed && matches!(fault, Fault::Short | Fault::Interrupted) {
                    return Err(format!("{}: it was not tried again", place()));
                }
                for profile in [Profile::Prefix, Profile::NamesLost, Profile::TornSector] {
                    let after = disk.crash(at ^ self.seed, profile);
                    let judged = court.judge(&after, run.before(u64::MAX));
                    judged.map_err(|what| format!("{}, {profile:?}: {what}", place()))?;
                }
            }
        }
        Ok(court.tally)
    }

    fn place(&self) -> String {
        format!("{:?} world, seed {}", self.world, self.seed)
    }
}

/// Who judges the disks of a campaign.
struct Court {
    world: World,
    model: Model,
    /// The commits that disks came to, by what they hold.
    known: HashMap<u128, u64>,
    tally: Tally,
}

impl Court {
    fn new(campaign: &Campaign) -> Court {
        let model = Model::new(campaign.world, campaign.seed, campaign.steps);
        Court { world: campaign.world, model, known: HashMap::new(), tally: Tally::default() }
    }

    /// Opens a disk and asks the oracle, or remembers what it said of an equal one; says whether the disk is new.
    fn judge(&mut self, disk: &Simulated, acknowledged: u64) -> Result<bool, String> {
        self.tally.images += 1;
        let fingerprint = disk.fingerprint();
        if let Some(commit) = self.known.get(&fingerprint) {
            at_least(*commit, acknowledged)?;
            return Ok(false);
        }
        self.tally.distinct += 1;
        let commit = judge(self.world, &disk.copy(), acknowledged, &self.model)?;
        self.known.insert(fingerprint, commit);
        Ok(true)
    }

    /// Loses power at every operation of the opening of `disk`, and judges what is left.
    fn crash_recovery(
        &mut self,
        disk: &Simulated,
        seed: u64,
        profile: Profile,
        acknowledged: u64,
    ) -> Result<(), String> {
        let again = disk.copy();
        again.remember();
        let opened = catch_unwind(AssertUnwindSafe(|| builder(self.world, &again).open()));
        // Dropping it would go on writing.
        again.power_off_at(again.operations());
        let opened = opened.map_err(|_| "the recovery panicked".to_owned())?;
        opened.map_err(|error| format!("the recovery failed: {error}"))?;
        for (at, cut) in again.past().iter().enumerate() {
            let after = cut.crash(seed ^ (at as u64) << 8, profile);
            self.judge(&after, acknowledged).map_err(|what| format!("recovery operation {at}: {what}"))?;
        }
        Ok(())
    }

    /// Has power, or the disk, fail at every operation of the opening of `disk`: it must say so, and what is left must be
    /// as good as it was.
    fn fail_recovery(&mut self, disk: &Simulated, acknowledged: u64) -> Result<(), String> {
        for fault in [None, Some(Fault::Io), Some(Fault::NoSpace), Some(Fault::Short), Some(Fault::Interrupted)] {
            for at in 0.. {
                let again = disk.copy();
                let place = again.operations() + at;
                match fault {
                    None => again.power_off_at(place),
                    Some(fault) => again.fault_at(place, fault),
                }
                let opened = catch_unwind(AssertUnwindSafe(|| builder(self.world, &again).open().map(drop)));
                let opened = opened.map_err(|_| format!("D7: it panicked with {fault:?} at operation {at}"))?;
                if let (Err(error), Some(Fault::Short | Fault::Interrupted)) = (&opened, fault) {
                    return Err(format!("{fault:?} at operation {at} was not tried again: {error}"));
                }
                let after = again.crash(at, Profile::Prefix);
                self.judge(&after, acknowledged).map_err(|what| format!("{fault:?} at operation {at}: {what}"))?;
                if again.operations() <= place {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Opens a disk and asks the oracle; gives the commit that it came to.
pub(super) fn judge(world: World, disk: &Simulated, acknowledged: u64, model: &Model) -> Result<u64, String> {
    catch_unwind(AssertUnwindSafe(|| judged(world, disk, acknowledged, model)))
        .unwrap_or_else(|_| Err("D7: it panicked".to_owned()))
}

fn judged(world: World, disk: &Simulated, acknowledged: u64, model: &Model) -> Result<u64, String> {
    let open = || builder(world, disk).open().map_err(|error| format!("it does not open: {error}"));
    let db = open()?;
    check(&db, acknowledged, model)?;
    if db.durability().is_some_and(|status| status.recovered.rebuilt_indexes > 0) {
        return Err("D3: an index was not stored as the rows say".to_owned());
    }
    let (names, bytes) = disk.names_and_size();
    if let Some(path) = names.iter().find(|path| path.to_string_lossy().contains(".tmp")) {
        return Err(format!("D6: {} is left", path.display()));
    }
    if bytes > DISK_BYTES_MAX {
        return Err(format!("D6: {bytes} bytes"));
    }
    let (commit, seen, before) = (recovered(&db), db.read().commit(), world.told(&db.read()));
    drop(db);
    let db = open()?;
    if db.read().commit() != seen || world.told(&db.read()) != before {
        return Err("D4: opening it again changed something".to_owned());
    }
    let guild = db.read().open_table("guild").map_err(said)?.number();
    let name = Value::from("after");
    let added = db.transact(|tx| tx.insert_values(guild, &[(0, name)])).map_err(said)?;
    drop(db);
    let db = open()?;
    let is_there = db.read().open_table("guild").map_err(said)?.get(added).is_ok();
    if is_there { Ok(commit) } else { Err("D5: the new commit is gone".to_owned()) }
}

/// D1, D2 and D3.
pub(super) fn check(db: &Database, acknowledged: u64, model: &Model) -> Result<(), String> {
    let (view, commit) = (db.read(), recovered(db));
    at_least(commit, acknowledged)?;
    let snapshot = db.durability().map_or(0, |status| status.recovered.snapshot);
    model.compare(&view, commit, snapshot).map_err(|what| format!("D2: {what}"))?;
    view.verify().map_err(|faults| format!("D3: {faults:?}"))
}

/// The last commit that is there.
fn recovered(db: &Database) -> u64 {
    db.durability().map_or(0, |status| status.recovered.commit)
}

fn at_least(commit: u64, acknowledged: u64) -> Result<(), String> {
    match commit < acknowledged {
        true => Err(format!("D1: commit {acknowledged} was acknowledged, and it is at {commit}")),
        false => Ok(()),
    }
}

fn said(error: Error) -> String {
    error.to_string()
}

/// A finished script of the small world on a disk, with everything durable, and the commit that it came to.
pub(super) fn finished(seed: u64) -> (Simulated, Model) {
    let disk = Simulated::new(seed);
    let db: Database = builder(World::Small, &disk).open().expect("it opens");
    for step in 0..FINISHED_STEPS {
        transact(World::Small, &db, seed, step).expect("nothing fails");
        if step == 2 {
            db.snapshot().expect("nothing fails");
        }
    }
    // An orderly end syncs, and marks the end of the log.
    drop(db);
    (disk, Model::new(World::Small, seed, FINISHED_STEPS))
}
