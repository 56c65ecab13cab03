//! Small transactions, publication included: when the call returns, every new view shows the change. Nothing is durable
//! here; the setting stands in each row.

use super::data::Wanted;
use super::worlds;
use crate::peers::{hashmap, redb, sqlite};
use crate::race::{Race, Runs};
use crate::world::{Player, Tx, World};
use dbgen_runtime::{Id, Result, SchemaEdit};
use serde_json::json;

const COUNT: usize = 100_000;

/// A side that runs `change` for players at random, each in a transaction of its own, with a number that counts them: what is
/// written is never what was there.
fn side<'a>(race: Race<'a>, name: &str, change: impl Fn(&mut Tx, Id<Player>, usize) -> Result<()> + 'a) -> Race<'a> {
    with(race, name, worlds::with_players(COUNT), change)
}

fn with<'a>(
    race: Race<'a>,
    name: &str,
    (world, ids): (World, Vec<Id<Player>>),
    change: impl Fn(&mut Tx, Id<Player>, usize) -> Result<()> + 'a,
) -> Race<'a> {
    let (mut wanted, mut updates) = (Wanted::new(&ids), 0);
    race.side(name, move || {
        let id = wanted.next();
        updates += 1;
        world.transact(|tx| change(tx, id, updates)).expect("an update");
        1
    })
}

fn set_gold(tx: &mut Tx, id: Id<Player>, n: usize) -> Result<()> {
    tx.player_mut().get_mut(id)?.set_gold(n as u64);
    Ok(())
}

pub fn free_field() -> Vec<Runs> {
    let race = hashmap::update(side(Race::new(), "dbgen", set_gold), COUNT);
    redb::update(sqlite::update(race, COUNT), COUNT).run()
}

/// A field with a smallest and a largest value.
pub fn checked_field() -> Vec<Runs> {
    side(Race::new(), "dbgen", |tx, id, n| tx.player_mut().get_mut(id)?.set_hp((n % 9000) as i32)).run()
}

/// The record as a struct, its name as a `String` included: what differs is written.
pub fn closure() -> Vec<Runs> {
    let change = |player: &mut Player, n: usize| player.hp = (n % 9000) as i32;
    side(Race::new(), "dbgen", move |tx, id, n| tx.player_mut().update(id, |player| change(player, n))).run()
}

/// The same update in a catalog that has 295 more tables, made at run time.
pub fn in_300_tables() -> Vec<Runs> {
    let many = worlds::with_players(COUNT);
    for n in 0..295 {
        let definition = json!({ "fields": [
            { "name": "kind", "type": "u32", "indexed": true },
            { "name": "amount", "type": "i64", "default": 0 },
            { "name": "label", "type": "str<24>" },
        ] });
        let edit = SchemaEdit::CreateTable { table: format!("thing_{n}"), definition };
        many.0.edit_schema(&edit).expect("a table");
    }
    let race = with(Race::new(), "dbgen", many, set_gold);
    side(race, "dbgen, 5 tables", set_gold).run()
}

/// Gold from one player to another.
pub fn transfer() -> Vec<Runs> {
    let (world, ids) = worlds::with_players(COUNT);
    let mut wanted = Wanted::new(&ids);
    let race = Race::new().side("dbgen", move || {
        let (from, to) = (wanted.next(), wanted.next());
        let transfer = |tx: &mut Tx| {
            let (had, has) = (tx.player().get(from)?.gold(), tx.player().get(to)?.gold());
            let mut players = tx.player_mut();
            players.get_mut(from)?.set_gold(had.wrapping_sub(1));
            players.get_mut(to)?.set_gold(has.wrapping_add(1));
            Ok(())
        };
        world.transact(transfer).expect("a transfer");
        1
    });
    redb::transfer(sqlite::transfer(race, COUNT), COUNT).run()
}
