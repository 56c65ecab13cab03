//! Inserting many records at once.
//!
//! The rows are written one after another, but nothing else: what goes into the indexes is collected, sorted once and
//! merged, so that a page of an index is gone to once for all the keys that belong into it. Two records of the batch that
//! have the same unique key meet there, beside each other.
//!
//! Every record is checked, also behind one that breaks a rule; then all that was written is undone. What a record may
//! refer to is what was there before it, earlier records of the batch included, as if each had been inserted by itself. By
//! value that would need the index: a table that refers to itself like that has its records inserted one by one, and so
//! have tables with handlers, which may do anything in between.

use super::check::Findings;
use crate::engine::Engine;
use crate::error::{Error, Result, Violation};
use crate::id::RecordId;
use crate::limits::VIOLATIONS_MAX;
use crate::op::{Applied, Images, Op};
use crate::record::heap_ref::Cells;
use crate::record::image::RecordImage;
use crate::record::key::Key;
use crate::table::def::IndexDef;
use crate::table::lookup;
use crate::table::values::put_extension;
use crate::table::writer::ChangeKind;

impl Engine {
    pub(super) fn insert_many(
        &mut self,
        table: usize,
        records: &mut dyn Images,
        ids: &mut Vec<RecordId>,
    ) -> Result<usize> {
        let moment = self.savepoint();
        let before = ids.len();
        let mut image = RecordImage::new();
        let inserted = if self.is_one_by_one(table) {
            self.insert_each(table, records, &mut image, ids)
        } else {
            self.insert_batch(table, records, &mut image, ids)
        };
        if inserted.is_err() {
            self.rollback_to(&moment);
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
        while next(records, image) {
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
        let mut batch =
            Batch { keys: def.indexes.iter().map(Keys::new).collect(), inserted: Vec::new(), rows: Vec::new() };
        let (mut found, mut row) = (Vec::new(), 0);
        while next(records, image) {
            match self.insert_row(table, image, &mut batch.keys) {
                Ok(id) => {
                    batch.inserted.push(id);
                    batch.rows.push(row);
                }
                Err(error) => collect(&mut found, row, error)?,
            }
            row += 1;
        }
        for at in 0..batch.keys.len() {
            batch.keys[at].sort();
            self.check_distinct(table, at, &batch, &mut found);
        }
        finish(found)?;
        let (def, writer) = self.table_mut(table);
        let mut rows = writer.rows(def);
        for (at, keys) in batch.keys.iter().enumerate() {
            rows.index_insert_sorted(at, keys.items());
        }
        ids.append(&mut batch.inserted);
        Ok(())
    }

    /// Checks a record and writes its row; its keys are only collected.
    fn insert_row(&mut self, table: usize, image: &mut RecordImage, keys: &mut [Keys]) -> Result<RecordId> {
        let def = &self.catalog.tables()[table];
        if image.fixed.len() < def.layout.image_bytes {
            put_extension(def, image, None);
        }
        let counters = self.take_numbers(table, image);
        self.check_insert(table, None, image)?;
        let version = self.next_commit();
        self.check_room(table, image)?;
        let noted = self.noted(table, |redo, def| redo.insert(def, false, &counters, image, version));
        let (def, writer) = self.table_mut(table);
        let mut rows = writer.rows(def);
        for (counter, value) in counters {
            rows.set_counter(counter, value);
        }
        let inserted = rows.insert_row(image, version, None);
        if let Ok(id) = &inserted {
            for (at, keys) in keys.iter_mut().enumerate() {
                keys.push(rows.item(at, &image.fixed, *id).bytes());
            }
            writer.note(*id, ChangeKind::Insert);
        }
        self.inserted(noted, inserted)
    }

    /// That no two records of the batch have the same key in a unique index.
    fn check_distinct(&self, table: usize, at: usize, batch: &Batch, found: &mut Vec<Violation>) {
        let view = self.view(table);
        let index = &view.def.indexes[at];
        let pairs = batch.keys[at].repeated().filter(|_| index.unique);
        let (mut image, mut key) = (Vec::new(), Key::new());
        for (first, second) in pairs {
            let existing = batch.inserted[first];
            let Some(row) = view.version.row_of(batch.inserted[second]) else { continue };
            image.clear();
            view.gather(row, &mut image);
            let cells = Cells::stored(&image, view.version.heap());
            let has_null = index.key(cells, &view.def.fields, &mut key);
            if !has_null && lookup::has_long_texts(view, index, existing, &key) {
                let mut findings = Findings::new(view, None);
                findings.taken(at, cells, existing);
                add(found, batch.rows[second], findings.into_violations());
            }
        }
    }
}

/// What is known of the records of a batch once their rows are written.
struct Batch {
    /// What is to go into each index.
    keys: Vec<Keys>,
    /// The records.
    inserted: Vec<RecordId>,
    /// Where in the batch each of them was.
    rows: Vec<usize>,
}

/// What is to go into one index.
struct Keys {
    /// Bytes of an item.
    width: usize,
    /// Items, in the order of the records.
    bytes: Vec<u8>,
    /// Once sorted: what tells most items apart, and the number of the item.
    order: Vec<(u64, u32)>,
}

impl Keys {
    fn new(index: &IndexDef) -> Keys {
        Keys { width: index.item_bytes(), bytes: Vec::new(), order: Vec::new() }
    }

    fn push(&mut self, item: &[u8]) {
        debug_assert_eq!(item.len(), self.width, "an item of the index's width");
        self.bytes.extend_from_slice(item);
    }

    fn item(&self, number: u32) -> &[u8] {
        &self.bytes[number as usize * self.width..][..self.width]
    }

    /// Sorts the items. They are compared as numbers of the 8 bytes behind what all begin with, and as a whole only where
    /// those are equal.
    fn sort(&mut self) {
        let mut items = self.bytes.chunks_exact(self.width);
        let Some(first) = items.next() else { return };
        let alike = |other: &[u8]| first.iter().zip(other).take_while(|(one, other)| one == other).count();
        let skip = items.fold(self.width - 8, |skip, item| skip.min(alike(item)));
        let head = |item: &[u8]| item[skip..].first_chunk().map_or(0, |head| u64::from_be_bytes(*head));
        let heads = self.bytes.chunks_exact(self.width).map(head);
        let mut order: Vec<(u64, u32)> = heads.zip(0..).collect();
        order.sort_unstable_by(|(one, a), (other, b)| one.cmp(other).then_with(|| self.item(*a).cmp(self.item(*b))));
        self.order = order;
    }

    /// The items, sorted.
    fn items(&self) -> impl Iterator<Item = &[u8]> {
        self.order.iter().map(|(_, number)| self.item(*number))
    }

    /// Records with the same key as an earlier one: the first that has it, and the other.
    fn repeated(&self) -> impl Iterator<Item = (usize, usize)> {
        let key = |number: u32| &self.item(number)[..self.width - 8];
        let alike = self.order.chunk_by(move |(_, one), (_, other)| key(*one) == key(*other));
        alike.filter(|alike| alike.len() > 1).flat_map(|alike| {
            let numbers = alike.iter().map(|(_, number)| *number as usize);
            let first = numbers.clone().min().unwrap_or(0);
            numbers.filter(move |number| *number != first).map(move |number| (first, number))
        })
    }
}

fn next(records: &mut dyn Images, image: &mut RecordImage) -> bool {
    image.clear();
    records.next(image)
}

/// Keeps the violations of a record, or gives back an error that is none.
fn collect(found: &mut Vec<Violation>, row: usize, error: Error) -> Result<()> {
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

fn finish(mut found: Vec<Violation>) -> Result<()> {
    found.sort_by_key(|violation| violation.row);
    if found.is_empty() { Ok(()) } else { Err(Error::Invalid(found)) }
}
