//! Joins over components: whatever was attached, detached and despawned before, they give what a look at every entity
//! gives, read or written, on one thread or several.

use dbgen_runtime::{__private, Error, Id, Owner, SchemaEdit, With, Without};
use proptest::prelude::*;
use serde_json::json;

dbgen_macros::schema!("../tests/fixtures/ecs.json");
use ecs::{Ecs, Entity, Frozen, Health, Marked, Position, Tx, Vec3, Velocity, velocity};

fn vec3(n: f32) -> Vec3 {
    Vec3 { x: n.into(), y: (n + 0.25).into(), z: (n + 0.5).into() }
}

/// What is done to the world, step by step.
#[derive(Debug, Clone)]
enum Step {
    Spawn(u8),
    Despawn(usize),
    Toggle(usize, u8),
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u8..32).prop_map(Step::Spawn),
        1 => any::<usize>().prop_map(Step::Despawn),
        2 => (any::<usize>(), 0_u8..5).prop_map(|(at, component)| Step::Toggle(at, component)),
    ];
    prop::collection::vec(step, 1..most)
}

fn attach(tx: &mut Tx, id: Id<Entity>, component: u8, n: u32) -> dbgen_runtime::Result<()> {
    match component {
        0 => tx.position_mut().attach(id, Position { at: vec3(n as f32) }),
        1 => tx.velocity_mut().attach(id, Velocity { linear: vec3(1.0), spin: n as f32 }),
        2 => tx.health_mut().attach(id, Health { hp: n as i32 }),
        3 => tx.frozen_mut().attach(id, Frozen { until: n }),
        _ => tx.marked_mut().attach(id, Marked {}),
    }
}

fn detach(tx: &mut Tx, id: Id<Entity>, component: u8) -> dbgen_runtime::Result<bool> {
    match component {
        0 => tx.position_mut().detach(id),
        1 => tx.velocity_mut().detach(id),
        2 => tx.health_mut().detach(id),
        3 => tx.frozen_mut().detach(id),
        _ => tx.marked_mut().detach(id),
    }
}

/// Makes a world of the steps, each a transaction; every third fails after it was made, and must leave no trace.
fn world(steps: &[Step]) -> (Ecs, Vec<Id<Entity>>) {
    let db = Ecs::builder().open().expect("it opens");
    let mut alive: Vec<Id<Entity>> = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        let make = |tx: &mut Tx, alive: &mut Vec<Id<Entity>>| -> dbgen_runtime::Result<()> {
            match *step {
                Step::Spawn(components) => {
                    let id = tx.entity_mut().insert(Entity { label: None })?;
                    (0..5)
                        .filter(|bit| components >> bit & 1 == 1)
                        .try_for_each(|bit| attach(tx, id, bit, n as u32))?;
                    alive.push(id);
                }
                Step::Despawn(at) if !alive.is_empty() => {
                    let id = alive.swap_remove(at % alive.len());
                    tx.entity_mut().delete(id)?;
                }
                Step::Toggle(at, component) if !alive.is_empty() => {
                    let id = alive[at % alive.len()];
                    if !detach(tx, id, component)? {
                        attach(tx, id, component, n as u32)?;
                    }
                }
                _ => {}
            }
            Ok(())
        };
        if n % 3 == 0 {
            let failed = db.transact(|tx| {
                make(tx, &mut alive.clone())?;
                Err::<(), _>(Error::abort("only tried"))
            });
            assert!(failed.is_err());
        }
        db.transact(|tx| make(tx, &mut alive)).expect("made");
    }
    (db, alive)
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort();
    items
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_join_gives_what_a_look_at_every_entity_gives(steps in steps(300)) {
        let (db, alive) = world(&steps);
        let view = db.read();
        db.as_dynamic().read().verify().expect("whole");
        prop_assert_eq!(view.entity().len(), alive.len());
        let (positions, velocities, frozen) = (view.position(), view.velocity(), view.frozen());

        let joined = view.join::<(Id<Entity>, Position, &Velocity, Option<&Frozen>)>();
        let joined = sorted(joined.map(|(id, p, v, f)| {
            (id.get(), p.at().x.get() as i64, v.linear.x.get() as i64, f.map(|f| f.until.get()))
        }));
        let looked = sorted(alive.iter().filter_map(|id| {
            let (p, v) = (positions.of(*id)?, velocities.of(*id)?);
            Some((id.get(), p.at().x.get() as i64, v.linear().x.get() as i64, frozen.of(*id).map(|f| f.until())))
        }));
        prop_assert_eq!(joined, looked);

        let without = view.join::<(Id<Entity>, With<Health>, Without<Frozen>, &velocity::Turn)>();
        let without = sorted(without.map(|(id, (), (), turn)| (id.get(), turn.spin.get() as i64)));
        let looked = sorted(alive.iter().filter_map(|id| {
            let is_wanted = view.health().of(*id).is_some() && frozen.of(*id).is_none();
            Some((id.get(), velocities.of(*id).filter(|_| is_wanted)?.spin() as i64))
        }));
        prop_assert_eq!(without, looked);

        let bare = sorted(view.join::<(Id<Entity>, Without<Marked>, Owner<Entity>)>().map(|(id, (), e)| (id, e.id())));
        let looked = sorted(alive.iter().filter(|id| view.marked().of(**id).is_none()).map(|id| (*id, *id)));
        prop_assert_eq!(bare, looked);
    }

    #[test]
    fn a_join_that_writes_writes_what_a_look_at_every_entity_would(steps in steps(200)) {
        let (db, alive) = world(&steps);
        let before = db.read();
        db.transact(|tx| {
            tx.join_mut::<(&mut Position, &Velocity, Without<Frozen>)>()
                .for_each(|(position, velocity, ())| position.at.x.set(position.at.x.get() + velocity.linear.x.get()));
            Ok(())
        }).expect("written");
        db.as_dynamic().read().verify().expect("whole");
        let after = db.read();
        for id in alive {
            let was = before.position().of(id).map(|p| p.at().x.get());
            let moves = before.velocity().of(id).is_some() && before.frozen().of(id).is_none();
            let is = after.position().of(id).map(|p| p.at().x.get());
            prop_assert_eq!(is, was.map(|was| if moves { was + 1.0 } else { was }));
        }
    }
}

