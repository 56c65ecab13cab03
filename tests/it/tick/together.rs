//! The loop beside others: threads that commit while it ticks, requests from elsewhere, another loop, answers that panic.

use crate::tick::recording::whole;
use dbgen_runtime::clock::ManualClock;
use dbgen_runtime::{Client, CommitMode, Database, Dynamic, Error, TickLoop, Value};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SCHEMA: &str = r#"{ "name": "town", "version": "1", "tables": {
    "house": { "fields": [ {"name":"n","type":"u32"} ] },
    "census": { "fields": [ {"name":"houses","type":"u32"} ] } } }"#;
const PATIENCE: Duration = Duration::from_secs(20);

fn town() -> Database {
    Database::builder().schema_json(SCHEMA).clock(ManualClock::new()).open().expect("the schema is right")
}

/// A system that writes down how many houses it sees in the view, and keeps how many it sees in its transaction.
fn with_census(world: TickLoop<Dynamic>, counted: &Arc<Mutex<Vec<(usize, usize)>>>) -> TickLoop<Dynamic> {
    let counted = counted.clone();
    world.system("census", move |tick| {
        let seen = tick.view().open_table("house")?.len();
        let (house, census) = (tick.open_table("house")?, tick.open_table("census")?);
        counted.lock().expect("nobody panics while it is held").push((seen, tick.read_table(house)?.len()));
        tick.insert_values(census, &[(0, Value::from(seen as u32))]).map(drop)
    })
}

/// A tick took its view and then waited for the lock. What was committed meanwhile was in the systems' transactions and not
/// in their view; a recording has it before the tick, so in a replay it was in both, and the worlds went apart.
#[test]
fn what_is_committed_while_a_tick_waits_is_in_its_view_too() {
    let (db, counted) = (town(), Arc::default());
    let house = db.read().open_table("house").expect("a table").number();
    let (sink, recorded) = channel();
    let mut world =
        with_census(db.tick_loop(60.0), &counted).record(move |input| sink.send(input)).stepped().expect("ok");
    for round in 0..4_u32 {
        let (has_begun, begun) = channel();
        let (go, going) = channel::<()>();
        std::thread::scope(|scope| {
            let builder = db.clone();
            let built = scope.spawn(move || {
                builder.transact(|tx| {
                    tx.insert_values(house, &[(0, Value::from(round))])?;
                    has_begun.send(()).expect("it is awaited");
                    assert_ne!(going.recv_timeout(PATIENCE), Err(RecvTimeoutError::Timeout));
                    Ok(())
                })
            });
            begun.recv_timeout(PATIENCE).expect("the transaction has begun");
            let ticked = scope.spawn(|| world.step());
            // By then the tick waits for the lock. Were it later, all would be well anyway.
            std::thread::park_timeout(Duration::from_millis(40));
            go.send(()).expect("it is awaited");
            built.join().expect("no panic").expect("built");
            ticked.join().expect("no panic").expect("a tick");
        });
    }
    let counted = counted.lock().expect("no panic").clone();
    assert_eq!(counted, [(1, 1), (2, 2), (3, 3), (4, 4)], "(in the view, in the transaction)");
    let again = town();
    let mut stepper = with_census(again.tick_loop(60.0), &Arc::default()).stepped().expect("it starts");
    assert_eq!(stepper.replay(recorded.try_iter()).expect("it can be played"), 4);
    assert!(whole(&db) == whole(&again), "the worlds differ");
}

