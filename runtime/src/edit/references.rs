//! Who refers to whom in a schema's JSON: `ref<table>`, `foreign_key`, `parent_table`, relations, indexes, schedules.
//!
//! A draft is not checked yet, so all of this looks at text and leaves alone what it does not understand.

use serde_json::Value as Json;

/// The string under `key`; empty if there is none.
pub(super) fn text<'j>(json: &'j Json, key: &str) -> &'j str {
    json.get(key).and_then(Json::as_str).unwrap_or_default()
}

/// The table of a `ref<table>`.
pub(super) fn ref_target(ty: &str) -> Option<&str> {
    Some(ty.trim().strip_prefix("ref")?.trim_start().strip_prefix('<')?.strip_suffix('>')?.trim())
}

/// The element of a `list<T>` or `[T; N]`.
pub(super) fn element_type(ty: &str) -> Option<&str> {
    let ty = ty.trim();
    let list = || ty.strip_prefix("list")?.trim_start().strip_prefix('<')?.strip_suffix('>');
    let array = || Some(ty.strip_prefix('[')?.strip_suffix(']')?.rsplit_once(';')?.0);
    list().or_else(array).map(str::trim)
}

/// What a type is made of in the end: `Vec3` of `list<[Vec3; 4]>`.
pub(super) fn type_name(ty: &str) -> &str {
    let mut inner = ty.trim();
    while let Some(element) = element_type(inner) {
        inner = element;
    }
    inner
}

/// Renames a type in the type under `key`.
pub(super) fn rename_in_type(json: &mut Json, key: &str, from: &str, to: &str) {
    let ty = text(json, key);
    let name = type_name(ty);
    // Behind the name there are brackets and numbers only.
    if name == from
        && let Some(start) = ty.rfind(name)
    {
        json[key] = Json::from(format!("{}{to}{}", &ty[..start], &ty[start + name.len()..]));
    }
}

/// The table of `table` or `table.field`.
pub(super) fn path_table(path: &str) -> &str {
    path.split_once('.').map_or(path, |(table, _)| table)
}

/// Whether the path names this field.
pub(super) fn is_field(path: &str, table: &str, field: &str) -> bool {
    path.split_once('.') == Some((table, field))
}

/// The table that a field's definition refers to, be it by record or by value.
pub(super) fn referred_table(field: &Json) -> Option<&str> {
    let key = field.get("foreign_key").and_then(Json::as_str).map(path_table);
    key.or_else(|| ref_target(text(field, "type")))
}

/// Renames a table in a field's definition.
pub(super) fn rename_table_in_field(field: &mut Json, from: &str, to: &str) {
    if ref_target(text(field, "type")) == Some(from) {
        field["type"] = Json::from(format!("ref<{to}>"));
    }
    rename_table_in_path(field, "foreign_key", from, to);
}

/// Renames a table in the path under `key`.
pub(super) fn rename_table_in_path(json: &mut Json, key: &str, from: &str, to: &str) {
    let path = text(json, key);
    if path == from {
        json[key] = Json::from(to);
    } else if path_table(path) == from {
        json[key] = Json::from(format!("{to}{}", &path[from.len()..]));
    }
}

/// Renames a field in the path under `key`.
pub(super) fn rename_field_in_path(json: &mut Json, key: &str, table: &str, from: &str, to: &str) {
    if is_field(text(json, key), table, from) {
        json[key] = Json::from(format!("{table}.{to}"));
    }
}

/// Renames a field wherever its own table's definition names it.
pub(super) fn rename_field_in_table(table: &mut Json, from: &str, to: &str) {
    let renamed = |name: &mut Json| {
        if name.as_str() == Some(from) {
            *name = Json::from(to);
        }
    };
    for index in table.get_mut("indexes").and_then(Json::as_array_mut).into_iter().flatten() {
        // The name that follows from its fields was that of the index until now.
        if index.get("name").is_none() && index.is_object() {
            index["name"] = Json::from(index_name(index));
        }
        index.get_mut("fields").and_then(Json::as_array_mut).into_iter().flatten().for_each(renamed);
    }
    let schedule = table.get_mut("schedule").and_then(Json::as_object_mut);
    schedule
        .into_iter()
        .flatten()
        .filter(|(key, _)| ["at", "every"].contains(&key.as_str()))
        .for_each(|(_, v)| renamed(v));
}

/// The names of the fields of an index.
pub(super) fn index_fields(index: &Json) -> Vec<&str> {
    index.get("fields").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect()
}

/// The name of an index: written, or what follows from its fields.
pub(super) fn index_name(index: &Json) -> String {
    match index.get("name").and_then(Json::as_str) {
        Some(name) => name.to_owned(),
        None => format!("by_{}", index_fields(index).join("_")),
    }
}

/// Whether the flag is set.
pub(super) fn is_set(json: &Json, flag: &str) -> bool {
    json.get(flag).and_then(Json::as_bool).unwrap_or(false)
}
