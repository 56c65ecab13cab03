//! The hottest operations, each done so many times in a function that callgrind can tell from the rest.
//!
//! `.ci/instructions` runs this program under callgrind, collecting only inside [`measured`], and compares the counts with
//! `baseline.txt`. Instructions do not depend on the machine's mood; so that they depend on nothing else either, the data
//! comes from a fixed seed, and nothing hot hashes with a random key.
//!
//! Without an argument it names the operations; with one, it does that and prints how many times.

use dbgen_runtime::{Id, Result, Stepper};
use entities::{Entities, Entity, Frozen};
use std::hint::black_box;
use std::process::ExitCode;
use world::{Class, Guild, Npc, Player, Vec3, World, WorldSchema};

dbgen_runtime::include_schema!("world");
dbgen_runtime::include_schema!("entities");

/// Players in the world: enough for indexes with several levels, few enough for a simulated processor.
const PLAYERS: usize = 4096;
/// How many times an operation is done.
const TIMES: usize = 1000;
/// Systems of a tick.
const SYSTEMS: usize = 50;

type Operation = fn(&mut Stage);

const OPERATIONS: &[(&str, Operation)] = &[
    ("get", Stage::get),
    ("find", Stage::find),
    ("find_many", Stage::find_many),
    ("range", Stage::range),
    ("insert", Stage::insert),
    ("append", Stage::append),
    ("update", Stage::update),
    ("closure", Stage::closure),
    ("transfer", Stage::transfer),
    ("delete", Stage::delete),
    ("component", Stage::component),
    ("system", Stage::system),
];

