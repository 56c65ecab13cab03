//! Whole records.

use serde_json::{Map, Value as Json};

use crate::model::{FieldIdx, Schema, Table};
use crate::value::Value;

use super::decode::Decoder;
use super::{Int64, Problem, encode_as};

/// What a JSON object says about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The whole record: what is left out takes its default, or null, or is a problem.
    Insert,
    /// Only the fields that it names.
    Patch,
}

/// The fields of a record that a JSON object stands for, in the order of the table.
///
/// With [`Mode::Insert`] that is every field of the table, except `auto_increment` fields that were left out: the engine
/// gives those their number. `_id` and `_version` are the caller's to look at and skipped here.
///
/// # Errors
///
/// Every problem of the object at once, with pointers like `#/pos/x`.
pub fn decode_record(
    schema: &Schema,
    table: &Table,
    object: &Map<String, Json>,
    mode: Mode,
) -> Result<Vec<(FieldIdx, Value)>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut decoder = Decoder::new(schema, &mut problems, "#");
    decoder.unknown_fields(&format!("the table `{}`", table.name), &table.fields, object, &["_id", "_version"]);
    let mut values = Vec::with_capacity(table.fields.len());
    for (at, field) in table.fields.iter().enumerate() {
        let value = match object.get(&field.name) {
            Some(json) => decoder.inside(&field.name, |decoder| decoder.field(field, json)),
            None if mode == Mode::Patch || field.auto_increment => continue,
            None => decoder.left_out(field),
        };
        values.extend(value.map(|value| (FieldIdx(at as u32), value)));
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

/// The JSON object of a record: one member per field, from its values in the order of the table.
pub fn encode_record<'a>(
    schema: &Schema,
    table: &Table,
    values: impl IntoIterator<Item = &'a Value>,
    int64: Int64,
) -> Map<String, Json> {
    let members = table.fields.iter().zip(values);
    members.map(|(field, value)| (field.name.clone(), encode_as(schema, &field.ty, value, int64))).collect()
}
