//! One field of a million records: as far as the memory goes.

use super::worlds;
use crate::peers::hecs;
use crate::race::{Race, Runs};
use dbgen_runtime::cell::{F32, Lanes};
use std::hint::black_box;

const COUNT: usize = 1_000_000;

pub fn group() -> Vec<Runs> {
    let (world, _) = worlds::with_players(COUNT);
    let view = world.read();
    let plain = vec![[1.0_f32; 6]; COUNT];
    let race = Race::new()
        .side("dbgen", move || {
            black_box(view.player().motion().iter().map(|m| m.pos.x.get()).sum::<f32>());
            COUNT
        })
        .side("a slice of [f32; 6]", move || {
            black_box(black_box(&plain).iter().map(|row| row[0]).sum::<f32>());
            COUNT
        });
    hecs::sum(race, COUNT).run()
}

/// All three coordinates, as flat lanes, beside a plain slice of as many floats.
pub fn lanes() -> Vec<Runs> {
    let world = worlds::with_projectiles(COUNT);
    let view = world.read();
    let plain = vec![1.0_f32; 3 * COUNT];
    Race::new()
        .side("dbgen", move || {
            black_box(eight_sums(Lanes::as_lanes(view.projectile().position()), F32::get));
            COUNT
        })
        .side("a slice of f32", move || {
            black_box(eight_sums(&plain, |lane| lane));
            COUNT
        })
        .run()
}

/// Eight running sums, since floats may not be reordered by the compiler.
#[inline]
fn eight_sums<T: Copy>(lanes: &[T], get: impl Fn(T) -> f32) -> f32 {
    let mut sums = [0.0; 8];
    let (chunks, rest) = lanes.as_chunks::<8>();
    for chunk in chunks {
        for (sum, lane) in sums.iter_mut().zip(chunk) {
            *sum += get(*lane);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|lane| get(*lane)).sum::<f32>()
}
