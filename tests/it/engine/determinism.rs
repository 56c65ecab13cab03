//! The same operations give the same bytes: not only the same records, but every buffer, whoever reads meanwhile.
//!
//! Recordings that replay, logs, and two servers that are to agree all stand on this. What could break it is whatever does
//! not come from the operations: which of the circulating versions was free, how often a table was published, the random
//! keys of the standard library's hash maps, addresses.

use dbgen_runtime::storage::simulated::Simulated;
use dbgen_runtime::{Database, Error, RecordId, Result, TableNo, Transaction, Value, View};

const SCHEMA: &str = r#"{ "name": "bytes", "version": "1", "tables": {
    "guild": { "fields": [ {"name":"name","type":"text","unique":true}, {"name":"motto","type":"text","nullable":true} ] },
    "player": { "fields": [
        {"name":"name","type":"str<16>","unique":true},
        {"name":"number","type":"u64","auto_increment":true},
        {"name":"level","type":"i32","default":1,"indexed":true},
        {"name":"items","type":"list<u32>"},
        {"name":"guild","type":"ref<guild>","nullable":true,"indexed":true}
    ] },
    "health": { "parent_table": "player", "fields": [ {"name":"points","type":"i32"} ] }
  },
  "relations": [ {"name":"member_of","from":"player.guild","to":"guild","on_delete":"cascade"} ] }"#;

/// Transactions of a run.
const TRANSACTIONS: usize = 400;

/// Marsaglia's xorshift: the operations come from a seed, and from nothing else.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn words(&mut self) -> String {
        "word ".repeat(self.below(40))
    }
}

/// A world, driven by a seed.
struct Run {
    db: Database,
    random: Random,
    guild: TableNo,
    player: TableNo,
    health: TableNo,
}

impl Run {
    fn new(seed: u64) -> Run {
        Run::over(Database::builder().schema_json(SCHEMA).open().expect("the world opens"), seed)
    }

    fn over(db: Database, seed: u64) -> Run {
        let view = db.read();
        let table = |name: &str| view.open_table(name).expect("the table").number();
        let (guild, player, health) = (table("guild"), table("player"), table("health"));
        Run { db, random: Random(seed), guild, player, health }
    }

    /// One transaction of a few operations. Some fail, some are rolled back.
    fn transact(&mut self) {
        let steps = 1 + self.random.below(12);
        let is_doomed = self.random.below(8) == 0;
        let (db, tables) = (self.db.clone(), (self.guild, self.player, self.health));
        let result = db.transact(|tx| {
            for _ in 0..steps {
                // What a rule forbids is refused on both sides alike, and the transaction goes on.
                drop(step(tx, &mut self.random, tables));
            }
            if is_doomed { Err(Error::abort("so it was drawn")) } else { Ok(()) }
        });
        assert_eq!(result.is_err(), is_doomed);
    }

    fn buffers(&self) -> Vec<Vec<Vec<u8>>> {
        dbgen_runtime::__private::buffers(&self.db).expect("no transaction runs")
    }
}

fn step(tx: &mut Transaction, random: &mut Random, (guild, player, health): (TableNo, TableNo, TableNo)) -> Result<()> {
    let any = |tx: &Transaction, table: TableNo, random: &mut Random| -> Option<RecordId> {
        let table = tx.read_table(table).ok()?;
        let at = random.below(table.len().max(1));
        table.iter().nth(at).map(|record| record.id())
    };
    match random.below(9) {
        0 => {
            let name = format!("guild {} {}", random.below(60), "long ".repeat(random.below(9)));
            tx.insert_values(guild, &[(0, Value::from(name)), (1, Value::from(random.words()))])?;
        }
        1..4 => {
            let name = format!("player {}", random.below(500));
            let items = (0..random.below(20)).map(|n| Value::from(n as u32)).collect();
            let of = any(tx, guild, random).map_or(Value::Null, |id| Value::Ref(id.get()));
            tx.insert_values(player, &[(0, Value::from(name)), (3, Value::List(items)), (4, of)])?;
        }
        4 => {
            let level = Value::from(random.below(50) as i32);
            any(tx, player, random).map_or(Ok(()), |id| tx.update_values(player, id, &[(2, level)]))?;
        }
        5 => {
            let motto = Value::from(random.words());
            any(tx, guild, random).map_or(Ok(()), |id| tx.update_values(guild, id, &[(1, motto)]))?;
        }
        6 => {
            let points = Value::from(random.below(100) as i32);
            any(tx, player, random).map_or(Ok(()), |id| tx.attach_values(health, id, &[(0, points)]))?;
        }
        7 => drop(any(tx, player, random).map_or(Ok(0), |id| tx.delete_record(player, id))?),
        _ if random.below(10) == 0 => drop(any(tx, guild, random).map_or(Ok(0), |id| tx.delete_record(guild, id))?),
        _ => {}
    }
    Ok(())
}

