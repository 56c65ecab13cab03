//! The oracle, and the campaigns that it judges: a script runs on a disk that loses power, or fails, at some operation;
//! what is left is opened, judged, and opened again while power fails during *that*.
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

use super::world::{builder, history, told, transact};
use dbgen_runtime::storage::Sabotage;
use dbgen_runtime::storage::simulated::{Fault, Profile, Simulated};
use dbgen_runtime::{Database, Error, Value, View};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Transactions of a script that is finished.
const FINISHED_STEPS: usize = 12;
/// Bytes that the disk of a script may hold at the end.
const DISK_BYTES_MAX: usize = 1 << 20;

/// Whether everything is to be proved, as CI does with a build for release, or a part, as fits a plain `cargo test`.
pub(super) fn is_whole() -> bool {
    std::env::var_os("DBGEN_CRASH_IMAGES").is_some()
}

/// What a campaign does.
#[derive(Debug, Clone)]
pub(super) struct Campaign {
    pub(super) seed: u64,
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

impl Campaign {
    /// The usual script.
    pub(super) fn new(seed: u64) -> Campaign {
        Campaign {
            seed,
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

    /// Runs the script as far as the disk lets it; gives the last commit that was acknowledged, and whether something
    /// failed.
    fn run(&self, disk: &Simulated) -> (u64, bool) {
        let mut acknowledged = 0;
        let Ok(db) = builder(disk).open() else { return (0, true) };
        for step in 0..self.steps {
            if transact(&db, self.seed, step).is_err() {
                return (acknowledged, true);
            }
            acknowledged = db.read().commit();
            if self.snapshots.contains(&step) && db.snapshot().is_err() {
                return (acknowledged, true);
            }
        }
        // The disk is judged as it is now, not as an orderly end would leave it.
        disk.power_off_at(disk.operations());
        (acknowledged, false)
    }

    /// Loses power at every operation of the script, in every profile; gives how many disks were judged.
    pub(super) fn crashes(&self) -> Result<u64, String> {
        let model = history(self.seed, self.steps);
        let whole = self.disk();
        self.run(&whole);
        let mut judged = 0_u64;
        for at in 0..=whole.operations() {
            let disk = self.disk();
            disk.power_off_at(at);
            let (acknowledged, _) = self.run(&disk);
            for profile in Profile::ALL {
                for image in 0..self.crashes {
                    let seed = at.wrapping_mul(31) ^ image << 32 ^ self.seed;
                    let place = || format!("seed {} operation {at} profile {profile:?} image {image}", self.seed);
                    let after = disk.crash(seed, profile);
                    judged += 1;
                    judge(&after.copy(), acknowledged, &model).map_err(|what| format!("{}: {what}", place()))?;
                    if self.recovery_every > 0 && judged.is_multiple_of(self.recovery_every) {
                        judged += crash_recovery(&after, seed, profile, acknowledged, &model)
                            .map_err(|what| format!("{}, then {what}", place()))?;
                    }
                }
            }
        }
        Ok(judged)
    }

    /// Meets every fault at every operation, and then loses power or not; gives how many disks were judged.
    pub(super) fn faults(&self) -> Result<u64, String> {
        let model = history(self.seed, self.steps);
        let whole = self.disk();
        self.run(&whole);
        let mut judged = 0_u64;
        for at in 0..whole.operations() {
            for fault in [Fault::Io, Fault::NoSpace, Fault::Short, Fault::Interrupted] {
                let disk = self.disk();
                disk.fault_at(at, fault);
                let (acknowledged, failed) = self.run(&disk);
                let place = || format!("seed {} operation {at} fault {fault:?}", self.seed);
                if failed && matches!(fault, Fault::Short | Fault::Interrupted) {
                    return Err(format!("{}: it was not tried again", place()));
                }
                for profile in [Profile::Prefix, Profile::NamesLost, Profile::TornSector] {
                    judged += 1;
                    let after = disk.crash(at ^ self.seed, profile);
                    judge(&after, acknowledged, &model).map_err(|what| format!("{}, {profile:?}: {what}", place()))?;
                }
            }
        }
        Ok(judged)
    }
}

/// Loses power at every operation of the opening of `disk`, and judges what is left.
fn crash_recovery(
    disk: &Simulated,
    seed: u64,
    profile: Profile,
    acknowledged: u64,
    model: &[String],
) -> Result<u64, String> {
    let mut judged = 0;
    loop {
        let again = disk.copy();
        let first = again.operations();
        again.power_off_at(first + judged);
        // Whether it opened in spite of it or not is all the same: it is judged afterwards.
        let opened = catch_unwind(AssertUnwindSafe(|| builder(&again).open().map(std::mem::forget)));
        let opened = opened.map_err(|_| format!("the recovery panicked at its operation {judged}"))?;
        let is_whole = again.operations() <= first + judged;
        let after = again.crash(seed ^ judged << 8, profile);
        judge(&after, acknowledged, model).map_err(|what| format!("recovery operation {judged}: {what}"))?;
        judged += 1;
        if is_whole && opened.is_ok() {
            return Ok(judged);
        }
        if judged > 200 {
            return Err("the recovery does not come to an end".to_owned());
        }
    }
}

/// Opens a disk and asks the oracle.
pub(super) fn judge(disk: &Simulated, acknowledged: u64, model: &[String]) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| judged(disk, acknowledged, model)))
        .unwrap_or_else(|_| Err("D7: it panicked".to_owned()))
}

