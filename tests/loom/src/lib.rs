//! The engine itself under loom: a writer that commits and publishes, and readers that hold what they loaded.
//!
//! Nothing is modelled but the threads. Transactions, buffers, indexes, catch-up, spare versions and spare roots, the
//! bound beyond which a publication is put off: all of it is the runtime, compiled with loom's pointers in place of the
//! standard library's (`runtime/src/sync.rs`). Loom runs it once for every order in which the threads can meet at a
//! pointer, up to a number of preemptions.
//!
//! What is asserted: a reader sees all tables at one commit, whole by `View::verify`; what it holds never changes; commits
//! never go back; the writer never waits, and what it put off is seen in the end.
//!
//! Without loom the same world runs on the system's threads for a second: what ThreadSanitizer looks at.

#![cfg(test)]

use dbgen_runtime::{Database, Error, RecordId, Value, View};

/// Two tables, one with an index and a heap: every commit writes its number into both.
const SCHEMA: &str = r#"{ "name": "w", "version": "1", "tables": {
    "a": { "fields": [ {"name":"n","type":"u64","unique":true}, {"name":"text","type":"text"} ] },
    "b": { "fields": [ {"name":"n","type":"u64"} ] } } }"#;

struct World {
    db: Database,
    ids: [RecordId; 2],
}

impl World {
    fn open() -> World {
        let db = Database::builder().schema_json(SCHEMA).open().expect("it opens");
        let ids = db.transact(|tx| {
            let (a, b) = (tx.open_table("a")?, tx.open_table("b")?);
            Ok([
                tx.insert_values(a, &[(0, 0_u64.into()), (1, "0".into())])?,
                tx.insert_values(b, &[(0, 0_u64.into())])?,
            ])
        });
        World { db, ids: ids.expect("filled") }
    }

    /// Writes a number into both tables, in one transaction.
    fn write(&self, n: u64) {
        let written = self.db.transact(|tx| {
            let (a, b) = (tx.open_table("a")?, tx.open_table("b")?);
            tx.update_values(a, self.ids[0], &[(0, n.into()), (1, n.to_string().repeat(9).into())])?;
            tx.update_values(b, self.ids[1], &[(0, n.into())])
        });
        written.expect("written");
    }

    /// A transaction that comes to nothing.
    fn change_its_mind(&self) {
        let ended = self.db.transact(|tx| {
            let a = tx.open_table("a")?;
            tx.update_values(a, self.ids[0], &[(0, 999_u64.into()), (1, "never seen".into())])?;
            Err::<(), _>(Error::abort("changed my mind"))
        });
        assert!(ended.is_err());
    }
}

/// That the view is one commit in all its tables; gives its number.
fn look(view: &View) -> u64 {
    let row = |table: &str| view.open_table(table).expect("there").iter().next().expect("a record").values();
    let (a, b) = (row("a"), row("b"));
    assert_eq!(a[0], b[0], "all tables are of one commit");
    let Value::Int(n) = a[0] else { panic!("a number") };
    let text = if n == 0 { "0".to_owned() } else { n.to_string().repeat(9) };
    assert_eq!(a[1], Value::Text(text), "the heap is of the same commit");
    let found = view.open_table("a").expect("there").find("by_n", &[a[0].clone()]).expect("it can be asked");
    assert!(found.is_some(), "the index is of the same commit");
    n as u64
}

#[cfg(loom)]
mod every_order {
    use super::{World, look};
    use loom::thread;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A writer and two readers, each of which holds what it loaded across its next load.
    fn model(preemptions: usize, writes: u64) {
        let mut model = loom::model::Builder::new();
        (model.preemption_bound, model.max_branches) = (Some(preemptions), 100_000);
        // The cell of the root is real here, with its locks: there are more orders than anybody waits for. So many seconds of
        // them are tried, or as many as are asked for.
        let asked = std::env::var("DBGEN_LOOM_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
        model.max_duration = Some(std::time::Duration::from_secs(asked.unwrap_or(45)));
        let orders = Arc::new(AtomicU64::new(0));
        let counted = orders.clone();
        model.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            let world = World::open();
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    let db = world.db.clone();
                    thread::spawn(move || {
                        let first = db.read();
                        let seen = look(&first);
                        let second = db.read();
                        assert!(look(&second) >= seen, "commits never go back");
                        assert_eq!(look(&first), seen, "what is held stays");
                    })
                })
                .collect();
            for n in 1..=writes {
                world.write(n);
                world.change_its_mind();
            }
            readers.into_iter().for_each(|reader| reader.join().expect("it saw nothing wrong"));
            // Nobody reads any more: whatever was put off, the next commit is seen.
            world.write(writes + 1);
            let view = world.db.read();
            assert_eq!(look(&view), writes + 1);
            view.verify().expect("whole");
        });
        let orders = orders.load(Ordering::Relaxed);
        println!("{orders} orders");
        assert!(orders > 1_000, "loom found {orders} orders: is the engine compiled with its pointers?");
    }

    #[test]
    fn a_version_is_reused_only_when_nobody_holds_it() {
        model(4, 2);
    }

    #[test]
    fn versions_circulate_through_all_their_lives() {
        model(3, 4);
    }
}

#[cfg(not(loom))]
#[test]
fn readers_and_a_writer_race_for_a_second() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let (world, is_over) = (World::open(), AtomicBool::new(false));
    let (mut written, started) = (0, std::time::Instant::now());
    let read = || {
        let (mut reader, mut held, mut reads) = (world.db.reader(), world.db.read(), 0_u64);
        while !is_over.load(Ordering::Relaxed) {
            let seen = look(&held);
            let view = if reads.is_multiple_of(2) { world.db.read() } else { reader.view().clone() };
            assert!(look(&view) >= seen || reads % 2 == 1, "commits never go back");
            assert_eq!(look(&held), seen, "what is held stays");
            if reads.is_multiple_of(5) {
                held = view;
            }
            reads += 1;
        }
        reads
    };
    std::thread::scope(|scope| {
        let readers = [scope.spawn(read), scope.spawn(read)];
        while started.elapsed() < std::time::Duration::from_secs(1) {
            written += 1;
            world.write(written);
            world.change_its_mind();
        }
        is_over.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().expect("it saw nothing wrong") > 0);
        }
    });
    world.write(written + 1);
    assert_eq!(look(&world.db.read()), written + 1);
}
