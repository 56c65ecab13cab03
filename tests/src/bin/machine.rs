//! Runs the state machine for long: `machine [STEPS [SEED [SCHEMA]]]`.
//!
//! It prints the seed, so that what failed can be run again, and which kinds of operation occurred how often. A world
//! lives for some hundred steps, then the next one begins, with the next seed.

use dbgen_tests::machine::tape::Tape;
use dbgen_tests::machine::{Machine, OnPurpose, Seen};
use std::panic;
use std::process::ExitCode;

/// Steps of a world.
const STEPS_OF_A_WORLD: u64 = 400;
/// Kinds of operation that a run of enough steps must have met.
const KINDS_MIN: usize = 40;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| arguments.next().map_or(Ok(default), |text| text.parse::<u64>());
    let (Ok(steps), Ok(seed)) = (number(100_000), number(1)) else {
        eprintln!("usage: machine [STEPS [SEED [SCHEMA]]]");
        return ExitCode::FAILURE;
    };
    let schema = arguments.next();
    quiet_about_plans();
    let (mut seen, mut done, mut world) = (Seen::default(), 0, seed);
    while done < steps {
        let length = STEPS_OF_A_WORLD.min(steps - done);
        let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| run(world, length, schema.as_deref())));
        let Ok(of_world) = outcome else {
            eprintln!("failed: run again with `machine {STEPS_OF_A_WORLD} {world}`");
            return ExitCode::FAILURE;
        };
        of_world.0.iter().for_each(|(kind, count)| *seen.0.entry(kind.clone()).or_default() += count);
        (done, world) = (done + length, world + 1);
    }
    for (kind, count) in &seen.0 {
        println!("{count:>9}  {kind}");
    }
    let kinds = seen.kinds().len();
    println!("{done} steps from seed {seed}: {kinds} kinds of operation, {} with their endings", seen.0.len());
    if kinds < KINDS_MIN && schema.is_none() && steps >= 10_000 {
        eprintln!("fewer than {KINDS_MIN} kinds");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(seed: u64, steps: u64, schema: Option<&str>) -> Seen {
    let mut machine = match schema {
        Some(path) => Machine::with_schema(path).unwrap_or_else(|error| panic!("{error}")),
        None => Machine::new(),
    };
    let mut tape = Tape::Seed(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    for step in 0..steps {
        let before = tape.clone();
        if let Err(payload) = panic::catch_unwind(panic::AssertUnwindSafe(|| machine.step(&mut tape))) {
            eprintln!("in step {step} of world {seed}, from {before:?}");
            panic::resume_unwind(payload);
        }
    }
    machine.seen
}

/// Panics that are part of the plan say nothing.
fn quiet_about_plans() {
    let say = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !info.payload().is::<OnPurpose>() {
            say(info);
        }
    }));
}