fn main() -> ExitCode {
    let Some(wanted) = std::env::args().nth(1) else {
        OPERATIONS.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    let Some((_, operation)) = OPERATIONS.iter().find(|(name, _)| *name == wanted) else {
        eprintln!("no operation `{wanted}`");
        return ExitCode::from(2);
    };
    let mut stage = match Stage::new() {
        Ok(stage) => stage,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    // The first time makes what circulates afterwards: versions, room in buffers.
    operation(&mut stage);
    measured(*operation, &mut stage);
    println!("{TIMES}");
    ExitCode::SUCCESS
}

/// What callgrind collects.
#[inline(never)]
fn measured(operation: Operation, stage: &mut Stage) {
    operation(black_box(stage));
}

/// A world, and the order in which its players are asked for.
struct Stage {
    world: World,
    guild: Id<Guild>,
    players: Vec<Id<Player>>,
    names: Vec<String>,
    entities: Entities,
    owners: Vec<Id<Entity>>,
    /// A loop of systems that do nothing.
    stepper: Stepper<WorldSchema>,
    /// Players inserted so far.
    inserted: usize,
}

impl Stage {
    fn new() -> Result<Stage> {
        let world = World::builder().open()?;
        let (guild, players) = world.transact(|tx| {
            let guild = tx.guild_mut().insert(Guild::new("Night Watch"))?;
            Ok((guild, tx.player_mut().insert_many((0..PLAYERS).map(|n| player(n, guild)))?))
        })?;
        let entities = Entities::builder().open()?;
        let owners =
            entities.transact(|tx| tx.entity_mut().insert_many((0..TIMES as u32).map(|kind| Entity { kind })))?;
        let named = (0..SYSTEMS).map(|n| format!("system {n}"));
        let stepper = named.fold(World::builder().open()?.tick_loop(60.0), |tick, name| tick.system(name, |_| Ok(())));
        let stepper = stepper.stepped()?;
        let mut order: Vec<usize> = (0..PLAYERS).collect();
        shuffle(&mut order);
        let players = order.iter().map(|n| players[*n]).collect();
        let names = order.iter().map(|n| name(*n)).collect();
        Ok(Stage { world, guild, players, names, entities, owners, stepper, inserted: PLAYERS })
    }

    /// A record by its id, and a field of it.
    fn get(&mut self) {
        let view = self.world.read();
        let players = view.player();
        black_box(self.players.iter().take(TIMES).map(|id| players.get(*id).map_or(0, |p| p.hp())).sum::<i32>());
    }

    /// A record by its unique name, and a field of it.
    fn find(&mut self) {
        let view = self.world.read();
        let players = view.player();
        black_box(self.names.iter().take(TIMES).map(|name| players.by_name(name).map_or(0, |p| p.hp())).sum::<i32>());
    }

    /// The same with many names in a call.
    fn find_many(&mut self) {
        let view = self.world.read();
        let found = view.player().by_name_many(self.names.iter().take(TIMES).map(String::as_str));
        black_box(found.map(|player| player.map_or(0, |player| player.hp())).sum::<i32>());
    }

    /// Records in the order of an index of two columns.
    fn range(&mut self) {
        let view = self.world.read();
        let found = view.player().range_class_level(Class::Mage, 1..);
        black_box(found.take(TIMES).map(|player| player.gold()).sum::<u64>());
    }

    /// Records with a unique name, a checked reference and two more indexes, in one transaction.
    fn insert(&mut self) {
        let (first, guild) = (self.inserted, self.guild);
        self.inserted += TIMES;
        let records = (first..first + TIMES).map(|n| player(n, guild));
        done(self.world.transact(|tx| tx.player_mut().insert_many(records).map(drop)));
    }

    /// Records without an index, in one transaction.
    fn append(&mut self) {
        let npc = |n: usize| Npc { kind: n as u32, pos: Vec3::new(1.0, 2.0, 3.0), ..Npc::new() };
        done(self.world.transact(|tx| tx.npc_mut().insert_many((0..TIMES).map(npc)).map(drop)));
    }

    /// One field of one record, each in a transaction of its own that is published.
    fn update(&mut self) {
        for id in &self.players[..TIMES] {
            let gold = black_box(id.get());
            done(self.world.transact(|tx| {
                tx.player_mut().get_mut(*id)?.set_gold(gold);
                Ok(())
            }));
        }
    }

    /// The same, of the record as a struct, its name as a `String` included.
    fn closure(&mut self) {
        for id in &self.players[..TIMES] {
            done(self.world.transact(|tx| tx.player_mut().update(*id, |player| player.hp = black_box(player.hp ^ 1))));
        }
    }

    /// Two records read, two written, in a transaction of its own that is published.
    fn transfer(&mut self) {
        for (from, to) in self.players[..TIMES].iter().zip(&self.players[TIMES..]) {
            done(self.world.transact(|tx| {
                let (had, has) = (tx.player().get(*from)?.gold(), tx.player().get(*to)?.gold());
                let mut players = tx.player_mut();
                players.get_mut(*from)?.set_gold(had.wrapping_sub(1));
                players.get_mut(*to)?.set_gold(has.wrapping_add(1));
                Ok(())
            }));
        }
    }

    /// Components that come and go, in one transaction: an addition and a removal count as one.
    fn component(&mut self) {
        let owners = &self.owners;
        done(self.entities.transact(|tx| {
            let mut frozen = tx.frozen_mut();
            owners.iter().try_for_each(|id| frozen.attach(*id, Frozen { ticks: 1 }))?;
            owners.iter().try_for_each(|id| frozen.detach(*id).map(drop))
        }));
    }

    /// Systems that do nothing, in ticks of fifty.
    fn system(&mut self) {
        for _ in 0..TIMES / SYSTEMS {
            done(self.stepper.step().map(drop));
        }
    }

    /// Records, out of all indexes, in one transaction.
    fn delete(&mut self) {
        let gone = self.players.split_off(self.players.len() - TIMES);
        done(self.world.transact(|tx| {
            let mut players = tx.player_mut();
            gone.iter().try_for_each(|id| players.delete(*id).map(drop))
        }));
    }
}

/// A count of something that failed would be worthless.
fn done(result: Result<()>) {
    if let Err(error) = result {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn name(n: usize) -> String {
    format!("player-{n}")
}

fn player(n: usize, guild: Id<Guild>) -> Player {
    let (class, level) = (Class::ALL[n % Class::ALL.len()], (n / 4 % 100) as u16);
    Player { class, level, guild: Some(guild), ..Player::new(name(n)) }
}

/// Marsaglia's xorshift from a fixed seed.
fn shuffle(items: &mut [usize]) {
    let mut state = 88_172_645_463_325_252_u64;
    for at in (1..items.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        items.swap(at, (state % (at as u64 + 1)) as usize);
    }
}
