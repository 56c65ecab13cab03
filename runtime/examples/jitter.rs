//! How late ticks begin: `cargo run --release -p dbgen-runtime --example jitter [SECONDS]`.
//!
//! Runs a world of 10,000 movers at 60 Hz, first alone, then with two threads that read it all the time. Beside it, what the
//! machine allows: a bare loop that sleeps until each tick, and one that never sleeps. The three take turns of a second each,
//! so that a bad moment of the machine meets all of them. What the machine itself takes is told with them: the longest
//! time between two looks at the clock while nothing but looking at it is done. The loop is shown once more for the turns in
//! which the machine took next to nothing from the spinning thread, which is as near to an idle core as a shared one comes.

use dbgen_runtime::clock::{Clock, SystemClock};
use dbgen_runtime::{Database, Error, TableNo, Tick, Value};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const SCHEMA: &str = r#"{ "name": "jitter", "version": "1", "tables": { "mover": { "capacity": 10000,
    "fields": [ {"name":"pos","type":"f32"}, {"name":"vel","type":"f32"} ] } } }"#;
const RATE_HZ: u32 = 60;
/// A tick that begins later than this is late: the bar is one of a hundred.
const LATE: Duration = Duration::from_micros(200);

fn main() -> Result<(), Error> {
    let seconds: u32 = std::env::args().nth(1).and_then(|seconds| seconds.parse().ok()).unwrap_or(10);
    for readers in [0, 2] {
        println!("{readers} readers, {seconds} turns of a second each");
        let db = Database::builder().schema_json(SCHEMA).open()?;
        let mover = db.read().open_table("mover")?.number();
        db.transact(|tx| (0..10_000).try_for_each(|n| tx.insert_values(mover, &values(n)).map(drop)))?;
        let is_over = Arc::new(AtomicBool::new(false));
        let reading: Vec<_> = (0..readers).map(|_| read_until(db.clone(), is_over.clone(), mover)).collect();
        let [mut looped, mut slept, mut spun, mut undisturbed] = <[Lateness; 4]>::default();
        let mut undisturbed_turns = 0;
        for _ in 0..seconds {
            let [of_loop, of_sleep, of_spin] = [run_loop(&db, mover)?, bare(Way::Sleep), bare(Way::Spin)];
            if of_spin.stops.iter().all(|stop| *stop <= LATE) {
                undisturbed_turns += 1;
                undisturbed.take(&of_loop);
            }
            looped.take(&of_loop);
            slept.take(&of_sleep);
            spun.take(&of_spin);
        }
        is_over.store(true, Ordering::Relaxed);
        // A reader that panicked has said so.
        reading.into_iter().for_each(|reader| drop(reader.join()));
        println!("  the loop   {looped}\n  bare sleep {slept}\n  bare spin  {spun}");
        println!("  the loop, in the {undisturbed_turns} turns with a core to itself: {undisturbed}");
    }
    Ok(())
}

/// How late the ticks of one way began.
#[derive(Default)]
struct Lateness {
    of_ticks: Vec<Duration>,
    /// The longest time that the machine took a spinning thread's core away, in each turn.
    stops: Vec<Duration>,
}

impl Lateness {
    /// Takes the ticks of another turn.
    fn take(&mut self, turn: &Lateness) {
        self.of_ticks.extend(&turn.of_ticks);
        self.stops.extend(&turn.stops);
    }
}

impl std::fmt::Display for Lateness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut sorted = self.of_ticks.clone();
        sorted.sort_unstable();
        let us =
            |of_1000: usize| sorted.get(sorted.len().saturating_sub(1) * of_1000 / 1000).map_or(0, Duration::as_micros);
        let late = sorted.iter().filter(|late| **late > LATE).count();
        write!(f, "p50 {} us, p90 {} us, p99 {} us, max {} us", us(500), us(900), us(990), us(1000))?;
        write!(f, " | {late} of {} ticks later than {} us", sorted.len(), LATE.as_micros())?;
        let mut stops = self.stops.clone();
        stops.sort_unstable();
        match (stops.get(stops.len() / 2), stops.last()) {
            (Some(usual), Some(worst)) => {
                write!(f, " | stopped in a second for {} us, at worst {} us", usual.as_micros(), worst.as_micros())
            }
            _ => Ok(()),
        }
    }
}

