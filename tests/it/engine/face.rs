//! Both faces of the engine behind one trait, so that one test drives either.

use crate::generated::golden::arena::{self, Arena, Class, Guild, Player, PlayerPatch, Vec3, player};
use dbgen_runtime::{__private, Database, Error, Id, RecordId, Result, TableNo, Transaction, Value};

/// A player, as the tests see it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PlayerData {
    pub(super) name: String,
    pub(super) class: u16,
    pub(super) hp: i32,
    pub(super) kills: u32,
    pub(super) pos: [f32; 3],
    pub(super) bag: [u16; 8],
    pub(super) guild: Option<u64>,
}

/// A guild, as the tests see it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct GuildData {
    pub(super) name: String,
    pub(super) motto: Option<String>,
}

/// A transaction of either face.
pub(super) trait Face {
    fn insert_player(&mut self, player: &PlayerData) -> Result<u64>;
    fn insert_guild(&mut self, guild: &GuildData) -> Result<u64>;
    fn replace_player(&mut self, id: u64, player: &PlayerData) -> Result<()>;
    fn set_hp(&mut self, id: u64, hp: i32) -> Result<()>;
    fn set_pos(&mut self, id: u64, pos: [f32; 3]) -> Result<()>;
    fn set_motto(&mut self, id: u64, motto: Option<&str>) -> Result<()>;
    fn delete_player(&mut self, id: u64) -> Result<usize>;
    fn delete_guild(&mut self, id: u64) -> Result<usize>;
    fn player(&self, id: u64) -> Result<PlayerData>;
    fn nested(&mut self, body: &mut dyn FnMut(&mut dyn Face) -> Result<()>) -> Result<()>;
}

/// A database driven through one face.
pub(super) trait World {
    fn transact(&self, body: &mut dyn FnMut(&mut dyn Face) -> Result<()>) -> Result<()>;
    fn database(&self) -> Database;
}

/// The dynamic face.
pub(super) struct DynamicWorld(pub(super) Database);

impl World for DynamicWorld {
    fn transact(&self, body: &mut dyn FnMut(&mut dyn Face) -> Result<()>) -> Result<()> {
        self.0.transact(|tx| body(&mut DynamicFace(tx)))
    }
    fn database(&self) -> Database {
        self.0.clone()
    }
}

struct DynamicFace<'t>(&'t mut Transaction);

impl DynamicFace<'_> {
    fn table(&self, name: &str) -> Result<TableNo> {
        self.0.open_table(name)
    }
}

/// The id with this number, as a lookup would judge it.
pub(super) fn record_id(table: &str, number: u64) -> Result<RecordId> {
    RecordId::from_u64(number).ok_or_else(|| Error::NotFound { table: table.to_owned(), id: number, stale: false })
}

pub(super) fn player_values(player: &PlayerData) -> Vec<(usize, Value)> {
    vec![
        (0, player.name.as_str().into()),
        (1, Value::Enum(player.class, None)),
        (2, player.hp.into()),
        (3, player.kills.into()),
        (4, Value::Struct(player.pos.iter().map(|v| Value::from(*v)).collect())),
        (6, Value::List(player.bag.iter().map(|v| Value::from(*v)).collect())),
        (7, player.guild.map_or(Value::Null, Value::Ref)),
    ]
}

pub(super) fn player_from(values: &[Value]) -> PlayerData {
    let int = |value: &Value| match value {
        Value::Int(v) => *v,
        other => panic!("an integer, not {other:?}"),
    };
    let list = |value: &Value| match value {
        Value::Struct(v) | Value::List(v) => v.clone(),
        other => panic!("values, not {other:?}"),
    };
    let float = |value: &Value| match value {
        Value::Float(v) => *v as f32,
        other => panic!("a float, not {other:?}"),
    };
    let mut player = PlayerData {
        name: text(&values[0]).expect("a name"),
        class: match values[1] {
            Value::Enum(v, None) => v,
            ref other => panic!("a class, not {other:?}"),
        },
        hp: int(&values[2]) as i32,
        kills: int(&values[3]) as u32,
        pos: [0.0; 3],
        bag: [0; 8],
        guild: match values[7] {
            Value::Ref(id) => Some(id),
            _ => None,
        },
    };
    list(&values[4]).iter().zip(&mut player.pos).for_each(|(value, to)| *to = float(value));
    list(&values[6]).iter().zip(&mut player.bag).for_each(|(value, to)| *to = int(value) as u16);
    player
}

pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Null => None,
        other => panic!("a text, not {other:?}"),
    }
}

impl Face for DynamicFace<'_> {
    fn insert_player(&mut self, player: &PlayerData) -> Result<u64> {
        let table = self.table("player")?;
        self.0.insert_values(table, &player_values(player)).map(RecordId::get)
    }
    fn insert_guild(&mut self, guild: &GuildData) -> Result<u64> {
        let table = self.table("guild")?;
        let values = [(0, guild.name.as_str().into()), (1, guild.motto.clone().into())];
        self.0.insert_values(table, &values).map(RecordId::get)
    }
    fn replace_player(&mut self, id: u64, player: &PlayerData) -> Result<()> {
        let table = self.table("player")?;
        self.0.update_values(table, record_id("player", id)?, &player_values(player))
    }
    fn set_hp(&mut self, id: u64, hp: i32) -> Result<()> {
        let table = self.table("player")?;
        self.0.update_values(table, record_id("player", id)?, &[(2, hp.into())])
    }
    fn set_pos(&mut self, id: u64, pos: [f32; 3]) -> Result<()> {
        let table = self.table("player")?;
        let pos = Value::Struct(pos.iter().map(|v| Value::from(*v)).collect());
        self.0.update_values(table, record_id("player", id)?, &[(4, pos)])
    }
    fn set_motto(&mut self, id: u64, motto: Option<&str>) -> Result<()> {
        let table = self.table("guild")?;
        self.0.update_values(table, record_id("guild", id)?, &[(1, motto.into())])
    }
    fn delete_player(&mut self, id: u64) -> Result<usize> {
        let table = self.table("player")?;
        self.0.delete_record(table, record_id("player", id)?)
    }
    fn delete_guild(&mut self, id: u64) -> Result<usize> {
        let table = self.table("guild")?;
        self.0.delete_record(table, record_id("guild", id)?)
    }
    fn player(&self, id: u64) -> Result<PlayerData> {
        let record = self.0.read_table(self.table("player")?)?.get(record_id("player", id)?)?;
        Ok(player_from(&record.values()))
    }
    fn nested(&mut self, body: &mut dyn FnMut(&mut dyn Face) -> Result<()>) -> Result<()> {
        self.0.nested(|tx| body(&mut DynamicFace(tx)))
    }
}

