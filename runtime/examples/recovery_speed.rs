//! What durability costs and gives back: `cargo run --release -p dbgen-runtime --example recovery_speed [MIB [FOLDER]]`.
//!
//! Fills tables of so many MiB (1024 if not said; the disk needs about as much), and prints: the ticks of a 60 Hz world by
//! themselves, beside a stranger who asks the machine for what a snapshot does, and while one is written; how fast a start reads the snapshot, beside what one core takes to
//! decompress the same bytes and to read them; and how fast a start does a log of updates again.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it measures the system's time, over the system's files"
)]

use dbgen_runtime::{Database, Dynamic, Error, RecordId, SyncLevel, TableNo, Value};
use std::io::{Read, Write};
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
    ticks(&db, player, &ids, bytes, folder)?;
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

/// A world of 60 Hz: by itself, beside somebody else's work of the same kind, and while a snapshot is written.
fn ticks(db: &Database, player: TableNo, ids: &[RecordId], bytes: u64, folder: &Path) -> Result<(), Error> {
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
    let mut run = |done: &mut dyn FnMut(usize) -> bool| -> Result<Ticks, Error> {
        let (mut ticks, mut next) = (Vec::new(), Instant::now());
        while !done(ticks.len()) {
            next += Duration::from_secs_f64(1.0 / 60.0);
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            let (begun, before) = (Instant::now(), Thread::now());
            world.step()?;
            ticks.push(Tick::between(begun.elapsed(), before, Thread::now()));
        }
        Ok(Ticks(ticks))
    };
    let usual = run(&mut |ticks| ticks as u64 == TICKS)?;
    usual.say("ticks by themselves");
    let (others, took) = beside(&mut run, || strangers_work(bytes, &folder.join("stranger")).map_err(Error::abort))?;
    others.say("ticks beside a stranger who compresses and writes as much");
    println!("  he took {:.2} s", took.as_secs_f64());
    let (during, took) = beside(&mut run, || db.snapshot().map(drop))?;
    during.say("ticks while a snapshot is written");
    println!("  it took {:.2} s", took.as_secs_f64());
    run(&mut |ticks| ticks as u64 == TICKS)?.say("ticks after it");
    let copies = db.loop_stats().map_or(0, |stats| stats.tables.iter().map(|table| table.1.whole_copies).sum());
    println!("tables copied whole since the start: {copies}");
    let over = |of: &dyn Fn(&Tick) -> Duration| {
        let ms = |ticks: &Ticks| (ticks.at(1.0, of).as_secs_f64() - usual.at(0.99, of).as_secs_f64()) * 1e3;
        format!("{:.2} ms in the snapshot, {:.2} ms beside the stranger", ms(&during), ms(&others))
    };
    println!("the longest tick, over the usual p99: {}", over(&|tick| tick.took));
    println!("  of the time in which it had a core: {}", over(&|tick| tick.ran));
    println!("  of that in which it waited for another thread: {}", over(&|tick| tick.blocked()));
    Ok(())
}

/// Runs ticks until it is told, by their count, that it is enough.
type Run<'r> = dyn FnMut(&mut dyn FnMut(usize) -> bool) -> Result<Ticks, Error> + 'r;

/// Ticks for as long as some other work takes, and how long that is.
fn beside(run: &mut Run<'_>, work: impl FnOnce() -> Result<(), Error> + Send) -> Result<(Ticks, Duration), Error> {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let begun = Instant::now();
            let done = work();
            is_done.store(true, Ordering::SeqCst);
            done.map(|()| begun.elapsed())
        });
        let ticks = run(&mut |_| is_done.load(Ordering::SeqCst))?;
        let took = worker.join().map_err(|_| Error::abort("the work beside the ticks panicked"))?;
        Ok((ticks, took?))
    })
}

