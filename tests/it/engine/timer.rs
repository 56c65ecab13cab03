//! Timer tables: records fall due in the tick, in order, once.

use dbgen_runtime::clock::ManualClock;
use dbgen_runtime::{Database, Dynamic, Error, RecordId, SchemaEdit, Stepper, TableNo, TickLoop, Value};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::sync::mpsc::channel;
use std::time::Duration;

const SCHEMA: &str = r#"{ "name": "timers", "version": "1", "tables": {
    "bomb":  { "schedule": { "at": "at", "procedure": "explode" },
               "fields": [ {"name":"label","type":"str<16>"}, {"name":"at","type":"timestamp"} ] },
    "pulse": { "schedule": { "at": "at", "every": "every", "procedure": "explode" },
               "fields": [ {"name":"label","type":"str<16>"}, {"name":"at","type":"timestamp"}, {"name":"every","type":"duration"} ] },
    "holder": { "fields": [ {"name":"bomb","type":"ref<bomb>"} ] },
    "log":   { "fields": [ {"name":"label","type":"text"} ] } },
  "relations": [ {"name":"holds","from":"holder.bomb","to":"bomb"} ] }"#;

#[derive(Deserialize, JsonSchema)]
struct Explode {
    label: String,
}

/// A loop whose timers go off.
fn explosive(world: TickLoop<Dynamic>) -> TickLoop<Dynamic> {
    world.procedure("explode", |tx, args: Explode| {
        let log = tx.open_table("log")?;
        tx.insert_values(log, &[(0, args.label.as_str().into())])?;
        match args.label.as_str() {
            "dud" => Err(Error::abort("wet powder")),
            "panic" => std::panic::panic_any("too early"),
            _ => Ok(()),
        }
    })
}

struct World {
    db: Database,
    clock: ManualClock,
    stepper: Stepper<Dynamic>,
}

impl World {
    fn open() -> World {
        let clock = ManualClock::new();
        let db = Database::builder().schema_json(SCHEMA).clock(clock.clone()).open().expect("it opens");
        let stepper = explosive(db.tick_loop(60.0)).stepped().expect("it starts");
        World { db, clock, stepper }
    }

    fn table(&self, name: &str) -> TableNo {
        self.db.read().open_table(name).expect("a table").number()
    }

    fn bomb(&self, label: &str, at_us: i64) -> RecordId {
        let table = self.table("bomb");
        self.db.transact(|tx| tx.insert_values(table, &[(0, label.into()), (1, at_us.into())])).expect("armed")
    }

    /// A bomb that somebody holds, so that it cannot be deleted; and who holds it.
    fn held_bomb(&self, label: &str, at_us: i64) -> (RecordId, RecordId) {
        let (bomb, holder) = (self.bomb(label, at_us), self.table("holder"));
        let held = self.db.transact(|tx| tx.insert_values(holder, &[(0, Value::Ref(bomb.get()))]));
        (bomb, held.expect("held"))
    }

    fn let_go(&self, holder: RecordId) {
        let table = self.table("holder");
        self.db.transact(|tx| tx.delete_record(table, holder)).expect("let go");
    }

    /// Runs so many ticks.
    fn ticks(&mut self, count: u64) {
        for _ in 0..count {
            self.stepper.step().expect("a tick");
        }
    }

