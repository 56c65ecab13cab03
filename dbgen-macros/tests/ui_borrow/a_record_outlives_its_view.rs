//! A record is read in place: it borrows the view.

#[path = "support/world.rs"]
mod world;

fn first(db: &world::world::World) -> Option<world::world::HealthRef<'static>> {
    db.read().health().iter().next()
}

fn main() {}
