//! Reading: taking a view, finding a record by its id and by its name.

use super::{player, world_with_players};
use crate::harness::Bench;
use std::hint::black_box;

struct Hp(i32);
#[allow(dead_code)]
struct Rest([u8; 96]);

pub fn run(bench: &mut Bench) {
    const COUNT: usize = 100_000;
    const GETS: usize = 1000;
    if !["view, db.read()", "view, cached reader", "get by id", "get by unique name"]
        .iter()
        .any(|name| bench.wants(name))
    {
        return;
    }
    let (world, ids) = world_with_players(COUNT);
    if bench.wants("view, db.read()") {
        bench.alone("view, db.read()", Box::new(|| black_box(world.read()).as_ref().commit().min(1).max(1)));
    }
    if bench.wants("view, cached reader") {
        let mut reader = world.reader();
        bench.alone("view, cached reader", Box::new(move || black_box(reader.view()).as_ref().commit().min(1).max(1)));
    }
    let view = world.read();
    let at = |n: usize| n.wrapping_mul(0x9E37_79B9) % COUNT;
    let mut hecs = hecs::World::new();
    let entities: Vec<hecs::Entity> = (0..COUNT).map(|_| hecs.spawn((Hp(100), Rest([1; 96])))).collect();
    if bench.wants("get by id") {
        let mut n = 0;
        let ours = Box::new(|| {
            let mut sum = 0;
            for _ in 0..GETS {
                n += 1;
                sum += view.player().get(ids[at(n)]).map_or(0, |player| player.hp());
            }
            black_box(sum);
            GETS as u64
        });
        let mut m = 0;
        let mut query = hecs.query::<&Hp>();
        let hecs_view = query.view();
        let peer = Box::new(|| {
            let mut sum = 0;
            for _ in 0..GETS {
                m += 1;
                sum += hecs_view.get(entities[at(m)]).map_or(0, |hp| hp.0);
            }
            black_box(sum);
            GETS as u64
        });
        bench.beside("get by id, 100 k, random", ours, "hecs view.get", peer);
    }
    if bench.wants("get by unique name") {
        let names: Vec<String> = (0..COUNT).map(|n| player(n).name).collect();
        let mut n = 0;
        let ours = Box::new(|| {
            let mut sum = 0;
            for _ in 0..GETS {
                n += 1;
                sum += view.player().by_name(&names[at(n)]).map_or(0, |player| player.hp());
            }
            black_box(sum);
            GETS as u64
        });
        bench.alone("get by unique name, 100 k, random", ours);
    }
}
