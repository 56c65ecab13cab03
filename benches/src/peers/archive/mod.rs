//! rkyv and flatbuffers, for reading records in place that somebody wrote before.

mod flat;

use crate::race::Race;
use crate::scenes::data;
use rkyv::rancor::Error;
use rkyv::{Archive, Archived, Serialize};
use std::hint::black_box;

/// A player, as rkyv keeps it.
#[derive(Archive, Serialize)]
struct Player {
    name: String,
    class: u8,
    level: u16,
    hp: i32,
    gold: u64,
    experience: u32,
    bag: [u16; 16],
    guild: u64,
    pos: [f32; 3],
    vel: [f32; 3],
}

/// Two strings.
#[derive(Archive, Serialize)]
struct Letter {
    subject: String,
    body: String,
}

fn player(n: usize) -> Player {
    Player {
        name: data::name(n),
        class: data::class(n),
        level: data::level(n),
        hp: 100,
        gold: data::GOLD,
        experience: 0,
        bag: [1; 16],
        guild: data::guild(n) as u64,
        pos: [1.0; 3],
        vel: [1.0; 3],
    }
}

/// Reads four fields of records at random.
pub fn fields(race: Race<'_>, count: usize) -> Race<'_> {
    let players: Vec<Player> = (0..count).map(player).collect();
    let archive = rkyv::to_bytes::<Error>(&players).expect("an archive");
    let (rows, buffer) = (data::shuffled(count), flat::players(count));
    let same_rows = rows.clone();
    race.side("rkyv", move || {
        // SAFETY: the bytes were written by `to_bytes` from a value of this type, and nothing has changed them since.
        let players = unsafe { rkyv::access_unchecked::<Archived<Vec<Player>>>(&archive) };
        let read = |n: &usize| {
            let player = &players[*n];
            let (hp, level) = (player.hp.to_native(), player.level.to_native());
            hp as u64 + u64::from(level) + player.name.len() as u64 + player.pos[0].to_native() as u64
        };
        black_box(rows.iter().map(read).sum::<u64>());
        rows.len()
    })
    .side("flatbuffers", move || {
        let players = flat::root(&buffer);
        let read = |n: &usize| {
            let player = players.get(*n);
            player.hp() as u64 + u64::from(player.level()) + player.name().len() as u64 + player.px() as u64
        };
        black_box(same_rows.iter().map(read).sum::<u64>());
        same_rows.len()
    })
}

/// Proves that bytes from outside are records with two strings.
pub fn validate(race: Race<'_>, count: usize) -> Race<'_> {
    let letter = |n: usize| Letter { subject: data::subject(n), body: data::body(n) };
    let letters: Vec<Letter> = (0..count).map(letter).collect();
    let archive = rkyv::to_bytes::<Error>(&letters).expect("an archive");
    let buffer = flat::letters(count);
    race.side("rkyv access", move || {
        black_box(rkyv::access::<Archived<Vec<Letter>>, Error>(&archive).expect("it is whole")).len()
    })
    .side("flatbuffers verifier", move || {
        flat::verify_letters(&buffer);
        count
    })
}
