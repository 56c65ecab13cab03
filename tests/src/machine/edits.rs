//! Edits of the schema: the model says whether one is allowed, and what it makes of the records.

use super::rules::Broken;
use super::tape::Tape;
use super::verdict::{Verdict, edit};
use super::{Machine, compiled_schema};
use dbgen_runtime::SchemaEdit;
use dbgen_schema::{Type, Value};
use serde_json::{Value as Json, json};

/// Tables made at run time, at the same time.
const TABLES: [&str; 4] = ["t0", "t1", "t2", "t3"];
/// Fields added at run time.
pub const FIELDS: [&str; 5] = ["x0", "x1", "x2", "x3", "x4"];
/// Types of such fields, with a default of each.
const TYPES: [(&str, &str); 22] = [
    ("i8", "-1"),
    ("i16", "300"),
    ("i32", "0"),
    ("i64", "-5000000000"),
    ("u8", "255"),
    ("u16", "7"),
    ("u32", "1"),
    ("u64", "9000000000"),
    ("f32", "0.5"),
    ("f64", "-2.25"),
    ("bool", "true"),
    ("timestamp", "\"2026-01-02T03:04:05Z\""),
    ("duration", "1.5"),
    ("uuid", "\"00000000-0000-0000-0000-000000000001\""),
    ("str<6>", "\"six\""),
    ("bytes<3>", "\"AQID\""),
    ("text", "\"a text of some length\""),
    ("list<u16>", "[1, 2, 3]"),
    ("list<list<text>>", "[[\"a\"], []]"),
    ("[u8; 3]", "[1, 2, 3]"),
    ("Kind", "\"owl\""),
    ("Tile", "{\"x\": 1, \"y\": 2}"),
];

/// Tries an edit, one that works or one that is refused.
pub fn random(machine: &mut Machine, tape: &mut Tape<'_>) {
    match tape.below(18) {
        0..=2 => create_table(machine, tape),
        3..=6 => add_field(machine, tape),
        7 => drop_field(machine, tape),
        8 => drop_table(machine, tape),
        9..=10 => create_relation(machine, tape),
        11 => drop_relation(machine, tape),
        12 => rename_table(machine, tape),
        13 => rename_field(machine, tape),
        14..=15 => widen_field(machine, tape),
        16 => create_index(machine, tape),
        _ => drop_index(machine, tape),
    }
}

/// Whether a field was made at run time.
fn is_made(table: &str, field: &str) -> bool {
    compiled_schema().table(table).is_none_or(|(_, compiled)| compiled.field(field).is_none())
}

/// A field that was made at run time, if there is one: its table and its place.
fn made_field(machine: &Machine, tape: &mut Tape<'_>) -> Option<(String, usize, usize)> {
    let tables = machine.world.schema.tables.iter().enumerate();
    let places: Vec<(usize, usize)> = tables
        .flat_map(|(at, table)| {
            let fields = table.fields.iter().enumerate();
            fields.filter(|(_, field)| is_made(&table.name, &field.name)).map(move |(field, _)| (at, field))
        })
        .collect();
    let (table, field) = (!places.is_empty()).then(|| tape.of(&places))?;
    Some((machine.world.schema.tables[table].name.clone(), table, field))
}

fn rename_table(machine: &mut Machine, tape: &mut Tape<'_>) {
    let (from, to) = (tape.of(&TABLES), tape.of(&TABLES));
    let there = |name: &str| machine.world.schema.table(name).is_some();
    if !there(from) || from == to {
        return;
    }
    let verdict = if there(to) { Verdict::Refused(&["TableExists"]) } else { Verdict::Done };
    machine.renamed = (!there(to)).then(|| (to.to_owned(), from.to_owned(), None));
    edit(machine, SchemaEdit::rename_table(from, to), "rename table", verdict);
}

fn rename_field(machine: &mut Machine, tape: &mut Tape<'_>) {
    let Some((table, at, field)) = made_field(machine, tape) else { return };
    let model = &machine.world.schema.tables[at];
    let (from, to) = (model.fields[field].name.clone(), tape.of(&FIELDS));
    if from == to {
        return;
    }
    let exists = model.field(to).is_some();
    let verdict = if exists { Verdict::Refused(&["FieldExists"]) } else { Verdict::Done };
    machine.renamed = (!exists).then(|| (table.clone(), table.clone(), Some((to.to_owned(), from.clone()))));
    edit(machine, SchemaEdit::rename_field(table, from, to), "rename field", verdict);
}

