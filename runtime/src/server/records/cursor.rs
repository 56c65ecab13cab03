//! Cursors: where a page ended, sealed so that nobody makes one up.
//!
//! ```text
//! base64url( | MAC, 8 bytes | {"k": [values of the order's keys], "i": id, "b": backward, "s": subject, "v": schema} | )
//! ```
//!
//! The subject is made of names, not of numbers, and the order is given by names too: so a cursor outlives edits of the schema
//! that are not about its list. What does not fit any more is told by `v`, the version of the schema: if that is another one
//! now, a field has gone (410, begin again); if not, the client has mixed up its lists (400).
//!
//! The MAC is keyed with this run's randomness: a cursor does not outlive the server, as the versions in entity tags do not.
//! What it guards is small (a made-up cursor shows nothing that a filter would not), so the hash of the standard library,
//! made to withstand chosen inputs, is enough.

use super::column::{Column, Domain};
use super::order::{Order, Place};
use super::scan::Found;
use super::{Filter, Kind, Problem, Server};
use crate::dynamic::DynTable;
use crate::id::RecordId;
use crate::server::json;
use crate::view::View;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dbgen_schema::json::encode;
use dbgen_schema::{Schema, Table, Value};
use serde_json::{Value as Json, json};
use std::hash::BuildHasher;

/// Which way a list goes on from a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// Where a list goes on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cursor {
    pub(super) place: Place,
    pub(super) direction: Direction,
}

/// What a cursor is good for: the same table, conditions and order.
pub(super) fn subject(server: &Server, table: &Table, filters: &[Filter], order: Option<&str>) -> u64 {
    let filters: Vec<String> = filters.iter().map(|filter| filter.named(table)).collect();
    server.seal.hash_one((&table.name, filters, order.unwrap_or_default()))
}

/// The cursor of a page that begins behind a record, or ends before it.
pub(super) fn seal(
    server: &Server,
    view: &View,
    table: DynTable<'_>,
    order: &Order,
    row: &Found,
    direction: Direction,
    subject: u64,
) -> String {
    let keys = order.columns().zip(&row.place.values);
    let keys: Vec<Json> =
        keys.map(|(column, value)| encode(view.schema(), &column.ty(table.schema()), value)).collect();
    let content = json!({
        "k": keys, "i": row.id.get(), "b": direction == Direction::Backward, "s": subject, "v": view.schema_version(),
    });
    let content = json::to_vec(&content);
    let mut sealed = server.seal.hash_one(&content).to_le_bytes().to_vec();
    sealed.extend_from_slice(&content);
    URL_SAFE_NO_PAD.encode(sealed)
}

/// What a cursor says, if it is one of ours.
fn unsealed(server: &Server, text: &str) -> Result<Json, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refuse("is not one that this server gave"))?;
    let (mac, content) = bytes.split_first_chunk::<8>().ok_or_else(|| refuse("is cut off"))?;
    if server.seal.hash_one(content) != u64::from_le_bytes(*mac) {
        return Err(refuse("is not one that this run of the server gave: begin again without it"));
    }
    json::parse(content)
}

fn refuse(why: &str) -> Problem {
    Problem::new(Kind::InvalidCursor, format!("the cursor {why}"))
}

/// That a field which the list is about has gone, or is another one now.
pub(super) fn expired() -> Problem {
    let detail = "the fields that the cursor is about have changed since it was given: begin again without it";
    Problem::new(Kind::CursorExpired, detail)
}

/// Whether a cursor is one of ours, given when the schema was another.
pub(super) fn is_outdated(server: &Server, view: &View, text: &str) -> bool {
    unsealed(server, text).is_ok_and(|content| is_of_another_schema(&content, view))
}

fn is_of_another_schema(content: &Json, view: &View) -> bool {
    content["v"].as_u64() != Some(view.schema_version())
}

/// Opens a cursor that a client brought back.
pub(super) fn open(
    server: &Server,
    view: &View,
    table: DynTable<'_>,
    order: &Order,
    text: &str,
    for_subject: u64,
) -> Result<Cursor, Problem> {
    let content = unsealed(server, text)?;
    let (keys, id, backward, subject) = (&content["k"], &content["i"], &content["b"], &content["s"]);
    if subject.as_u64() != Some(for_subject) {
        // The same texts may stand for other values since a field has another type.
        let is_outdated = is_of_another_schema(&content, view);
        let of_another_list = || refuse("was given for another table, filter or order");
        return Err(if is_outdated { expired() } else { of_another_list() });
    }
    let keys = keys.as_array().map_or(&[][..], Vec::as_slice);
    // We sealed it, so what does not fit any more has changed since: the schema.
    let columns = order.columns();
    if keys.len() != columns.len() {
        return Err(expired());
    }
    let values = columns.zip(keys).map(|(column, json)| key_value(view.schema(), table.schema(), column, json));
    let values = values.collect::<Option<Vec<Value>>>().ok_or_else(expired)?;
    let id = id.as_u64().and_then(RecordId::from_u64).ok_or_else(expired)?;
    let direction = if backward == &Json::Bool(true) { Direction::Backward } else { Direction::Forward };
    Ok(Cursor { place: Place { values, id }, direction })
}

fn key_value(schema: &Schema, table: &Table, column: Column, json: &Json) -> Option<Value> {
    if json.is_null() {
        return Some(Value::Null);
    }
    Domain::of(table, column).decode(schema, json, &mut Vec::new(), "#")
}