/// Entities made one after another, of which every `skip`-th has no velocity, if it is not 0.
fn crowd(count: u32, skip: u32) -> Ecs {
    let db = Ecs::builder().open().expect("it opens");
    let made = db.transact(|tx| {
        for n in 0..count {
            let id = tx.entity_mut().insert(Entity { label: None })?;
            attach(tx, id, 0, n)?;
            if skip == 0 || n % skip != 0 {
                attach(tx, id, 1, n)?;
            }
            if n % 1000 == 0 {
                attach(tx, id, 3, n)?;
            }
        }
        Ok(())
    });
    made.expect("made");
    db
}

/// What is known of ids is shared by versions until one changes: a transaction, those that read before it and those that
/// read after it each join what they see.
#[test]
fn what_comes_and_goes_is_seen_by_joins_before_and_after() {
    let (db, ids) = {
        let db = Ecs::builder().open().expect("it opens");
        let ids = db.transact(|tx| tx.entity_mut().insert_many((0..500).map(|_| Entity { label: None })));
        (db, ids.expect("made"))
    };
    db.transact(|tx| {
        ids.iter().zip(0..).try_for_each(|(id, n)| attach(tx, *id, 0, n))?;
        ids.iter().zip(0..).try_for_each(|(id, n)| attach(tx, *id, 2, n))
    })
    .expect("attached");
    let hp_of = |health: &ecs::health::Row, position: &ecs::position::Row| {
        let (hp, x) = (health.hp.get(), position.at.x.get());
        assert_eq!(hp as f32, x, "the components of one entity");
        hp
    };
    let seen = |view: &ecs::View| sorted(view.join::<(&Health, &Position)>().map(|(h, p)| hp_of(h, p)));
    let all: Vec<i32> = (0..500).collect();
    let few: Vec<i32> = (0..500).filter(|n| n % 100 != 7).collect();
    let before = db.read();
    assert_eq!((seen(&before), seen(&before)), (all.clone(), all.clone()));
    for ends in [Err(Error::abort("only tried")), Ok(())] {
        let is_kept = ends.is_ok();
        let done = db.transact(|tx| {
            assert_eq!(sorted(tx.join::<(&Health, &Position)>().map(|(h, p)| hp_of(h, p))), all);
            for id in ids.iter().skip(7).step_by(100) {
                detach(tx, *id, 0)?;
            }
            assert_eq!(sorted(tx.join::<(&Health, &Position)>().map(|(h, p)| hp_of(h, p))), few);
            ends
        });
        assert_eq!(done.is_ok(), is_kept);
        assert_eq!(seen(&db.read()), if is_kept { &few } else { &all }.clone());
    }
    assert_eq!(seen(&before), all, "what was read before stays");
    db.transact(|tx| ids.iter().skip(7).step_by(100).zip(0..).try_for_each(|(id, n)| attach(tx, *id, 0, 100 * n + 7)))
        .expect("attached again, at the end");
    assert_eq!(seen(&db.read()), all);
}

