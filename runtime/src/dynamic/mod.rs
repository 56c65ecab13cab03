//! The dynamic face: tables by name, fields by number, [`Value`]s in and out, for tools, editors, servers and tests that
//! know no schema at build time. The same engine, the same operations, the same errors as the typed face.
//!
//! ```
//! use dbgen_runtime::{Database, Value};
//!
//! let db = Database::builder().schema_json(r#"{ "name": "shop", "version": "1",
//!     "tables": { "item": { "fields": [ {"name":"name","type":"str<16>","unique":true}, {"name":"price","type":"u32","default":1} ] } } }"#)
//!     .open()?;
//! let id = db.transact(|tx| {
//!     let item = tx.open_table("item")?;
//!     tx.insert_values(item, &[(0, Value::from("sword"))])
//! })?;
//! let view = db.read();
//! let item = view.open_table("item")?;
//! assert_eq!(item.get(id)?.value(1), Value::from(1_u32));
//! assert_eq!(item.find("by_name", &[Value::from("sword")])?.map(|record| record.id()), Some(id));
//! # Ok::<(), dbgen_runtime::Error>(())
//! ```

mod field;
mod many;
mod named;

use crate::catalog::Catalog;
use crate::error::{Error, Result, Violation, nearest};
use crate::id::RecordId;
use crate::op::{Applied, Op};
use crate::record::heap_ref::HeapRef;
use crate::record::image::RecordImage;
use crate::record::key::Key;
use crate::table::def::{IndexDef, TableDef};
use crate::table::lookup;
pub use crate::table::values::FieldValues;
use crate::table::values::{put_defaults, put_value, put_values};
use crate::table::version::TableView;
use crate::txn::Transaction;
use crate::verify::{Fault, check_record};
use crate::view::View;
use dbgen_schema::{Schema, Table, Value};
pub use field::DynField;
use std::ops::Bound;

/// A table by its number in the schema, where it spares looking for the name again. When a table is dropped, those behind it
/// get other numbers: theirs from before are then refused, with [`Error::StaleTable`], and so are those of the one that has
/// gone. Who keeps numbers for long takes them anew ([`open_table`](Transaction::open_table)), or uses names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableNo {
    at: usize,
    /// As in its definition: no other table ever has both.
    since: u64,
}

impl TableNo {
    pub(crate) fn of(table: &TableDef) -> TableNo {
        TableNo { at: table.at, since: table.since }
    }

    /// Its position in [`Schema::tables`].
    pub const fn at(self) -> usize {
        self.at
    }
}

/// A table, read without knowing its type.
#[derive(Debug, Clone, Copy)]
pub struct DynTable<'v> {
    view: TableView<'v>,
    schema: &'v Schema,
}

/// A record, read without knowing its type.
#[derive(Debug, Clone, Copy)]
pub struct DynRecord<'v> {
    view: TableView<'v>,
    row: usize,
}

impl View {
    /// The table of this name.
    ///
    /// # Errors
    /// [`Error::UnknownTable`], with the nearest name.
    pub fn open_table(&self, name: &str) -> Result<DynTable<'_>> {
        let at = self.version.catalog.table(name)?.at;
        Ok(DynTable { view: self.version.table(at), schema: self.schema() })
    }

    /// All tables.
    pub fn tables(&self) -> impl ExactSizeIterator<Item = DynTable<'_>> {
        (0..self.version.tables.len()).map(|at| DynTable { view: self.version.table(at), schema: self.schema() })
    }
}

impl<'v> DynTable<'v> {
    /// Its number.
    pub fn number(self) -> TableNo {
        TableNo::of(self.view.def)
    }

