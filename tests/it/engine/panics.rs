//! A panic at any point of a transaction leaves no trace: in closures that the engine calls, in iterators that it draws
//! from, in handlers, on other threads.

use crate::generated::golden::arena::{Arena, Guild, Player, Tx, Vec3};
use dbgen_runtime::{__private, Database, Id, On, ParRows, RecordId, Result, Value};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const PLAYERS: usize = 3000;

/// Panics without saying so.
fn on_purpose() -> ! {
    resume_unwind(Box::new("on purpose"))
}

struct World {
    db: Arena,
    players: Vec<Id<Player>>,
    guilds: Vec<Id<Guild>>,
}

fn world() -> World {
    let db = Arena::builder().open().expect("it opens");
    let filled = db.transact(|tx| {
        let guilds = (0..5).map(|n| Guild { motto: Some("motto ".repeat(n)), ..Guild::new(format!("g{n}")) });
        let guilds = tx.guild_mut().insert_many(guilds)?;
        let member = |n: usize| Player { guild: Some(guilds[n % 5]), hp: n as i32, ..Player::new(format!("p{n}")) };
        let players = tx.player_mut().insert_many((0..PLAYERS).map(member))?;
        Ok((players, guilds))
    });
    let (players, guilds) = filled.expect("filled");
    World { db, players, guilds }
}

/// What a transaction has done when it panics: each touches other buffers.
fn begin(tx: &mut Tx, world: &World) -> Result<()> {
    tx.player_mut().insert(Player { guild: Some(world.guilds[0]), ..Player::new("new") })?;
    tx.player_mut().delete(world.players[7])?;
    tx.guild_mut().delete(world.guilds[4])?;
    tx.guild_mut().update(world.guilds[1], |guild| guild.motto = Some("a longer motto than it was before".into()))?;
    tx.player_mut().update(world.players[11], |player| player.name = "renamed".into())
}

/// A point at which something panics.
type Point = (&'static str, fn(&mut Tx, &World) -> Result<()>);

const POINTS: &[Point] = &[
    ("in the transaction", |_, _| on_purpose()),
    ("while a record is changed", |tx, world| {
        tx.player_mut().update(world.players[1], |player| {
            player.hp = 1;
            on_purpose()
        })
    }),
    ("while records are written in place", |tx, _| {
        let mut count = 0;
        tx.player_mut().for_each_mut(|mut player| {
            count += 1;
            player.set_name(&format!("n{count}"))?;
            player.set_kills(count);
            if count == 20 { on_purpose() } else { Ok(()) }
        })
    }),
    ("while a batch is encoded", |tx, _| {
        let record = |n: usize| if n == 30 { on_purpose() } else { Player::new(format!("b{n}")) };
        tx.player_mut().insert_many((0..60).map(record)).map(drop)
    }),
    ("while the rest of a large batch is encoded", |tx, _| {
        let record = |n: usize| if n == 9_500 { on_purpose() } else { Player::new(format!("b{n}")) };
        tx.player_mut().insert_many((0..10_000).map(record)).map(drop)
    }),
    ("while records of a dynamic batch are given", |tx, _| {
        let tx: &mut dbgen_runtime::Transaction = tx.as_mut();
        let guild = tx.open_table("guild")?;
        let rows: Vec<[(usize, Value); 2]> =
            (0..3000).map(|n| [(0, format!("b{n}").into()), (1, "a motto in the heap".into())]).collect();
        let row = |(n, row)| if n == 2_900 { on_purpose() } else { row };
        tx.insert_many(guild, rows.iter().map(|row| row.as_slice()).enumerate().map(row)).map(drop)
    }),
    ("while records are picked", |tx, _| {
        let picked = |n: i32| if n == 600 { on_purpose() } else { true };
        tx.player_mut().update_where(|player| picked(player.hp()), |player| player.hp = 5).map(drop)
    }),
    ("while picked records are changed", |tx, _| {
        tx.player_mut()
            .update_where(
                |player| player.hp() % 2 == 0,
                |player| {
                    player.name = format!("q{}", player.hp);
                    if player.hp == 600 {
                        on_purpose()
                    }
                },
            )
            .map(drop)
    }),
    ("while records are picked to be deleted", |tx, _| {
        tx.player_mut().delete_where(|player| if player.hp() == 600 { on_purpose() } else { true }).map(drop)
    }),
    ("while a group is written in place", |tx, _| {
        for (n, motion) in tx.player_mut().motion_mut().iter_mut().enumerate() {
            motion.pos = Vec3::new(n as f32, 1.0, 2.0);
            if n == 100 {
                on_purpose()
            }
        }
        Ok(())
    }),
    ("while a group is made anew", |tx, _| {
        tx.player_mut().motion_next(|old, new| {
            for (n, (old, new)) in old.iter().zip(new).enumerate() {
                *new = *old;
                new.pos += Vec3::new(1.0, 1.0, 1.0);
                if n == 100 {
                    on_purpose()
                }
            }
        });
        Ok(())
    }),
    ("while several threads write a group", |tx, _| {
        let counted = AtomicUsize::new(0);
        tx.player_mut().motion_mut().par_for_each_mut(|motion| {
            motion.pos.x.set(77.0);
            if counted.fetch_add(1, Ordering::Relaxed) == 1000 {
                on_purpose()
            }
        });
        Ok(())
    }),
    ("while slices are lent side by side", |tx, _| {
        let slices = tx.slices();
        let motion = slices.player.motion_mut();
        motion[3].vel.x.set(9.0);
        on_purpose()
    }),
    ("in a part of a part", |tx, world| {
        tx.nested(|tx| {
            tx.player_mut().delete(world.players[20])?;
            tx.nested(|tx| {
                tx.guild_mut().insert(Guild::new("inner"))?;
                on_purpose()
            })
        })
    }),
];

/// The bytes of every buffer.
fn buffers(db: &Arena) -> Vec<Vec<Vec<u8>>> {
    __private::buffers(db).expect("no transaction runs")
}

/// That transactions go on as if there had been no panic: all versions that circulate are brought up to date.
fn goes_on(world: &World) {
    for n in 0..4 {
        let done = world.db.transact(|tx| {
            tx.player_mut().insert(Player::new(format!("on{n}")))?;
            tx.player_mut().update(world.players[2], |player| player.kills += 1)
        });
        done.expect("it goes on");
        world.db.as_dynamic().read().verify().expect("whole");
    }
    let view = world.db.read();
    assert_eq!(view.player().len(), PLAYERS + 4);
    assert_eq!(view.player().get(world.players[2]).expect("it is there").kills(), 4);
}

#[test]
fn ao_2_a_panic_at_any_point_leaves_every_buffer_as_it_was() {
    for (point, panics) in POINTS {
        let world = world();
        let (before, shown) = (buffers(&world.db), world.db.read());
        for round in 0..2 {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                world.db.transact(|tx| {
                    begin(tx, &world)?;
                    panics(tx, &world)
                })
            }));
            assert!(outcome.is_err(), "{point}: it panics");
            assert!(buffers(&world.db) == before, "{point}, round {round}: every byte is as it was");
            assert_eq!(world.db.read().as_ref().commit(), shown.as_ref().commit(), "{point}: no number was taken");
        }
        goes_on(&world);
    }
}

