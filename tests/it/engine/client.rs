//! Clients of a loop: what is asked is done between ticks and awaited, on any executor or none, and a full queue, a
//! time-out and a stopped database are told apart.

use crate::generated::golden::arena::{Arena, Player};
use dbgen_runtime::{Done, Error, Result, SchemaEdit, Stepper, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// The smallest executor there is: it parks its thread until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Rename {
    from: String,
    to: String,
}

fn arena() -> (Arena, Stepper<crate::generated::golden::arena::ArenaSchema>) {
    let db = Arena::builder().open().expect("it opens");
    let world = db.tick_loop(60.0).procedure("rename", |tx, args: Rename| {
        let id = tx.player().by_name(&args.from).map(|player| player.id()).ok_or_else(|| Error::abort("nobody"))?;
        tx.player_mut().update(id, |player| player.name = args.to)
    });
    let world = world.stepped().expect("a loop");
    (db, world)
}

#[test]
fn requests_of_a_task_are_done_by_a_loop_that_runs_elsewhere() {
    let db = Arena::builder().open().expect("it opens");
    let tick_loop = db.tick_loop(60.0).procedure("rename", |_, _: Rename| Ok(7));
    let stop = tick_loop.stop_handle();
    let world = std::thread::spawn(move || tick_loop.run());
    let asked: Result<()> = block_on(async {
        let client = db.client().at_most(PATIENCE);
        let mut first = client.insert(Player::new("Ayla")).await;
        // The loop may not have opened its queue yet.
        while matches!(first, Err(Error::Stopped)) {
            std::thread::yield_now();
            first = client.insert(Player::new("Ayla")).await;
        }
        let ayla = first?;
        assert!(db.read().as_ref().commit() >= ayla.commit, "who has an answer sees its effect");
        client.update(ayla.value, |player: &mut Player| player.kills = 3).await?;
        assert_eq!(db.read().player().get(ayla.value)?.kills(), 3);
        let twice = client.insert(Player::new("Ayla")).await;
        assert!(matches!(twice, Err(Error::Invalid(_))), "{twice:?}");
        assert_eq!(client.call("rename", Rename { from: "a".into(), to: "b".into() }).await?.value, json!(7));
        let unknown = client.call("renam", json!({})).await;
        assert!(matches!(unknown, Err(Error::UnknownProcedure { .. })), "{unknown:?}");
        client.edit_schema(SchemaEdit::create_table("town", json!({ "fields": [ {"name":"n","type":"u8"} ] }))).await?;
        let town = client.insert_values("town", [("n", 5_u8)]).await?.value;
        client.update_values("town", town, [("n", 6_u8)]).await?;
        assert_eq!(db.as_dynamic().read().open_table("town")?.get(town)?.get("n")?, Value::from(6_u8));
        assert_eq!(client.delete_record("town", town).await?.value, 1);
        assert_eq!(client.delete(ayla.value).await?.value, 1);
        Ok(())
    });
    stop.stop();
    world.join().expect("the loop does not panic").expect("it ran");
    asked.expect("all of it is done");
    db.as_dynamic().read().verify().expect("whole");
}

#[test]
fn steps_put_together_are_one_transaction_here_or_in_the_loop() {
    let (db, mut world) = arena();
    let built = |name: &'static str| {
        db.transaction().insert(Player::new(name)).insert_values("guild", [("name", name)]).step(|tx| {
            assert_eq!(tx.read_table(tx.open_table("guild")?)?.len(), 1);
            Ok(Done::Checked)
        })
    };
    let done = built("Ayla").run().expect("run here");
    assert!(matches!(done.value[..], [Done::Inserted(_), Done::Inserted(_), Done::Checked]), "{done:?}");
    let Done::Inserted(guild) = done.value[1] else { panic!("{done:?}") };
    let enqueued = db.transaction().delete_record("guild", guild).insert(Player::new("Bert")).enqueue();
    let fails = db.transaction().insert(Player::new("Cleo")).insert(Player::new("Ayla")).enqueue();
    let stale = db.transaction().expect_version("player", guild, 1000).enqueue();
    world.step().expect("a tick");
    assert_eq!(enqueued.wait().expect("done").value[0], Done::Deleted(1));
    assert!(matches!(fails.wait(), Err(Error::Invalid(_))));
    assert!(matches!(stale.wait(), Err(Error::VersionMismatch { .. } | Error::NotFound { .. })));
    let view = db.read();
    assert_eq!(view.player().iter().map(|player| player.name().to_owned()).collect::<Vec<_>>(), ["Ayla", "Bert"]);
    assert!(view.guild().is_empty());
    view.check().expect("whole");
}

#[test]
fn a_full_queue_a_time_out_and_a_stopped_database_are_three_errors() {
    let db = Arena::builder().open().expect("it opens");
    let client = db.client();
    assert!(matches!(client.insert(Player::new("x")).wait(), Err(Error::Stopped)), "nobody ticks");

    let mut world = db.tick_loop(60.0).stepped().expect("a loop");
    let late = client.clone().at_most(Duration::from_millis(20)).insert(Player::new("late"));
    assert!(matches!(block_on(late), Err(Error::TimedOut(_))), "nobody steps");
    let mut waiting = Vec::new();
    let refused = loop {
        let pending = client.transact(|_| Ok(()));
        match format!("{pending:?}").as_str() {
            "Pending(waiting)" => waiting.push(pending),
            _ => break pending,
        }
        assert!(waiting.len() < 1_000_000, "the queue has an end");
    };
    assert!(matches!(refused.wait(), Err(Error::QueueFull { .. })));
    for _ in 0..=waiting.len() / 100 {
        world.step().expect("a tick");
    }
    let in_time = waiting.into_iter().all(|pending| pending.wait().is_ok());
    assert!(in_time, "what was accepted is done");
    let done = db.read().player().by_name("late").is_some();
    assert!(done, "what timed out was executed all the same");
    db.read().check().expect("whole");

    let left = client.insert(Player::new("left"));
    drop(world);
    assert!(matches!(left.wait(), Err(Error::Stopped)), "the loop ended with the request in its queue");
    let blocked = db.call(PATIENCE, |_| Ok(()));
    assert!(matches!(blocked, Err(Error::Stopped)));
}
