//! A slice of rows would let anything be written past the rule of `hp`: only groups without rules are given as slices.

#[path = "support/world.rs"]
mod world;

use world::world::health;

fn system(tx: &mut dbgen_runtime::Transaction) {
    tx.table_mut::<world::Health>().group_mut::<health::Row>();
}

fn main() {}
