//! {name}: a world that runs by itself, 60 times a second, and answers over HTTP while it does.

mod schema;

use dbgen_runtime::Result;
use schema::world::{Tick, Tx, World};
use schema::{Item, Player, Vec3};

fn main() -> Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7700".to_owned());
    let db = World::builder().open()?;
    db.transact(populate)?;

    db.tick_loop(60.0)
        .system("movement", movement)
        .serve(address)
        .on_listen(|address| println!("listening on http://{address}"))
        .run()?;
    Ok(())
}

/// What the world begins with. All of it happens, or nothing if anything fails.
fn populate(tx: &mut Tx) -> Result<()> {
    let ayla = tx.player_mut().insert(Player { vel: Vec3 { x: 1.0, y: 0.0, z: 0.5 }, ..Player::new("Ayla") })?;
    tx.player_mut().insert(Player { hp: 80, ..Player::new("Bo") })?;
    tx.item_mut().insert(Item { kind: "sword".to_owned(), owner: Some(ayla) })?;
    Ok(())
}

/// A system: runs in every tick, in a transaction of its own, over a packed slice.
fn movement(tick: &mut Tick) -> Result<()> {
    let dt = tick.dt();
    for motion in tick.player_mut().motion_mut() {
        motion.pos += motion.vel * dt;
    }
    Ok(())
}
