//! Many records in one call: found by their keys, or written, all of them or none.

use super::{DynRecord, DynTable, FieldValues, TableNo, index_key};
use crate::error::{Error, Result};
use crate::id::RecordId;
use crate::op::{Images, Op};
use crate::record::image::RecordImage;
use crate::table::def::TableDef;
use crate::table::index::AT_ONCE;
use crate::table::lookup::rows_of_keys;
use crate::table::values::{put_defaults, put_values};
use crate::txn::Transaction;
use dbgen_schema::Value;

/// Records that are encoded as the engine asks for them.
struct Encoded<'a, I> {
    def: &'a TableDef,
    rows: I,
}

impl<'v, I: Iterator<Item = FieldValues<'v>>> Images for Encoded<'_, I> {
    fn fill(&mut self, image: &mut RecordImage, records_max: usize) -> usize {
        let layout = &self.def.layout;
        image.begin_chunk(records_max, layout.image_bytes);
        while image.records() < records_max && image.takes_another() {
            let Some(values) = self.rows.next() else { break };
            image.begin_record();
            image.begin_whole(layout.image_bytes);
            put_values(self.def, image, values);
            put_defaults(self.def, image, values);
            image.end_whole(&layout.groups);
        }
        image.records()
    }

    fn expected(&self) -> usize {
        self.rows.size_hint().0
    }
}

impl<'v> DynTable<'v> {
    /// The records with these whole keys in a unique index, each in the place of its key; `None` where no record has it.
    /// Faster than [`find`](DynTable::find) for each where there are many, since it waits for the memory of sixteen at a time.
    ///
    /// ```
    /// use dbgen_runtime::{Database, Value};
    ///
    /// let db = Database::builder().schema_json(r#"{ "name": "shop", "version": "1",
    ///     "tables": { "item": { "fields": [ {"name":"name","type":"str<16>","unique":true} ] } } }"#).open()?;
    /// db.transact(|tx| tx.insert_named("item", &[("name", "sword".into())]))?;
    /// let view = db.read();
    /// let found = view.open_table("item")?.find_many("by_name", [&["axe".into()][..], &["sword".into()]])?;
    /// assert!(found[0].is_none());
    /// assert_eq!(found[1].map(|record| record.value(0)), Some(Value::from("sword")));
    /// # Ok::<(), dbgen_runtime::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`find`](DynTable::find); [`Error::Unsupported`] if the index is not unique, or a key lacks a column.
    pub fn find_many<'k>(
        self,
        index: &str,
        keys: impl IntoIterator<Item = &'k [Value]>,
    ) -> Result<Vec<Option<DynRecord<'v>>>> {
        let (def, at) = (self.view.def, self.index_at(index)?);
        let columns = def.indexes[at].columns.len();
        let unsupported = |what| Err(Error::Unsupported { what, table: def.name.clone() });
        if !def.indexes[at].unique {
            return unsupported(format!("one record for each key of the index `{index}`, which is not unique,"));
        }
        let (mut keys, mut found) = (keys.into_iter(), Vec::new());
        loop {
            let mut some = Vec::with_capacity(AT_ONCE);
            for values in keys.by_ref().take(AT_ONCE) {
                if values.len() != columns {
                    return unsupported(format!(
                        "a key of {} of the {columns} columns of the index `{index}`",
                        values.len()
                    ));
                }
                some.push(index_key(def, &def.indexes[at], values)?);
            }
            if some.is_empty() {
                return Ok(found);
            }
            let rows = rows_of_keys(self.view, at, &some);
            found.extend(
                rows[..some.len()].iter().map(|row| Some(DynRecord { view: self.view, row: (*row)? as usize })),
            );
        }
    }
}

impl Transaction {
    /// Adds records, all or none; gives their ids in their order. Fields that are not given take their default. Much faster
    /// than one by one where there are indexes.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every rule that any of the records breaks, each with the record's place in `rows`.
    pub fn insert_many<'v>(
        &mut self,
        table: TableNo,
        rows: impl IntoIterator<Item = FieldValues<'v>>,
    ) -> Result<Vec<RecordId>> {
        let (table, catalog) = (self.place(table)?, self.engine.catalog.clone());
        let mut records = Encoded { def: &catalog.tables()[table], rows: rows.into_iter() };
        let mut ids = Vec::new();
        self.engine.apply(Op::InsertMany { table, records: &mut records, ids: &mut ids })?;
        Ok(ids)
    }

    /// Makes room for so many records more, so that adding them moves nothing. What they put into the heap and the indexes
    /// is not counted.
    ///
    /// # Errors
    /// [`Error::Full`] if no table can have so many; [`Error::Io`] if the system has not
    /// so much memory.
    pub fn reserve(&mut self, table: TableNo, records: usize) -> Result<()> {
        let table = self.place(table)?;
        self.engine.reserve(table, records)
    }

    /// Writes these fields of every record that `wanted` picks, all of them or none; says how many were picked. Records are
    /// picked before any is changed.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every rule that any of the changed records breaks, each with the record's id.
    pub fn update_where(
        &mut self,
        table: TableNo,
        wanted: impl FnMut(&DynRecord<'_>) -> bool,
        values: FieldValues<'_>,
    ) -> Result<usize> {
        let picked = self.picked(table, wanted)?;
        self.write_all(picked, |tx, id| tx.update_values(table, id, values).map(|()| 1))
    }

    /// Deletes every record that `wanted` picks, with what their relations demand: all of them or none. Says how many
    /// records went, those of cascades included.
    ///
    /// # Errors
    /// [`Error::Restricted`] if others refer to one of them and may not lose it.
    pub fn delete_where(&mut self, table: TableNo, wanted: impl FnMut(&DynRecord<'_>) -> bool) -> Result<usize> {
        let picked = self.picked(table, wanted)?;
        self.delete_all(self.place(table)?, picked)
    }

    fn picked(&self, table: TableNo, mut wanted: impl FnMut(&DynRecord<'_>) -> bool) -> Result<Vec<RecordId>> {
        Ok(self.read_table(table)?.iter().filter(|record| wanted(record)).map(|record| record.id()).collect())
    }
}
