//! What the world is made of: a struct for each table, gathered into a database.

use dbgen_macros::{Composite, Table, database};
use dbgen_runtime::{Id, Str};

/// A point or a direction
#[derive(Composite, Debug, Clone, PartialEq)]
pub struct Vec3 {
    pub x: f32,
    pub y: f32,
    pub z: f32,
}

/// A person in the world
#[derive(Table, Debug, Clone)]
pub struct Player {
    #[field(unique)]
    pub name: Str<16>,
    #[field(default = 100, min = 0, max = 100)]
    pub hp: i32,
    #[field(group = "motion", default)]
    pub pos: Vec3,
    #[field(group = "motion", default)]
    pub vel: Vec3,
}

/// Something that a player carries, or that lies about
#[derive(Table, Debug, Clone)]
pub struct Item {
    #[field(indexed)]
    pub kind: Str<24>,
    pub owner: Option<Id<Player>>,
}

database! {
    name: World,
    version: "0.1.0",
    tables: [Player, Item],
    types: [Vec3],
}