#[test]
fn pp_1_a_join_on_several_threads_gives_the_same_in_the_same_order() {
    use rayon::iter::{IntoParallelIterator, ParallelIterator};
    for skip in [0, 7] {
        let db = crowd(30_000, skip);
        let view = db.read();
        let join = || view.join::<(Id<Entity>, &Position, &Velocity, Option<&Frozen>)>();
        let key = |(id, p, v, f): (Id<Entity>, &ecs::position::Row, &ecs::velocity::Row, Option<&ecs::frozen::Row>)| {
            (id, p.at.x.get() as u32, v.linear.x.get() as u32, f.map(|f| f.until.get()))
        };
        let one: Vec<_> = join().map(key).collect();
        let mut in_order = Vec::new();
        join().for_each(|item| in_order.push(key(item)));
        let several: Vec<_> = join().into_par_iter().map(key).collect();
        assert!(one == several && one == in_order, "skip {skip}");
        assert!(one.is_sorted_by_key(|(id, ..)| id.record_id().get()), "the order in which they were made");
        let count = std::sync::atomic::AtomicUsize::new(0);
        join().par_for_each(|_| {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        });
        assert_eq!(count.into_inner(), one.len());
    }
}

#[test]
fn pp_1_a_join_that_writes_on_several_threads_writes_the_same() {
    for skip in [0, 7] {
        let (one, several) = (crowd(20_000, skip), crowd(20_000, skip));
        let step = |(p, v, f): (&mut ecs::position::Row, &ecs::velocity::Row, Option<&ecs::frozen::Row>)| {
            p.at.x.set(p.at.x.get() * 1.5 + v.linear.z.get() + f.map_or(0.0, |f| f.until.get() as f32));
        };
        let wrote = one.transact(|tx| {
            tx.join_mut::<(&mut Position, &Velocity, Option<&Frozen>)>().for_each(step);
            Ok(())
        });
        wrote.expect("written");
        let wrote = several.transact(|tx| {
            tx.join_mut::<(&mut Position, &Velocity, Option<&Frozen>)>().par_for_each(step);
            Ok(())
        });
        wrote.expect("written");
        assert!(__private::buffers(&one).expect("idle") == __private::buffers(&several).expect("idle"), "skip {skip}");
    }
}

#[test]
fn tables_in_orders_of_their_own_are_joined_in_the_order_of_the_smallest() {
    const COUNT: usize = 300;
    let db = Ecs::builder().open().expect("it opens");
    // 37 and 300 have no divisor in common: each entity comes once, none beside the one before.
    let shuffled = || (0..COUNT).map(|n| n * 37 % COUNT);
    let ids = db
        .transact(|tx| {
            let entities = (0..COUNT).map(|_| tx.entity_mut().insert(Entity { label: None }));
            let ids = entities.collect::<dbgen_runtime::Result<Vec<_>>>()?;
            (0..COUNT).rev().try_for_each(|n| attach(tx, ids[n], 0, n as u32))?;
            shuffled().filter(|n| n % 4 != 0).try_for_each(|n| attach(tx, ids[n], 1, n as u32))?;
            (0..COUNT).filter(|n| n % 3 == 0).try_for_each(|n| attach(tx, ids[n], 2, n as u32))?;
            (0..COUNT).filter(|n| n % 5 == 0).try_for_each(|n| attach(tx, ids[n], 3, n as u32))?;
            Ok(ids)
        })
        .expect("filled");
    let expected: Vec<_> = shuffled().filter(|n| n % 4 != 0 && n % 5 != 0).map(|n| (ids[n], n as f32)).collect();
    let health = |n: f32| (n as usize).is_multiple_of(3).then_some(n as i32);
    let view = db.read();
    let join = || {
        let members = view.join::<(Id<Entity>, &Position, &velocity::Turn, Option<&Health>, Without<Frozen>)>();
        members.map(|(id, position, turn, hp, ())| {
            let n = position.at.x.get();
            assert_eq!((turn.spin.get(), hp.map(|health| health.hp.get())), (n, health(n)));
            (id, n)
        })
    };
    // All at once, one by one, and some of each: what was looked up and not yet given is not lost.
    assert_eq!(join().collect::<Vec<_>>(), expected);
    let (mut one_by_one, mut given) = (join(), Vec::new());
    while let Some(next) = one_by_one.next() {
        given.push(next);
        assert!(one_by_one.size_hint().1.is_some_and(|most| most >= expected.len() - given.len()));
    }
    assert_eq!(given, expected);
    let mut rest = join();
    let first: Vec<_> = rest.by_ref().take(70).collect();
    assert_eq!((first, rest.collect::<Vec<_>>()), (expected[..70].to_vec(), expected[70..].to_vec()));
    let mut seen = Vec::new();
    db.transact(|tx| {
        tx.join_mut::<(&mut Velocity, &Position, Without<Frozen>)>()
            .for_each(|(_, position, ())| seen.push(position.at.x.get()));
        Ok(())
    })
    .expect("walked");
    assert_eq!(seen, expected.iter().map(|(_, n)| *n).collect::<Vec<_>>());
}

