//! The rich world: what the small one leaves out. Ticks of several transactions that are one group of the log, edits of the
//! schema between them, and tables that the log does not keep.
//!
//! Every transaction counts in the logged table `clock`, so that every commit is in the log and the oracle can go by the
//! number of a commit.

use super::world::{Dice, change};
use dbgen_runtime::{Database, Error, Result, SchemaEdit, Transaction, Value};
use serde_json::json;

pub(super) const SCHEMA: &str = r#"{
  "name": "world", "version": "1",
  "tables": {
    "guild":  { "fields": [ {"name":"name","type":"str<8>","unique":true}, {"name":"motto","type":"text","nullable":true} ] },
    "player": { "fields": [
      {"name":"number","type":"u32","auto_increment":true},
      {"name":"name","type":"str<8>","unique":true},
      {"name":"hp","type":"i32","default":100,"indexed":true},
      {"name":"bag","type":"list<u16>"},
      {"name":"guild","type":"ref<guild>","nullable":true} ] },
    "armour": { "parent_table": "player", "fields": [ {"name":"weight","type":"u16"} ] },
    "clock":  { "fields": [ {"name":"n","type":"u64"} ] },
    "drift":  { "durability": "snapshot", "fields": [ {"name":"x","type":"f32"}, {"name":"why","type":"text"} ] }
  },
  "relations": [ {"name":"member_of","from":"player.guild","to":"guild","on_delete":"cascade"} ]
}"#;

/// Tables that survive as the last snapshot has them.
pub(super) const NOT_LOGGED: &[&str] = &["drift"];

/// Systems of a tick: so many transactions are one group of the log.
const SYSTEMS: u64 = 3;

/// Step number `step` of the script of `seed`.
pub(super) fn step(db: &Database, seed: u64, step: usize) -> Result<()> {
    match step {
        3 => edit(db, SchemaEdit::create_table("extra", json!({"fields":[{"name":"n","type":"u64","indexed":true}]}))),
        6 => edit(db, SchemaEdit::add_field("player", json!({"name":"rank","type":"u8","default":7}))),
        _ if step % 4 == 1 => tick(db, seed, step),
        _ => forgiven(db.transact(|tx| transaction(tx, seed ^ (step as u64) << 20))),
    }
}

fn edit(db: &Database, edit: SchemaEdit) -> Result<()> {
    db.edit_schema(edit).map(drop)
}

fn tick(db: &Database, seed: u64, step: usize) -> Result<()> {
    let mut world = db.tick_loop(60.0);
    for system in 0..SYSTEMS {
        // What a system refuses, the tick takes back and goes on.
        world = world.system(format!("system {system}"), move |tick| {
            transaction(tick, seed ^ (step as u64) << 20 ^ system << 40)
        });
    }
    let mut stepper = world.stepped()?;
    stepper.step()?;
    drop(stepper);
    // A tick does not wait for the disk: what is acknowledged is what was synced.
    db.sync()
}

fn transaction(tx: &mut Transaction, seed: u64) -> Result<()> {
    let mut dice = Dice(seed);
    dice.next();
    let (clock, drift) = (tx.open_table("clock")?, tx.open_table("drift")?);
    let first = tx.read_table(clock)?.iter().next().map(|record| (record.id(), record.value(0)));
    match first {
        Some((id, Value::Int(n))) => tx.update_values(clock, id, &[(0, Value::Int(n + 1))])?,
        Some((id, _)) => tx.update_values(clock, id, &[(0, Value::from(1_u64))])?,
        None => drop(tx.insert_values(clock, &[(0, Value::from(1_u64))])?),
    }
    tx.insert_values(drift, &[(0, Value::from(dice.below(100) as f32)), (1, Value::from("z".repeat(dice.below(30))))])?;
    if let Ok(extra) = tx.open_table("extra") {
        tx.insert_values(extra, &[(0, Value::from(dice.next()))])?;
    }
    for _ in 0..1 + dice.below(3) {
        change(tx, &mut dice)?;
    }
    if dice.below(8) == 0 { Err(Error::abort("changed my mind")) } else { Ok(()) }
}

fn forgiven(done: Result<()>) -> Result<()> {
    match done {
        Err(Error::Aborted(_) | Error::Invalid(_)) => Ok(()),
        other => other,
    }
}
