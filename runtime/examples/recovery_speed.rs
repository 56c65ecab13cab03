//! What durability costs and gives back: `cargo run --release -p dbgen-runtime --example recovery_speed [MIB [FOLDER]]`.
//!
//! Fills tables of so many MiB (1024 if not said; the disk needs about as much), and prints: the ticks of a 60 Hz world
//! before and while a snapshot of it is written; how fast a start reads the snapshot, beside what one core takes to
//! decompress the same bytes and to read them; and how fast a start does a log of updates again.

#![expect(clippy::disallowed_methods, reason = "it measures the system's time, over the system's files")]

use dbgen_runtime::{Database, Dynamic, Error, RecordId, SyncLevel, TableNo, Value};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SCHEMA: &str = r#"{ "name": "speed", "version": "1", "tables": { "player": { "fields": [
    {"name":"name","type":"str<24>","unique":true}, {"name":"hp","type":"i32","indexed":true}, {"name":"gold","type":"u64"},
    {"name":"bag","type":"[u16; 64]"}, {"name":"bio","type":"text"}, {"name":"x","type":"f32"}, {"name":"y","type":"f32"} ] } } }"#;
/// Updates of a tick.
const UPDATES: u64 = 1000;
/// Ticks before the snapshot.
const TICKS: u64 = 300;
/// Updates of the log that is done again.
const LOGGED: u64 = 1_000_000;
const HP: usize = 1;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let mib: u64 = arguments.next().and_then(|mib| mib.parse().ok()).unwrap_or(1024);
    let folder = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("dbgen-recovery-speed-{}", std::process::id()));
    let measured = measure(mib, &folder);
    // It is ours; what cannot be removed is left to the system.
    drop(std::fs::remove_dir_all(&folder));
    measured
}

fn builder(folder: &Path) -> dbgen_runtime::Builder<Dynamic> {
    let builder = Database::builder().schema_json(SCHEMA).data_dir(folder).sync(SyncLevel::Buffered);
    builder.snapshot_every(Duration::MAX).snapshots_kept(1)
}

fn measure(mib: u64, folder: &Path) -> Result<(), Error> {
    let db = builder(folder).open()?;
    let player = db.read().open_table("player")?.number();
    let ids = fill(&db, player, mib << 20)?;
    let bytes = db.read().tables().map(|table| table.bytes().0 as u64).sum::<u64>();
    println!("tables: {} records, {} MiB in memory", ids.len(), bytes >> 20);
    ticks(&db, player, &ids)?;
    drop(db);
    start(folder, bytes)?;
    replay(folder, player, &ids)
}

/// Adds records until the tables are so large.
fn fill(db: &Database, player: TableNo, bytes: u64) -> Result<Vec<RecordId>, Error> {
    let mut ids = Vec::new();
    while (db.read().open_table("player")?.bytes().0 as u64) < bytes {
        let first = ids.len() as u64;
        let row = |n: u64| {
            let bag = (0..64).map(|slot| Value::from((n.wrapping_mul(slot * 7 + 1) >> 3) as u16)).collect();
            [
                (0, Value::from(format!("player-{n:09}"))),
                (HP, Value::from((mixed(n) % 10_000) as i32)),
                (2, Value::from(mixed(n) >> 40)),
                (3, Value::List(bag)),
                (4, Value::from(format!("{n} likes number {} best of all", mixed(n)))),
                (5, Value::from(mixed(n) as u16 as f32)),
                (6, Value::from((mixed(n) >> 16) as u16 as f32)),
            ]
        };
        let rows: Vec<_> = (first..first + 10_000).map(row).collect();
        ids.extend(db.transact(|tx| tx.insert_many(player, rows.iter().map(|row| &row[..])))?);
    }
    Ok(ids)
}

/// Numbers without order.
fn mixed(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// A world of 60 Hz, before and while a snapshot is written.
fn ticks(db: &Database, player: TableNo, ids: &[RecordId]) -> Result<(), Error> {
    let targets = ids.to_vec();
    let mut world = db
        .tick_loop(60.0)
        .system("wounds", move |tick| {
            let first = tick.number() * UPDATES;
            (first..first + UPDATES).try_for_each(|n| {
                let id = targets[(mixed(n) % targets.len() as u64) as usize];
                tick.update_values(player, id, &[(HP, Value::from((n % 10_000) as i32))])
            })
        })
        .stepped()?;
    let mut run = |done: &mut dyn FnMut(usize) -> bool| -> Result<Vec<Tick>, Error> {
        let (mut ticks, mut next) = (Vec::new(), Instant::now());
        while !done(ticks.len()) {
            next += Duration::from_secs_f64(1.0 / 60.0);
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            let (begun, (ran, waited)) = (Instant::now(), on_core());
            world.step()?;
            let (took, now) = (begun.elapsed(), on_core());
            ticks.push(Tick { took, ran: now.0.saturating_sub(ran), waited: now.1.saturating_sub(waited) });
        }
        ticks.sort_unstable();
        Ok(ticks)
    };
    let usual = run(&mut |ticks| ticks as u64 == TICKS)?;
    say("ticks before the snapshot", &usual);
    let is_done = AtomicBool::new(false);
    let (during, snapshot) = std::thread::scope(|scope| {
        let snapshot = scope.spawn(|| {
            let begun = Instant::now();
            let taken = db.snapshot();
            is_done.store(true, Ordering::SeqCst);
            taken.map(|_| begun.elapsed())
        });
        let during = run(&mut |_| is_done.load(Ordering::SeqCst));
        (during, snapshot.join())
    });
    let during = during?;
    say("ticks while it is written", &during);
    say("ticks after it", &run(&mut |ticks| ticks as u64 == TICKS)?);
    if let Ok(taken) = snapshot {
        println!("the snapshot took {:.2} s", taken?.as_secs_f64());
    }
    let over = at(&during, 1.0).saturating_sub(at(&usual, 0.99));
    println!("the longest tick of the snapshot is {:.2} ms over the usual p99", over.as_secs_f64() * 1e3);
    let own = |ticks: &[Tick], share| {
        let mut own: Vec<_> = ticks.iter().map(|tick| tick.ran).collect();
        own.sort_unstable();
        own[((own.len() as f64 * share) as usize).min(own.len() - 1)].as_secs_f64() * 1e3
    };
    println!("of the time in which ticks had a core, that is {:.2} ms", own(&during, 1.0) - own(&usual, 0.99));
    Ok(())
}

/// How long a tick took, for how much of that it had a core, and for how much of the rest it was ready and others had it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Tick {
    took: Duration,
    ran: Duration,
    waited: Duration,
}

