//! Edits of types: enums and composites that are made at run time, extended, renamed, and dropped.

use super::edits::FIELDS;
use super::rules::Broken;
use super::tape::Tape;
use super::verdict::{Verdict, adopt_values, edit};
use super::{Machine, compiled_schema};
use dbgen_runtime::SchemaEdit;
use dbgen_schema::{Schema, Type, Value};
use serde_json::json;

/// Types made at run time, at the same time.
const TYPES: [&str; 4] = ["Ta", "Tb", "Tc", "Td"];
/// Their members.
const MEMBERS: [&str; 5] = ["m0", "m1", "m2", "m3", "m4"];

/// Tries an edit of a type, one that works or one that is refused.
pub fn random(machine: &mut Machine, tape: &mut Tape<'_>) {
    match tape.below(10) {
        0..=1 => create(machine, tape),
        2..=3 => add_field(machine, tape),
        4..=5 => add_member(machine, tape),
        6 => rename(machine, tape),
        7 => rename_member(machine, tape),
        8 => drop_member(machine, tape),
        _ => drop_type(machine, tape),
    }
}

/// The names of a type's members; `None` = there is no such type. The flag: it is an enum.
fn members(schema: &Schema, name: &str) -> Option<(bool, Vec<String>)> {
    let composite = schema.composites.iter().find(|it| it.name == name);
    let fields = composite.map(|it| (false, it.fields.iter().map(|field| field.name.clone()).collect()));
    fields.or_else(|| {
        let enumeration = schema.enums.iter().find(|it| it.name == name)?;
        Some((true, enumeration.variants.iter().map(|variant| variant.name.clone()).collect()))
    })
}

/// A type that was made at run time.
fn made(machine: &Machine, tape: &mut Tape<'_>) -> Option<(&'static str, bool, Vec<String>)> {
    let name = tape.of(&TYPES);
    members(&machine.world.schema, name).map(|(is_enum, members)| (name, is_enum, members))
}

fn create(machine: &mut Machine, tape: &mut Tape<'_>) {
    let name = tape.of(&TYPES);
    let inner = made(machine, tape).map_or("text", |(name, ..)| name);
    let definition = match tape.below(3) {
        0 => json!({ "variants": ["m0", { "name": "m1", "number": 9 }] }),
        1 => json!({ "fields": [{ "name": "m0", "type": "i16" }, { "name": "m1", "type": "list<text>" }] }),
        _ if inner == name => return,
        // A type within a type: wherever the inner one changes, so do values of the outer one.
        _ => json!({ "variants": ["m0", { "name": "m1", "payload": format!("list<{inner}>") }] }),
    };
    let exists = members(&machine.world.schema, name).is_some();
    let verdict = if exists { Verdict::Refused(&["TypeExists"]) } else { Verdict::Done };
    edit(machine, SchemaEdit::create_type(name, definition), "create type", verdict);
}

/// A field of a type made at run time, in any table.
fn add_field(machine: &mut Machine, tape: &mut Tape<'_>) {
    let Some((ty, ..)) = made(machine, tape) else { return create(machine, tape) };
    let tables = &machine.world.schema.tables;
    let table = &tables[tape.below(tables.len())];
    let name = tape.of(&FIELDS);
    if table.field(name).is_some() || table.fields.len() > 45 {
        return;
    }
    let ty = tape.of(&["{}", "list<{}>", "[{}; 2]"]).replace("{}", ty);
    let definition = json!({ "name": name, "type": ty, "nullable": true });
    let table = table.name.clone();
    edit(machine, SchemaEdit::AddField { table, definition }, "add field of a made type", Verdict::Done);
}

fn add_member(machine: &mut Machine, tape: &mut Tape<'_>) {
    // One that was compiled stays as it was compiled.
    if machine.is_typed && tape.one_in(6) {
        let of = tape.of(&["Kind", "Tile", "Act", "Note"]);
        assert!(members(compiled_schema(), of).is_some(), "{of} is compiled");
        let (is_enum, _) = members(compiled_schema(), of).expect("it is there");
        let definition = if is_enum { json!("more") } else { json!({ "name": "more", "type": "u8", "default": 1 }) };
        let edited = SchemaEdit::add_member(of, definition);
        return edit(machine, edited, "add member", Verdict::Refused(&["Compiled"]));
    }
    let Some((of, is_enum, known)) = made(machine, tape) else { return create(machine, tape) };
    let name = tape.of(&MEMBERS);
    let nullable = tape.one_in(2);
    let definition = match (is_enum, nullable) {
        (true, true) => json!(name),
        (true, false) => json!({ "name": name, "payload": "u16" }),
        (false, true) => json!({ "name": name, "type": "str<4>", "nullable": true }),
        (false, false) => json!({ "name": name, "type": "u32", "default": 70_000 }),
    };
    let exists = known.iter().any(|member| member == name);
    let verdict = if exists { Verdict::Refused(&["MemberExists"]) } else { Verdict::Done };
    if !exists && !is_enum {
        let new = if nullable { Value::Null } else { Value::from(70_000_u32) };
        adopt_values(machine, of, move |values| values.push(new.clone()));
    }
    edit(machine, SchemaEdit::add_member(of, definition), "add member", verdict);
}

fn rename(machine: &mut Machine, tape: &mut Tape<'_>) {
    let (Some((from, ..)), to) = (made(machine, tape), tape.of(&TYPES)) else { return };
    if from == to {
        return;
    }
    let exists = members(&machine.world.schema, to).is_some();
    let verdict = if exists { Verdict::Refused(&["TypeExists"]) } else { Verdict::Done };
    edit(machine, SchemaEdit::rename_type(from, to), "rename type", verdict);
}

