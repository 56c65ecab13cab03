//! Bytes from elsewhere, proved to be records: two strings each. Ours proves more than the peers do: slots, free lists,
//! heap blocks that nobody else names, references.

use super::{data, worlds};
use crate::peers::archive;
use crate::race::{Race, Runs};
use crate::world::Letter;

pub fn letters() -> Vec<Runs> {
    const COUNT: usize = 100_000;
    let world = worlds::empty();
    let letter = |n: usize| Letter { subject: data::subject(n), body: data::body(n), sender: None };
    world.transact(|tx| tx.letter_mut().insert_many((0..COUNT).map(letter))).expect("letters");
    let view = world.read();
    let race = Race::new().side("dbgen", move || {
        view.as_ref().verify().expect("a whole world");
        COUNT
    });
    archive::validate(race, COUNT).run()
}