/// Who keeps the rate beside the loop.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Nothing but the system's sleep.
    Sleep,
    /// Nothing but looking at the clock.
    Spin,
}

/// A second of a loop that does nothing.
#[expect(clippy::disallowed_methods, reason = "the system's sleep is what is measured")]
fn bare(way: Way) -> Lateness {
    let (clock, period) = (SystemClock::new(), Duration::from_secs(1) / RATE_HZ);
    clock.wake_exactly();
    let mut turn = Lateness::default();
    let mut stopped = Duration::ZERO;
    for tick in 1..=RATE_HZ {
        let deadline = period * tick;
        let mut before = clock.monotonic();
        if way == Way::Sleep {
            std::thread::sleep(deadline.saturating_sub(before));
        }
        let now = loop {
            let now = clock.monotonic();
            if way == Way::Spin {
                stopped = stopped.max(now - before);
                before = now;
            }
            if now >= deadline {
                break now;
            }
            std::hint::spin_loop();
        };
        turn.of_ticks.push(now - deadline);
    }
    if way == Way::Spin {
        turn.stops.push(stopped);
    }
    turn
}

/// A second of the tick loop: the ticks of one turn. A tick begins when its first system does.
fn run_loop(db: &Database, mover: TableNo) -> Result<Lateness, Error> {
    let begun = Arc::new(Mutex::new(Vec::new()));
    let (clock, notes) = (SystemClock::new(), begun.clone());
    let world = db.tick_loop(RATE_HZ.into()).ticks_max(RATE_HZ.into()).lag_ticks_max(RATE_HZ);
    let world = world.system("movement", move |tick| {
        notes.lock().unwrap_or_else(PoisonError::into_inner).push(clock.monotonic());
        move_some(tick, mover)
    });
    world.run()?;
    let begun = std::mem::take(&mut *begun.lock().unwrap_or_else(PoisonError::into_inner));
    // The loop does not tell its schedule: no tick begins before its time, so the earliest of them was in time.
    let at = |(tick, begun): (u32, &Duration)| begun.saturating_sub(Duration::from_secs(1) / RATE_HZ * tick);
    let earliest = (0..).zip(&begun).map(at).min().unwrap_or_default();
    let of_ticks = (0..).zip(&begun).map(|tick| at(tick) - earliest).collect();
    Ok(Lateness { of_ticks, stops: Vec::new() })
}

/// Moves a tenth of the movers, in turns.
fn move_some(tick: &mut Tick<dbgen_runtime::Dynamic>, mover: TableNo) -> Result<(), Error> {
    let first = (tick.number() % 10) * 1000;
    let view = tick.view();
    let movers = view.open_table("mover")?;
    for record in movers.iter().skip(first as usize).take(1000) {
        let (Value::Float(pos), Value::Float(vel)) = (record.value(0), record.value(1)) else { continue };
        tick.update_values(mover, record.id(), &[(0, Value::Float(pos + vel / 60.0))])?;
    }
    Ok(())
}

fn values(n: u64) -> [(usize, Value); 2] {
    [(0, Value::Float(n as f64)), (1, Value::Float(1.0))]
}

fn read_until(db: Database, is_over: Arc<AtomicBool>, table: TableNo) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = db.reader();
        let mut sum = 0.0;
        while !is_over.load(Ordering::Relaxed) {
            let view = reader.view();
            for record in view.tables().nth(table.at()).into_iter().flat_map(|movers| movers.iter()) {
                if let Value::Float(pos) = record.value(0) {
                    sum += pos;
                }
            }
        }
        std::hint::black_box(sum);
    })
}
