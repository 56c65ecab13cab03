//! An edit of the schema, judged: what the model expects of it, and what it makes of the records.

use super::Machine;
use super::rules::{Broken, Refusal, refusal};
use super::type_edits::reshaped;
use super::world::{Row, TableModel, World};
use dbgen_runtime::error::SchemaEditError;
use dbgen_runtime::limits::SAMPLE_IDS_MAX;
use dbgen_runtime::{Error, PreparedEdit, SchemaEdit, View};
use dbgen_schema::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A table that is renamed, or has a field that is: its new name and its old one, and the field's.
pub type Renamed = (String, String, Option<(String, String)>);

/// What the model says of an edit.
pub enum Verdict {
    /// It is made.
    Done,
    /// For one of these reasons.
    Refused(&'static [&'static str]),
    /// So many records break a new rule.
    Broken(usize, (String, Broken)),
}

/// Says what the edit to come makes of every composite of a type.
pub fn adopt_values(machine: &mut Machine, of: &str, change: impl Fn(&mut Vec<Value>)) {
    let mut world = machine.world.clone();
    let schema = world.schema.clone();
    for (table, model) in schema.tables.iter().zip(&mut world.tables) {
        for row in model.rows.values_mut() {
            let fields = table.fields.iter().zip(&row.values);
            let values = fields.map(|(field, value)| reshaped(&schema, &field.ty, value, of, &change)).collect();
            *row = Arc::new(Row { version: row.version, values });
        }
    }
    machine.reshaped = Some(world);
}

/// Edits the database, and the model if both agree.
pub fn edit(machine: &mut Machine, edit: SchemaEdit, kind: &'static str, verdict: Verdict) {
    let before = (!matches!(verdict, Verdict::Done)).then(|| machine.buffers());
    let version = machine.db.read().schema_version();
    // Both ways come to the same.
    let result = match machine.world.commit % 2 {
        0 => machine.db.edit_schema(edit.clone()),
        _ => machine.db.prepare_edit(edit.clone()).and_then(PreparedEdit::apply),
    };
    match (result, verdict) {
        (Ok(new), Verdict::Done) => {
            assert_eq!(new, version + 1, "edits are counted");
            let (renamed, reshaped) = (machine.renamed.take(), machine.reshaped.take());
            let world = reshaped.as_ref().unwrap_or(&machine.world).clone();
            machine.world = world;
            adopt(&mut machine.world, &machine.db.read(), renamed.as_ref());
            machine.seen.outcome_word(kind, "done");
            // Another table of an old name knows nothing of the old one, and the old one has another name now.
            if kind.starts_with("drop table") || kind == "rename table" {
                machine.forget_told();
            }
            machine.published();
            return;
        }
        (
            Err(Error::SchemaEdit(SchemaEditError::RecordsInTheWay { records, first })),
            Verdict::Broken(count, expected),
        ) => {
            assert_eq!(records, count, "{edit:?}");
            let told = refusal(&Error::Invalid(first));
            assert_eq!(told, Refusal::Invalid(vec![expected; count.min(SAMPLE_IDS_MAX)]), "{edit:?}");
            machine.seen.outcome_word(kind, "broken by records");
        }
        (Err(error), Verdict::Refused(expected)) => {
            assert!(expected.contains(&edit_error(&error)), "{edit:?}: {error}, not {expected:?}");
            machine.seen.outcome_word(kind, "refused");
        }
        (Ok(_), Verdict::Refused(expected)) => panic!("{edit:?} was done: {expected:?}"),
        (Ok(_), Verdict::Broken(_, expected)) => panic!("{edit:?} was done: {expected:?}"),
        (Err(error), _) => panic!("{edit:?} was refused: {error}"),
    }
    assert_eq!(machine.db.read().schema_version(), version);
    assert!(before.is_none_or(|before| before == machine.buffers()), "a refused edit changes nothing");
}

