//! What the cases beside this folder work with.

use dbgen_macros::{Table, database};
use dbgen_runtime::Text;

#[derive(Table, Debug, Clone)]
pub struct Entity {
    pub label: Text,
}

#[derive(Table, Debug, Clone)]
#[table(parent = Entity)]
pub struct Position {
    pub x: f32,
    #[field(group = turn)]
    pub facing: f32,
}

#[derive(Table, Debug, Clone)]
#[table(parent = Entity)]
pub struct Health {
    #[field(min = 0)]
    pub hp: i32,
}

#[derive(Table, Debug, Clone)]
pub struct Camera {
    pub label: Text,
}

#[derive(Table, Debug, Clone)]
#[table(parent = Camera)]
pub struct Lens {
    pub zoom: f32,
}

database! { name: World, tables: [Entity, Position, Health, Camera, Lens] }
