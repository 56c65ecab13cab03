//! The world that the proofs run: a few tables with everything that recovery has to bring back, a script of transactions
//! that follows from a seed, and what the world is after each of them, told by a database that lives in memory alone.

use dbgen_runtime::schema::{Format, Schema, Source};
use dbgen_runtime::storage::simulated::Simulated;
use dbgen_runtime::{Builder, Database, Error, RecordId, Result, SyncLevel, Transaction, Value, View};
use std::sync::OnceLock;
use std::time::Duration;

const SCHEMA: &str = r#"{
  "name": "world", "version": "1",
  "tables": {
    "guild":  { "fields": [ {"name":"name","type":"str<8>","unique":true}, {"name":"motto","type":"text","nullable":true} ] },
    "player": { "fields": [
      {"name":"number","type":"u32","auto_increment":true},
      {"name":"name","type":"str<8>","unique":true},
      {"name":"hp","type":"i32","default":100,"indexed":true},
      {"name":"bag","type":"list<u16>"},
      {"name":"guild","type":"ref<guild>","nullable":true} ] },
    "armour": { "parent_table": "player", "fields": [ {"name":"weight","type":"u16"} ] }
  },
  "relations": [ {"name":"member_of","from":"player.guild","to":"guild","on_delete":"set_null"} ]
}"#;

/// Bytes of a segment of the log: a few records, so that segments end in every script.
const SEGMENT_BYTES: u64 = 512;
const HP: usize = 2;
const BAG: usize = 3;

/// The schema of the world.
pub(super) fn schema() -> Schema {
    static PARSED: OnceLock<Schema> = OnceLock::new();
    let parsed = || {
        let source = Source { name: "world".to_owned(), text: SCHEMA.to_owned(), format: Format::Json };
        Schema::parse(&source).expect("it is a schema")
    };
    PARSED.get_or_init(parsed).clone()
}

/// How the world is opened on a simulated disk.
pub(super) fn builder(disk: &Simulated) -> Builder<dbgen_runtime::Dynamic> {
    Database::builder()
        .schema(schema())
        .data_dir("data")
        .storage(disk.clone(), true)
        .sync(SyncLevel::Group)
        .log_segment_bytes(SEGMENT_BYTES)
        .snapshot_every(Duration::MAX)
}

/// Numbers that follow from a seed.
#[derive(Debug, Clone)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// Transaction number `step` of the script of `seed`. The same on every database that is in the same state.
pub(super) fn transact(db: &Database, seed: u64, step: usize) -> Result<()> {
    let mut dice = Dice(seed ^ (step as u64) << 20);
    dice.next();
    let changed = db.transact(|tx| {
        for _ in 0..1 + dice.below(3) {
            change(tx, &mut dice)?;
        }
        // Now and then everything is taken back.
        if dice.below(8) == 0 { Err(Error::abort("changed my mind")) } else { Ok(()) }
    });
    match changed {
        Err(Error::Aborted(_) | Error::Invalid(_)) => Ok(()),
        other => other,
    }
}

fn change(tx: &mut Transaction, dice: &mut Dice) -> Result<()> {
    let (guild, player, armour) = (tx.open_table("guild")?, tx.open_table("player")?, tx.open_table("armour")?);
    let pick = |tx: &Transaction, table, dice: &mut Dice| -> Option<RecordId> {
        let ids: Vec<RecordId> = tx.read_table(table).iter().map(|record| record.id()).collect();
        (!ids.is_empty()).then(|| ids[dice.below(ids.len())])
    };
    let name = format!("n{}", dice.below(40));
    let note = "x".repeat(dice.below(40));
    match dice.below(9) {
        0 => {
            tx.insert_values(guild, &[(0, Value::from(name)), (1, Value::from(note))])?;
        }
        1..=3 => {
            let bag = (0..dice.below(5)).map(|n| Value::from(n as u16)).collect();
            let home = pick(tx, guild, dice).map_or(Value::Null, |id| Value::Ref(id.get()));
            let fields = [(1, Value::from(name)), (HP, Value::from(100)), (BAG, Value::List(bag)), (4, home)];
            let id = tx.insert_values(player, &fields)?;
            if dice.below(2) == 0 {
                tx.attach_values(armour, id, &[(0, Value::from(7_u16))])?;
            }
        }
        4 => {
            if let Some(id) = pick(tx, player, dice) {
                tx.delete_record(player, id)?;
            }
        }
        5 => {
            if let Some(id) = pick(tx, guild, dice) {
                tx.delete_record(guild, id)?;
            }
        }
        6 => {
            if let Some(id) = pick(tx, guild, dice) {
                tx.update_values(guild, id, &[(1, Value::from(note))])?;
            }
        }
        _ => {
            if let Some(id) = pick(tx, player, dice) {
                tx.update_values(player, id, &[(HP, Value::from(dice.below(1000) as i32))])?;
            }
        }
    }
    Ok(())
}

/// All that the world holds, as text that equals only for equal worlds.
pub(super) fn told(view: &View) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for table in view.tables() {
        let mut records: Vec<_> = table.iter().collect();
        records.sort_by_key(|record| record.id());
        let _ = write!(text, "{}:", table.schema().name);
        for record in records {
            let _ = write!(text, "{:?}@{}{:?};", record.id(), record.version(), record.values());
        }
    }
    text
}

/// The world after each commit of a script: `[n]` = after commit `n`.
pub(super) fn history(seed: u64, steps: usize) -> Vec<String> {
    let db = Database::builder().schema(schema()).open().expect("it opens");
    let mut history = vec![told(&db.read())];
    for step in 0..steps {
        transact(&db, seed, step).expect("memory does not fail");
        if db.read().commit() as usize == history.len() {
            history.push(told(&db.read()));
        }
    }
    history
}
