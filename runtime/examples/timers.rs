//! What timers cost that are not due: `cargo run --release -p dbgen-runtime --example timers`.
//!
//! Runs ticks of a world with no timer, and with a hundred thousand that are due in a year, and prints what a tick takes.

use dbgen_runtime::clock::{Clock, ManualClock, SystemClock};
use dbgen_runtime::{Database, Error, Value};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

const SCHEMA: &str = r#"{ "name": "timers", "version": "1", "tables": { "bomb": {
    "schedule": { "at": "at", "procedure": "explode" }, "fields": [ {"name":"at","type":"timestamp"} ] } } }"#;
const TICKS: u32 = 20_000;
const YEAR_US: i64 = 365 * 24 * 3600 * 1_000_000;

#[derive(Deserialize, JsonSchema)]
struct Explode {}

fn main() -> Result<(), Error> {
    for timers in [0, 100_000, 0, 100_000] {
        println!("{timers} timers: {:?} a tick", tick(timers)?);
    }
    Ok(())
}

/// What a tick of a world with so many timers takes.
fn tick(timers: i64) -> Result<Duration, Error> {
    let clock = ManualClock::new();
    let db = Database::builder().schema_json(SCHEMA).clock(clock.clone()).open()?;
    let mut world = db.tick_loop(60.0).procedure("explode", |_, _: Explode| Ok(())).stepped()?;
    let bomb = db.read().open_table("bomb")?.number();
    db.transact(|tx| (0..timers).try_for_each(|n| tx.insert_values(bomb, &[(0, Value::from(YEAR_US + n))]).map(drop)))?;
    // The first ticks bring the copies of the table up to date.
    for _ in 0..100 {
        world.step()?;
    }
    let watch = SystemClock::new();
    for _ in 0..TICKS {
        clock.advance(Duration::from_micros(16_667));
        world.step()?;
    }
    let took = watch.monotonic() / TICKS;
    assert_eq!(db.read().open_table("bomb")?.len() as i64, timers, "none has gone off");
    Ok(took)
}
