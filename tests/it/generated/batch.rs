//! Batches of generated records, which are encoded, proved and indexed many at a time: what they leave is what the records
//! leave one by one, or nothing.

use super::golden::arena::{Arena, Class, Guild, Player, Vec3};
use dbgen_runtime::{__private, Error, Id, Result};
use proptest::collection::vec;
use proptest::prelude::*;

/// Something that a record of a batch has and the others have not.
#[derive(Debug, Clone, Copy)]
enum Odd {
    /// The name of the first of its batch.
    SameName,
    /// Too much of it.
    Hp(i32),
    /// No number.
    NoPosition,
    /// A guild that is gone.
    OldGuild,
    /// None at all.
    NoGuild,
    /// A name of the longest kind.
    LongName,
    /// And a longer one.
    TooLongName,
}

/// Records with names that count up, some of them odd.
#[derive(Debug, Clone)]
struct Batch {
    first: usize,
    count: usize,
    odd: Vec<(usize, Odd)>,
    /// Which of the records that are there then are deleted.
    gone: Vec<usize>,
}

fn batch() -> impl Strategy<Value = Batch> {
    let odd = prop_oneof![
        1 => Just(Odd::SameName),
        1 => (-2..2_i32).prop_map(|beyond| Odd::Hp(if beyond < 0 { beyond } else { 9999 + beyond })),
        1 => Just(Odd::NoPosition),
        1 => Just(Odd::OldGuild),
        4 => Just(Odd::NoGuild),
        4 => Just(Odd::LongName),
        1 => Just(Odd::TooLongName),
    ];
    let odd = prop_oneof![2 => Just(Vec::new()), 1 => vec((0..300_usize, odd), 0..4)];
    (0..4000_usize, 0..300_usize, odd, vec(0..1000_usize, 0..30)).prop_map(|(first, count, odd, gone)| Batch {
        first,
        count,
        odd,
        gone,
    })
}

/// A world with a guild that is gone and some that are not.
fn world() -> Result<(Arena, Id<Guild>, Vec<Id<Guild>>)> {
    let db = Arena::builder().open()?;
    let guilds = db.transact(|tx| tx.guild_mut().insert_many((0..9).map(|n| Guild::new(format!("guild {n}")))))?;
    db.transact(|tx| tx.guild_mut().delete(guilds[0]))?;
    Ok((db, guilds[0], guilds[1..].to_vec()))
}

impl Batch {
    fn records(&self, old: Id<Guild>, guilds: &[Id<Guild>]) -> Vec<Player> {
        let record = |at: usize| {
            let n = self.first + at;
            let mut player = Player {
                class: Class::ALL[n % 3],
                hp: (n * 7919 % 10_000) as i32,
                guild: Some(guilds[n % guilds.len()]),
                pos: Vec3::new(n as f32, -1.0, 0.0),
                kills: n as u32,
                ..Player::new(format!("player {n}"))
            };
            for (_, odd) in self.odd.iter().filter(|(of, _)| *of == at) {
                match odd {
                    Odd::SameName => player.name = format!("player {}", self.first),
                    Odd::Hp(hp) => player.hp = *hp,
                    Odd::NoPosition => player.pos.z = f32::NAN.into(),
                    Odd::OldGuild => player.guild = Some(old),
                    Odd::NoGuild => player.guild = None,
                    Odd::LongName => player.name = format!("{n:->16}"),
                    Odd::TooLongName => player.name = format!("{n:->17}"),
                }
            }
            player
        };
        (0..self.count).map(record).collect()
    }

    /// Whether a record breaks a rule whatever else there is.
    fn is_wrong(&self) -> bool {
        let of_itself = |at: usize, odd| match odd {
            Odd::SameName => at > 0 && self.odd.iter().all(|(of, _)| *of > 0),
            Odd::Hp(hp) => !(0..=9999).contains(&hp),
            Odd::NoPosition | Odd::OldGuild | Odd::TooLongName => true,
            Odd::NoGuild | Odd::LongName => false,
        };
        let last = |at: usize| self.odd.iter().filter(|(of, _)| *of == at).count() == 1;
        self.odd.iter().any(|(at, odd)| *at < self.count && last(*at) && of_itself(*at, *odd))
    }
}

