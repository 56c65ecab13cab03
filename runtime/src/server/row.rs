//! Records as JSON: `_id`, `_version`, then the fields in the schema's order.

use super::json;
use super::precondition::record_tag;
use crate::dynamic::{DynRecord, TableNo};
use crate::error::Result;
use crate::id::RecordId;
use crate::txn::Transaction;
use dbgen_schema::json::{Int64, encode_as};
use dbgen_schema::{Schema, Table, Value};
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::sync::Arc;

/// A record, apart from the view that it was read from.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: RecordId,
    pub(crate) version: u64,
    pub(crate) values: Vec<Value>,
}

impl Row {
    pub(crate) fn of(record: DynRecord<'_>) -> Row {
        Row { id: record.id(), version: record.version(), values: record.values() }
    }
}

/// A row with what it takes to write it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowJson<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) table: &'a Table,
    pub(crate) row: &'a Row,
    pub(crate) int64: Int64,
    /// Numbers of the fields to write; `None` = all.
    pub(crate) select: Option<&'a [usize]>,
}

impl Serialize for RowJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("_id", &self.row.id.get())?;
        members.serialize_entry("_version", &self.row.version)?;
        for (at, (field, value)) in self.table.fields.iter().zip(&self.row.values).enumerate() {
            if self.select.is_none_or(|select| select.contains(&at)) {
                members.serialize_entry(&field.name, &encode_as(self.schema, &field.ty, value, self.int64))?;
            }
        }
        members.end()
    }
}

/// A record as a transaction has left it, with the schema of that moment.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    schema: Arc<Schema>,
    schema_version: u64,
    table: TableNo,
    pub(crate) row: Row,
    /// Whether the transaction created it.
    pub(crate) is_new: bool,
}

impl Stored {
    /// The record as the transaction sees it.
    pub(crate) fn of(tx: &Transaction, table: TableNo, id: RecordId) -> Result<Stored> {
        let row = Row::of(tx.read_table(table)?.get(id)?);
        let (schema, schema_version) = (tx.catalog().schema().clone(), tx.catalog().version());
        Ok(Stored { schema, schema_version, table, row, is_new: false })
    }

    /// The tag of its state.
    pub(crate) fn tag(&self, epoch: u64) -> String {
        record_tag(epoch, self.schema_version, self.row.version)
    }

    /// The record's path.
    pub(crate) fn path(&self) -> String {
        format!("/table/{}/record/{}", self.schema.tables[self.table.at()].name, self.row.id)
    }

    pub(crate) fn to_json(&self, int64: Int64) -> Vec<u8> {
        let table = &self.schema.tables[self.table.at()];
        json::to_vec(&RowJson { schema: &self.schema, table, row: &self.row, int64, select: None })
    }
}
