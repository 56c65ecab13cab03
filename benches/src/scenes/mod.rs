//! The scenes and their bars. A scene is one piece of work, done by generated code on our side and by peers on theirs, with
//! records of the same width; each module explains what its scenes leave out.

pub mod archive;
pub mod changes;
pub mod component;
pub mod data;
pub mod durable;
pub mod face;
pub mod find;
pub mod generator;
pub mod get;
pub mod growth;
pub mod insert;
pub mod memory;
pub mod publish;
pub mod sum;
pub mod sweep;
pub mod system;
pub mod update;
pub mod validate;
pub mod view;
pub mod worlds;

use crate::race::Runs;
use crate::scene::Bar::{AtMost, Beyond, Ratio};
use crate::scene::{Bar, Durability, Scene, Unit};

/// A scene that commits nothing.
const fn reads(name: &'static str, title: &'static str, bars: &'static [Bar], run: fn() -> Vec<Runs>) -> Scene {
    Scene { name, title, durability: Durability::None, unit: Unit::Nanoseconds, bars, run }
}

/// A scene whose commits are published and not durable.
const fn commits(name: &'static str, title: &'static str, bars: &'static [Bar], run: fn() -> Vec<Runs>) -> Scene {
    Scene { name, title, durability: Durability::Memory, unit: Unit::Nanoseconds, bars, run }
}

/// A scene whose commits are on the disk when they are acknowledged.
const fn fsyncs(name: &'static str, title: &'static str, bars: &'static [Bar], run: fn() -> Vec<Runs>) -> Scene {
    Scene { name, title, durability: Durability::Fsync, unit: Unit::Nanoseconds, bars, run }
}

/// All scenes, in the order of the printed table.
pub static SCENES: &[Scene] = &[
    reads("get_100k", "get by id, 100 k records, random", &[AtMost(10.0)], get::by_id_100k),
    reads(
        "get_1m",
        "get by id, 1 M records, random",
        &[Ratio("hecs view.get", 1.0), Ratio("bevy Query::get", 0.5)],
        get::by_id_1m,
    ),
    reads("fields", "read four fields in place, 100 k, random", &[], archive::fields),
    reads("find_name", "get by unique name, 100 k, random, many in a call", &[AtMost(60.0)], find::by_name),
    reads("find_range", "range scan of an index, 100 k, per row", &[Beyond("dbgen, by known ids", 5.0)], find::range),
    reads("sweep_10k", "pos += vel * dt, group, 10 k", &[Ratio("hecs query_mut", 1.1)], sweep::group_10k),
    reads("sweep_1m", "pos += vel * dt, group, 1 M", &[Ratio("hecs query_mut", 1.1)], sweep::group_1m),
    reads("sweep_lanes_10k", "pos += vel * dt, lanes, 10 k", &[Ratio("hecs query_mut", 0.5)], sweep::lanes_10k),
    reads("sweep_lanes_1m", "pos += vel * dt, lanes, 1 M", &[Ratio("hecs query_mut", 0.5)], sweep::lanes_1m),
    reads("sweep_par_10k", "pos += vel * dt, par_, 10 k", &[Ratio("dbgen, serial", 1.1)], sweep::par_10k),
    reads("sweep_par_1m", "pos += vel * dt, par_, 1 M", &[Ratio("dbgen, serial", 1.1)], sweep::par_1m),
    commits(
        "system_1m",
        "the same as a system at 60 Hz, 4 readers, 1 M, per row",
        &[Ratio("bevy iter_mut, in place", 2.0)],
        system::sweep_1m,
    ),
    reads("sum_group", "sum one field of a 24-byte group, 1 M", &[AtMost(1.5)], sum::group),
    reads("sum_lanes", "sum one group's lanes, 1 M, per row", &[Ratio("a slice of f32", 1.1)], sum::lanes),
    commits("insert_plain", "insert 10 k, no index, one transaction", &[Ratio("hecs spawn_batch", 0.5)], insert::npcs),
    commits(
        "insert_indexed",
        "insert 10 k, unique + reference + 2 indexes",
        &[Ratio("bevy spawn_batch", 1.0)],
        insert::players,
    ),
    commits(
        "update",
        "update one record, published, 5 tables",
        &[AtMost(500.0), Ratio("SQLite in memory", 0.15), Ratio("redb, Durability::None", 0.03)],
        update::free_field,
    ),
    commits("update_checked", "update one record, a field with a rule", &[AtMost(500.0)], update::checked_field),
    commits("update_closure", "update one record through a closure", &[AtMost(500.0)], update::closure),
    commits(
        "update_300",
        "update one record, published, 300 tables",
        &[Ratio("dbgen, 5 tables", 1.2)],
        update::in_300_tables,
    ),
    commits("transfer", "transfer: read two, write two, commit", &[AtMost(1000.0)], update::transfer),
    commits("publish_100k", "publish 1 % of 100 k rows, per commit", &[AtMost(40_000.0)], publish::rows_100k),
    commits("publish_1m", "publish 1 % of 1 M rows, per commit", &[AtMost(500_000.0)], publish::rows_1m),
    fsyncs(
        "durable_updates",
        "durable one-field updates, a tick's batch per fsync",
        &[AtMost(2000.0), Ratio("SQLite WAL, FULL", 0.2)],
        durable::updates,
    ),
    reads("recovery", "recovery of durable updates, per update", &[AtMost(500.0)], durable::recovery),
    reads("changes", "walk what changed, 50 k at 1 %, per walk", &[AtMost(1000.0)], changes::walk),
    reads("view", "view, cached reader", &[AtMost(15.0)], view::cached),
    reads("view_load", "view, db.read()", &[], view::loaded),
    reads(
        "reader_p99",
        "reader: view and get, p99 during a writing tick",
        &[AtMost(2000.0), Ratio("dbgen, p99 idle", 1.2)],
        view::p99,
    ),
    commits("component", "add and remove a component", &[AtMost(1.5 * 17.0)], component::add_remove),
    reads(
        "join",
        "join of 3 components, created together, 100 k",
        &[Ratio("hecs query_mut", 1.5)],
        component::join_in_order,
    ),
    reads("join_shuffled", "join of 3 components, shuffled, 100 k", &[], component::join_shuffled),
    commits("systems_50", "50 empty systems, per tick", &[AtMost(2000.0)], system::empty),
    commits("growth_worst", "worst insert of 10 M", &[AtMost(1e6)], growth::worst_insert),
    commits("growth_10m", "insert 10 M, per record", &[Ratio("dbgen, 1 M", 1.2)], growth::ten_times),
    Scene {
        name: "memory",
        title: "memory of a record of 100 bytes, 1 M",
        durability: Durability::None,
        unit: Unit::Bytes,
        bars: &[Ratio("three times packed", 1.15)],
        run: memory::per_record,
    },
    reads("validate", "prove a record with two strings whole, 100 k", &[AtMost(15.0)], validate::letters),
    reads("dynamic", "dynamic face: get and read a field, 100 k", &[Ratio("dbgen, typed", 2.0)], face::field),
    reads("generator", "read and generate 300 tables, 2,000 fields", &[AtMost(300e6)], generator::generate_300),
    Scene {
        name: "crates",
        title: "crates of the runtime without server",
        durability: Durability::None,
        unit: Unit::Count,
        bars: &[AtMost(40.0)],
        run: generator::crates,
    },
];