/// A field of a wider type holds what it held.
fn widen_field(machine: &mut Machine, tape: &mut Tape<'_>) {
    let Some((table, at, field)) = made_field(machine, tape) else { return };
    let schema = &machine.world.schema;
    let model = &schema.tables[at].fields[field];
    let wider = match dbgen_schema::write::type_text(schema, &model.ty).as_str() {
        "i8" => "i16",
        "i16" => "i32",
        "i32" => "i64",
        "u8" => "u16",
        "u16" => "u32",
        "u32" => "u64",
        "str<6>" => "str<20>",
        _ => return,
    };
    let is_referring = machine.world.outgoing(at).any(|relation| relation.from_field.at() == field);
    let is_referred = machine.world.incoming(at).any(|relation| relation.to_field.is_some_and(|to| to.at() == field));
    if is_referring || is_referred {
        return;
    }
    let name = model.name.clone();
    let change = SchemaEdit::alter_field(table, name, json!({ "type": wider }));
    edit(machine, change, "widen field", Verdict::Done);
}

/// An index over fields that were made at run time, unique or not.
fn create_index(machine: &mut Machine, tape: &mut Tape<'_>) {
    let Some((table, at, field)) = made_field(machine, tape) else { return };
    let schema = &machine.world.schema;
    let model = &schema.tables[at];
    let is_flat = |ty: &Type| matches!(ty, Type::Scalar(_) | Type::Str(_) | Type::FixedBytes(_) | Type::Text);
    let name = tape.of(&["by_one", "by_two"]);
    if !is_flat(&model.fields[field].ty)
        || model.indexes.iter().any(|index| index.fields.len() == 1 && index.fields[0].at() == field)
    {
        return;
    }
    let unique = tape.one_in(2);
    let mut keys: Vec<&Value> =
        machine.world.tables[at].rows.values().map(|row| &row.values[field]).filter(|value| !value.is_null()).collect();
    keys.sort_by(|a, b| super::values::compare(a, b));
    let repeated = keys.windows(2).filter(|pair| super::values::compare(pair[0], pair[1]).is_eq()).count();
    let own = model.fields[field].name.clone();
    let verdict = match () {
        () if model.indexes.iter().any(|index| index.name == name) => Verdict::Refused(&["IndexExists"]),
        () if unique && repeated > 0 => Verdict::Broken(repeated, (own.clone(), Broken::Unique)),
        () => Verdict::Done,
    };
    let kind = tape.of(&["btree", "hash"]);
    let definition = json!({ "name": name, "fields": [own], "unique": unique, "kind": kind });
    edit(machine, SchemaEdit::create_index(table, definition), "create index", verdict);
}

