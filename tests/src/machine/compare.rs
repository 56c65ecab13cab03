//! That a view holds exactly what the model holds.

use super::typed;
use super::values::same;
use super::world::World;
use dbgen_runtime::{DynTable, View};

/// Compares everything: tables, records, values, versions, and what can be checked from the bytes alone.
#[track_caller]
pub fn view(world: &World, view: &View, is_typed: bool) {
    view.verify().unwrap_or_else(|faults| panic!("the bytes do not hold together: {faults:?}"));
    let names: Vec<&str> = view.schema().tables.iter().map(|table| table.name.as_str()).collect();
    let expected: Vec<&str> = world.schema.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, expected, "the tables");
    for (at, engine) in view.tables().enumerate() {
        table(world, at, engine);
    }
    references(world);
    if is_typed {
        typed::compare(world, view);
    }
}

/// Compares one table.
#[track_caller]
pub fn table(world: &World, at: usize, engine: DynTable<'_>) {
    let (model, name) = (&world.tables[at], &world.schema.tables[at].name);
    assert_eq!(engine.len(), model.rows.len(), "records of `{name}`");
    for record in engine.iter() {
        let id = record.id().get();
        let Some(row) = model.rows.get(&id) else { panic!("`{name}` has a record {id} that it should not have") };
        let values = record.values();
        assert_eq!(values.len(), row.values.len(), "fields of `{name}`");
        for (field, (value, expected)) in values.iter().zip(&row.values).enumerate() {
            let field = &world.schema.tables[at].fields[field].name;
            assert!(same(value, expected), "`{name}.{field}` of record {id} is {value:?}, not {expected:?}");
        }
        assert_eq!(record.version(), world.version(at, id), "the version of record {id} of `{name}`");
    }
    let there: Vec<u64> = engine.iter().map(|record| record.id().get()).collect();
    let mut back: Vec<u64> = engine.iter().rev().map(|record| record.id().get()).collect();
    back.reverse();
    assert_eq!(there, back, "records of `{name}` from the other end");
}

/// The model itself keeps the relations: else it would agree with an engine that does not.
#[track_caller]
fn references(world: &World) {
    for relation in &world.schema.relations {
        for (id, row) in &world.tables[relation.from_table.at()].rows {
            let value = &row.values[relation.from_field.at()];
            assert!(world.is_target_there(relation, value), "`{}` of record {id} refers to nothing", relation.name);
        }
    }
}