#[test]
fn slices_of_several_tables_and_groups_live_side_by_side() {
    let db = crowd(1000, 0);
    let before = __private::buffers(&db).expect("idle");
    let failed = db.transact(|tx| {
        let slices = tx.slices();
        let (positions, velocities) = (slices.position.rows_mut(), slices.velocity.groups());
        for ((p, v), turn) in positions.iter_mut().zip(velocities.rows).zip(velocities.turn) {
            p.at.x.set(v.linear.x.get());
            turn.spin.set(9.0);
        }
        assert_eq!(slices.frozen.read().len(), 1);
        assert_eq!(
            tx.position().iter().next_back().expect("one").at().x.get(),
            1.0,
            "the transaction reads its own writes"
        );
        Err::<(), _>(Error::abort("only tried"))
    });
    assert!(failed.is_err());
    assert!(__private::buffers(&db).expect("idle") == before, "slices are undone");
    db.transact(|tx| {
        let part = tx.nested(|tx| {
            tx.slices().velocity.turn_mut().iter_mut().for_each(|turn| turn.spin.set(5.0));
            Err::<(), _>(Error::abort("this part alone"))
        });
        assert!(part.is_err());
        tx.slices().position.rows_mut()[3].at.y.set(77.0);
        Ok(())
    })
    .expect("the other part");
    let view = db.read();
    assert_eq!(view.position().rows()[3].at.y.get(), 77.0);
    assert_eq!(view.velocity().turn()[3].spin.get(), 3.0);
}

#[test]
fn masks_are_kept_by_edits_of_the_schema() {
    let db = crowd(100, 3);
    let fields =
        |n: usize| json!({ "parent_table": "entity", "fields": [ { "name": format!("n{n}"), "type": "u8" } ] });
    // More than a word of them.
    let many: Vec<SchemaEdit> = (0..80).map(|n| SchemaEdit::create_table(format!("made_{n}"), fields(n))).collect();
    db.edit_schema(&many).expect("made");
    db.as_dynamic().read().verify().expect("whole");
    db.transact(|tx| {
        let id = tx.entity().ids().next().expect("one");
        attach(tx, id, 2, 1)
    })
    .expect("attached");
    let made = db.as_dynamic();
    let last = made.read().open_table("made_79").expect("a table").number();
    let first = db.read().entity().ids().next().expect("one").record_id();
    made.transact(|tx| tx.attach_values(last, first, &[(0, 1_u8.into())])).expect("attached");
    let drop = |n: usize| SchemaEdit::drop_table(format!("made_{n}"));
    db.edit_schema([drop(3), drop(5), SchemaEdit::rename_table("made_79", "last")]).expect("dropped");
    let view = db.as_dynamic().read();
    view.verify().expect("whole");
    assert_eq!(view.open_table("last").expect("a table").len(), 1);
    assert_eq!(db.read().join::<(With<Health>, &Position)>().count(), 1);
}
