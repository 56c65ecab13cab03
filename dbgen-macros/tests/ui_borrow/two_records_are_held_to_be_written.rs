//! Two records of a table may be the same one: one after the other is written.

#[path = "support/world.rs"]
mod world;

fn swap(tx: &mut world::world::Tx, ids: [dbgen_runtime::Id<world::Health>; 2]) -> dbgen_runtime::Result<()> {
    let mut healths = tx.health_mut();
    let mut first = healths.get_mut(ids[0])?;
    let mut second = healths.get_mut(ids[1])?;
    let (one, two) = (first.view().hp(), second.view().hp());
    first.set_hp(two)?;
    second.set_hp(one)
}

fn main() {}
