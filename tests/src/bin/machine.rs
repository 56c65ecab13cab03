//! Runs the state machine for long: `machine [STEPS [SEED [SCHEMA]]]`. `chance` for a schema makes one for every world, of
//! thirty to sixty tables.
//!
//! It prints the seed, so that what failed can be run again, and which kinds of operation occurred how often. A world
//! lives for some hundred steps, then the next one begins, with the next seed.

use dbgen_tests::machine::tape::Tape;
use dbgen_tests::machine::{Machine, Seen, quiet_about_plans};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

/// Steps of a world.
const STEPS_OF_A_WORLD: u64 = 400;
/// Kinds of operation that a run of enough steps must have met.
const KINDS_MIN: usize = 40;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (steps, seed, schema) = (arguments.next(), arguments.next(), arguments.next());
    let number = |text: Option<String>, default: u64| text.map_or(Ok(default), |text| text.parse());
    let (Ok(steps), Ok(seed)) = (number(steps, 100_000), number(seed, 1)) else {
        eprintln!("usage: machine [STEPS [SEED [SCHEMA]]]");
        return ExitCode::FAILURE;
    };
    println!("{steps} steps from seed {seed}");
    quiet_about_plans();
    let (worlds, next) = (steps.div_ceil(STEPS_OF_A_WORLD), AtomicU64::new(0));
    let (seen, has_failed) = (Mutex::new(Seen::default()), AtomicBool::new(false));
    let work = || {
        while !has_failed.load(Ordering::Relaxed) {
            let world = next.fetch_add(1, Ordering::Relaxed);
            if world >= worlds {
                return;
            }
            let length = STEPS_OF_A_WORLD.min(steps - world * STEPS_OF_A_WORLD);
            match catch_unwind(|| run(seed + world, length, schema.as_deref())) {
                Ok(of_world) => seen.lock().expect("nobody panics with it").add(&of_world),
                Err(_) => {
                    eprintln!("failed: run again with `machine {STEPS_OF_A_WORLD} {}`", seed + world);
                    has_failed.store(true, Ordering::Relaxed);
                }
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    if has_failed.into_inner() {
        return ExitCode::FAILURE;
    }
    let seen = seen.into_inner().expect("nobody panics with it");
    for (kind, count) in &seen.0 {
        println!("{count:>9}  {kind}");
    }
    let kinds = seen.kinds().len();
    println!("{steps} steps from seed {seed}: {kinds} kinds of operation, {} with their endings", seen.0.len());
    if kinds < KINDS_MIN && schema.is_none() && steps >= 10_000 {
        eprintln!("fewer than {KINDS_MIN} kinds");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(seed: u64, steps: u64, schema: Option<&str>) -> Seen {
    let mut tape = Tape::Seed(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let mut machine = match schema {
        Some("chance") => Machine::by_chance(&mut tape).unwrap_or_else(|error| panic!("{error}")),
        Some(path) => Machine::with_schema(path).unwrap_or_else(|error| panic!("{error}")),
        None => Machine::new(),
    };
    for step in 0..steps {
        let before = tape.clone();
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| machine.step(&mut tape))) {
            eprintln!("in step {step} of world {seed}, from {before:?}");
            resume_unwind(payload);
        }
    }
    machine.seen
}
