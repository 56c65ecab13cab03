//! The arena: a few thousand bots move, fight, die, respawn, join and leave guilds, 60 times a second, while anybody may
//! read and write the same world over HTTP.
//!
//! A tour in seven stops. `schemas/arena.json` says what the world is made of; everything typed here was generated from it
//! by build.rs.

mod bots;
mod systems;

use arena::{Arena, Class, Guild, Player, Vec3};
use bots::Dice;
use clap::Parser;
use dbgen_runtime::{Result, StopHandle};
use std::process::ExitCode;
use std::time::Duration;

// 1. The generated module: `Arena` the database, `Player` and `Guild` the records, views and handles for both.
dbgen_runtime::include_schema!("arena");

/// The arena: a world of bots, served over HTTP while it runs.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// How many bots fight.
    #[arg(long, default_value_t = 3000)]
    bots: u32,
    /// Ticks a second, 15 to 120.
    #[arg(long, default_value_t = 60.0)]
    tick_rate: f64,
    /// Port on 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 7700)]
    port: u16,
    /// Where the world lives; without it, in memory alone. It goes on where it was, whatever ended it.
    #[arg(long, value_name = "DIR")]
    data: Option<std::path::PathBuf>,
    /// End after this long, such as 5s, 500ms or 2m; without it, run until Ctrl-C.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    run_for: Option<Duration>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    // 2. Open the database. It lives in memory: contiguous buffers, packed as the schema says. With a data folder, every
    //    commit is in a log before it is acknowledged, and opening it again gives back what was there.
    let builder = Arena::builder();
    let db = match &args.data {
        Some(folder) => builder.data_dir(folder).open()?,
        None => builder.open()?,
    };

    // 3. One transaction fills the world: all of it becomes visible at once, or nothing if anything fails.
    if db.read().player().is_empty() {
        db.transact(|tx| populate(tx, args.bots))?;
    }

    // 4. Anybody may read at any time, from any thread, without waiting: a view is the whole world at one commit.
    let view = db.read();
    let mages = view.player().range_class_hp(Class::Mage, ..).count();
    println!("{} bots, {mages} of them mages, and {} guilds", view.player().len(), view.guild().len());

    // 5. The loop runs systems in order, each in a transaction of its own, and publishes once a tick.
    let world = db
        .tick_loop(args.tick_rate)
        .system("wander", systems::wander)
        .system("move", systems::movement)
        .system("fight", systems::fight())
        .system("guilds", systems::guilds())
        .report(|figures| println!("{figures}"));

    // 6. The same world over HTTP: REST, JSON-RPC and the schema itself.
    let world =
        world.serve(format!("127.0.0.1:{}", args.port)).on_listen(|address| println!("listening on http://{address}"));

    // 7. Run until the time is up, or until Ctrl-C.
    end_later(args.run_for, world.stop_handle())?;
    let figures = world.run()?;
    println!("done: {figures}");
    let view = db.read();
    if let Some(best) = view.player().iter().max_by_key(|player| player.kills()) {
        println!("the best of them: {} with {} kills", best.name(), best.kills());
    }
    Ok(())
}

/// Guilds, and bots that stand somewhere in the arena.
fn populate(tx: &mut arena::Tx, bots: u32) -> Result<()> {
    let mut dice = Dice::new(1);
    for name in bots::GUILDS {
        tx.guild_mut().insert(Guild { motto: Some(format!("{name} never sleeps")), ..Guild::new(name) })?;
    }
    for number in 0..bots {
        tx.player_mut().insert(Player {
            class: dice.pick(&Class::ALL),
            hp: dice.range(50..150),
            pos: Vec3::new(dice.unit() * bots::ARENA_SIZE, 0.0, dice.unit() * bots::ARENA_SIZE),
            ..Player::new(format!("bot-{number:05}"))
        })?;
    }
    Ok(())
}

/// Stops the loop when the time is up, and on Ctrl-C.
fn end_later(after: Option<Duration>, stop: StopHandle) -> Result<()> {
    let by_hand = stop.clone();
    ctrlc::set_handler(move || by_hand.stop()).map_err(dbgen_runtime::Error::abort)?;
    if let Some(after) = after {
        std::thread::spawn(move || {
            std::thread::park_timeout(after);
            stop.stop();
        });
    }
    Ok(())
}

/// Reads `5s`, `500ms` or `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let number: f64 = digits.parse().map_err(|_| format!("`{text}` is not a duration such as 5s"))?;
    let seconds = match &text[digits.len()..] {
        "ms" => number / 1e3,
        "s" | "" => number,
        "m" => number * 60.0,
        unit => return Err(format!("`{unit}` is not a unit: use ms, s or m")),
    };
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
