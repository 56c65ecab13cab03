//! What a game would otherwise use, one file each. A function adds its peer's side of a scene to a race, with its own world
//! of the same records: as many, as wide, in the same order.

pub mod archive;
pub mod bevy;
pub mod components;
pub mod hashmap;
pub mod hecs;
pub mod redb;
pub mod slotmap;
pub mod sqlite;

use crate::scenes::data;

/// A player as a plain struct, for peers that keep whole records: 100 bytes.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct PlayerRow {
    pub gold: u64,
    pub guild: u64,
    pub pos: [f32; 3],
    pub vel: [f32; 3],
    pub hp: i32,
    pub experience: u32,
    pub bag: [u16; 16],
    pub level: u16,
    pub class: u8,
    pub name: [u8; 17],
}

impl PlayerRow {
    /// Player number `n`.
    pub fn new(n: usize) -> PlayerRow {
        let mut name = [0; 17];
        let text = data::name(n);
        name[0] = text.len() as u8;
        name[1..=text.len()].copy_from_slice(text.as_bytes());
        PlayerRow {
            gold: data::GOLD,
            guild: data::guild(n) as u64,
            pos: [1.0; 3],
            vel: [1.0; 3],
            hp: 100,
            experience: 0,
            bag: [0; 16],
            level: data::level(n),
            class: data::class(n),
            name,
        }
    }
}