/// Who catches a panic inside of a transaction and goes on has what was done until then, and no half of anything.
#[test]
fn a_panic_that_is_caught_inside_leaves_nothing_half_done() {
    let mut wrong = Vec::new();
    for (point, panics) in POINTS {
        let world = world();
        let done = world.db.transact(|tx| {
            begin(tx, &world)?;
            let caught = catch_unwind(AssertUnwindSafe(|| panics(tx, &world)));
            assert!(caught.is_err(), "{point}: it panics");
            tx.player_mut().insert(Player::new("afterwards")).map(drop)
        });
        done.unwrap_or_else(|error| panic!("{point}: {error}"));
        assert!(world.db.read().player().by_name("afterwards").is_some(), "{point}");
        assert!(world.db.read().guild().by_name("g4").is_none(), "{point}: what was done before it stays");
        if let Err(faults) = world.db.as_dynamic().read().verify() {
            wrong.push((point, faults));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A handler in the middle of a cascade panics.
#[test]
fn ao_2_a_handler_that_panics_within_a_cascade_leaves_every_buffer_as_it_was() {
    const SCHEMA: &str = r#"{ "name": "w", "version": "1", "tables": {
        "root": { "fields": [ {"name":"name","type":"text"} ] },
        "leaf": { "fields": [ {"name":"root","type":"ref<root>","on_delete":"cascade"}, {"name":"name","type":"text"} ] },
        "note": { "fields": [ {"name":"root","type":"ref<root>","nullable":true,"on_delete":"set_null"} ] } } }"#;
    for (table, on) in [("leaf", On::Delete), ("note", On::Update), ("root", On::Delete)] {
        for is_before in [true, false] {
            let db = Database::builder().schema_json(SCHEMA).open().expect("it opens");
            let root: RecordId = db
                .transact(|tx| {
                    let root = tx.insert_named("root", &[("name", "root".into())])?;
                    for n in 0..9 {
                        let to = ("root", Value::Ref(root.get()));
                        tx.insert_named("leaf", &[to.clone(), ("name", format!("leaf {n}").into())])?;
                        tx.insert_named("note", &[to])?;
                    }
                    Ok(root)
                })
                .expect("filled");
            let left = Arc::new(AtomicUsize::new(if table == "root" { 0 } else { 4 }));
            let count = move || -> Result<()> {
                if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
                    on_purpose()
                }
                Ok(())
            };
            let added = match is_before {
                true => db.before(table, on, move |_, _| count()),
                false => db.after(table, on, move |_, _| count()),
            };
            added.expect("a table");
            let what = format!("{} {table}", if is_before { "before" } else { "after" });
            let before = __private::buffers(&db).expect("no transaction runs");
            let outcome = catch_unwind(AssertUnwindSafe(|| db.transact(|tx| tx.delete_named("root", root))));
            assert!(outcome.is_err(), "{what}: it panics");
            assert!(__private::buffers(&db).expect("no transaction runs") == before, "{what}");
            db.transact(|tx| tx.insert_named("root", &[("name", "another".into())])).expect("it goes on");
            db.read().verify().unwrap_or_else(|faults| panic!("{what}: {faults:?}"));
        }
    }
}
