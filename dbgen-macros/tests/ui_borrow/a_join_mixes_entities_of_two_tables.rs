//! A `Lens` belongs to a camera, a `Position` to an entity.

#[path = "support/world.rs"]
mod world;

use world::{Lens, Position};

fn system(view: &world::world::View) {
    view.join::<(Position, Lens)>();
}

fn main() {}
