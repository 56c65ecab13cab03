//! The worlds that the proofs run: a few tables with everything that recovery has to bring back, a script of transactions
//! that follows from a seed, and what the world is after each of them, told by a database that lives in memory alone.

use super::rich;
use dbgen_runtime::schema::{Format, Schema, Source};
use dbgen_runtime::storage::simulated::Simulated;
use dbgen_runtime::{Builder, Database, Dynamic, Error, RecordId, Result, SyncLevel, Transaction, Value, View};
use std::collections::BTreeMap;
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
pub(super) const SEGMENT_BYTES: u64 = 512;
const HP: usize = 2;
const BAG: usize = 3;

/// Which world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum World {
    /// Transactions over logged tables, one a commit and one a group. The golden files are of this one: it never changes.
    Small,
    /// Ticks of several transactions, edits of the schema, and tables that are not logged.
    Rich,
}

/// A schema from its text.
pub(super) fn parsed(text: &str) -> Schema {
    let source = Source { name: "world".to_owned(), text: text.to_owned(), format: Format::Json };
    Schema::parse(&source).expect("it is a schema")
}

impl World {
    fn schema(self) -> Schema {
        static PARSED: OnceLock<[Schema; 2]> = OnceLock::new();
        let [small, rich] = PARSED.get_or_init(|| [parsed(SCHEMA), parsed(rich::SCHEMA)]);
        if self == World::Small { small.clone() } else { rich.clone() }
    }

    /// All that the world holds and the log keeps, as text that equals only for equal worlds.
    pub(super) fn told(self, view: &View) -> String {
        told(view, |table| !self.not_logged().contains(&table))
    }

    /// Tables that survive as the last snapshot has them.
    fn not_logged(self) -> &'static [&'static str] {
        if self == World::Small { &[] } else { rich::NOT_LOGGED }
    }
}

/// How a world is opened on a simulated disk.
pub(super) fn builder(world: World, disk: &Simulated) -> Builder<Dynamic> {
    Database::builder()
        .schema(world.schema())
        .data_dir("data")
        .storage(disk.clone(), true)
        .sync(SyncLevel::Group)
        .log_segment_bytes(SEGMENT_BYTES)
        .snapshot_every(Duration::MAX)
}

/// Step number `step` of the script of `seed`. The same on every database that is in the same state.
pub(super) fn transact(world: World, db: &Database, seed: u64, step: usize) -> Result<()> {
    match world {
        World::Small => small_step(db, seed, step),
        World::Rich => rich::step(db, seed, step),
    }
}

/// What a world is after each step of a script.
#[derive(Debug)]
pub(super) struct Model {
    world: World,
    /// For each commit that was published: what the log keeps, and the rest.
    after: BTreeMap<u64, (String, String)>,
}

impl Model {
    /// Runs the script in memory.
    pub(super) fn new(world: World, seed: u64, steps: usize) -> Model {
        let db = Database::builder().schema(world.schema()).open().expect("it opens");
        let mut model = Model { world, after: BTreeMap::new() };
        model.note(&db);
        for step in 0..steps {
            transact(world, &db, seed, step).expect("memory does not fail");
            model.note(&db);
        }
        model
    }

    fn note(&mut self, db: &Database) {
        let view = db.read();
        let rest = told(&view, |table| self.world.not_logged().contains(&table));
        self.after.insert(view.commit(), (self.world.told(&view), rest));
    }

    /// The last commit.
    pub(super) fn last(&self) -> u64 {
        self.after.last_key_value().map_or(0, |(commit, _)| *commit)
    }

    /// What the log keeps of the last commit.
    pub(super) fn told_last(&self) -> &str {
        self.after.last_key_value().map_or("", |(_, (logged, _))| logged)
    }

    /// That a view at `commit`, recovered from the snapshot of commit `snapshot`, is what it should be.
    pub(super) fn compare(&self, view: &View, commit: u64, snapshot: u64) -> Result<(), String> {
        let Some((logged, _)) = self.after.get(&commit) else { return Err(format!("nobody saw a commit {commit}")) };
        let found = self.world.told(view);
        if found != *logged {
            return Err(format!("commit {commit} is\n{found}\nand was\n{logged}"));
        }
        let Some((_, rest)) = self.after.get(&snapshot) else { return Err(format!("no snapshot {snapshot}")) };
        let found = told(view, |table| self.world.not_logged().contains(&table));
        if found != *rest {
            return Err(format!("beside the log it is\n{found}\nand was at commit {snapshot}\n{rest}"));
        }
        Ok(())
    }
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

/// A transaction of the small world.
fn small_step(db: &Database, seed: u64, step: usize) -> Result<()> {
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

/// A change to guilds, players and what they wear.
pub(super) fn change(tx: &mut Transaction, dice: &mut Dice) -> Result<()> {
    let (guild, player, armour) = (tx.open_table("guild")?, tx.open_table("player")?, tx.open_table("armour")?);
    let pick = |tx: &Transaction, table, dice: &mut Dice| -> Option<RecordId> {
        let ids: Vec<RecordId> = tx.read_table(table).ok()?.iter().map(|record| record.id()).collect();
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

/// What some tables hold, as text that equals only for equal content.
fn told(view: &View, wanted: impl Fn(&str) -> bool) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for table in view.tables().filter(|table| wanted(&table.schema().name)) {
        let mut records: Vec<_> = table.iter().collect();
        records.sort_by_key(|record| record.id());
        let _ = write!(text, "{}:", table.schema().name);
        for record in records {
            let _ = write!(text, "{:?}@{}{:?};", record.id(), record.version(), record.values());
        }
    }
    text
}
