//! What follows from a schema without being written in it.

use dbgen_schema::layout::table_layout;
use dbgen_schema::{Durability, FieldIdx, Format, IndexKind, OnDelete, Schema, Table, TableIdx, Value};

use crate::support::parse;

fn table<'a>(schema: &'a Schema, name: &str) -> &'a Table {
    schema.table(name).map(|(_, table)| table).unwrap_or_else(|| panic!("no table {name}"))
}

/// `name(fields) kind unique written` of every index.
fn indexes(table: &Table) -> Vec<String> {
    let text = |index: &dbgen_schema::Index| {
        let fields: Vec<&str> = index.fields.iter().map(|idx| table.fields[idx.at()].name.as_str()).collect();
        let kind = if index.kind == IndexKind::Hash { " hash" } else { "" };
        let unique = if index.unique { " unique" } else { "" };
        let written = if index.written { " written" } else { "" };
        format!("{}({}){kind}{unique}{written}", index.name, fields.join(", "))
    };
    table.indexes.iter().map(text).collect()
}

#[test]
fn indexes_follow_from_attributes_relations_and_timers_but_never_twice() {
    let schema = parse(
        r#"
        name = "test"
        [tables.a]
        schedule = { at = "due", procedure = "go" }
        fields = [
          { name = "id", type = "u64", primary_key = true },
          { name = "both", type = "u64", unique = true, indexed = true },
          { name = "hashed", type = "u64", indexed = true },
          { name = "other", type = "ref<b>", nullable = true },
          { name = "code", type = "u32", foreign_key = "b.code" },
          { name = "first", type = "ref<b>" },
          { name = "due", type = "timestamp" },
        ]
        indexes = [
          { name = "quick", fields = ["hashed"], kind = "hash" },
          { fields = ["first", "due"] },
          { name = "plain", fields = ["id"] },
        ]
        [tables.b]
        fields = [{ name = "code", type = "u32", unique = true }]
        "#,
        Format::Toml,
    );
    let expected = [
        "quick(hashed) hash written",
        "by_first_due(first, due) written",
        "plain(id) written",
        "by_id(id) unique",
        "by_both(both) unique",
        "by_other(other)",
        "by_code(code)",
        "by_first(first)",
        "by_due(due)",
    ];
    assert_eq!(indexes(table(&schema, "a")), expected);
    let relations: Vec<(&str, Option<FieldIdx>, bool)> =
        schema.relations.iter().map(|it| (it.name.as_str(), it.to_field, it.written)).collect();
    assert_eq!(relations, [("a_other", None, false), ("a_code", Some(FieldIdx(0)), false), ("a_first", None, false)]);
}

#[test]
fn a_rule_for_deletion_may_stand_at_the_field_or_at_the_relation() {
    let schema = parse(
        r#"{ "name": "test",
             "tables": {
               "a": { "fields": [
                 { "name": "x", "type": "ref<b>", "on_delete": "cascade" },
                 { "name": "y", "type": "ref<b>", "nullable": true },
                 { "name": "z", "type": "u32", "on_delete": "cascade" },
                 { "name": "w", "type": "u32", "foreign_key": "b.id" } ] },
               "b": { "fields": [{ "name": "id", "type": "u32", "primary_key": true }] } },
             "relations": [
               { "from": "a.z", "to": "b.id" },
               { "name": "why", "from": "a.y", "to": "b", "on_delete": "set_null" },
               { "name": "by_table", "from": "a.w", "to": "b" } ] }"#,
        Format::Json,
    );
    let relations: Vec<(&str, OnDelete, bool)> =
        schema.relations.iter().map(|it| (it.name.as_str(), it.on_delete, it.to_field.is_some())).collect();
    let expected = [
        ("a_z", OnDelete::Cascade, true),
        ("why", OnDelete::SetNull, false),
        ("by_table", OnDelete::Restrict, true),
        ("a_x", OnDelete::Cascade, false),
    ];
    assert_eq!(relations, expected);
}