/// Where two worlds differ first: table, buffer, byte.
fn first_difference(a: &[Vec<Vec<u8>>], b: &[Vec<Vec<u8>>]) -> Option<(usize, usize, usize)> {
    let tables = a.iter().zip(b).enumerate();
    let mut buffers =
        tables.flat_map(|(table, (a, b))| a.iter().zip(b).enumerate().map(move |(at, ab)| (table, at, ab)));
    buffers.find(|(_, _, (a, b))| a != b).map(|(table, at, (a, b))| {
        let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        (table, at, same)
    })
}

#[test]
fn the_same_operations_give_the_same_bytes_whoever_reads_meanwhile() {
    let (mut alone, mut watched) = (Run::new(7), Run::new(7));
    let mut held: Vec<View> = Vec::new();
    let mut readers = Random(99);
    for n in 0..TRANSACTIONS {
        alone.transact();
        watched.transact();
        // Readers come and go on one side only, so that other versions circulate there, and some are copied whole.
        if readers.below(3) == 0 {
            held.push(watched.db.read());
        }
        if readers.below(5) == 0 && !held.is_empty() {
            held.swap_remove(readers.below(held.len()));
        }
        assert_eq!(first_difference(&alone.buffers(), &watched.buffers()), None, "after transaction {n}");
    }
    for db in [&alone.db, &watched.db] {
        db.read().verify().expect("whole");
    }
    held.iter().for_each(|view| view.verify().expect("what was held stays what it was"));
    let players = alone.db.read();
    assert!(players.open_table("player").expect("the table").len() > 50, "the run did something");
}

#[test]
fn the_same_operations_give_the_same_bytes_through_snapshots_and_restores_in_the_middle() {
    let disk = Simulated::new(1);
    let open = || {
        let builder = Database::builder().schema_json(SCHEMA).data_dir("data").storage(disk.clone(), true);
        builder.open().expect("the world opens")
    };
    let (mut alone, mut restored) = (Run::new(11), Run::over(open(), 11));
    for n in 0..TRANSACTIONS / 2 {
        alone.transact();
        restored.transact();
        if n % 40 == 13 {
            restored.db.snapshot().expect("a snapshot");
        }
        // Sometimes right behind the snapshot, sometimes with a log behind it that is played again.
        if n % 40 == 13 || n % 40 == 33 {
            let seed = restored.random.0;
            drop(restored);
            restored = Run::over(open(), seed);
        }
        assert_eq!(first_difference(&alone.buffers(), &restored.buffers()), None, "after transaction {n}");
    }
    for db in [&alone.db, &restored.db] {
        db.read().verify().expect("whole");
    }
    let players = restored.db.read();
    assert!(players.open_table("player").expect("the table").len() > 20, "the run did something");
}

#[test]
fn other_operations_give_other_bytes() {
    let (mut one, mut other) = (Run::new(7), Run::new(8));
    one.transact();
    other.transact();
    assert!(first_difference(&one.buffers(), &other.buffers()).is_some());
    for db in [&one.db, &other.db] {
        db.read().verify().expect("whole");
    }
}