/// The schema of the arena, for databases without generated code.
pub(super) fn arena_schema() -> std::path::PathBuf {
    dbgen_tests::root().join("schemas/arena.json")
}

impl DynamicWorld {
    /// An empty arena.
    pub(super) fn open() -> DynamicWorld {
        DynamicWorld(Database::builder().schema_file(arena_schema()).open().expect("the arena opens"))
    }
}

/// The typed face.
pub(super) struct TypedWorld(Arena);

impl TypedWorld {
    /// An empty arena.
    pub(super) fn open() -> TypedWorld {
        TypedWorld(Arena::builder().open().expect("the arena opens"))
    }
}

impl World for TypedWorld {
    fn transact(&self, body: &mut dyn FnMut(&mut dyn Face) -> Result<()>) -> Result<()> {
        self.0.transact(|tx| body(&mut TypedFace(tx)))
    }
    fn database(&self) -> Database {
        self.0.as_dynamic()
    }
}

struct TypedFace<'t>(&'t mut arena::Tx);

fn id<T>(table: &str, number: u64) -> Result<Id<T>> {
    record_id(table, number).map(Id::new)
}

fn guild_id(number: Option<u64>) -> Option<Id<Guild>> {
    number.and_then(Id::from_u64)
}

fn record(player: &PlayerData) -> Player {
    Player {
        class: Class::ALL[player.class as usize],
        hp: player.hp,
        kills: player.kills,
        pos: Vec3::from(player.pos),
        bag: player.bag,
        guild: guild_id(player.guild),
        ..Player::new(player.name.as_str())
    }
}

impl Face for TypedFace<'_> {
    fn insert_player(&mut self, player: &PlayerData) -> Result<u64> {
        self.0.player_mut().insert(record(player)).map(Id::get)
    }
    fn insert_guild(&mut self, guild: &GuildData) -> Result<u64> {
        let guild = Guild { motto: guild.motto.clone(), ..Guild::new(guild.name.as_str()) };
        self.0.guild_mut().insert(guild).map(Id::get)
    }
    fn replace_player(&mut self, number: u64, player: &PlayerData) -> Result<()> {
        self.0.player_mut().update(id("player", number)?, |old| *old = Player { vel: old.vel, ..record(player) })
    }
    fn set_hp(&mut self, number: u64, hp: i32) -> Result<()> {
        self.0.player_mut().get_mut(id("player", number)?)?.set_hp(hp)
    }
    fn set_pos(&mut self, number: u64, pos: [f32; 3]) -> Result<()> {
        let patch = PlayerPatch { pos: Some(Vec3::from(pos)), ..PlayerPatch::default() };
        self.0.player_mut().patch(id("player", number)?, patch)
    }
    fn set_motto(&mut self, number: u64, motto: Option<&str>) -> Result<()> {
        self.0.guild_mut().get_mut(id("guild", number)?)?.set_motto(motto)
    }
    fn delete_player(&mut self, number: u64) -> Result<usize> {
        self.0.player_mut().delete(id("player", number)?)
    }
    fn delete_guild(&mut self, number: u64) -> Result<usize> {
        self.0.guild_mut().delete(id("guild", number)?)
    }
    fn player(&self, number: u64) -> Result<PlayerData> {
        let player = self.0.player().get(id("player", number)?)?;
        Ok(PlayerData {
            name: player.name().to_owned(),
            class: player.class() as u16,
            hp: player.hp(),
            kills: player.kills(),
            pos: (*player.pos()).into(),
            bag: player.bag(),
            guild: player.guild().map(Id::get),
        })
    }
    fn nested(&mut self, body: &mut dyn FnMut(&mut dyn Face) -> Result<()>) -> Result<()> {
        self.0.nested(|tx| body(&mut TypedFace(tx)))
    }
}

/// Generated code says this of groups without rules alone; whoever says it of others gets nothing to write.
impl __private::GroupMut for player::Row {}

#[test]
fn a_group_with_rules_is_never_a_slice_whatever_is_said_of_it() {
    let db = Arena::builder().open().expect("it opens");
    let id = db.transact(|tx| tx.player_mut().insert(Player::new("ayla"))).expect("it fits");
    let raw = db.as_dynamic();
    raw.transact(|tx| {
        assert!(tx.table_mut::<Player>().group_mut::<player::Row>().is_empty());
        tx.table_mut::<Player>().group_next::<player::Row, _>(|old, new| assert!(old.is_empty() && new.is_empty()));
        let mut all = tx.slices();
        assert!(all.table::<Player>().group_mut::<player::Row>().is_empty());
        Ok(())
    })
    .expect("nothing is written");
    assert_eq!(db.read().player().get(id).expect("there").name(), "ayla");
    db.read().as_ref().verify().expect("whole");
}
