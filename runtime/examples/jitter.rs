//! How late ticks begin: `cargo run --release -p dbgen-runtime --example jitter [SECONDS]`.
//!
//! Runs a world of 10,000 movers at 60 Hz and prints the loop's figures: first alone, then with two threads that read it
//! all the time.

use dbgen_runtime::{Database, Error, StopHandle, TableNo, Value};
use std::time::Duration;

const SCHEMA: &str = r#"{ "name": "jitter", "version": "1", "tables": { "mover": { "capacity": 10000,
    "fields": [ {"name":"pos","type":"f32"}, {"name":"vel","type":"f32"} ] } } }"#;

fn main() -> Result<(), Error> {
    let seconds = std::env::args().nth(1).and_then(|seconds| seconds.parse().ok()).unwrap_or(10);
    for readers in [0, 2] {
        println!("{readers} readers, {seconds} s: {}", run(seconds, readers)?);
    }
    Ok(())
}

fn run(seconds: u64, readers: usize) -> Result<String, Error> {
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
    let figures = world.run()?;
    stop.stop();
    for reader in reading {
        // A reader that panicked has said so.
        drop(reader.join());
    }
    let us = |duration: Duration| duration.as_micros();
    let jitter = figures.jitter;
    Ok(format!("jitter p50 {} us, p99 {} us, max {} us | {figures}", us(jitter.p50), us(jitter.p99), us(jitter.max)))
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