/// What a snapshot asks of the machine, without the database: so many bytes are compressed, written and synced, by a thread
/// that gives way to others.
fn strangers_work(bytes: u64, path: &Path) -> std::io::Result<()> {
    const BLOCK_BYTES: usize = 1 << 20;
    const SYNC_BYTES: usize = 32 << 20;
    #[cfg(target_os = "linux")]
    rustix::process::setpriority_process(Some(rustix::thread::gettid()), 10)?;
    // Of eight bytes two are without order: that compresses about as the tables do.
    let words = (0..(64 << 17)).map(|n| mixed(n) as u16 as u64 | n << 40);
    let memory: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    let mut file = std::fs::File::create(path)?;
    let mut unsynced = 0;
    for block in memory.chunks(BLOCK_BYTES).cycle().take((bytes as usize).div_ceil(BLOCK_BYTES)) {
        let packed = zstd::bulk::compress(block, 1)?;
        file.write_all(&packed)?;
        unsynced += packed.len();
        if unsynced >= SYNC_BYTES {
            file.sync_data()?;
            unsynced = 0;
        }
    }
    file.sync_data()?;
    std::fs::remove_file(path)
}

/// What the system knows of this thread; zeros where it does not say.
#[derive(Debug, Clone, Copy, Default)]
struct Thread {
    ran: Duration,
    queued: Duration,
    faults: u64,
    waits: u64,
}

impl Thread {
    fn now() -> Thread {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/thread-self/{name}")).unwrap_or_default();
        let (schedule, stat, status) = (read("schedstat"), read("stat"), read("status"));
        let mut times = schedule.split(' ').map(|ns| Duration::from_nanos(ns.parse().unwrap_or(0)));
        // Behind the name, which may hold anything, the eighth number counts page faults.
        let behind = stat.rsplit(')').next().unwrap_or_default();
        let waits = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        Thread {
            ran: times.next().unwrap_or_default(),
            queued: times.next().unwrap_or_default(),
            faults: behind.split_whitespace().nth(7).and_then(|faults| faults.parse().ok()).unwrap_or(0),
            waits: waits.and_then(|waits| waits.trim().parse().ok()).unwrap_or(0),
        }
    }
}

/// Where the time of a tick went.
#[derive(Debug, Clone, Copy)]
struct Tick {
    took: Duration,
    /// It had a core.
    ran: Duration,
    /// It was ready, and others had the cores.
    queued: Duration,
    /// Pages that it touched first.
    faults: u64,
    /// How often it slept until somebody woke it: a lock, or a disk.
    waits: u64,
}

impl Tick {
    fn between(took: Duration, before: Thread, after: Thread) -> Tick {
        Tick {
            took,
            ran: after.ran.saturating_sub(before.ran),
            queued: after.queued.saturating_sub(before.queued),
            faults: after.faults.saturating_sub(before.faults),
            waits: after.waits.saturating_sub(before.waits),
        }
    }

    /// For how long the machine below took the core away, which nobody here sees: if the tick never slept, it is the rest.
    fn stolen(&self) -> Duration {
        if self.waits == 0 { self.rest() } else { Duration::ZERO }
    }

    /// For how long it slept until somebody woke it.
    fn blocked(&self) -> Duration {
        if self.waits > 0 { self.rest() } else { Duration::ZERO }
    }

    fn rest(&self) -> Duration {
        self.took.saturating_sub(self.ran).saturating_sub(self.queued)
    }
}

/// Ticks of a while.
#[derive(Debug)]
struct Ticks(Vec<Tick>);

impl Ticks {
    fn at(&self, share: f64, of: &dyn Fn(&Tick) -> Duration) -> Duration {
        let mut sorted: Vec<Duration> = self.0.iter().map(of).collect();
        sorted.sort_unstable();
        sorted.get((sorted.len() as f64 * share) as usize).or(sorted.last()).copied().unwrap_or_default()
    }

