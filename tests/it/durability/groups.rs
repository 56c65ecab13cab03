//! Column groups that are lent as slices, of a table that is logged: what differs afterwards is in the log, and no more.

use super::snapshots::folder;
use super::world::Dice;
use crate::generated::golden::arena::{Arena, Guild, Player, Tx, Vec3, player};
use dbgen_runtime::{Error, Id, ParRows, Result, SyncLevel};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

fn open(dir: &Path) -> Arena {
    Arena::builder().data_dir(dir).sync(SyncLevel::Buffered).open().expect("it opens")
}

/// Everything that a view holds, record by record, with what it says of when they were written.
fn content(db: &Arena) -> Vec<(u64, u64, Player)> {
    let view = db.read();
    view.as_ref().verify().expect("whole");
    let mut all: Vec<_> = view.player().iter().map(|it| (it.id().get(), it.version(), it.to_record())).collect();
    all.sort_by_key(|(id, ..)| *id);
    all
}

fn some(rows: &mut [player::Motion], dice: &mut Dice) {
    let (by, step) = (dice.below(100) as f32, 1 + dice.below(40));
    rows.iter_mut().step_by(step).for_each(|row| row.pos = Vec3::new(by, row.vel.x.get() + 1.0, by));
}

/// One way to write a group, or something between two that do.
fn operation(tx: &mut Tx, dice: &mut Dice, n: usize) -> Result<()> {
    let ids: Vec<Id<Player>> = tx.player().ids().collect();
    let any = |dice: &mut Dice| (!ids.is_empty()).then(|| ids[dice.below(ids.len())]);
    match dice.below(10) {
        0 => some(tx.player_mut().motion_mut(), dice),
        1 => {
            let by = dice.below(9) as f32;
            tx.player_mut().motion_next(|old, new| {
                new.copy_from_slice(old);
                new.iter_mut().step_by(3).for_each(|row| row.vel.x.set(by));
            });
        }
        2 => {
            let by = dice.below(9) as f32;
            tx.player_mut().motion_mut().par_for_each_mut(|row| row.vel.y.set(row.pos.x.get() + by));
        }
        3 => {
            let slices = tx.slices();
            some(slices.player.motion_mut(), dice);
        }
        // Nothing differs: nothing is logged.
        4 => drop(tx.player_mut().motion_mut().len()),
        5 => {
            drop(tx.player_mut().insert(Player { hp: n as i32, ..Player::new(format!("p{n} {}", dice.next() % 997)) }))
        }
        6 => {
            let Some(id) = any(dice) else { return Ok(()) };
            tx.player_mut().delete(id)?;
        }
        7 => {
            let Some(id) = any(dice) else { return Ok(()) };
            tx.player_mut().update(id, |player| player.vel = Vec3::new(n as f32, 0.5, 0.0))?;
        }
        8 => {
            let failed = tx.nested(|tx| {
                some(tx.player_mut().motion_mut(), dice);
                operation(tx, dice, n)?;
                Err::<(), _>(Error::abort("this part alone"))
            });
            assert!(failed.is_err());
        }
        _ => {
            let moment = dbgen_runtime::Transaction::savepoint(tx.as_mut());
            tx.player_mut().motion_mut().reverse();
            dbgen_runtime::Transaction::rollback_to(tx.as_mut(), &moment);
        }
    }
    Ok(())
}

#[test]
fn groups_written_as_slices_are_there_after_a_start() {
    for seed in 0..5 {
        let (dir, mut dice) = (folder(), Dice(seed));
        let mut db = open(dir.path());
        db.transact(|tx| tx.player_mut().insert_many((0..150).map(|n| Player::new(format!("first {n}")))).map(drop))
            .expect("filled");
        for n in 0..60 {
            let (before, ending) = (content(&db), dice.below(6));
            let ended = catch_unwind(AssertUnwindSafe(|| {
                db.transact(|tx| {
                    for _ in 0..1 + dice.below(5) {
                        operation(tx, &mut dice, n)?;
                    }
                    match ending {
                        0 => Err(Error::abort("only tried")),
                        1 => resume_unwind(Box::new("on purpose")),
                        _ => Ok(()),
                    }
                })
            }));
            if ending < 2 {
                assert!(!matches!(ended, Ok(Ok(()))));
                assert_eq!(content(&db), before, "seed {seed}, transaction {n}");
            } else {
                ended.expect("no panic").expect("committed");
            }
            if dice.below(20) == 0 {
                db.snapshot().expect("it is written");
            }
            if dice.below(12) == 0 {
                let expected = content(&db);
                drop(db);
                db = open(dir.path());
                let found = content(&db);
                let differs = found.iter().zip(&expected).find(|(found, expected)| found != expected);
                assert!(found.len() == expected.len() && differs.is_none(), "seed {seed}, after {n}: {differs:?}");
            }
        }
    }
}

#[test]
fn a_group_of_which_little_differs_is_little_in_the_log() {
    let dir = folder();
    let db = open(dir.path());
    db.transact(|tx| {
        tx.guild_mut().insert(Guild::new("g"))?;
        tx.player_mut().insert_many((0..10_000).map(|n| Player::new(format!("p{n}")))).map(drop)
    })
    .expect("filled");
    let logged = || db.durability().expect("it has a folder").log_bytes;
    let write = |every: usize| {
        let before = logged();
        db.transact(|tx| {
            let rows = tx.player_mut().motion_mut();
            rows.iter_mut().skip(5).step_by(every).for_each(|row| row.pos.x.set(row.pos.x.get() + 1.0));
            Ok(())
        })
        .expect("written");
        logged() - before
    };
    let (one, some, all) = (write(10_000), write(100), write(1));
    assert!(one < 200, "{one} bytes for a row of 24");
    assert!(some < 100 * 64, "{some} bytes for 100 rows");
    assert!(all < 10_000 * 32, "{all} bytes for all of them");
    let before = logged();
    db.transact(|tx| Ok(tx.player_mut().motion_mut().len())).expect("nothing differs");
    assert_eq!(logged(), before);
}
