//! A slice of the writer's rows ends with the transaction: what is published never changes.

#[path = "support/world.rs"]
mod world;

fn kept(db: &world::world::World) -> dbgen_runtime::Result<f32> {
    let rows = db.transact(|tx| Ok(tx.position_mut().rows_mut()))?;
    rows[0].x.set(1.0);
    Ok(rows[0].x.get())
}

fn main() {}