fn edit_error(error: &Error) -> &'static str {
    let error = match error {
        Error::SchemaEdit(error) => error,
        Error::Schema(_) => return "Schema",
        other => panic!("an error that the model does not know: {other}"),
    };
    match error {
        SchemaEditError::TableExists { .. } => "TableExists",
        SchemaEditError::FieldExists { .. } => "FieldExists",
        SchemaEditError::Compiled { .. } => "Compiled",
        SchemaEditError::TableReferenced { .. } => "TableReferenced",
        SchemaEditError::FieldUsed { .. } => "FieldUsed",
        SchemaEditError::DefaultRequired { .. } => "DefaultRequired",
        SchemaEditError::UnknownRelation { .. } => "UnknownRelation",
        SchemaEditError::RelationExists { .. } => "RelationExists",
        SchemaEditError::IndexExists { .. } => "IndexExists",
        SchemaEditError::UnknownIndex { .. } => "UnknownIndex",
        SchemaEditError::IndexNeeded { .. } => "IndexNeeded",
        SchemaEditError::TypeExists { .. } => "TypeExists",
        SchemaEditError::UnknownType { .. } => "UnknownType",
        SchemaEditError::TypeUsed { .. } => "TypeUsed",
        SchemaEditError::MemberExists { .. } => "MemberExists",
        SchemaEditError::UnknownMember { .. } => "UnknownMember",
        SchemaEditError::NotAlterable { .. } => "NotAlterable",
        SchemaEditError::WrittenUnchecked { .. } => "WrittenUnchecked",
        SchemaEditError::RecordsInTheWay { .. } => "RecordsInTheWay",
        other => panic!("an error that the model does not know: {other}"),
    }
}

/// Carries the model's records over into the new schema, by the names of tables and fields.
fn adopt(world: &mut World, view: &View, renamed: Option<&Renamed>) {
    let old: BTreeMap<String, usize> =
        world.schema.tables.iter().enumerate().map(|(at, table)| (table.name.clone(), at)).collect();
    let schema = Arc::new(view.schema().clone());
    let mut tables = Vec::new();
    for table in &schema.tables {
        let renamed = renamed.filter(|(to, ..)| *to == table.name);
        let Some(from) = old.get(renamed.map_or(&table.name, |(_, from, _)| from)) else {
            tables.push(TableModel::default());
            continue;
        };
        let (model, before) = (&world.tables[*from], &world.schema.tables[*from]);
        let was = |name: &String| match renamed.and_then(|(_, _, field)| field.as_ref()) {
            Some((to, from)) if to == name => from.clone(),
            _ => name.clone(),
        };
        let mut new = TableModel { rows: BTreeMap::new(), ..model.clone() };
        let is_new = |field: &&dbgen_schema::Field| before.field(&was(&field.name)).is_none();
        new.counters.clear();
        for field in table.fields.iter().filter(|field| field.auto_increment && !is_new(field)) {
            if let Some(last) = model.counters.get(&was(&field.name)) {
                new.counters.insert(field.name.clone(), *last);
            }
        }
        let numbered = table.fields.iter().filter(|field| field.auto_increment && is_new(field));
        for field in numbered {
            new.counters.insert(field.name.clone(), model.rows.len() as u64);
        }
        for (id, row) in &model.rows {
            let values = table.fields.iter().enumerate().map(|(at, field)| match before.field(&was(&field.name)) {
                Some((idx, _)) => row.values[idx.at()].clone(),
                // The order in which records were numbered is the engine's; that each has a number is checked below.
                None if field.auto_increment => number_of(view, &table.name, *id, at),
                None => field.default.clone().unwrap_or(Value::Null),
            });
            new.rows.insert(*id, Arc::new(Row { version: row.version, values: values.collect() }));
        }
        for (at, field) in table.fields.iter().enumerate().filter(|(_, field)| is_new(field)) {
            if field.auto_increment {
                let mut numbers: Vec<Value> = new.rows.values().map(|row| row.values[at].clone()).collect();
                numbers.sort_by(super::values::compare);
                let expected: Vec<Value> = (1..=new.rows.len() as u64).map(Value::from).collect();
                assert_eq!(numbers, expected, "the records at hand are numbered");
            }
        }
        tables.push(new);
    }
    world.schema = schema;
    world.tables = tables;
    world.commit += 1;
    world.changes.clear();
    world.is_dirty = true;
}

fn number_of(view: &View, table: &str, id: u64, field: usize) -> Value {
    let table = view.open_table(table).expect("the table is there");
    table.get(super::attempt::record_id(id)).expect("the record is there").value(field)
}
