//! Inserting many records at once.
//!
//! Records come in *chunks*: as many as are encoded into one image. A chunk is proved right with the
//! guards of its table, its rows are written side by side, and nothing else: what goes into the indexes is collected,
//! sorted once and merged, so that a page of an index is gone to once for all the keys that belong into it. Two records of
//! the batch that have the same unique key meet there, beside each other.
//!
//! Where a chunk is not proved right, its records are checked one by one, and those that are right are written. Every
//! record is checked, also behind one that breaks a rule; then all that was written is undone. What a record may refer to
//! is what was there before it, earlier records of the batch included, as if each had been inserted by itself: in a table
//! that refers to itself a chunk is one record. By value that would need the index: such a table has its records inserted
//! one by one, and so have tables with handlers, which may do anything in between.

use super::check::{Arriving, refers_to_nothing};
use super::keys::{Keys, SortRoom, taken};
use crate::engine::Engine;
use crate::error::{Error, Result, Violation};
use crate::id::RecordId;
use crate::limits::VIOLATIONS_MAX;
use crate::op::{Applied, Images, Op};
use crate::record::chunk::CHUNK_RECORDS;
use crate::record::image::RecordImage;
use crate::record::key::Key;
use crate::record::strided::Strided;
use crate::table::def::{RelationDef, TableDef};
use crate::table::lookup;
use crate::table::values::put_extension;
use crate::table::version::TableView;
use crate::table::writer::ChangeKind;
use std::ops::Range;

/// A batch that says how many records it has gets room for so many at once, at most.
const EXPECTED_RECORDS_MAX: usize = 16 << 20;

impl Engine {
    pub(super) fn insert_many(
        &mut self,
        table: usize,
        records: &mut dyn Images,
        ids: &mut Vec<RecordId>,
    ) -> Result<usize> {
        let before = ids.len();
        let mut image = RecordImage::new();
        // The records come from the game's own code, which may panic while rows are there that no index knows yet.
        let inserted = self.whole(|engine| match engine.is_one_by_one(table) {
            true => engine.insert_each(table, records, &mut image, ids),
            false => engine.insert_batch(table, records, &mut image, ids),
        });
        if inserted.is_err() {
            ids.truncate(before);
        }
        inserted.map(|()| ids.len() - before)
    }

    fn is_one_by_one(&self, table: usize) -> bool {
        let def = &self.catalog.tables()[table];
        let by_value_to_itself = |to: usize, by_value: bool| to == table && by_value;
        self.hooks.concern(table)
            || self.tape.is_noting()
            || def.outgoing.iter().any(|it| by_value_to_itself(it.to_table, it.to_value.is_some()))
    }

    fn insert_each(
        &mut self,
        table: usize,
        records: &mut dyn Images,
        image: &mut RecordImage,
        ids: &mut Vec<RecordId>,
    ) -> Result<()> {
        let (mut found, mut row) = (Vec::new(), 0);
        while records.fill(image, 1) > 0 {
            match self.apply(Op::Insert { table, owner: None, image }) {
                Ok(Applied::Inserted(id)) => ids.push(id),
                Ok(other) => unreachable!("an insert inserts, not {other:?}"),
                Err(error) => collect(&mut found, row, error)?,
            }
            row += 1;
        }
        finish(found)
    }

    fn insert_batch(
        &mut self,
        table: usize,
        records: &mut dyn Images,
        image: &mut RecordImage,
        ids: &mut Vec<RecordId>,
    ) -> Result<()> {
        let catalog = self.catalog.clone();
        let def = &catalog.tables()[table];
        let expected = records.expected().min(EXPECTED_RECORDS_MAX);
        ids.reserve(expected);
        let mut batch = Batch::new(def, expected, ids);
        let heap_before = self.heap_bytes(table);
        // Numbers are given one after another, and whoever refers to the table itself may mean the record before.
        let is_single = !def.counted.is_empty() || def.outgoing.iter().any(|relation| relation.to_table == table);
        // The first record tells whether generated code knows all fields: those that were added since come one by one.
        let (mut records_max, mut number) = (1, 0);
        loop {
            self.fetch_room_soon(table, records_max, &mut batch);
            let count = records.fill(image, records_max);
            if count == 0 {
                break;
            }
            if number == 0 {
                let knows_all = image.fixed.len() == def.layout.image_bytes;
                records_max = if is_single || !knows_all { 1 } else { CHUNK_RECORDS };
            }
            self.insert_chunk(def, image, number..number + count, &mut batch)?;
            // The first record tells how wide rows are, the first chunk behind it how much of the heap they take.
            if number == 0 && expected > count {
                self.expect(table, expected);
            } else if number == 1 && expected > number + count {
                let grown = self.heap_bytes(table) - heap_before;
                self.expect_heap(table, grown.div_ceil(number + count).saturating_mul(expected - number - count));
            }
            number += count;
        }
        let mut room = SortRoom::default();
        for at in 0..batch.keys.len() {
            batch.keys[at].sort(&batch.ids[batch.before..], &mut room);
            self.check_distinct(table, at, &mut batch);
            // Of a batch in which something is wrong nothing stays.
            if batch.found.is_empty() && number > 0 {
                let (def, writer) = self.table_mut(table);
                writer.rows(def).index_insert_sorted(at, batch.keys[at].items(&batch.ids[batch.before..]));
            }
            batch.keys[at].end(&mut room);
        }
        finish(batch.found)
    }