/// How long this thread has had a core, and has been ready without one, so far; nothing where the system does not say.
fn on_core() -> (Duration, Duration) {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let mut numbers = said.split(' ').map(|ns| Duration::from_nanos(ns.parse().unwrap_or(0)));
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

fn at(sorted: &[Tick], share: f64) -> Duration {
    sorted.get((sorted.len() as f64 * share) as usize).or(sorted.last()).map(|tick| tick.took).unwrap_or_default()
}

fn say(what: &str, sorted: &[Tick]) {
    let ms = |share| at(sorted, share).as_secs_f64() * 1e3;
    println!("{what}: {} of them, p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms", sorted.len(), ms(0.5), ms(0.99), ms(1.0));
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    for Tick { took, ran, waited } in sorted.iter().rev().take(3) {
        println!("  {:.2} ms: {:.2} on a core, {:.2} waiting for one", ms(*took), ms(*ran), ms(*waited));
    }
}

/// A start from the snapshot alone, beside one core that decompresses the same bytes.
fn start(folder: &Path, bytes: u64) -> Result<(), Error> {
    // The log that was written while the snapshot was belongs to the start as well: it goes first.
    let db = builder(folder).open()?;
    db.snapshot()?;
    drop(db);
    let (stored, read, unpacked) = decompress(folder).map_err(Error::abort)?;
    let begun = Instant::now();
    let db = builder(folder).open()?;
    let took = begun.elapsed();
    drop(db);
    let rate = |took: Duration| (bytes as f64 / took.as_secs_f64() / 1e6) as u64;
    println!("the snapshot has {} MiB", stored >> 20);
    println!("reading it: {:.2} s", read.as_secs_f64());
    println!("zstd -d on one core: {:.2} s, {} MB/s of tables", unpacked.as_secs_f64(), rate(unpacked));
    println!("a start from it: {:.2} s, {} MB/s of tables", took.as_secs_f64(), rate(took));
    Ok(())
}

/// Bytes of the newest snapshot, and how long reading them takes, and decompressing them.
fn decompress(folder: &Path) -> std::io::Result<(u64, Duration, Duration)> {
    /// Bytes of a table's header, behind which frames follow.
    const HEADER_BYTES: usize = 64;
    let mut snapshots: Vec<PathBuf> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    snapshots.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap-")));
    snapshots.sort();
    let begun = Instant::now();
    let mut tables = Vec::new();
    for entry in std::fs::read_dir(snapshots.last().cloned().unwrap_or_default())?.flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "table") {
            tables.push(std::fs::read(entry.path())?);
        }
    }
    let read = begun.elapsed();
    let begun = Instant::now();
    let mut room = vec![0; 1 << 20];
    for table in &tables {
        let mut frames = zstd::Decoder::new(&table[HEADER_BYTES..])?;
        while frames.read(&mut room)? > 0 {}
    }
    Ok((tables.iter().map(|table| table.len() as u64).sum(), read, begun.elapsed()))
}

/// A start that does updates again, one a transaction.
fn replay(folder: &Path, player: TableNo, ids: &[RecordId]) -> Result<(), Error> {
    let open = || {
        let begun = Instant::now();
        builder(folder).open().map(|db| (db, begun.elapsed()))
    };
    let (db, without) = open()?;
    for n in 0..LOGGED / UPDATES {
        db.transact(|tx| {
            (n * UPDATES..(n + 1) * UPDATES).try_for_each(|n| {
                let id = ids[(mixed(n) % ids.len() as u64) as usize];
                tx.update_values(player, id, &[(2, Value::from(n))])
            })
        })?;
    }
    drop(db);
    let (db, with) = open()?;
    let more = with.saturating_sub(without);
    let log_bytes = db.durability().map_or(0, |status| status.recovered.log_bytes);
    println!(
        "doing {LOGGED} updates of the log again ({} MiB): {:.2} s, {:.1} million a second",
        log_bytes >> 20,
        more.as_secs_f64(),
        LOGGED as f64 / more.as_secs_f64() / 1e6
    );
    Ok(())
}