fn rename_member(machine: &mut Machine, tape: &mut Tape<'_>) {
    let (Some((of, _, known)), from, to) = (made(machine, tape), tape.of(&MEMBERS), tape.of(&MEMBERS)) else { return };
    if from == to {
        return;
    }
    let has = |name: &str| known.iter().any(|member| member == name);
    let verdict = match (has(from), has(to)) {
        (false, _) => Verdict::Refused(&["UnknownMember"]),
        (true, true) => Verdict::Refused(&["MemberExists"]),
        (true, false) => Verdict::Done,
    };
    edit(machine, SchemaEdit::rename_member(of, from, to), "rename member", verdict);
}

fn drop_member(machine: &mut Machine, tape: &mut Tape<'_>) {
    let Some((of, is_enum, known)) = made(machine, tape) else { return };
    let at = tape.below(known.len());
    let name = known[at].clone();
    // The variant that zeroed memory is must stay, and so must the last field.
    if known.len() == 1 || (is_enum && at == 0) {
        let edited = SchemaEdit::drop_member(of, name);
        return edit(machine, edited, "drop member", Verdict::Refused(&["Schema"]));
    }
    let verdict = match is_enum {
        true => match holders(machine, of, at) {
            None => return,
            Some((0, _)) => Verdict::Done,
            Some((records, field)) => Verdict::Broken(records, (field, Broken::Type)),
        },
        false => {
            adopt_values(machine, of, move |values| drop(values.remove(at)));
            Verdict::Done
        }
    };
    edit(machine, SchemaEdit::drop_member(of, name), "drop member", verdict);
}

/// How many records of the first table that has any hold a variant, and in which field; `None` if it is several fields.
fn holders(machine: &Machine, of: &str, variant: usize) -> Option<(usize, String)> {
    let schema = &machine.world.schema;
    let idx = schema.enums.iter().position(|it| it.name == of)?;
    let number = schema.enums[idx].variants[variant].number;
    for (table, model) in schema.tables.iter().zip(&machine.world.tables) {
        let holds = |at: usize| {
            let rows =
                model.rows.values().filter(|row| has(schema, &table.fields[at].ty, &row.values[at], idx, number));
            rows.count()
        };
        let fields: Vec<(usize, usize)> =
            (0..table.fields.len()).map(|at| (at, holds(at))).filter(|(_, n)| *n > 0).collect();
        match fields.as_slice() {
            [] => {}
            [(at, records)] => return Some((*records, table.fields[*at].name.clone())),
            _ => return None,
        }
    }
    Some((0, String::new()))
}

/// Whether a value of this type is, or holds, the variant.
fn has(schema: &Schema, ty: &Type, value: &Value, of: usize, number: u16) -> bool {
    match (ty, value) {
        (Type::Array(element, _) | Type::List(element), Value::List(values)) => {
            values.iter().any(|value| has(schema, element, value, of, number))
        }
        (Type::Composite(idx), Value::Struct(values)) => {
            let fields = schema.composites[idx.at()].fields.iter().zip(values);
            fields.into_iter().any(|(field, value)| has(schema, &field.ty, value, of, number))
        }
        (Type::Enum(idx), Value::Enum(is, payload)) => {
            let variant = schema.enums[idx.at()].variants.iter().find(|variant| variant.number == *is);
            let inner = variant.and_then(|variant| variant.payload.as_ref()).zip(payload.as_deref());
            (idx.at() == of && *is == number) || inner.is_some_and(|(ty, value)| has(schema, ty, value, of, number))
        }
        _ => false,
    }
}

fn drop_type(machine: &mut Machine, tape: &mut Tape<'_>) {
    let name = tape.of(&TYPES);
    let schema = &machine.world.schema;
    let verdict = if members(schema, name).is_none() {
        Verdict::Refused(&["UnknownType"])
    } else if is_used(schema, name) {
        Verdict::Refused(&["TypeUsed"])
    } else {
        Verdict::Done
    };
    edit(machine, SchemaEdit::drop_type(name), "drop type", verdict);
}

fn is_used(schema: &Schema, name: &str) -> bool {
    let tables = schema.tables.iter().flat_map(|table| &table.fields);
    let fields = tables.chain(schema.composites.iter().flat_map(|it| &it.fields)).map(|field| &field.ty);
    let payloads = schema.enums.iter().flat_map(|it| &it.variants).filter_map(|variant| variant.payload.as_ref());
    fields.chain(payloads).any(|ty| {
        let text = dbgen_schema::write::type_text(schema, ty);
        text.split(|c: char| !c.is_alphanumeric()).any(|word| word == name)
    })
}

/// A value of this type with every composite of the name `of` in it changed.
pub fn reshaped(schema: &Schema, ty: &Type, value: &Value, of: &str, change: &dyn Fn(&mut Vec<Value>)) -> Value {
    let again = |ty: &Type, value: &Value| reshaped(schema, ty, value, of, change);
    match (ty, value) {
        (Type::Array(element, _) | Type::List(element), Value::List(values)) => {
            Value::List(values.iter().map(|value| again(element, value)).collect())
        }
        (Type::Composite(idx), Value::Struct(values)) => {
            let composite = &schema.composites[idx.at()];
            let fields = composite.fields.iter().zip(values);
            let mut values: Vec<Value> = fields.map(|(field, value)| again(&field.ty, value)).collect();
            if composite.name == of {
                change(&mut values);
            }
            Value::Struct(values)
        }
        (Type::Enum(idx), Value::Enum(number, Some(payload))) => {
            let variants = &schema.enums[idx.at()].variants;
            let ty = variants.iter().find(|it| it.number == *number).and_then(|variant| variant.payload.as_ref());
            Value::Enum(*number, ty.map(|ty| Box::new(again(ty, payload))))
        }
        (_, value) => value.clone(),
    }
}
