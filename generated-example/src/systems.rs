//! The rules of the arena: one function per system.

use crate::arena::{Guild, Player, Tick, Vec3};
use crate::bots::{ARENA_SIZE, Dice};
use dbgen_runtime::{Id, Result};

/// Bots change their minds about where to go, each about once in two seconds.
pub(crate) fn wander(tick: &mut Tick) -> Result<()> {
    let mut dice = Dice::new(tick.number());
    for motion in tick.player_mut().motion_mut() {
        if dice.unit() < 0.008 {
            motion.vel = Vec3::new(dice.unit() * 8.0 - 4.0, 0.0, dice.unit() * 8.0 - 4.0);
        }
    }
    Ok(())
}

/// Everybody moves: one pass over a packed slice of nothing but positions and velocities.
pub(crate) fn movement(tick: &mut Tick) -> Result<()> {
    let dt = tick.dt();
    for motion in tick.player_mut().motion_mut() {
        motion.pos += motion.vel * dt;
        if !(0.0..=ARENA_SIZE).contains(&motion.pos.x.get()) {
            motion.vel.x *= -1.0;
        }
        if !(0.0..=ARENA_SIZE).contains(&motion.pos.z.get()) {
            motion.vel.z *= -1.0;
        }
    }
    Ok(())
}

/// Some bots strike another one. Who falls respawns at full health, and the winner's kills count.
pub(crate) fn fight() -> impl FnMut(&mut Tick) -> Result<()> + Send + 'static {
    const BLOWS_PER_TICK: usize = 50;
    let mut dice = Dice::new(2);
    move |tick| {
        // The world as it stood when the tick began: reading it borrows nothing from the transaction.
        let view = tick.view();
        let bots: Vec<Id<Player>> = view.player().ids().collect();
        if bots.len() < 2 {
            return Ok(());
        }
        for _ in 0..BLOWS_PER_TICK {
            let (attacker, target) = (dice.pick(&bots), dice.pick(&bots));
            if attacker == target {
                continue;
            }
            let hp_left = tick.player().get(target)?.hp() - dice.range(5..40);
            if hp_left > 0 {
                tick.player_mut().update(target, |player| player.hp = hp_left)?;
            } else {
                respawn(tick, target, &mut dice)?;
                tick.player_mut().update(attacker, |player| player.kills += 1)?;
            }
        }
        Ok(())
    }
}

fn respawn(tick: &mut Tick, fallen: Id<Player>, dice: &mut Dice) -> Result<()> {
    tick.player_mut().update(fallen, |player| {
        player.hp = 100;
        player.pos = Vec3::new(dice.unit() * ARENA_SIZE, 0.0, dice.unit() * ARENA_SIZE);
    })
}

/// Some bots join a guild, some leave theirs.
pub(crate) fn guilds() -> impl FnMut(&mut Tick) -> Result<()> + Send + 'static {
    const MOVES_PER_TICK: usize = 5;
    let mut dice = Dice::new(3);
    move |tick| {
        let view = tick.view();
        let bots: Vec<Id<Player>> = view.player().ids().collect();
        let guilds: Vec<Id<Guild>> = view.guild().ids().collect();
        if bots.is_empty() || guilds.is_empty() {
            return Ok(());
        }
        for _ in 0..MOVES_PER_TICK {
            let (bot, guild) = (dice.pick(&bots), dice.pick(&guilds));
            tick.player_mut().update(bot, |player| {
                player.guild = if player.guild.is_none() { Some(guild) } else { None };
            })?;
        }
        Ok(())
    }
}