fn judged(disk: &Simulated, acknowledged: u64, model: &[String]) -> Result<(), String> {
    let open = || builder(disk).open().map_err(|error| format!("it does not open: {error}"));
    let db = open()?;
    let view = db.read();
    check(&view, acknowledged, model)?;
    let leftover = disk.files().into_keys().find(|path| path.to_string_lossy().contains(".tmp"));
    if let Some(path) = leftover {
        return Err(format!("D6: {} is left", path.display()));
    }
    let bytes: usize = disk.files().values().map(Vec::len).sum();
    if bytes > DISK_BYTES_MAX {
        return Err(format!("D6: {bytes} bytes"));
    }
    let (commit, before) = (view.commit(), told(&view));
    drop((view, db));
    let db = open()?;
    if db.read().commit() != commit || told(&db.read()) != before {
        return Err("D4: opening it again changed something".to_owned());
    }
    let guild = db.read().open_table("guild").map_err(said)?.number();
    let name = Value::from("after");
    let added = db.transact(|tx| tx.insert_values(guild, &[(0, name)])).map_err(said)?;
    drop(db);
    let db = open()?;
    let is_there = db.read().open_table("guild").map_err(said)?.get(added).is_ok();
    if is_there { Ok(()) } else { Err("D5: the new commit is gone".to_owned()) }
}

/// D1, D2 and D3.
pub(super) fn check(view: &View, acknowledged: u64, model: &[String]) -> Result<(), String> {
    let commit = view.commit();
    if commit < acknowledged {
        return Err(format!("D1: commit {acknowledged} was acknowledged, and it is at {commit}"));
    }
    match model.get(commit as usize) {
        None => return Err(format!("D2: there was no commit {commit}")),
        Some(model) if *model != told(view) => {
            return Err(format!("D2: commit {commit} is\n{}\nand was\n{model}", told(view)));
        }
        Some(_) => {}
    }
    view.verify().map_err(|faults| format!("D3: {faults:?}"))
}

fn said(error: Error) -> String {
    error.to_string()
}

/// A finished script on a disk, with everything durable.
pub(super) fn finished(seed: u64) -> (Simulated, Vec<String>) {
    let campaign = Campaign::new(seed);
    let disk = campaign.disk();
    let db: Database = builder(&disk).open().expect("it opens");
    for step in 0..FINISHED_STEPS {
        transact(&db, seed, step).expect("nothing fails");
        if step == 2 {
            db.snapshot().expect("nothing fails");
        }
    }
    // An orderly end syncs, and marks the end of the log.
    drop(db);
    (disk, history(seed, FINISHED_STEPS))
}
