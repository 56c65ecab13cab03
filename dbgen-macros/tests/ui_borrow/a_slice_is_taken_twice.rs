//! What a table gives side by side with others, it gives once.

#[path = "support/world.rs"]
mod world;

fn system(tx: &mut world::world::Tx) {
    let slices = tx.slices();
    let first = slices.position.rows_mut();
    let second = slices.position.turn_mut();
    first[0].x.set(second[0].facing.get());
}

fn main() {}
