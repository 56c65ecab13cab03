//! `hp` has a minimum: it is written through the table's handle, which checks it.

#[path = "support/world.rs"]
mod world;

use world::Health;

fn system(tx: &mut world::world::Tx) {
    tx.join_mut::<(&mut Health,)>();
}

fn main() {}
