//! SQLite. In memory, without journal file or fsync, where nothing is durable; with a write-ahead log and an fsync per commit
//! where something is. Its statements are prepared once.

use crate::race::{Race, timed};
use crate::scenes::data;
use rusqlite::{Connection, params};
use std::hint::black_box;
use std::path::Path;

const NAME: &str = "SQLite in memory";

const IN_MEMORY: &str = "
    pragma journal_mode = memory;
    pragma synchronous = off;
";

const DURABLE: &str = "
    pragma journal_mode = wal;
    pragma synchronous = full;
";

const SCHEMA: &str = "
    create table player (
        id integer primary key, name text not null unique, class integer not null, level integer not null,
        hp integer not null check (hp between 0 and 9999), gold integer not null, experience integer not null,
        bag blob not null, guild integer, px real, py real, pz real, vx real, vy real, vz real
    );
    create index by_class_level on player (class, level);
    create index by_guild on player (guild);
";

fn empty() -> Connection {
    prepared(Connection::open_in_memory(), IN_MEMORY)
}

fn prepared(db: rusqlite::Result<Connection>, settings: &str) -> Connection {
    let db = db.expect("a database");
    db.execute_batch(settings).expect("the settings");
    db.execute_batch(SCHEMA).expect("the schema");
    db
}

fn fill(db: &mut Connection, count: usize) {
    let mut run = || -> rusqlite::Result<()> {
        let tx = db.transaction()?;
        {
            let mut insert =
                tx.prepare_cached("insert into player values (?1, ?2, ?3, ?4, 100, ?5, 0, ?6, ?7, 1, 1, 1, 1, 1, 1)")?;
            for n in 0..count {
                let guild = data::guild(n) as i64;
                let (class, level) = (data::class(n), data::level(n));
                insert.execute(params![n as i64, data::name(n), class, level, data::GOLD as i64, [0_u8; 32], guild])?;
            }
        }
        tx.commit()
    };
    run().expect("players");
}

fn players(count: usize) -> Connection {
    let mut db = empty();
    fill(&mut db, count);
    db
}

/// Reads a field of records at random.
pub fn get(race: Race<'_>, count: usize) -> Race<'_> {
    let db = players(count);
    let wanted: Vec<usize> = data::shuffled(count).into_iter().take(data::SLOW_GETS).collect();
    race.side(NAME, move || {
        let mut get = db.prepare_cached("select px from player where id = ?1").expect("a statement");
        let mut px = |n: &usize| get.query_row([*n as i64], |row| row.get::<_, f64>(0)).expect("a player");
        black_box(wanted.iter().map(&mut px).sum::<f64>());
        wanted.len()
    })
}

/// Reads a field of records found by name.
pub fn by_name(race: Race<'_>, count: usize) -> Race<'_> {
    let db = players(count);
    let wanted: Vec<String> = data::shuffled(count).into_iter().take(data::SLOW_GETS).map(data::name).collect();
    race.side(NAME, move || {
        let mut get = db.prepare_cached("select hp from player where name = ?1").expect("a statement");
        let mut hp = |name: &String| get.query_row([name], |row| row.get::<_, i32>(0)).expect("a player");
        black_box(wanted.iter().map(&mut hp).sum::<i32>());
        wanted.len()
    })
}

/// Reads a field of the records of one class and a range of levels.
pub fn range(race: Race<'_>, count: usize) -> Race<'_> {
    let db = players(count);
    race.side(NAME, move || {
        let sql = "select gold from player where class = 1 and level >= ?1 and level < ?2";
        let mut select = db.prepare_cached(sql).expect("a statement");
        let rows = select.query_map([data::LEVELS.start, data::LEVELS.end], |row| row.get::<_, i64>(0)).expect("rows");
        let (count, sum) = rows.fold((0, 0), |(count, sum), gold| (count + 1, sum + gold.expect("a row")));
        black_box(sum);
        count
    })
}

/// Inserts players into a new database, with the same four indexes, in one transaction.
pub fn insert_players(race: Race<'_>, count: usize) -> Race<'_> {
    race.timed_side(NAME, move || {
        let mut db = empty();
        timed(count, || fill(&mut db, count))
    })
}

/// One transaction that writes one field of one record.
pub fn update(race: Race<'_>, count: usize) -> Race<'_> {
    let db = players(count);
    let mut walk = data::Walk::new(count);
    race.side(NAME, move || {
        let n = walk.next_row() as i64;
        let mut update = db.prepare_cached("update player set gold = ?1 where id = ?2").expect("a statement");
        black_box(update.execute([n, n]).expect("an update"))
    })
}

/// A transaction that writes one field of each of `batch` records, durable when it returns. Per record.
pub fn durable_updates<'a>(race: Race<'a>, folder: &Path, count: usize, batch: usize) -> Race<'a> {
    let mut db = prepared(Connection::open(folder.join("players.sqlite")), DURABLE);
    fill(&mut db, count);
    let mut walk = data::Walk::new(count);
    race.side("SQLite WAL, FULL", move || {
        let mut run = || -> rusqlite::Result<()> {
            let tx = db.transaction()?;
            {
                let mut update = tx.prepare_cached("update player set gold = ?1 where id = ?2")?;
                for _ in 0..batch {
                    let n = walk.next_row() as i64;
                    update.execute([n, n])?;
                }
            }
            tx.commit()
        };
        run().expect("updates");
        batch
    })
}

/// One transaction that moves gold from one record to another.
pub fn transfer(race: Race<'_>, count: usize) -> Race<'_> {
    let mut db = players(count);
    let mut walk = data::Walk::new(count);
    race.side(NAME, move || {
        let (from, to) = (walk.next_row() as i64, walk.next_row() as i64);
        let mut run = || -> rusqlite::Result<()> {
            let tx = db.transaction()?;
            {
                let mut gold = tx.prepare_cached("select gold from player where id = ?1")?;
                let mut set = tx.prepare_cached("update player set gold = ?1 where id = ?2")?;
                let mut add = |id: i64, by: i64| -> rusqlite::Result<usize> {
                    let had: i64 = gold.query_row([id], |row| row.get(0))?;
                    set.execute([had + by, id])
                };
                add(from, -1)?;
                add(to, 1)?;
            }
            tx.commit()
        };
        run().expect("a transfer");
        1
    })
}
