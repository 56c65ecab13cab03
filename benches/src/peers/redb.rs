//! redb: an embedded key-value store. In memory and without durability where nothing is durable; in a file, with an fsync per
//! commit, where something is.

use crate::race::{Race, timed};
use crate::scenes::data;
use redb::backends::InMemoryBackend;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use std::hint::black_box;
use std::path::Path;

const NAME: &str = "redb, Durability::None";
type Row = [u8; 100];
/// Where the gold of a player lies in its row.
const GOLD: std::ops::Range<usize> = 0..8;

const PLAYERS: TableDefinition<'_, u64, Row> = TableDefinition::new("player");
const BY_NAME: TableDefinition<'_, &str, u64> = TableDefinition::new("player_by_name");
const BY_CLASS_LEVEL: TableDefinition<'_, (u8, u16, u64), ()> = TableDefinition::new("player_by_class_level");
const BY_GUILD: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("player_by_guild");

type Result<T> = std::result::Result<T, redb::Error>;

fn empty() -> Database {
    Database::builder().create_with_backend(InMemoryBackend::new()).expect("a database in memory")
}

fn row(n: usize) -> Row {
    let mut row = [1; 100];
    row[GOLD].copy_from_slice(&data::GOLD.to_le_bytes());
    row[8..16].copy_from_slice(&(n as u64).to_le_bytes());
    row
}

/// One transaction, not durable.
fn write<R>(db: &Database, body: impl FnOnce(&WriteTransaction) -> Result<R>) -> R {
    commit(db, Durability::None, body)
}

fn commit<R>(db: &Database, durability: Durability, body: impl FnOnce(&WriteTransaction) -> Result<R>) -> R {
    let run = || -> Result<R> {
        let mut tx = db.begin_write()?;
        tx.set_durability(durability)?;
        let result = body(&tx)?;
        tx.commit()?;
        Ok(result)
    };
    run().expect("a transaction of redb")
}

fn fill(db: &Database, count: usize) {
    write(db, |tx| {
        let (mut players, mut by_name) = (tx.open_table(PLAYERS)?, tx.open_table(BY_NAME)?);
        let (mut by_class, mut by_guild) = (tx.open_table(BY_CLASS_LEVEL)?, tx.open_table(BY_GUILD)?);
        for n in 0..count {
            let id = n as u64;
            players.insert(id, row(n))?;
            by_name.insert(data::name(n).as_str(), id)?;
            by_class.insert((data::class(n), data::level(n), id), ())?;
            by_guild.insert((data::guild(n) as u64, id), ())?;
        }
        Ok(())
    });
}

fn players(count: usize) -> Database {
    let db = empty();
    fill(&db, count);
    db
}

/// Reads a field of records at random, in one read transaction.
pub fn get(race: Race<'_>, count: usize) -> Race<'_> {
    let db = players(count);
    let wanted: Vec<usize> = data::shuffled(count).into_iter().take(data::SLOW_GETS).collect();
    race.side("redb", move || {
        let run = || -> Result<u64> {
            let table = db.begin_read()?.open_table(PLAYERS)?;
            let mut sum = 0;
            for n in &wanted {
                sum += table.get(*n as u64)?.map_or(0, |row| u64::from(row.value()[50]));
            }
            Ok(sum)
        };
        black_box(run().expect("reads"));
        wanted.len()
    })
}

/// Reads a field of records found by name, in one read transaction.
pub fn by_name(race: Race<'_>, count: usize) -> Race<'_> {
    let db = players(count);
    let wanted: Vec<String> = data::shuffled(count).into_iter().take(data::SLOW_GETS).map(data::name).collect();
    race.side("redb", move || {
        let run = || -> Result<u64> {
            let tx = db.begin_read()?;
            let (names, table) = (tx.open_table(BY_NAME)?, tx.open_table(PLAYERS)?);
            let mut sum = 0;
            for name in &wanted {
                let id = names.get(name.as_str())?.map_or(0, |id| id.value());
                sum += table.get(id)?.map_or(0, |row| u64::from(row.value()[50]));
            }
            Ok(sum)
        };
        black_box(run().expect("reads"));
        wanted.len()
    })
}

/// Reads a field of the records of one class and a range of levels.
pub fn range(race: Race<'_>, count: usize) -> Race<'_> {
    let db = players(count);
    race.side("redb", move || {
        let run = || -> Result<(usize, u64)> {
            let tx = db.begin_read()?;
            let (index, table) = (tx.open_table(BY_CLASS_LEVEL)?, tx.open_table(PLAYERS)?);
            let (mut rows, mut sum) = (0, 0);
            for key in index.range((1, data::LEVELS.start, 0)..(1, data::LEVELS.end, 0))? {
                let (_, _, id) = key?.0.value();
                sum += table.get(id)?.map_or(0, |row| u64::from(row.value()[50]));
                rows += 1;
            }
            Ok((rows, sum))
        };
        black_box(run().expect("reads")).0
    })
}

/// Inserts players into a new database, with the same four indexes.
pub fn insert_players(race: Race<'_>, count: usize) -> Race<'_> {
    race.timed_side(NAME, move || {
        let db = empty();
        timed(count, || fill(&db, count))
    })
}

/// One transaction that writes one field of one record.
pub fn update(race: Race<'_>, count: usize) -> Race<'_> {
    let db = players(count);
    let mut walk = data::Walk::new(count);
    race.side(NAME, move || {
        let n = walk.next_row() as u64;
        write(&db, |tx| set_gold(tx, &[n], n));
        1
    })
}

/// A transaction that writes one field of each of `batch` records, durable when it returns. Per record.
pub fn durable_updates<'a>(race: Race<'a>, folder: &Path, count: usize, batch: usize) -> Race<'a> {
    let db = Database::create(folder.join("players.redb")).expect("a database");
    fill(&db, count);
    let mut walk = data::Walk::new(count);
    race.side("redb, Immediate", move || {
        let ids: Vec<u64> = (0..batch).map(|_| walk.next_row() as u64).collect();
        commit(&db, Durability::Immediate, |tx| set_gold(tx, &ids, 7));
        batch
    })
}

/// One transaction that moves gold from one record to another.
pub fn transfer(race: Race<'_>, count: usize) -> Race<'_> {
    let db = players(count);
    let mut walk = data::Walk::new(count);
    race.side(NAME, move || {
        let (from, to) = (walk.next_row() as u64, walk.next_row() as u64);
        write(&db, |tx| set_gold(tx, &[from, to], from));
        1
    })
}

/// Reads each record and writes it back with other gold.
fn set_gold(tx: &WriteTransaction, ids: &[u64], gold: u64) -> Result<()> {
    let mut table = tx.open_table(PLAYERS)?;
    for id in ids {
        let Some(mut row) = table.get(id)?.map(|row| row.value()) else { continue };
        row[GOLD].copy_from_slice(&gold.to_le_bytes());
        table.insert(id, row)?;
    }
    Ok(())
}
