//! Writing many records in one call, all of them or none.

use super::{DynRecord, FieldValues, TableNo};
use crate::error::Result;
use crate::id::RecordId;
use crate::op::{Images, Op};
use crate::record::image::RecordImage;
use crate::table::def::TableDef;
use crate::table::values::{put_defaults, put_values};
use crate::txn::Transaction;

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

impl Transaction {
    /// Adds records, all or none; gives their ids in their order. Fields that are not given take their default. Much faster
    /// than one by one where there are indexes.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with every rule that any of the records breaks, each with the record's place in `rows`.
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
    /// [`Error::Full`](crate::Error::Full) if no table can have so many; [`Error::Io`](crate::Error::Io) if the system has not
    /// so much memory.
    pub fn reserve(&mut self, table: TableNo, records: usize) -> Result<()> {
        let table = self.place(table)?;
        self.engine.reserve(table, records)
    }

    /// Writes these fields of every record that `wanted` picks, all of them or none; says how many were picked. Records are
    /// picked before any is changed.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) with every rule that any of the changed records breaks, each with the record's id.
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
    /// [`Error::Restricted`](crate::Error::Restricted) if others refer to one of them and may not lose it.
    pub fn delete_where(&mut self, table: TableNo, wanted: impl FnMut(&DynRecord<'_>) -> bool) -> Result<usize> {
        let picked = self.picked(table, wanted)?;
        self.delete_all(self.place(table)?, picked)
    }

    fn picked(&self, table: TableNo, mut wanted: impl FnMut(&DynRecord<'_>) -> bool) -> Result<Vec<RecordId>> {
        Ok(self.read_table(table)?.iter().filter(|record| wanted(record)).map(|record| record.id()).collect())
    }
}