    fn failures(&self) -> u64 {
        self.stepper.figures().expect("no transaction runs").failures
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

/// A record that could not be deleted was due again in every tick: its procedure was called sixty times a second, for ever,
/// and no later timer of its table went off.
#[test]
fn a_timer_that_cannot_go_does_not_keep_the_others_of_its_table() {
    let mut world = World::open();
    let (_, holder) = world.held_bomb("held", 1_000);
    let (_, dud) = world.held_bomb("dud", 1_000);
    world.bomb("later", 2_000);
    world.pulse("pulse", 3_000, 1_000_000_000);
    assert_eq!(world.at(10), "later pulse", "what the procedure of the first did is undone");
    assert_eq!(world.failures(), 3, "of the dud both are told: that it failed, and that it cannot go");
    let (timer, tick, why) = world.stepper.figures().expect("no transaction runs").last_failure.expect("two failed");
    assert_eq!((timer.as_str(), tick), ("bomb", 1));
    assert!(why.contains("cannot be deleted"), "{why}");

    world.let_go(dud);
    let mut failed_at = Vec::new();
    for tick in 2..=500_u64 {
        let before = world.failures();
        world.stepper.step().expect("a tick");
        failed_at.extend((world.failures() > before).then_some(tick));
    }
    assert_eq!(failed_at, [65, 193, 449], "after 64 ticks, 128, 256; the dud is gone at 65");
    assert_eq!(world.at(11), "later pulse");
    world.let_go(holder);
    world.ticks(449 + 512 - 502);
    assert_eq!(world.db.read().open_table("bomb").expect("a table").len(), 1, "not yet");
    assert_eq!(world.at(12), "later pulse held", "it goes off once it can");
    assert!(world.db.read().open_table("bomb").expect("a table").is_empty());
}

#[test]
fn a_stuck_timer_is_tried_at_once_when_its_time_or_the_schema_is_changed() {
    let mut world = World::open();
    let (first, holder) = world.held_bomb("first", 1_000);
    let (_, other) = world.held_bomb("second", 2_000);
    assert_eq!(world.at(10), "");
    world.let_go(holder);
    world.let_go(other);
    assert_eq!(world.at(11), "", "they wait");
    let bomb = world.table("bomb");
    world.db.transact(|tx| tx.update_values(bomb, first, &[(1, 1_500.into())])).expect("moved");
    assert_eq!(world.at(12), "first");
    world.db.edit_schema(SchemaEdit::add_field("holder", json!({ "name": "arm", "type": "u8" }))).expect("edited");
    assert_eq!(world.at(13), "first second");
}

/// Ten thousand of them: each is passed over once a tick, not once for each that goes off.
#[test]
fn many_stuck_timers_are_passed_over() {
    let mut world = World::open();
    let [bomb, holder] = ["bomb", "holder"].map(|name| world.table(name));
    let hold = |n: i64| [(0, Value::from("held")), (1, Value::from(1_000 + n / 100))];
    world
        .db
        .transact(|tx| {
            (0..3_000).try_for_each(|n| {
                let held = tx.insert_values(bomb, &hold(n))?;
                tx.insert_values(holder, &[(0, Value::Ref(held.get()))]).map(drop)
            })
        })
        .expect("armed");
    world.bomb("a", 500);
    world.bomb("b", 1_010);
    world.bomb("c", 5_000);
    assert_eq!(world.at(10), "a b c");
    assert_eq!(world.failures(), 3_000);
    world.bomb("d", 10_500);
    world.bomb("e", 900);
    assert_eq!(world.at(11), "a b c e d");
    assert_eq!(world.failures(), 3_000);
}

/// When a stuck timer is tried again follows from what a recording holds, whichever loop the ticks were of.
#[test]
fn a_stuck_timer_is_tried_at_the_same_ticks_when_it_is_played_again() {
    let with_scribe = |world: TickLoop<Dynamic>| {
        explosive(world).system("scribe", |tick| {
            let (log, label) = (tick.open_table("log")?, tick.number().to_string());
            tick.insert_values(log, &[(0, label.as_str().into())]).map(drop)
        })
    };
    let clock = ManualClock::new();
    let open = || Database::builder().schema_json(SCHEMA).clock(clock.clone()).open().expect("it opens");
    let (db, (sink, recorded)) = (open(), channel());
    let stepper = with_scribe(db.tick_loop(60.0)).record(move |input| sink.send(input)).stepped().expect("it starts");
    let mut world = World { db, clock: clock.clone(), stepper };
    let (_, holder) = world.held_bomb("held", 1_000);
    clock.advance(Duration::from_millis(10));
    world.ticks(100);
    // The recording goes on in another loop.
    let World { db, stepper, .. } = world;
    drop(stepper);
    let stepper = with_scribe(db.tick_loop(60.0)).stepped().expect("the first has ended");
    world = World { db, clock: clock.clone(), stepper };
    world.ticks(40);
    world.let_go(holder);
    world.ticks(100);

    let again = open();
    let mut stepper = with_scribe(again.tick_loop(60.0)).stepped().expect("it starts");
    assert_eq!(stepper.replay(recorded.try_iter()).expect("it can be played"), 240);
    let said = |db: &Database| {
        let view = db.read();
        view.verify().expect("whole");
        view.open_table("log").expect("a table").iter().map(|record| record.value(0)).collect::<Vec<_>>()
    };
    let told = said(&world.db);
    assert_eq!(told[191..194], ["192", "held", "193"].map(Value::from), "at 1, 65 and 193");
    assert_eq!(told, said(&again));
}

/// A procedure that is misspelt in the schema, or that nobody has registered yet, was a timer that waited in silence.
#[test]
fn a_timer_whose_procedure_nobody_has_registered_is_told_of_once_and_waits() {
    let schema = SCHEMA.replace("\"procedure\": \"explode\"", "\"procedure\": \"explod\"");
    let clock = ManualClock::new();
    let db = Database::builder().schema_json(&schema).clock(clock.clone()).open().expect("it opens");
    let stepper = explosive(db.tick_loop(60.0)).stepped().expect("it starts");
    let mut world = World { db, clock, stepper };
    world.bomb("a", 1_000);
    world.bomb("b", 2_000);
    assert_eq!(world.at(10), "");
    world.ticks(100);
    let figures = world.stepper.figures().expect("no transaction runs");
    assert_eq!(figures.failures, 1);
    let (timer, tick, why) = figures.last_failure.expect("it was told of");
    assert_eq!((timer.as_str(), tick), ("bomb", 1));
    assert!(why.contains("no procedure `explod`") && why.contains("`explode`"), "{why}");

    let World { db, clock, stepper } = world;
    drop(stepper);
    let registered = db.tick_loop(60.0).procedure("explod", |tx, args: Explode| {
        let log = tx.open_table("log")?;
        tx.insert_values(log, &[(0, args.label.as_str().into())]).map(drop)
    });
    let stepper = registered.stepped().expect("the first has ended");
    assert_eq!(World { db, clock, stepper }.at(11), "a b", "registered at last, it finds what waits");
}
