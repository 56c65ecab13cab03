//! The transaction reads its own writes, so it is not written while it is read: iterate over `tick.view()`.

#[path = "support/world.rs"]
mod world;

fn system(tick: &mut world::world::Tick) -> dbgen_runtime::Result<()> {
    for health in tick.health().iter() {
        tick.health_mut().update(health.id(), |record| record.hp += 1)?;
    }
    Ok(())
}

fn main() {}
