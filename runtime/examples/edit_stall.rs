//! How long a world stands still while the schema of a table of a million records is edited: a loop writes a hundred random
//! records 60 times a second, and each edit is made meanwhile by another thread.
//!
//! ```text
//! cargo run --release -p dbgen-runtime --example edit_stall
//! ```
//!
//! For every edit it prints how long it took, the longest transaction of the loop meanwhile and in the second after it, and
//! how late its latest tick was.

use dbgen_runtime::clock::{Clock, SystemClock};
use dbgen_runtime::{Database, Error, RecordId, SchemaEdit, Value};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const RECORDS: u32 = 1_000_000;
const WRITES: usize = 100;
const PERIOD: Duration = Duration::from_micros(16_667);
const SCHEMA: &str = r#"{ "name": "w", "version": "1",
    "enums": { "E": { "variants": ["a", "b"] } },
    "custom_types": { "P": { "fields": [ {"name":"x","type":"f32"}, {"name":"y","type":"f32"} ] } },
    "tables": { "t": { "capacity": 1000000, "fields": [
        {"name":"name","type":"str<16>"}, {"name":"hp","type":"i32","indexed":true}, {"name":"gold","type":"i64"},
        {"name":"p","type":"P"}, {"name":"e","type":"E"}, {"name":"flag","type":"bool"} ] } } }"#;

/// The worst of the loop since it was last asked, in microseconds.
#[derive(Default)]
struct Worst {
    transaction_us: AtomicU64,
    late_us: AtomicU64,
}

fn main() -> Result<(), Error> {
    let db = Database::builder().schema_json(SCHEMA).open()?;
    let ids = fill(&db)?;
    let (stop, worst, clock) = (AtomicBool::new(false), Worst::default(), SystemClock::new());
    std::thread::scope(|scope| {
        let looped = scope.spawn(|| tick(&db, &ids, &worst, &stop, &clock));
        let done = edits().into_iter().try_for_each(|(what, edit)| measure(&db, &worst, &clock, what, edit));
        stop.store(true, Relaxed);
        looped.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).and(done)
    })
}

fn fill(db: &Database) -> Result<Vec<RecordId>, Error> {
    let record = |n: u32| {
        vec![
            (0, format!("n{n}").into()),
            (1, Value::from((n.wrapping_mul(2_654_435_761) % 100_000) as i32)),
            (2, i64::from(n).into()),
            (3, Value::Struct(vec![1.0.into(), 2.0.into()])),
            (4, Value::Enum(0, None)),
            (5, true.into()),
        ]
    };
    db.transact(|tx| {
        let table = tx.open_table("t")?;
        let records: Vec<_> = (0..RECORDS).map(record).collect();
        tx.insert_many(table, records.iter().map(Vec::as_slice))
    })
}

fn tick(db: &Database, ids: &[RecordId], worst: &Worst, stop: &AtomicBool, clock: &impl Clock) -> Result<(), Error> {
    let (mut due, mut n) = (clock.monotonic(), 0_usize);
    while !stop.load(Relaxed) {
        let begun = clock.monotonic();
        db.transact(|tx| {
            // By name: an edit may have given the field another place.
            let table = tx.open_table("t")?;
            let schema = tx.read_table(table)?.schema();
            let gold = ["gold", "coins"].iter().find_map(|name| schema.field(name));
            let gold = gold.map_or(0, |(at, _)| at.at());
            for _ in 0..WRITES {
                n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                tx.update_values(table, ids[(n >> 33) % ids.len()], &[(gold, Value::from((n >> 40) as i64))])?;
            }
            Ok(())
        })?;
        worst.transaction_us.fetch_max((clock.monotonic() - begun).as_micros() as u64, Relaxed);
        due += PERIOD;
        let now = clock.monotonic();
        if now > due {
            worst.late_us.fetch_max((now - due).as_micros() as u64, Relaxed);
            due = now;
        } else {
            clock.sleep_until(due);
        }
    }
    Ok(())
}

fn edits() -> Vec<(&'static str, SchemaEdit)> {
    let index = |definition| SchemaEdit::create_index("t", definition);
    vec![
        ("nothing but the name of a field", SchemaEdit::rename_field("t", "gold", "coins")),
        ("add a field", SchemaEdit::add_field("t", json!({"name":"new","type":"i32","default":5}))),
        (
            "add an indexed field",
            SchemaEdit::add_field("t", json!({"name":"more","type":"i32","default":5,"indexed":true})),
        ),
        ("a tree over a number", index(json!({"name":"by_coins","fields":["coins"]}))),
        ("a unique tree over a text", index(json!({"name":"by_name","fields":["name"],"unique":true}))),
        ("a hash over a number", index(json!({"name":"h_coins","fields":["coins"],"kind":"hash"}))),
        ("a wider field", SchemaEdit::alter_field("t", "hp", json!({"type":"i64"}))),
        ("a variant more", SchemaEdit::add_member("E", json!("c"))),
        ("a member more in a composite", SchemaEdit::add_member("P", json!({"name":"z","type":"f32","default":0}))),
        ("drop a field", SchemaEdit::drop_field("t", "flag")),
        ("a smallest value", SchemaEdit::alter_field("t", "hp", json!({"min":-1}))),
    ]
}

fn measure(db: &Database, worst: &Worst, clock: &impl Clock, what: &str, edit: SchemaEdit) -> Result<(), Error> {
    clock.sleep_until(clock.monotonic() + Duration::from_millis(200));
    worst.transaction_us.store(0, Relaxed);
    worst.late_us.store(0, Relaxed);
    let begun = clock.monotonic();
    db.edit_schema(edit)?;
    let ended = clock.monotonic();
    clock.sleep_until(ended + Duration::from_secs(1));
    let [transaction, late] = [&worst.transaction_us, &worst.late_us].map(|us| us.load(Relaxed) as f64 / 1e3);
    let took = (ended - begun).as_secs_f64() * 1e3;
    println!("{what:32} {took:7.1} ms; longest transaction {transaction:6.1} ms, latest tick {late:6.1} ms");
    Ok(())
}
