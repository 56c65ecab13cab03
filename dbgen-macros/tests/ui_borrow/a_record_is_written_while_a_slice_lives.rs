//! A slice borrows the transaction for as long as it lives.

#[path = "support/world.rs"]
mod world;

fn system(tx: &mut world::world::Tx, id: dbgen_runtime::Id<world::Entity>) -> dbgen_runtime::Result<()> {
    let rows = tx.position_mut().rows_mut();
    tx.entity_mut().delete(id)?;
    rows[0].x.set(1.0);
    Ok(())
}

fn main() {}