/// All that can be seen of the players: the records as they lie, and what each index says.
fn seen(db: &Arena) -> (Vec<Player>, Vec<Id<Player>>, Vec<Id<Player>>) {
    let view = db.read();
    let players = view.player();
    let by_class = Class::ALL.iter().flat_map(|class| players.range_class_hp(*class, ..)).map(|player| player.id());
    let by_name = players.range_name("-".."z").map(|player| player.id());
    (players.iter().map(|player| player.to_record()).collect(), by_class.collect(), by_name.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_batch_of_records_leaves_what_they_leave_one_by_one(batches in vec(batch(), 1..6)) {
        let (many, old, guilds) = world().expect("a world");
        let (single, ..) = world().expect("another");
        for batch in &batches {
            let records = batch.records(old, &guilds);
            let before = __private::buffers(&many).expect("no transaction runs");
            let together = many.transact(|tx| tx.player_mut().insert_many(records.iter().cloned()));
            let alone: Result<Vec<Id<Player>>> = single.transact(|tx| {
                records.iter().map(|record| tx.player_mut().insert(record.clone())).collect()
            });
            match (together, alone) {
                (Ok(ids), Ok(alone)) => {
                    prop_assert_eq!(ids, alone);
                    prop_assert!(!batch.is_wrong());
                }
                (Err(Error::Invalid(found)), Err(Error::Invalid(_))) => {
                    prop_assert!(found.iter().all(|it| it.row.is_some_and(|row| row < records.len())), "{:?}", found);
                    prop_assert_eq!(__private::buffers(&many).expect("no transaction runs"), before);
                }
                (together, alone) => prop_assert!(false, "{:?}, one by one {:?}", together, alone),
            }
            for db in [&many, &single] {
                let ids: Vec<Id<Player>> = db.read().player().ids().collect();
                let gone = batch.gone.iter().filter_map(|at| ids.get(*at));
                let deleted = db.transact(|tx| {
                    gone.clone().try_for_each(|id| tx.player_mut().delete(*id).map(drop).or_else(not_found_again))
                });
                prop_assert!(deleted.is_ok(), "{:?}", deleted);
                prop_assert_eq!(db.read().check(), Ok(()));
            }
            prop_assert_eq!(seen(&many), seen(&single));
            for player in seen(&many).0 {
                let view = many.read();
                prop_assert_eq!(view.player().by_name(&player.name).map(|found| found.to_record()), Some(player));
            }
        }
    }
}

/// One that was picked twice is gone already.
fn not_found_again(error: Error) -> Result<()> {
    if matches!(error, Error::NotFound { .. }) { Ok(()) } else { Err(error) }
}

/// Every record of a large batch that breaks a rule is named, wherever in the batch it is.
#[test]
fn all_that_is_wrong_with_a_large_batch_is_said() -> Result<()> {
    let (db, old, guilds) = world()?;
    db.transact(|tx| tx.player_mut().insert(Player::new("player 700")).map(drop))?;
    let odd = vec![
        (0, Odd::Hp(10_000)),
        (63, Odd::NoPosition),
        (64, Odd::OldGuild),
        (130, Odd::SameName),
        (299, Odd::Hp(-1)),
    ];
    let batch = Batch { first: 500, count: 300, odd, gone: Vec::new() };
    let before = __private::buffers(&db)?;
    let error = db.transact(|tx| tx.player_mut().insert_many(batch.records(old, &guilds))).expect_err("five of them");
    let Error::Invalid(violations) = error else { panic!("{error}") };
    let said: Vec<_> = violations.iter().map(|it| (it.row, it.field.as_str())).collect();
    // Number 130 has the name of number 0, which is refused: there is nobody yet whose name it has.
    let expected = [(0, "hp"), (63, "pos"), (64, "guild"), (200, "name"), (299, "hp")];
    assert_eq!(said, expected.map(|(row, field)| (Some(row), field)));
    assert_eq!(__private::buffers(&db)?, before);
    Ok(())
}
