//! How fast a loop may run, and how it keeps its rate. Time is injected: nothing here sleeps.

use dbgen_runtime::clock::{Clock, ManualClock};
use dbgen_runtime::{Database, Error};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn open(clock: &ManualClock) -> Database {
    Database::builder().clock(clock.clone()).open().expect("an empty database opens")
}

#[test]
fn el_1_a_loop_runs_at_15_to_120_hz() {
    for rate_hz in [15.0, 20.0, 30.0, 59.94, 60.0, 120.0] {
        let clock = ManualClock::new();
        let figures = open(&clock).tick_loop(rate_hz).ticks_max(240).run().expect("the rate is one of a game");
        assert_eq!(figures.ticks, 240, "{rate_hz} Hz");
        // The first tick begins at once.
        let expected = 239.0 / rate_hz;
        assert!((clock.monotonic().as_secs_f64() - expected).abs() < 1e-6, "{rate_hz} Hz: {:?}", clock.monotonic());
        assert_eq!((figures.overruns, figures.dropped), (0, 0));
        assert_eq!(figures.jitter.max, Duration::ZERO);
    }
}

#[test]
fn el_1_other_rates_are_refused() {
    for rate_hz in [0.0, -60.0, 14.999, 120.001, 1e9, f64::INFINITY, f64::NAN] {
        let db = open(&ManualClock::new());
        let refused = db.tick_loop(rate_hz).run().expect_err("the rate is none of a game");
        assert!(matches!(refused, Error::TickRate(_)), "{rate_hz} Hz: {refused}");
        assert!(matches!(db.tick_loop(rate_hz).stepped(), Err(Error::TickRate(_))), "{rate_hz} Hz");
    }
}

/// A world whose systems take as long as they say.
#[test]
fn el_1_a_lag_beyond_the_bound_is_dropped_and_said() {
    let clock = ManualClock::new();
    let (slow, ran) = (clock.clone(), Arc::new(AtomicU64::new(0)));
    let counted = ran.clone();
    let world = open(&clock).tick_loop(50.0).lag_ticks_max(2).ticks_max(20).system("slow once", move |tick| {
        counted.fetch_add(1, Ordering::Relaxed);
        // Ten ticks' worth.
        slow.advance(Duration::from_millis(if tick.number() == 5 { 200 } else { 1 }));
        Ok(())
    });
    let figures = world.run().expect("it runs");
    assert_eq!(ran.load(Ordering::Relaxed), 20);
    assert_eq!(figures.ticks, 20);
    assert_eq!(
        figures.overruns, 1,
        "one tick was too long; that those after it began late is not their fault: {figures}"
    );
    assert_eq!(figures.dropped, 7, "nine are due, two of them may be caught up: {figures}");
    assert_eq!(figures.tick.max.as_millis(), 200);
    let (name, took) = &figures.systems[0];
    assert_eq!((name.as_str(), took.p50.as_millis()), ("slow once", 1));
    assert!(figures.to_string().contains("dropped 7"), "{figures}");
}

#[test]
fn el_1_a_system_that_panics_is_named_and_the_loop_goes_on() {
    let clock = ManualClock::new();
    let world = open(&clock).tick_loop(60.0).ticks_max(10).system("shaky", |tick| {
        assert!(tick.number() != 3, "out of luck");
        if tick.number() == 7 { Err(Error::abort("no")) } else { Ok(()) }
    });
    let figures = world.run().expect("it runs");
    assert_eq!((figures.ticks, figures.failures), (10, 2));
    assert_eq!(figures.last_failure, Some(("shaky".to_owned(), 7, "no".to_owned())));
}

/// The numbers of ticks go on from one loop to the next, and over restarts; a loop that was to end after ten ticks ended
/// before its first one where there had been ten before.
#[test]
fn a_loop_ends_after_so_many_ticks_of_its_own() {
    let db = open(&ManualClock::new());
    for loops in 1..=3_u64 {
        let last = Arc::new(AtomicU64::new(0));
        let seen = last.clone();
        let world = db.tick_loop(60.0).ticks_max(10).system("looks", move |tick| {
            seen.store(tick.number(), Ordering::Relaxed);
            Ok(())
        });
        assert_eq!(world.run().expect("it runs").ticks, 10);
        assert_eq!(last.load(Ordering::Relaxed), 10 * loops, "they are counted on");
    }
    assert_eq!(db.tick_loop(60.0).ticks_max(0).run().expect("it runs").ticks, 0);
}

/// The first second of a loop, and so its whole run, counted every transaction since the database was opened.
#[test]
fn figures_are_of_the_loop_alone() {
    let db = open(&ManualClock::new());
    for _ in 0..100 {
        db.transact(|_| Ok(())).expect("nothing fails");
    }
    let (sender, told) = std::sync::mpsc::channel();
    let world = db.tick_loop(60.0).ticks_max(150).system("idle", |_| Ok(()));
    let figures =
        world.report(move |figures| sender.send(figures.commits).expect("it is kept")).run().expect("it runs");
    assert_eq!(figures.commits, 150, "one system, so many ticks: {figures}");
    let told: Vec<u64> = told.iter().collect();
    assert!(told.len() == 2 && told.iter().all(|commits| (60..=61).contains(commits)), "{told:?}");
}

#[test]
fn a_report_that_panics_does_not_end_the_loop() {
    let told = Arc::new(AtomicU64::new(0));
    let counted = told.clone();
    let world = open(&ManualClock::new()).tick_loop(60.0).ticks_max(200).report(move |_| {
        assert!(counted.fetch_add(1, Ordering::Relaxed) != 0, "the first is out of luck");
    });
    assert_eq!(world.run().expect("it runs").ticks, 200);
    assert_eq!(told.load(Ordering::Relaxed), 3);
}
