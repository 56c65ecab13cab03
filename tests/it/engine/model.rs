//! Random transactions through both faces against plain maps: after every transaction both databases hold exactly what
//! the maps hold, ids included, and everything that [`View::verify`] asks holds.

use super::face::{DynamicWorld, Face, GuildData, PlayerData, TypedWorld, World, player_from, text};
use dbgen_runtime::{Error, Result, Rule, View};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One step of a transaction. Records are picked by a number that wraps around what there is.
#[derive(Debug, Clone)]
enum Step {
    InsertPlayer(PlayerData, Option<usize>),
    InsertGuild(GuildData),
    ReplacePlayer(usize, PlayerData, Option<usize>),
    SetHp(usize, i32),
    SetPos(usize, [f32; 3]),
    SetMotto(usize, Option<String>),
    DeletePlayer(usize),
    DeleteGuild(usize),
    /// Steps that are undone as a whole.
    Undone(Vec<Step>),
}

#[derive(Debug, Clone, Copy)]
enum Ending {
    Commit,
    Fail,
    Panic,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    players: BTreeMap<u64, PlayerData>,
    guilds: BTreeMap<u64, GuildData>,
    /// Ids that were good once.
    gone: Vec<u64>,
}

fn player() -> impl Strategy<Value = PlayerData> {
    // Few names, so that they collide; some too long; some hp out of bounds.
    let name =
        prop_oneof![20 => (0..30_u32).prop_map(|n| format!("name {n}")), 1 => Just("seventeen letters".to_owned())];
    let hp = prop_oneof![10 => 0..=9999_i32, 1 => -5..0_i32, 1 => 10_000..10_010_i32];
    (name, 0..3_u16, hp, any::<u32>(), any::<[i16; 3]>(), any::<[u16; 8]>()).prop_map(
        |(name, class, hp, kills, pos, bag)| PlayerData {
            name,
            class,
            hp,
            kills,
            pos: pos.map(f32::from),
            bag,
            guild: None,
        },
    )
}

fn motto() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(
        (0..6_usize, 0..90_usize).prop_map(|(kind, len)| ["a", "é", "字", "x", "", "-"][kind].repeat(len)),
    )
}

fn step() -> impl Strategy<Value = Step> {
    let guild =
        ((0..12_u32).prop_map(|n| format!("guild {n}")), motto()).prop_map(|(name, motto)| GuildData { name, motto });
    let simple = prop_oneof![
        6 => (player(), proptest::option::of(any::<usize>())).prop_map(|(p, g)| Step::InsertPlayer(p, g)),
        3 => guild.prop_map(Step::InsertGuild),
        4 => (any::<usize>(), player(), proptest::option::of(any::<usize>())).prop_map(|(n, p, g)| Step::ReplacePlayer(n, p, g)),
        3 => (any::<usize>(), -2..10_002_i32).prop_map(|(n, hp)| Step::SetHp(n, hp)),
        2 => (any::<usize>(), any::<[i16; 3]>()).prop_map(|(n, pos)| Step::SetPos(n, pos.map(f32::from))),
        3 => (any::<usize>(), motto()).prop_map(|(n, motto)| Step::SetMotto(n, motto)),
        3 => any::<usize>().prop_map(Step::DeletePlayer),
        1 => any::<usize>().prop_map(Step::DeleteGuild),
    ];
    simple.prop_recursive(2, 8, 4, |inner| vec(inner, 1..4).prop_map(Step::Undone))
}

fn transactions() -> impl Strategy<Value = Vec<(Vec<Step>, Ending)>> {
    let ending = prop_oneof![6 => Just(Ending::Commit), 1 => Just(Ending::Fail), 1 => Just(Ending::Panic)];
    vec((vec(step(), 1..8), ending), 1..25)
}

impl Model {
    /// The record that the number picks: one that exists, or one that does not any more.
    fn pick<T>(&self, map: &BTreeMap<u64, T>, number: usize) -> u64 {
        let missing = self.gone.get(number % 7);
        match (map.len(), missing) {
            (_, Some(gone)) if number.is_multiple_of(11) => *gone,
            (0, _) => 1 << 32 | 4_000_000_000,
            (len, _) => *map.keys().nth(number % len).expect("within"),
        }
    }