    /// Makes room for so many records in all of a batch whose first is there.
    fn expect(&mut self, table: usize, records: usize) {
        let (def, writer) = self.table_mut(table);
        writer.expect(records - 1);
        writer.rows(def).expect(records - 1);
    }

    /// Has the lines come that so many records are going to be written into, while they are made. Where there is no index,
    /// that is done before they have come.
    fn fetch_room_soon(&mut self, table: usize, records: usize, batch: &mut Batch<'_>) {
        if records > 1 && !batch.keys.is_empty() {
            let (def, writer) = self.table_mut(table);
            writer.rows(def).fetch_room_soon(records);
            batch.keys.iter_mut().for_each(|keys| keys.fetch_room_soon(records));
        }
    }

    /// How long a table's heap is.
    fn heap_bytes(&self, table: usize) -> usize {
        self.view(table).version.heap().0.len()
    }

    /// Makes room for heap values that take about so many bytes.
    fn expect_heap(&mut self, table: usize, additional: usize) {
        if additional > 0 {
            let (def, writer) = self.table_mut(table);
            writer.rows(def).expect_heap(additional);
        }
    }

    /// Checks the records of an image, which are these `numbers` of the batch, and writes the rows of those that are right;
    /// their keys are only collected.
    fn insert_chunk(
        &mut self,
        def: &TableDef,
        image: &mut RecordImage,
        numbers: Range<usize>,
        batch: &mut Batch<'_>,
    ) -> Result<()> {
        if image.is_one() && image.fixed.len() < def.layout.image_bytes {
            put_extension(def, image, None);
        }
        let counters = self.take_numbers(def.at, image);
        let all = 0..numbers.len();
        if self.is_proved(def, image, batch) && self.collect_keys(def, image, all.clone(), batch) {
            return self.insert_rows(def, image, all, &counters, batch);
        }
        batch.forget_unnamed();
        for at in all {
            if let Err(error) = self.check_insert(def.at, None, Arriving::of(image, def, at, &mut batch.room)) {
                batch.refused.push(numbers.start + at);
                collect(&mut batch.found, numbers.start + at, error)?;
                continue;
            }
            self.collect_keys(def, image, at..at + 1, batch);
            self.insert_rows(def, image, at..at + 1, &counters, batch)?;
        }
        Ok(())
    }

    /// Whether records are proved right but for their unique keys. If not, they may be right all the same.
    fn is_proved(&self, def: &TableDef, image: &RecordImage, batch: &mut Batch<'_>) -> bool {
        if !def.unguarded.is_empty() || !image.misfits.is_empty() || def.owner.is_some() {
            return false;
        }
        let records = image.chunk(&def.layout.groups, 0..image.records());
        let names_records = |relation: &RelationDef| match (relation.to_value, def.has_null_bit(relation.from_field)) {
            (None, false) => {
                let at = def.fields[relation.from_field].at.image_offset;
                are_there(self.view(relation.to_table), records.cells(at))
            }
            _ => {
                let (to, stored) = (self.view(relation.to_table), self.view(def.at).version.heap());
                (0..image.records()).all(|at| {
                    let cells = Arriving::of(image, def, at, &mut batch.room).cells(stored);
                    !refers_to_nothing(def, relation, to, cells)
                })
            }
        };
        def.guards.iter().all(|guard| guard.holds_for_all(records)) && def.outgoing.iter().all(names_records)
    }