fn drop_index(machine: &mut Machine, tape: &mut Tape<'_>) {
    let tables = machine.world.schema.tables.iter().enumerate();
    let made: Vec<(usize, &'static str)> = tables
        .flat_map(|(at, table)| {
            let names = ["by_one", "by_two", "by_first"].into_iter();
            names.filter(move |name| table.indexes.iter().any(|index| index.name == *name)).map(move |name| (at, name))
        })
        .collect();
    let Some((at, name)) = (!made.is_empty()).then(|| tape.of(&made)) else { return };
    let table = &machine.world.schema.tables[at];
    // A relation by value stands on the unique index of what it leads to.
    let is_needed = machine.world.incoming(at).any(|relation| relation.to_field.is_some())
        || machine.world.outgoing(at).any(|relation| relation.to_field.is_some());
    if is_needed {
        return;
    }
    let table = table.name.clone();
    edit(machine, SchemaEdit::drop_index(table, name), "drop index", Verdict::Done);
}

fn create_table(machine: &mut Machine, tape: &mut Tape<'_>) {
    let table = tape.of(&TABLES);
    let mut fields = vec![json!({ "name": "f0", "type": "i32", "default": 0 })];
    for at in 1..=tape.below(4) {
        let mut field = field_json(machine, tape, &format!("f{at}"), true);
        if tape.one_in(4) {
            field["indexed"] = json!(is_indexable(&field));
        }
        fields.push(field);
    }
    let mut definition = json!({ "fields": fields });
    if tape.one_in(4) && machine.world.schema.table("entity").is_some() {
        definition["parent_table"] = json!("entity");
    }
    if tape.one_in(3) {
        definition["indexes"] = json!([{ "name": "by_first", "fields": ["f0"], "unique": tape.one_in(2) }]);
    }
    let exists = machine.world.schema.table(table).is_some();
    let verdict = if exists { Verdict::Refused(&["TableExists"]) } else { Verdict::Done };
    edit(machine, SchemaEdit::CreateTable { table: table.to_owned(), definition }, "create table", verdict);
}

/// A field's definition: of any type, with a default, nullable, or neither if `may_be_required`.
fn field_json(machine: &Machine, tape: &mut Tape<'_>, name: &str, may_be_required: bool) -> Json {
    let (ty, default) = tape.of(&TYPES);
    let tables = &machine.world.schema.tables;
    if tape.one_in(6) {
        let to = &tables[tape.below(tables.len())].name;
        let rule = tape.of(&["set_null", "cascade", "restrict"]);
        return json!({ "name": name, "type": format!("ref<{to}>"), "nullable": true, "on_delete": rule });
    }
    let mut field = json!({ "name": name, "type": ty });
    match tape.below(if may_be_required { 4 } else { 3 }) {
        0 => field["default"] = serde_json::from_str(default).expect("a default is JSON"),
        1 => field["nullable"] = json!(true),
        2 if ty == "u32" => field["auto_increment"] = json!(true),
        2 => {
            field["nullable"] = json!(true);
            field["unique"] = json!(is_indexable(&field));
        }
        _ => {}
    }
    field
}

fn is_indexable(field: &Json) -> bool {
    let ty = field["type"].as_str().unwrap_or_default();
    !matches!(ty, "text" | "Tile") && !ty.starts_with("list") && !ty.starts_with('[')
}

fn add_field(machine: &mut Machine, tape: &mut Tape<'_>) {
    let world = &machine.world;
    let at = tape.below(world.schema.tables.len());
    let table = &world.schema.tables[at];
    if table.fields.len() > 45 {
        return drop_field(machine, tape);
    }
    let name = tape.of(&FIELDS);
    let mut definition = field_json(machine, tape, name, true);
    let is = |definition: &Json, key: &str| definition.get(key).and_then(Json::as_bool).unwrap_or(false);
    // A default in a unique field: fine for one record, not for two.
    if definition.get("default").is_some() && is_indexable(&definition) && tape.one_in(3) {
        definition["unique"] = json!(true);
    }
    let records = world.tables[at].rows.len();
    let has_value =
        definition.get("default").is_some() || is(&definition, "nullable") || is(&definition, "auto_increment");
    let verdict = if table.field(name).is_some() {
        Verdict::Refused(&["FieldExists"])
    } else if records > 0 && !has_value {
        Verdict::Refused(&["DefaultRequired"])
    } else if records > 1 && is(&definition, "unique") && definition.get("default").is_some() {
        Verdict::Broken(records - 1, (name.to_owned(), Broken::Unique))
    } else {
        Verdict::Done
    };
    let table = table.name.clone();
    edit(machine, SchemaEdit::AddField { table, definition }, "add field", verdict);
}

fn drop_field(machine: &mut Machine, tape: &mut Tape<'_>) {
    let world = &machine.world;
    let at = tape.below(world.schema.tables.len());
    let table = &world.schema.tables[at];
    if table.fields.len() < 2 {
        return;
    }
    let field = tape.below(table.fields.len());
    let (name, cascade) = (table.fields[field].name.clone(), tape.one_in(2));
    let is_compiled = compiled_schema().table(&table.name).is_some_and(|(_, compiled)| compiled.field(&name).is_some());
    let used = table.indexes.iter().any(|index| index.written && index.fields.iter().any(|f| f.at() == field))
        || world.schema.relations.iter().any(|relation| {
            (relation.from_table.at(), relation.from_field.at()) == (at, field)
                || relation.to_table.at() == at && relation.to_field.is_some_and(|to| to.at() == field)
        });
    let verdict = match () {
        () if used && !cascade => Verdict::Refused(&["FieldUsed"]),
        // What a schedule names cannot go by the rules of the language already.
        () if is_compiled && machine.is_typed => Verdict::Refused(&["Compiled", "Schema"]),
        () => Verdict::Done,
    };
    let table = table.name.clone();
    edit(machine, SchemaEdit::DropField { table, field: name, cascade }, "drop field", verdict);
}

fn drop_table(machine: &mut Machine, tape: &mut Tape<'_>) {
    let world = &machine.world;
    let at = tape.below(world.schema.tables.len());
    let table = &world.schema.tables[at];
    let cascade = tape.one_in(2);
    let referred: Vec<_> = world.incoming(at).filter(|relation| relation.from_table.at() != at).collect();
    let is_compiled = machine.is_typed && compiled_schema().table(&table.name).is_some();
    if world.schema.tables.iter().any(|other| other.parent.is_some_and(|parent| parent.at() == at)) {
        return;
    }
    // What refers to it is dropped too, and that has rules of its own; this is tried with plain tables only.
    let is_plain = |relation: &&dbgen_schema::Relation| {
        let from = &world.schema.tables[relation.from_table.at()];
        from.fields.len() > 2 && relation.to_field.is_none()
    };
    if cascade && !referred.iter().all(is_plain) {
        return;
    }
    let verdict = match () {
        () if is_compiled => Verdict::Refused(&["Compiled"]),
        () if !cascade && !referred.is_empty() => Verdict::Refused(&["TableReferenced"]),
        () => Verdict::Done,
    };
    let kind = if referred.is_empty() { "drop table" } else { "drop table: referred to" };
    let table = table.name.clone();
    edit(machine, SchemaEdit::DropTable { table, cascade }, kind, verdict);
}

/// A relation by value between fields that are there, whose records may refer to nothing.
fn create_relation(machine: &mut Machine, tape: &mut Tape<'_>) {
    let world = &machine.world;
    let schema = &world.schema;
    let mut places = Vec::new();
    for (from, table) in schema.tables.iter().enumerate() {
        // References that are never null could be a ring, in which no record could be the first.
        let is_usable = |field: &dbgen_schema::Field| field.nullable && is_made(&table.name, &field.name);
        for (field, model) in table.fields.iter().enumerate().filter(|(_, field)| is_usable(field)) {
            for (to, target) in schema.tables.iter().enumerate().filter(|(to, _)| *to != from) {
                let keys = target.indexes.iter().filter(|index| index.unique && index.fields.len() == 1);
                let keys = keys.filter(|index| target.fields[index.fields[0].at()].ty == model.ty);
                places.extend(keys.map(|index| (from, field, to, index.fields[0].at())));
            }
        }
    }
    let is_free = |place: &&(usize, usize, usize, usize)| {
        !world.outgoing(place.0).any(|relation| relation.from_field.at() == place.1)
            && matches!(schema.tables[place.0].fields[place.1].ty, Type::Scalar(_) | Type::Str(_))
    };
    let places: Vec<_> = places.iter().filter(is_free).copied().collect();
    if places.is_empty() {
        return add_field(machine, tape);
    }
    let (from, field, to, key) = tape.of(&places);
    let (table, target) = (&schema.tables[from], &schema.tables[to]);
    let rule = tape.of(&["cascade", "restrict"]);
    let name = format!("r{}", tape.below(4));
    if schema.relations.iter().any(|relation| relation.name == name) {
        return;
    }
    let definition = json!({
        "name": name,
        "from": format!("{}.{}", table.name, table.fields[field].name),
        "to": format!("{}.{}", target.name, target.fields[key].name),
        "on_delete": rule,
    });
    let keys: Vec<&Value> = world.tables[to].rows.values().map(|row| &row.values[key]).collect();
    let refers = |value: &Value| value.is_null() || keys.iter().any(|key| super::values::compare(key, value).is_eq());
    let broken = world.tables[from].rows.values().filter(|row| !refers(&row.values[field])).count();
    let verdict = match broken {
        0 => Verdict::Done,
        _ => Verdict::Broken(broken, (table.fields[field].name.clone(), Broken::Reference)),
    };
    edit(machine, SchemaEdit::CreateRelation { definition }, "create relation", verdict);
}

fn drop_relation(machine: &mut Machine, tape: &mut Tape<'_>) {
    let relations = &machine.world.schema.relations;
    if tape.one_in(4) {
        let name = "no_such_relation".to_owned();
        return edit(
            machine,
            SchemaEdit::DropRelation { name },
            "drop relation",
            Verdict::Refused(&["UnknownRelation"]),
        );
    }
    let relation = relations[tape.below(relations.len())].clone();
    // One that a field's definition implies goes with the field alone.
    let verdict = if relation.written { Verdict::Done } else { Verdict::Refused(&["FieldUsed"]) };
    edit(machine, SchemaEdit::DropRelation { name: relation.name }, "drop relation", verdict);
}