    /// What the rules say of a player: the fields that break one.
    fn judge(&self, player: &PlayerData, itself: Option<u64>) -> Vec<&'static str> {
        let mut broken = Vec::new();
        let taken = self.players.iter().any(|(id, other)| Some(*id) != itself && other.name == player.name);
        if player.name.len() > 16 || taken {
            broken.push("name");
        }
        if !(0..=9999).contains(&player.hp) {
            broken.push("hp");
        }
        if player.guild.is_some_and(|guild| !self.guilds.contains_key(&guild)) {
            broken.push("guild");
        }
        broken
    }

    /// Takes a step in the model and in the database, and compares what they say.
    fn step(&mut self, step: &Step, face: &mut dyn Face) {
        match step {
            Step::InsertPlayer(player, guild) => {
                let player = PlayerData { guild: guild.map(|n| self.pick(&self.guilds, n)), ..player.clone() };
                let broken = self.judge(&player, None);
                if let Some(id) = agree(face.insert_player(&player), &broken) {
                    assert!(
                        self.players.insert(id, player).is_none() && !self.gone.contains(&id),
                        "an id is given once"
                    );
                }
            }
            Step::InsertGuild(guild) => {
                let taken = self.guilds.values().any(|other| other.name == guild.name);
                let broken: &[&str] = if taken { &["name"] } else { &[] };
                if let Some(id) = agree(face.insert_guild(guild), broken) {
                    self.guilds.insert(id, guild.clone());
                }
            }
            Step::ReplacePlayer(n, player, guild) => {
                let id = self.pick(&self.players, *n);
                let player = PlayerData { guild: guild.map(|n| self.pick(&self.guilds, n)), ..player.clone() };
                self.change_player(id, face.replace_player(id, &player), |old| *old = player.clone());
            }
            Step::SetHp(n, hp) => {
                let id = self.pick(&self.players, *n);
                self.change_player(id, face.set_hp(id, *hp), |old| old.hp = *hp);
            }
            Step::SetPos(n, pos) => {
                let id = self.pick(&self.players, *n);
                self.change_player(id, face.set_pos(id, *pos), |old| old.pos = *pos);
            }
            Step::SetMotto(n, motto) => {
                let id = self.pick(&self.guilds, *n);
                let result = face.set_motto(id, motto.as_deref());
                match self.guilds.get_mut(&id) {
                    Some(guild) => {
                        result.expect("a motto has no rules");
                        guild.motto.clone_from(motto);
                    }
                    None => assert_not_found(result),
                }
            }
            Step::DeletePlayer(n) => {
                let id = self.pick(&self.players, *n);
                match self.players.remove(&id) {
                    Some(_) => {
                        assert_eq!(face.delete_player(id).expect("nobody refers to players"), 1);
                        self.gone.push(id);
                    }
                    None => assert_not_found(face.delete_player(id)),
                }
            }
            Step::DeleteGuild(n) => {
                let id = self.pick(&self.guilds, *n);
                match self.guilds.remove(&id) {
                    Some(_) => {
                        assert_eq!(face.delete_guild(id).expect("its members become free"), 1);
                        self.players.values_mut().filter(|p| p.guild == Some(id)).for_each(|p| p.guild = None);
                    }
                    None => assert_not_found(face.delete_guild(id)),
                }
            }
            Step::Undone(steps) => {
                let before = self.clone();
                let result = face.nested(&mut |face| {
                    steps.iter().for_each(|step| self.step(step, face));
                    Err(Error::abort("undone"))
                });
                assert_eq!(result.expect_err("undone").to_string(), "undone");
                *self = before;
            }
        }
    }

    fn change_player(&mut self, id: u64, result: Result<()>, change: impl FnOnce(&mut PlayerData)) {
        let Some(old) = self.players.get(&id) else { return assert_not_found(result) };
        let mut new = old.clone();
        change(&mut new);
        // Only fields that change are judged again.
        let broken: Vec<&str> = self.judge(&new, Some(id));
        if agree(result, &broken).is_some() {
            self.players.insert(id, new);
        }
    }

    /// That a view holds exactly this.
    fn compare(&self, view: &View) {
        view.verify().unwrap_or_else(|faults| panic!("{faults:?}"));
        let table = view.open_table("player").expect("a table");
        let players: BTreeMap<u64, PlayerData> =
            table.iter().map(|r| (r.id().get(), player_from(&r.values()))).collect();
        assert_eq!(players, self.players);
        let table = view.open_table("guild").expect("a table");
        let guild = |values: Vec<_>| GuildData { name: text(&values[0]).expect("a name"), motto: text(&values[1]) };
        let guilds: BTreeMap<u64, GuildData> = table.iter().map(|r| (r.id().get(), guild(r.values()))).collect();
        assert_eq!(guilds, self.guilds);
    }
}

