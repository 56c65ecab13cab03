//! Timer tables: records fall due in the tick, in order, once.

use dbgen_runtime::clock::ManualClock;
use dbgen_runtime::{Database, Error, Stepper, TableNo, Value};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

const SCHEMA: &str = r#"{ "name": "timers", "version": "1", "tables": {
    "bomb":  { "schedule": { "at": "at", "procedure": "explode" },
               "fields": [ {"name":"label","type":"str<16>"}, {"name":"at","type":"timestamp"} ] },
    "pulse": { "schedule": { "at": "at", "every": "every", "procedure": "explode" },
               "fields": [ {"name":"label","type":"str<16>"}, {"name":"at","type":"timestamp"}, {"name":"every","type":"duration"} ] },
    "log":   { "fields": [ {"name":"label","type":"text"} ] } } }"#;

#[derive(Deserialize, JsonSchema)]
struct Explode {
    label: String,
}

struct World {
    db: Database,
    clock: ManualClock,
    stepper: Stepper<dbgen_runtime::Dynamic>,
}

impl World {
    fn open() -> World {
        let clock = ManualClock::new();
        let db = Database::builder().schema_json(SCHEMA).clock(clock.clone()).open().expect("it opens");
        let stepper = db
            .tick_loop(60.0)
            .procedure("explode", |tx, args: Explode| {
                let log = tx.open_table("log")?;
                tx.insert_values(log, &[(0, args.label.as_str().into())])?;
                match args.label.as_str() {
                    "dud" => Err(Error::abort("wet powder")),
                    "panic" => std::panic::panic_any("too early"),
                    _ => Ok(()),
                }
            })
            .stepped()
            .expect("it starts");
        World { db, clock, stepper }
    }

    fn table(&self, name: &str) -> TableNo {
        self.db.read().open_table(name).expect("a table").number()
    }

    fn bomb(&self, label: &str, at_us: i64) {
        let table = self.table("bomb");
        self.db.transact(|tx| tx.insert_values(table, &[(0, label.into()), (1, at_us.into())])).expect("armed");
    }

    fn pulse(&self, label: &str, at_us: i64, every_us: i64) {
        let table = self.table("pulse");
        let values = [(0, label.into()), (1, at_us.into()), (2, every_us.into())];
        self.db.transact(|tx| tx.insert_values(table, &values)).expect("armed");
    }

    /// Moves the clock, runs a tick, and gives what has gone off so far.
    fn at(&mut self, ms: u64) -> String {
        let now = dbgen_runtime::clock::Clock::monotonic(&self.clock);
        self.clock.advance(Duration::from_millis(ms).saturating_sub(now));
        self.stepper.step().expect("a tick");
        let view = self.db.read();
        view.verify().expect("whole");
        let label = |value| if let Value::Text(text) = value { text } else { panic!("a label") };
        let log: Vec<String> = view.open_table("log").expect("a table").iter().map(|r| label(r.value(0))).collect();
        log.join(" ")
    }
}

#[test]
fn timers_fire_when_due_in_order_and_once() {
    let mut world = World::open();
    world.bomb("third", 30_000);
    world.bomb("first", 10_000);
    world.pulse("second", 20_000, 1_000_000_000);
    world.bomb("later", 1_000_000);
    assert_eq!(world.at(5), "");
    assert_eq!(world.at(40), "first second third");
    assert_eq!(world.at(60), "first second third", "once");
    assert_eq!(world.db.read().open_table("bomb").expect("a table").len(), 1, "what has fired is gone");
}

#[test]
fn a_repeating_timer_keeps_its_beat_and_fires_once_after_a_pause() {
    let mut world = World::open();
    world.pulse("tick", 10_000, 10_000);
    assert_eq!(world.at(10), "tick");
    assert_eq!(world.at(15), "tick");
    assert_eq!(world.at(20), "tick tick");
    assert_eq!(world.at(105), "tick tick tick", "eight were missed: one fires");
    assert_eq!(world.at(109), "tick tick tick");
    assert_eq!(world.at(110), "tick tick tick tick", "and the beat is kept");
}

#[test]
fn a_timer_that_fails_is_rolled_back_reported_and_gone() {
    let mut world = World::open();
    world.bomb("dud", 1_000);
    world.bomb("panic", 2_000);
    world.bomb("fine", 3_000);
    assert_eq!(world.at(10), "fine");
    let figures = world.stepper.figures().expect("no transaction runs");
    assert_eq!(figures.failures, 2);
    assert_eq!(figures.last_failure, Some(("bomb".to_owned(), 1, "panicked: too early".to_owned())));
    assert_eq!(world.at(20), "fine");
    assert!(world.db.read().open_table("bomb").expect("a table").is_empty());
}

#[test]
fn ten_thousand_timers_that_are_not_due_do_not_fire() {
    let mut world = World::open();
    let table = world.table("bomb");
    let far = |n: i64| [(0, Value::from("far")), (1, Value::from(1_000_000_000 + n))];
    world.db.transact(|tx| (0..10_000).try_for_each(|n| tx.insert_values(table, &far(n)).map(drop))).expect("armed");
    world.bomb("near", 1_000);
    assert_eq!(world.at(2), "near");
    assert_eq!(world.db.read().open_table("bomb").expect("a table").len(), 10_000);
}
