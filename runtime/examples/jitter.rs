//! How late ticks begin: `cargo run --release -p dbgen-runtime --example jitter [SECONDS]`.
//!
//! Runs a world of 10,000 movers at 60 Hz and prints the loop's figures: first alone, then with two threads that read it
//! all the time. Beside them, what the machine allows: a bare loop that sleeps until each tick, and one that never sleeps.

use dbgen_runtime::clock::{Clock, SystemClock};
use dbgen_runtime::{Database, Error, StopHandle, TableNo, Value};
use std::time::Duration;

const SCHEMA: &str = r#"{ "name": "jitter", "version": "1", "tables": { "mover": { "capacity": 10000,
    "fields": [ {"name":"pos","type":"f32"}, {"name":"vel","type":"f32"} ] } } }"#;

fn main() -> Result<(), Error> {
    let seconds = std::env::args().nth(1).and_then(|seconds| seconds.parse().ok()).unwrap_or(10);
    for readers in [0, 2] {
        println!("{readers} readers, {seconds} s each");
        println!("  the loop   {}", run(seconds, readers, Way::Loop)?);
        println!("  bare sleep {}", run(seconds, readers, Way::Sleep)?);
        println!("  bare spin  {}", run(seconds, readers, Way::Spin)?);
    }
    Ok(())
}

/// Who keeps the rate.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// The tick loop.
    Loop,
    /// Nothing but the system's sleep.
    Sleep,
    /// Nothing but looking at the clock.
    Spin,
}

/// How late the ticks of a loop begin that does nothing.
#[expect(clippy::disallowed_methods, reason = "the system's sleep is what is measured")]
fn bare(seconds: u64, way: Way) -> String {
    let (clock, period) = (SystemClock::new(), Duration::from_secs_f64(1.0 / 60.0));
    clock.wake_exactly();
    let mut late: Vec<Duration> = (1..=60 * seconds as u32)
        .map(|tick| {
            let deadline = period * tick;
            let left = deadline.saturating_sub(clock.monotonic());
            if way == Way::Sleep {
                std::thread::sleep(left);
            }
            while clock.monotonic() < deadline {
                std::hint::spin_loop();
            }
            clock.monotonic().saturating_sub(deadline)
        })
        .collect();
    late.sort_unstable();
    let us = |of_100: usize| late.get(late.len().saturating_sub(1) * of_100 / 100).map_or(0, Duration::as_micros);
    format!("jitter p50 {} us, p90 {} us, p99 {} us, max {} us", us(50), us(90), us(99), us(100))
}

fn run(seconds: u64, readers: usize, way: Way) -> Result<String, Error> {
    let db = Database::builder().schema_json(SCHEMA).open()?;
    let mover = db.read().open_table("mover")?.number();
    db.transact(|tx| (0..10_000).try_for_each(|n| tx.insert_values(mover, &values(n)).map(drop)))?;
    let world = db.tick_loop(60.0).ticks_max(60 * seconds).system("movement", move |tick| {
        // A tenth of them, in turns.
        let first = (tick.number() % 10) * 1000;
        let view = tick.view();
        let movers = view.open_table("mover")?;
        for record in movers.iter().skip(first as usize).take(1000) {
            let (Value::Float(pos), Value::Float(vel)) = (record.value(0), record.value(1)) else { continue };
            tick.update_values(mover, record.id(), &[(0, Value::Float(pos + vel / 60.0))])?;
        }
        Ok(())
    });
    let stop = world.stop_handle();
    let reading: Vec<_> = (0..readers).map(|_| read_until(db.clone(), stop.clone(), mover)).collect();
    let told = match way {
        Way::Loop => {
            let figures = world.run()?;
            let (us, jitter) = (|duration: Duration| duration.as_micros(), figures.jitter);
            format!(
                "jitter p50 {} us, p99 {} us, max {} us | {figures}",
                us(jitter.p50),
                us(jitter.p99),
                us(jitter.max)
            )
        }
        way => bare(seconds, way),
    };
    stop.stop();
    for reader in reading {
        // A reader that panicked has said so.
        drop(reader.join());
    }
    Ok(told)
}

fn values(n: u64) -> [(usize, Value); 2] {
    [(0, Value::Float(n as f64)), (1, Value::Float(1.0))]
}

fn read_until(db: Database, stop: StopHandle, table: TableNo) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = db.reader();
        let mut sum = 0.0;
        while !stop.is_stopped() {
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