    /// Collects the keys of records; says whether no record has one of the unique ones yet. If not, it may be so all the
    /// same.
    fn collect_keys(&self, def: &TableDef, image: &RecordImage, records: Range<usize>, batch: &mut Batch<'_>) -> bool {
        let view = self.view(def.at);
        let Batch { keys, room, .. } = batch;
        let mut are_new = true;
        for (at, (index, keys)) in def.indexes.iter().zip(keys).enumerate() {
            let is_asked = index.unique && !lookup::is_empty(view, at);
            if index.texts.is_empty() {
                let keys = keys.add_all(records.len());
                index.write_keys(image.chunk(&def.layout.groups, records.clone()), keys);
                if is_asked {
                    are_new &= keys.chunks_exact(index.key_bytes()).zip(records.clone()).all(|(key, record)| {
                        !lookup::has(view, at, key)
                            || index.has_null(Arriving::of(image, def, record, room).pending().fixed, &def.fields)
                    });
                }
                continue;
            }
            let mut key = Key::new();
            for record in records.clone() {
                let cells = Arriving::of(image, def, record, room).cells(view.version.heap());
                let has_null = index.key(cells, &def.fields, &mut key);
                keys.add_all(1).copy_from_slice(key.bytes());
                are_new &= !is_asked || has_null || lookup::first(view, at, &key).is_none();
            }
        }
        are_new
    }

    /// Writes the rows of records that obey every rule and whose keys were collected.
    fn insert_rows(
        &mut self,
        def: &TableDef,
        image: &mut RecordImage,
        records: Range<usize>,
        counters: &[(usize, u64)],
        batch: &mut Batch<'_>,
    ) -> Result<()> {
        let version = self.next_commit();
        let (_, writer) = self.table_mut(def.at);
        let mut rows = writer.rows(def);
        rows.check_room(image, records.len())?;
        for (counter, value) in counters {
            rows.set_counter(*counter, *value);
        }
        let from = batch.ids.len();
        rows.take_slots(records.len(), batch.ids)?;
        let ids = &batch.ids[from..];
        if self.redo.notes(def.at) {
            for (at, id) in records.clone().zip(ids) {
                let record = Arriving::of(image, def, at, &mut batch.room);
                self.redo.insert(def, false, counters, record.pending(), version);
                self.redo.inserted(*id);
            }
        }
        let writer = &mut self.tables[def.at];
        writer.rows(def).insert_rows(image, records, version, ids)?;
        writer.note_all(ids, ChangeKind::Insert);
        Ok(())
    }

    /// That no two records of the batch have the same key in a unique index.
    fn check_distinct(&self, table: usize, at: usize, batch: &mut Batch<'_>) {
        let Batch { keys, ids, before, refused, found, .. } = batch;
        let id = |nth: usize| ids[*before + nth];
        taken(self.view(table), at, &keys[at], id, |_| None, |nth, wrong| add(found, number_of(nth, refused), wrong));
    }
}

/// Whether all of these record ids that are not zeros are those of records.
fn are_there(to: TableView<'_>, ids: Strided<'_>) -> bool {
    ids.cells::<8>()
        .map(|id| u64::from_le_bytes(*id))
        .all(|number| number == 0 || RecordId::from_u64(number).is_some_and(|id| to.version.row_of(id).is_some()))
}

/// What is known of a batch.
struct Batch<'i> {
    /// What is to go into each index.
    keys: Vec<Keys>,
    /// The records whose rows are written, behind those of others.
    ids: &'i mut Vec<RecordId>,
    /// How many are of others.
    before: usize,
    /// Where in the batch the records are that break rules, in ascending order.
    refused: Vec<usize>,
    /// The rules that they break.
    found: Vec<Violation>,
    /// Where a record's rows are put together that is looked at by itself.
    room: Vec<u8>,
}

impl<'i> Batch<'i> {
    fn new(def: &TableDef, expected: usize, ids: &'i mut Vec<RecordId>) -> Batch<'i> {
        let keys = def.indexes.iter().map(|index| Keys::new(index, expected)).collect();
        Batch { keys, before: ids.len(), ids, refused: Vec::new(), found: Vec::new(), room: Vec::new() }
    }

    /// Forgets keys whose records have not been written.
    fn forget_unnamed(&mut self) {
        let named = self.ids.len() - self.before;
        self.keys.iter_mut().for_each(|keys| keys.truncate(named));
    }
}

/// Where in the batch the record is that was the `nth` to be written.
fn number_of(nth: usize, refused: &[usize]) -> usize {
    refused.iter().fold(nth, |number, refused| number + usize::from(*refused <= number))
}

/// Keeps the violations of a record, or gives back an error that is none.
pub(super) fn collect(found: &mut Vec<Violation>, row: usize, error: Error) -> Result<()> {
    match error {
        Error::Invalid(violations) => {
            add(found, row, violations);
            Ok(())
        }
        other => Err(other),
    }
}

fn add(found: &mut Vec<Violation>, row: usize, violations: Vec<Violation>) {
    let room = VIOLATIONS_MAX.saturating_sub(found.len());
    found.extend(violations.into_iter().take(room).map(|violation| Violation { row: Some(row), ..violation }));
}

pub(super) fn finish(mut found: Vec<Violation>) -> Result<()> {
    found.sort_by_key(|violation| violation.row);
    if found.is_empty() { Ok(()) } else { Err(Error::Invalid(found)) }
}
