//! The short way on which bare components come and go leaves the bytes that the long way leaves.

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::id::RecordId;
use crate::op::{Applied, Op};
use crate::record::image::RecordImage;
use crate::{Database, Transaction};

const SCHEMA: &str = r#"{ "name": "w", "version": "1", "tables": {
    "entity": { "fields": [ {"name":"kind","type":"u32"} ] },
    "marked": { "parent_table": "entity", "fields": [] },
    "frozen": { "parent_table": "entity", "fields": [ {"name":"ticks","type":"u32"} ] },
    "moving": { "parent_table": "entity", "fields": [ {"name":"speed","type":"f64"}, {"name":"turns","type":"u8","group":"hot"},
                {"name":"lanes","type":"[u32; 4]","group":"hot"} ] } } }"#;
const ENTITY: usize = 0;
const COMPONENTS: std::ops::RangeInclusive<usize> = 1..=3;

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Short,
    Long,
}

fn attach(engine: &mut Engine, way: Way, table: usize, owner: RecordId, byte: u8) -> Result<()> {
    let mut image = RecordImage::new();
    image.begin_one(engine.catalog.tables()[table].layout.image_bytes);
    image.fixed.fill(byte);
    match way {
        Way::Short => engine.apply(Op::Insert { table, owner: Some(owner), image: &mut image }).map(drop),
        Way::Long => engine.insert(table, Some(owner), &mut image).map(drop),
    }
}

fn detach(engine: &mut Engine, way: Way, table: usize, id: RecordId) -> Result<()> {
    match way {
        Way::Short => engine.apply(Op::Delete { table, id }).map(drop),
        Way::Long => engine.remove(table, id),
    }
}

fn spawn(engine: &mut Engine) -> Result<RecordId> {
    let mut image = RecordImage::new();
    image.begin_one(engine.catalog.tables()[ENTITY].layout.image_bytes);
    Applied::id(engine.apply(Op::Insert { table: ENTITY, owner: None, image: &mut image }))
}

/// One of the things that a transaction does; says whether it could.
fn act(tx: &mut Transaction, way: Way, random: &mut Random, ids: &mut Vec<RecordId>) -> bool {
    let engine = &mut *tx.engine;
    let table = COMPONENTS.start() + random.below(3);
    let (id, byte) = (ids[random.below(ids.len())], random.below(256) as u8);
    match random.below(40) {
        0 => engine.apply(Op::Delete { table: ENTITY, id }).is_ok(),
        1 => spawn(engine).map(|id| ids.push(id)).is_ok(),
        // Runs, so that notes reach ahead.
        2 => {
            let from = random.below(ids.len());
            ids[from..].iter().take(100).filter(|id| attach(engine, way, table, **id, byte).is_ok()).count() > 50
        }
        3 => {
            let from = random.below(ids.len());
            ids[from..].iter().take(100).filter(|id| detach(engine, way, table, **id).is_ok()).count() > 50
        }
        4 => {
            let undone = tx.nested(|tx| {
                attach(&mut tx.engine, way, table, id, byte).ok();
                for _ in 0..10 {
                    act(tx, way, random, &mut ids.clone());
                }
                if byte < 128 { Ok(()) } else { Err(Error::abort("only tried")) }
            });
            undone.is_ok()
        }
        5..20 => detach(engine, way, table, id).is_ok(),
        _ => attach(engine, way, table, id, byte).is_ok(),
    }
}

/// What a few transactions leave behind: which acts could be done, and after each transaction all buffers.
fn history(way: Way, seed: u64) -> Vec<(Vec<bool>, Vec<Vec<u8>>)> {
    let db = Database::builder().schema_json(SCHEMA).open().expect("it opens");
    let mut random = Random(seed);
    let mut ids = Vec::new();
    db.transact(|tx| {
        for _ in 0..300 {
            ids.push(spawn(&mut tx.engine)?);
        }
        Ok(())
    })
    .expect("they fit");
    let transaction = |_| {
        let (before, mut done) = (ids.clone(), Vec::new());
        let acts = [1, 5, 100][random.below(3)];
        let ended = db.transact(|tx| {
            done.extend((0..acts).map(|_| act(tx, way, &mut random, &mut ids)));
            if random.below(4) > 0 { Ok(()) } else { Err(Error::abort("undone")) }
        });
        if ended.is_err() {
            ids = before;
        }
        let view = db.read();
        view.verify().expect("whole");
        let buffers = view.as_ref().version.tables.iter().flat_map(|table| &table.buffers);
        (done, buffers.map(|buffer| buffer.bytes().to_vec()).collect())
    };
    (0..60).map(transaction).collect()
}

#[test]
fn both_ways_leave_the_same_bytes() {
    for seed in 1..20 {
        let (short, long) = (history(Way::Short, seed), history(Way::Long, seed));
        for (at, (short, long)) in short.iter().zip(&long).enumerate() {
            assert_eq!(short.0, long.0, "what could be done in transaction {at} of seed {seed}");
            assert!(short.1 == long.1, "the bytes behind transaction {at} of seed {seed}");
        }
    }
}
