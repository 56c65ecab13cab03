//! A view never changes; a transaction's `join_mut` writes.

#[path = "support/world.rs"]
mod world;

use world::Position;

fn system(view: &world::world::View) {
    view.join::<(&mut Position,)>();
}

fn main() {}
