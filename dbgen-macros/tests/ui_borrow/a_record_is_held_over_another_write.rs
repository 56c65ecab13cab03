//! A record that is borrowed to be written stays in its row: nothing else is written meanwhile.

#[path = "support/world.rs"]
mod world;

fn system(tx: &mut world::world::Tx, first: dbgen_runtime::Id<world::Entity>) -> dbgen_runtime::Result<()> {
    let mut healths = tx.health_mut();
    let mut health = healths.of_mut(first)?;
    tx.entity_mut().delete(first)?;
    health.set_hp(1)?;
    Ok(())
}

fn main() {}