    /// What the schema says of it.
    pub fn schema(self) -> &'v Table {
        &self.schema.tables[self.view.def.at]
    }

    /// Records.
    pub fn len(self) -> usize {
        self.view.version.len()
    }

    /// Whether there are no records.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Bytes of its buffers: in use, and allocated.
    pub fn bytes(self) -> (usize, usize) {
        self.view.version.bytes()
    }

    /// The record with this id.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    #[inline]
    pub fn get(self, id: RecordId) -> Result<DynRecord<'v>> {
        Ok(DynRecord { view: self.view, row: self.view.row_of(id)? })
    }

    /// All records, in the order in which they lie.
    pub fn iter(self) -> impl ExactSizeIterator<Item = DynRecord<'v>> + DoubleEndedIterator {
        (0..self.len()).map(move |row| DynRecord { view: self.view, row })
    }

    /// All records in the order of their slots, from that of `begin` on.
    #[cfg(feature = "server")]
    pub(crate) fn in_slots(self, begin: Option<RecordId>) -> impl Iterator<Item = DynRecord<'v>> {
        (begin.map_or(0, RecordId::slot)..self.view.version.slots()).filter_map(move |slot| self.in_slot(slot))
    }

    /// The same backwards.
    #[cfg(feature = "server")]
    pub(crate) fn in_slots_back(self, begin: Option<RecordId>) -> impl Iterator<Item = DynRecord<'v>> {
        let slots = self.view.version.slots();
        let end = begin.map_or(slots, |begin| slots.min(begin.slot().saturating_add(1)));
        (0..end).rev().filter_map(move |slot| self.in_slot(slot))
    }

    #[cfg(feature = "server")]
    fn in_slot(self, slot: u32) -> Option<DynRecord<'v>> {
        Some(DynRecord { view: self.view, row: self.view.version.row_in_slot(slot)? })
    }

    /// The first record whose columns in the index begin with these values.
    ///
    /// # Errors
    /// [`Error::UnknownField`] if there is no such index; [`Error::Invalid`] if a value is not of its column's type.
    pub fn find(self, index: &str, values: &[Value]) -> Result<Option<DynRecord<'v>>> {
        Ok(self.find_all(index, values)?.next())
    }

    /// The records whose columns in the index begin with these values, in the order of their keys.
    ///
    /// # Errors
    /// As [`find`](DynTable::find).
    pub fn find_all(
        self,
        index: &str,
        values: &[Value],
    ) -> Result<impl DoubleEndedIterator<Item = DynRecord<'v>> + use<'v>> {
        self.find_range(index, Bound::Included(values), Bound::Included(values))
    }

    /// The records whose columns in the index lie between two bounds, in the order of their keys. A bound may give the first
    /// columns only: included, it takes in all that begin with them; excluded, it leaves them all out.
    ///
    /// # Errors
    /// As [`find`](DynTable::find); [`Error::Unsupported`] for anything but one whole key if the index is a hash.
    pub fn find_range(
        self,
        index: &str,
        low: Bound<&[Value]>,
        high: Bound<&[Value]>,
    ) -> Result<impl DoubleEndedIterator<Item = DynRecord<'v>> + use<'v>> {
        let (def, at) = (self.view.def, self.index_at(index)?);
        let (low, high) = (index_bound(def, &def.indexes[at], low)?, index_bound(def, &def.indexes[at], high)?);
        let (low, high) = (low.as_ref(), high.as_ref());
        if !def.indexes[at].finds(low, high) {
            let what = format!("anything but a whole key, looked up in the hash index `{index}`");
            return Err(Error::Unsupported { what, table: def.name.clone() });
        }
        let ids = lookup::range(self.view, at, low, high);
        Ok(ids.filter_map(move |id| self.get(id).ok()))
    }

    /// The place of the index of this name.
    fn index_at(self, index: &str) -> Result<usize> {
        let def = self.view.def;
        def.indexes.iter().position(|candidate| candidate.name == index).ok_or_else(|| {
            let names = def.indexes.iter().map(|index| index.name.as_str());
            let (table, name) = (def.name.clone(), index.to_owned());
            Error::UnknownField { suggestion: nearest(&name, names), table, name }
        })
    }
}

impl<'v> DynRecord<'v> {
    /// Its id.
    pub fn id(self) -> RecordId {
        match self.view.version.id_at(self.row) {
            Some(id) => id,
            None => unreachable!("row {} has no record", self.row),
        }
    }

    /// The commit that wrote it last.
    pub fn version(self) -> u64 {
        self.view.version.version_at(self.row)
    }

    /// The value of a field; null for a number that no field has.
    #[inline]
    pub fn value(self, field: usize) -> Value {
        if field < self.view.def.fields.len() { self.view.value(self.row, field) } else { Value::Null }
    }

    /// Checks from the bytes that every field holds a value of its type.
    ///
    /// # Errors
    /// The first field that does not, by its name.
    pub fn check(self) -> std::result::Result<(), Fault> {
        check_record(self.view, self.row)
    }

    /// The values of all fields, in the schema's order.
    pub fn values(self) -> Vec<Value> {
        (0..self.view.def.fields.len()).map(|field| self.view.value(self.row, field)).collect()
    }
}

impl Transaction {
    /// The schema, as the transaction sees it.
    pub fn schema(&self) -> &Schema {
        self.catalog().schema()
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.engine.catalog
    }

    /// The number of the table of this name.
    ///
    /// # Errors
    /// [`Error::UnknownTable`], with the nearest name.
    pub fn open_table(&self, name: &str) -> Result<TableNo> {
        self.catalog().table(name).map(TableNo::of)
    }