#[test]
fn groups_are_numbered_as_they_come_and_row_is_the_first() {
    let schema = parse(
        r#"{ "name": "test", "tables": { "t": { "durability": "snapshot", "fields": [
             { "name": "a", "type": "f32", "group": "hot" },
             { "name": "b", "type": "f32" },
             { "name": "c", "type": "f32", "group": "cold" },
             { "name": "d", "type": "f32", "group": "hot" },
             { "name": "e", "type": "f32", "group": "row" } ] } } }"#,
        Format::Json,
    );
    let t = table(&schema, "t");
    assert_eq!(t.groups, ["row", "hot", "cold"]);
    assert_eq!(t.fields.iter().map(|field| field.group).collect::<Vec<_>>(), [1, 0, 2, 1, 0]);
    assert_eq!(t.durability, Durability::Snapshot);
    let layout = table_layout(&schema, t);
    assert_eq!(layout.groups.iter().map(|group| group.stride).collect::<Vec<_>>(), [8, 8, 4]);
}

#[test]
fn variants_count_on_from_the_one_before() {
    let schema = parse(
        r#"{ "name": "test", "tables": {},
             "enums": { "E": { "variants": ["a", { "name": "b", "number": 9 }, "c", { "name": "d", "number": 3 }, "e"] } } }"#,
        Format::Json,
    );
    let numbers: Vec<u16> = schema.enums[0].variants.iter().map(|variant| variant.number).collect();
    assert_eq!(numbers, [0, 9, 10, 3, 4]);
}

#[test]
fn lines_are_those_of_the_names() {
    let schema =
        parse("name = \"test\"\n\n[tables.t]\nfields = [\n  { name = \"a\", type = \"u8\" },\n]\n", Format::Toml);
    let t = table(&schema, "t");
    assert_eq!((t.line, t.fields[0].line), (3, 5));
}

#[test]
fn defaults_of_composites_are_complete() {
    let schema = parse(
        r#"{ "name": "test",
             "custom_types": {
               "Outer": { "fields": [{ "name": "inner", "type": "Inner", "default": {} }, { "name": "n", "type": "u8" }] },
               "Inner": { "fields": [{ "name": "a", "type": "u8", "default": 7 }, { "name": "b", "type": "u8", "nullable": true }] } },
             "tables": { "t": { "fields": [{ "name": "f", "type": "Outer", "default": { "n": 1 } }] } } }"#,
        Format::Json,
    );
    let inner = Value::Struct(vec![Value::Int(7), Value::Null]);
    let expected = Value::Struct(vec![inner, Value::Int(1)]);
    assert_eq!(table(&schema, "t").fields[0].default, Some(expected));
}

#[test]
fn a_component_of_a_component_is_allowed_and_so_is_a_reference_to_oneself() {
    let schema = parse(
        r#"{ "name": "test", "tables": {
             "entity": { "fields": [{ "name": "boss", "type": "u32", "foreign_key": "entity.id" },
                                    { "name": "id", "type": "u32", "primary_key": true }] },
             "body": { "parent_table": "entity", "fields": [{ "name": "hp", "type": "i32" }] },
             "wound": { "parent_table": "body", "fields": [{ "name": "depth", "type": "i32" }] } } }"#,
        Format::Json,
    );
    assert_eq!(table(&schema, "wound").parent, Some(TableIdx(1)));
}

#[test]
fn a_table_may_be_called_like_a_type_and_a_field_like_a_keyword() {
    let schema = parse(
        r#"{ "name": "test",
             "enums": { "ItemKind": { "variants": ["self", "type"] } },
             "tables": { "item_kind": { "fields": [{ "name": "type", "type": "ItemKind" }, { "name": "self", "type": "u8" },
                                                   { "name": "id", "type": "u8" }] } } }"#,
        Format::Json,
    );
    assert_eq!(table(&schema, "item_kind").fields.len(), 3);
}