    fn say(&self, what: &str) {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        println!("{what}: {}, in ms", self.0.len());
        let say = |name: &str, of: &dyn Fn(&Tick) -> Duration| {
            let [median, p99, max] = [0.5, 0.99, 1.0].map(|share| ms(self.at(share, of)));
            println!("  {name:<10} p50 {median:6.2}  p99 {p99:6.2}  max {max:6.2}");
        };
        say("all", &|tick| tick.took);
        say("on a core", &|tick| tick.ran);
        say("ready", &|tick| tick.queued);
        say("stolen", &|tick| tick.stolen());
        say("asleep", &|tick| tick.blocked());
        let mut longest: Vec<&Tick> = self.0.iter().collect();
        longest.sort_unstable_by_key(|tick| std::cmp::Reverse(tick.took));
        for tick in longest.iter().take(3) {
            println!(
                "  one of {:.2}: {:.2} on a core, {:.2} ready, {:.2} neither; {} pages touched first, {} sleeps",
                ms(tick.took),
                ms(tick.ran),
                ms(tick.queued),
                ms(tick.rest()),
                tick.faults,
                tick.waits
            );
        }
    }
}

/// A start from the snapshot alone, beside the disk, and one core that decompresses the same bytes.
fn start(folder: &Path, bytes: u64) -> Result<(), Error> {
    // The log that was written while the snapshot was belongs to the start as well: it goes first.
    let db = builder(folder).open()?;
    db.snapshot()?;
    drop(db);
    let files = snapshot_files(folder).map_err(Error::abort)?;
    let stored: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    println!("the snapshot has {} MiB", stored >> 20);
    let rate = |what: &str, took: Duration| {
        println!(
            "{what}: {:.2} s, {} MB/s of tables",
            took.as_secs_f64(),
            (bytes as f64 / took.as_secs_f64() / 1e6) as u64
        );
    };
    let open = || {
        let begun = Instant::now();
        builder(folder).open().map(|_| begun.elapsed())
    };
    forget(&files).map_err(Error::abort)?;
    rate("reading it from the disk", read(&files).map_err(Error::abort)?.1);
    forget(&files).map_err(Error::abort)?;
    rate("a start from the disk", open()?);
    let (tables, took) = read(&files).map_err(Error::abort)?;
    rate("reading it from the system's memory", took);
    rate("zstd -d of it on one core", decompress(&tables).map_err(Error::abort)?);
    drop(tables);
    for _ in 0..3 {
        rate("a start from the system's memory", open()?);
    }
    Ok(())
}

/// The tables of the newest snapshot, with their bytes.
fn snapshot_files(folder: &Path) -> std::io::Result<Vec<(PathBuf, u64)>> {
    let mut snapshots: Vec<PathBuf> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    snapshots.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap-")));
    snapshots.sort();
    let entries = std::fs::read_dir(snapshots.last().cloned().unwrap_or_default())?.flatten();
    let tables = entries.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "table"));
    tables.map(|entry| Ok((entry.path(), entry.metadata()?.len()))).collect()
}

/// Has the system forget what it knows of the files' content, where it can be told to: the disk is asked again then.
fn forget(files: &[(PathBuf, u64)]) -> std::io::Result<()> {
    for (path, _) in files {
        let file = std::fs::File::open(path)?;
        file.sync_all()?;
        #[cfg(target_os = "linux")]
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    }
    Ok(())
}

/// Reads files, and says how long that takes.
fn read(files: &[(PathBuf, u64)]) -> std::io::Result<(Vec<Vec<u8>>, Duration)> {
    let begun = Instant::now();
    let read = files.iter().map(|(path, _)| std::fs::read(path)).collect::<Result<_, _>>()?;
    Ok((read, begun.elapsed()))
}

/// How long decompressing the blocks of tables takes.
fn decompress(tables: &[Vec<u8>]) -> std::io::Result<Duration> {
    /// Bytes of a table's header, behind which frames follow.
    const HEADER_BYTES: usize = 64;
    let begun = Instant::now();
    let mut room = vec![0; 1 << 20];
    for table in tables {
        let mut frames = zstd::Decoder::new(&table[HEADER_BYTES..])?;
        while frames.read(&mut room)? > 0 {}
    }
    Ok(begun.elapsed())
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