/// A second loop took the queue away from the first, which went on without ever getting a request again; when the second
/// ended, requests were told that nobody runs.
#[test]
fn a_second_loop_is_refused_until_the_first_has_ended() {
    let db = town();
    let mut first = db.tick_loop(60.0).stepped().expect("the first");
    for _ in 0..2 {
        assert!(matches!(db.tick_loop(60.0).ticks_max(1).run(), Err(Error::Stopped)));
        assert!(matches!(db.tick_loop(60.0).stepped(), Err(Error::Stopped)));
        let asked = db.client().transact(|_| Ok(7));
        assert_eq!(db.queue_length().0, 1);
        first.step().expect("it goes on");
        assert_eq!(asked.wait().expect("it is answered").value, 7);
    }
    let left = db.client().transact(|_| Ok(7));
    drop(first);
    assert!(matches!(left.wait(), Err(Error::Stopped)));
    assert_eq!(db.queue_length().0, 0);
    assert_eq!(db.tick_loop(60.0).ticks_max(3).run().expect("the next may run").ticks, 3);
    let panics = db.clone();
    let panicked = std::thread::spawn(move || {
        let _world = panics.tick_loop(60.0).stepped().expect("the next may run");
        std::panic::panic_any("the end of a loop that nobody planned");
    });
    assert!(panicked.join().is_err());
    assert!(db.tick_loop(60.0).stepped().is_ok(), "however the one before has ended");
}

fn ask(client: &Client<Dynamic>, requests: u32) -> Vec<dbgen_runtime::Pending<dbgen_runtime::RecordId>> {
    (0..requests).map(|n| client.insert_values("house", [("n", n)])).collect()
}

/// Of the requests that waited, 256 were executed at a tick: with one tick for all of them, that was 256 times the rate at
/// most, and a full queue took sixteen ticks.
#[test]
fn a_tick_begins_with_all_requests_that_wait() {
    let db = town();
    let mut world = db.tick_loop(60.0).stepped().expect("it starts");
    let asked = ask(&db.client(), 3000);
    world.step().expect("a tick");
    assert_eq!(db.queue_length().0, 0);
    assert!(asked.into_iter().all(|pending| pending.wait().is_ok()));
    assert_eq!(db.read().open_table("house").expect("a table").len(), 3000);
    drop(world);

    let (client, counted) = (db.client(), Arc::default());
    let world = with_census(db.tick_loop(60.0).commit(CommitMode::Tick), &counted).system("asks", move |tick| {
        if tick.number() == 2 {
            drop(ask(&client, 1000));
        }
        Ok(())
    });
    world.ticks_max(2).run().expect("it runs");
    assert_eq!(*counted.lock().expect("no panic"), [(3000, 3000), (4000, 4000)]);
}

/// A panic of an answer ended the thread that called it. On the loop's, the rest of the group was told that nobody runs,
/// though it was committed; on the log's, every later commit waited for ever.
#[test]
fn an_answer_that_panics_takes_nothing_along() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kept = Database::builder().schema_json(SCHEMA).data_dir(folder.path()).open().expect("it opens");
    for db in [town(), kept] {
        let house = db.read().open_table("house").expect("a table").number();
        let mut world = db.tick_loop(60.0).stepped().expect("it starts");
        let answered = Arc::new(AtomicU64::new(0));
        for round in 0..3 {
            let (done, answers) = channel();
            for n in 0..5_u32 {
                let (answered, done) = (answered.clone(), done.clone());
                let insert = move |tx: &mut dbgen_runtime::Transaction| tx.insert_values(house, &[(0, Value::from(n))]);
                let answer = move |result: dbgen_runtime::Result<_>| {
                    answered.fetch_add(1, Ordering::SeqCst);
                    assert!(n != 1, "an answer that is out of luck");
                    done.send(result.is_ok()).expect("it is awaited");
                };
                db.enqueue(insert, answer).expect("there is room");
            }
            world.step().expect("a tick");
            for _ in 0..4 {
                assert_eq!(answers.recv_timeout(PATIENCE), Ok(true), "the others are told that it is done");
            }
            assert_eq!(answered.load(Ordering::SeqCst), 5 * (round + 1));
        }
        db.transact(|tx| tx.insert_values(house, &[(0, Value::from(5_u32))])).expect("commits are made durable");
        assert_eq!(db.read().open_table("house").expect("a table").len(), 16);
    }
}