/// That the database accepted what breaks no rule, and named every field that breaks one.
#[track_caller]
fn agree<R>(result: Result<R>, broken: &[&str]) -> Option<R> {
    match result {
        Ok(value) => {
            assert!(broken.is_empty(), "accepted, though {broken:?} break a rule");
            Some(value)
        }
        Err(Error::Invalid(violations)) => {
            let mut named: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
            named.sort_unstable();
            let mut expected = broken.to_vec();
            expected.sort_unstable();
            assert_eq!(named, expected, "{violations:?}");
            assert!(violations.iter().all(|violation| violation.rule != Rule::NotNull));
            None
        }
        Err(other) => panic!("{other}"),
    }
}

#[track_caller]
fn assert_not_found<R>(result: Result<R>) {
    assert!(matches!(result, Err(Error::NotFound { .. })), "the record does not exist");
}

fn run(world: &dyn World, transactions: &[(Vec<Step>, Ending)]) {
    let database = world.database();
    let mut model = Model::default();
    let mut held: Vec<(View, Model)> = Vec::new();
    for (steps, ending) in transactions {
        let mut attempt = model.clone();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            world.transact(&mut |face| {
                steps.iter().for_each(|step| attempt.step(step, face));
                // Own writes are seen inside.
                for (id, player) in attempt.players.iter().take(3) {
                    assert_eq!(face.player(*id).expect("it was written"), *player);
                }
                match ending {
                    Ending::Commit => Ok(()),
                    Ending::Fail => Err(Error::abort("failed")),
                    Ending::Panic => std::panic::panic_any("on purpose"),
                }
            })
        }));
        match (ending, outcome) {
            (Ending::Commit, Ok(Ok(()))) => model = attempt,
            (Ending::Fail, Ok(Err(error))) => assert_eq!(error.to_string(), "failed"),
            (Ending::Panic, Err(payload)) if payload.downcast_ref::<&str>() == Some(&"on purpose") => {}
            (_, Err(payload)) => std::panic::resume_unwind(payload),
            (ending, Ok(outcome)) => panic!("{ending:?} ended as {outcome:?}"),
        }
        let view = database.read();
        model.compare(&view);
        // Some views are held for a while: they must not change.
        if held.len() < 4 {
            held.push((view, model.clone()));
        }
        if held.len() == 4 {
            held.drain(..2).for_each(|(view, model)| model.compare(&view));
        }
    }
    held.iter().for_each(|(view, model)| model.compare(view));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn both_faces_do_what_plain_maps_do(transactions in transactions()) {
        // Panics inside transactions are part of the plan: their messages would drown the test's own.
        let (dynamic, typed) = (DynamicWorld::open(), TypedWorld::open());
        run(&dynamic, &transactions);
        run(&typed, &transactions);
        prop_assert_eq!(dump(&dynamic), dump(&typed), "the same calls give the same bytes");
    }
}

/// Everything a database holds, by id and version.
fn dump(world: &dyn World) -> Vec<String> {
    let view = world.database().read();
    let mut lines = Vec::new();
    for table in view.tables() {
        let name = &table.schema().name;
        lines.extend(table.iter().map(|r| format!("{name} {} v{} {:?}", r.id(), r.version(), r.values())));
    }
    lines
}