    /// A table, read: the transaction's own writes are seen.
    ///
    /// # Errors
    /// [`Error::StaleTable`].
    pub fn read_table(&self, table: TableNo) -> Result<DynTable<'_>> {
        Ok(DynTable { view: self.engine.view(self.place(table)?), schema: self.schema() })
    }

    /// The table that a number names, by its place.
    #[inline]
    pub(crate) fn place(&self, table: TableNo) -> Result<usize> {
        match self.catalog().tables().get(table.at) {
            Some(def) if def.since == table.since => Ok(table.at),
            _ => Err(Error::StaleTable { at: table.at }),
        }
    }

    /// Adds a record. Fields that are not given take their default.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every rule that the record breaks.
    pub fn insert_values(&mut self, table: TableNo, values: FieldValues<'_>) -> Result<RecordId> {
        self.insert_owned(table, None, values)
    }

    /// Adds a component to the record `owner` of its table's parent table. It has the same id.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every rule that the record breaks: the owner must exist and have none yet.
    pub fn attach_values(&mut self, table: TableNo, owner: RecordId, values: FieldValues<'_>) -> Result<()> {
        self.insert_owned(table, Some(owner), values).map(drop)
    }

    fn insert_owned(&mut self, table: TableNo, owner: Option<RecordId>, values: FieldValues<'_>) -> Result<RecordId> {
        let table = self.place(table)?;
        Applied::id(self.with_image(|engine, image| {
            let def = &engine.catalog.tables()[table];
            image.fixed.resize(def.layout.image_bytes, 0);
            put_values(def, image, values);
            put_defaults(def, image, values);
            engine.apply(Op::Insert { table, owner, image })
        }))
    }

    /// Writes some fields of a record.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] with every rule that the changed record breaks.
    pub fn update_values(&mut self, table: TableNo, id: RecordId, values: FieldValues<'_>) -> Result<()> {
        let table = self.place(table)?;
        self.with_image(|engine, image| {
            let view = engine.view(table);
            view.gather(view.row_of(id)?, &mut image.fixed);
            put_values(view.def, image, values);
            engine.apply(Op::Update { table, id, image })
        })?;
        Ok(())
    }

    /// Gives a record new content, whole: fields that are not given take their default, primary keys and
    /// auto-increment numbers stay.
    ///
    /// # Errors
    /// As [`update_values`](Transaction::update_values).
    pub fn replace_values(&mut self, table: TableNo, id: RecordId, values: FieldValues<'_>) -> Result<()> {
        let table = self.place(table)?;
        self.with_image(|engine, image| {
            let view = engine.view(table);
            let def = view.def;
            let mut old = Vec::new();
            view.gather(view.row_of(id)?, &mut old);
            image.fixed.resize(def.layout.image_bytes, 0);
            put_values(def, image, values);
            let kept = |at: usize| def.fields[at].immutable || def.fields[at].counter.is_some();
            let given = |at: usize| values.iter().any(|(field, _)| *field == at);
            let defaulted: Vec<(usize, Value)> =
                (0..def.fields.len()).filter(|at| kept(*at) && !given(*at)).map(|at| (at, Value::Null)).collect();
            for (at, _) in &defaulted {
                def.put_cell(&mut image.fixed, *at, Some(def.cell(&old, *at)));
            }
            put_defaults(def, image, &[values, defaulted.as_slice()].concat());
            engine.apply(Op::Update { table, id, image })
        })?;
        Ok(())
    }

    /// Deletes a record, with what its relations demand of those that refer to it; says how many records went.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Restricted`].
    pub fn delete_record(&mut self, table: TableNo, id: RecordId) -> Result<usize> {
        let table = self.place(table)?;
        Applied::count(self.engine.apply(Op::Delete { table, id }))
    }

    /// That the record was last written by commit `expected`, asked inside the transaction that is going to change it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::VersionMismatch`].
    pub fn expect_version(&self, table: TableNo, id: RecordId, expected: u64) -> Result<()> {
        let table = self.read_table(table)?;
        let current = table.get(id)?.version();
        if current == expected {
            return Ok(());
        }
        Err(Error::VersionMismatch { table: table.schema().name.clone(), id, expected, current })
    }
}

/// A bound's key.
fn index_bound(def: &TableDef, index: &IndexDef, values: Bound<&[Value]>) -> Result<Bound<Key>> {
    Ok(match values {
        Bound::Included(values) => Bound::Included(index_key(def, index, values)?),
        Bound::Excluded(values) => Bound::Excluded(index_key(def, index, values)?),
        Bound::Unbounded => Bound::Unbounded,
    })
}

/// The key, or its first columns, that these values make in an index.
fn index_key(def: &TableDef, index: &IndexDef, values: &[Value]) -> Result<Key> {
    let mut image = RecordImage::new();
    image.fixed.resize(def.layout.image_bytes, 0);
    let mut key = Key::new();
    for (column, value) in index.columns.iter().zip(values) {
        put_value(def, &mut image, column.field, value);
        column.push(image.cells(HeapRef(&[])), &mut key);
    }
    if let Some(misfit) = image.misfits.pop() {
        let (table, field) = (def.name.clone(), def.fields[misfit.field].name.clone());
        return Err(Error::violation(Violation {
            table,
            field,
            id: None,
            row: None,
            rule: misfit.rule,
            value: misfit.value,
        }));
    }
    Ok(key)
}
