//! A table of the schema, prepared for the engine: layout, plans, keys and relations worked out once.

mod prepare;

use crate::id::RecordId;
use crate::record::chunk::Chunk;
use crate::record::codec::{null_bit, set_null_bit};
use crate::record::guard::Guard;
use crate::record::heap_ref::Cells;
use crate::record::key::{Key, KeyKind};
use crate::record::plan::CellPlan;
use crate::record::strided::{Strided, StridedMut};
use crate::table::index::IndexShape;
use crate::table::mask::MaskPlace;
use dbgen_schema::layout::{FieldLayout, TableLayout};
use dbgen_schema::{Durability, IndexKind, OnDelete, Value};
pub use prepare::prepare;
use std::ops::Bound;

/// Everything the engine asks about a table.
#[derive(Debug, Clone)]
pub struct TableDef {
    /// Its name.
    pub name: String,
    /// Its position in the schema.
    pub at: usize,
    /// The version of the schema since which it has that position.
    pub since: u64,
    /// Records to make room for.
    pub capacity: usize,
    /// Where everything lies.
    pub layout: TableLayout,
    /// Its fields.
    pub fields: Vec<FieldDef>,
    /// Fields whose value by itself can break a rule.
    pub ruled: Vec<usize>,
    /// Where all of these hold, no rule of those fields is broken, but for those that are `unguarded`.
    pub guards: Vec<Guard>,
    /// Fields that can break a rule for which there is no guard.
    pub unguarded: Vec<usize>,
    /// Fields that take the next number.
    pub counted: Vec<usize>,
    /// Fields whose values point into the heap.
    pub heap_fields: Vec<usize>,
    /// Its indexes.
    pub indexes: Vec<IndexDef>,
    /// Relations of its own fields.
    pub outgoing: Vec<RelationDef>,
    /// Relations of other tables' fields, or its own, to it.
    pub incoming: Vec<RelationDef>,
    /// Counters of `auto_increment` fields.
    pub counters: usize,
    /// How much of it survives a restart.
    pub durability: Durability,
    /// For a timer table: when its records fall due and what happens then.
    pub timer: Option<TimerDef>,
    /// For a component table: the table whose records own its records. A component has its owner's id.
    pub owner: Option<usize>,
    /// Component tables whose records belong to this table's.
    pub components: Vec<usize>,
    /// For a component table: its place among its owner's components, and so its bit in their masks.
    pub component_bit: usize,
    /// For a component table, if nothing is asked of its components but that they belong to a record, and nothing follows from
    /// them: where their owners note that they have them.
    pub bare: Option<Bare>,
}

/// What it takes to add a bare component to a record.
#[derive(Debug, Clone, Copy)]
pub struct Bare {
    /// The table whose records own the components.
    pub owner: usize,
    /// Where those note them.
    pub mask: MaskPlace,
}

/// A timer table, prepared.
#[derive(Debug, Clone)]
pub struct TimerDef {
    /// The field that says when.
    pub at: usize,
    /// The index by that field.
    pub index: usize,
    /// The field that says how long until the next time.
    pub every: Option<usize>,
    /// The procedure that is called.
    pub procedure: String,
}

/// A field, prepared.
#[derive(Debug, Clone)]
pub struct FieldDef {
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub at: FieldLayout,
    /// Bytes of a row of its column group.
    pub row_bytes: usize,
    /// How it is read and written.
    pub plan: CellPlan,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether its value points into the heap.
    pub has_heap: bool,
    /// Never changes after the insert.
    pub immutable: bool,
    /// NaN and infinities may be stored.
    pub allow_nan: bool,
    /// Whether a value can break a rule by itself, `min` and `max` aside.
    pub is_ruled: bool,
    /// Smallest value allowed.
    pub min: Option<Value>,
    /// Largest value allowed.
    pub max: Option<Value>,
    /// Guards of its cell by itself, which together stand for all of its rules; `None` if some rule has none.
    pub cell_guards: Option<Vec<Guard>>,
    /// The value of a record that gives none; `None` = it must be given.
    pub default: Option<Value>,
    /// Its counter, if it takes the next number.
    pub counter: Option<usize>,
    /// Written without any check: no rule, no index, no reference, no heap.
    pub free: bool,
    /// Written without a look at other fields or records: its rules, if it has any, need only its value.
    pub alone: bool,
}

/// An index, prepared.
#[derive(Debug, Clone)]
pub struct IndexDef {
    /// Its name.
    pub name: String,
    /// How it finds.
    pub kind: IndexKind,
    /// No two records have the same key.
    pub unique: bool,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its measures: its items are a key and a record id.
    pub shape: IndexShape,
    /// Its columns of `text` or `bytes`.
    pub texts: Vec<TextColumn>,
}

/// A column of `text` or `bytes`.
#[derive(Debug, Clone, Copy)]
pub struct TextColumn {
    /// Where its value begins in a key, behind the null marker.
    pub key_at: usize,
    /// The field.
    pub field: usize,
}

/// A column of an index.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The field.
    pub field: usize,
    /// How its cell becomes key bytes.
    pub kind: KeyKind,
    /// Its bit in the bitmap at `group_offset`; `None` = no marker in the key.
    pub null_bit: Option<u32>,
    /// Where its group's row starts in the image.
    pub group_offset: usize,
    /// Where its cell starts in the image.
    pub offset: usize,
    /// Bytes of the cell.
    pub size: usize,
}

/// A relation, prepared.
#[derive(Debug, Clone)]
pub struct RelationDef {
    /// Its name.
    pub name: String,
    /// The referring table.
    pub from_table: usize,
    /// The referring field.
    pub from_field: usize,
    /// The index of the referring table that finds referrers.
    pub from_index: usize,
    /// The table referred to.
    pub to_table: usize,
    /// By value: the unique index of the table referred to, and its field. `None` = by record id.
    pub to_value: Option<(usize, usize)>,
    /// What a deletion does.
    pub on_delete: OnDelete,
}

impl Column {
    /// Bytes of the column in the key.
    #[inline]
    pub fn key_bytes(&self) -> usize {
        self.kind.key_bytes() + usize::from(self.null_bit.is_some())
    }

    /// The column as it lies in the rows of its group.
    fn within_group(&self) -> Column {
        Column { group_offset: 0, offset: self.offset - self.group_offset, ..*self }
    }

    /// Appends the column of a record to `key`, and says whether it is null.
    pub fn push(&self, cells: Cells<'_>, key: &mut Key) -> bool {
        let null = self.null_bit.is_some_and(|bit| null_bit(&cells.fixed[self.group_offset..], bit));
        if null {
            key.null(self.kind.key_bytes());
        } else {
            if self.null_bit.is_some() {
                key.not_null();
            }
            self.push_value(cells, key);
        }
        null
    }

    /// Writes the column of a record, which is not a text, over zeros.
    #[inline]
    fn write(&self, image: &[u8], part: &mut [u8]) {
        if self.null_bit.is_none_or(|bit| !null_bit(&image[self.group_offset..], bit)) {
            self.write_value(&image[self.offset..self.offset + self.size], part);
        }
    }

    /// The same for many records, from byte `at` of each item on.
    fn write_all(&self, images: &[u8], image_bytes: usize, (items, stride): (&mut [u8], usize), at: usize) {
        if self.null_bit.is_none() {
            let cells = Strided { bytes: images, stride: image_bytes, at: self.offset };
            return self.kind.write_all(cells, StridedMut { bytes: items, stride, at });
        }
        for (image, item) in images.chunks_exact(image_bytes).zip(items.chunks_exact_mut(stride)) {
            self.write(image, &mut item[at..at + self.key_bytes()]);
        }
    }

    /// The same for the cell of a value.
    #[inline]
    fn write_value(&self, cell: &[u8], part: &mut [u8]) {
        match self.null_bit {
            None => self.kind.write(cell, part),
            Some(_) => {
                part[0] = 1;
                self.kind.write(cell, &mut part[1..]);
            }
        }
    }

    /// Appends the column of a record, which is not null, without a marker.
    fn push_value(&self, cells: Cells<'_>, key: &mut Key) {
        match self.kind {
            KeyKind::Text => key.push_text(cells.block(self.offset)),
            kind => key.column(kind, &cells.fixed[self.offset..self.offset + self.size]),
        }
    }
}

impl IndexDef {
    /// Bytes of what it holds of a record: the key and the record id.
    pub fn item_bytes(&self) -> usize {
        self.key_bytes() + size_of::<RecordId>()
    }

    /// Bytes of a key.
    pub fn key_bytes(&self) -> usize {
        self.columns.iter().map(Column::key_bytes).sum()
    }

    /// Whether it finds ranges, not only what is equal.
    pub fn is_ordered(&self) -> bool {
        self.kind == IndexKind::Btree
    }

    /// Whether it can find what lies between two bounds: a hash finds whole keys only.
    pub fn finds(&self, low: Bound<&Key>, high: Bound<&Key>) -> bool {
        let key_bytes = self.key_bytes();
        let is_whole = |key: &Key| key.bytes().len() == key_bytes;
        let is_one_key = match (low, high) {
            (Bound::Included(low), Bound::Included(high)) => is_whole(low) && low.bytes() == high.bytes(),
            _ => false,
        };
        is_one_key || self.is_ordered()
    }

    /// Builds the key of a record, and says whether one of its columns is null (a nullable reference without a target
    /// counts).
    pub fn key(&self, cells: Cells<'_>, fields: &[FieldDef], key: &mut Key) -> bool {
        key.clear();
        let mut any_null = false;
        for column in &self.columns {
            let cell = &cells.fixed[column.offset..column.offset + column.size];
            any_null |=
                column.push(cells, key) || (is_ref(&fields[column.field]) && cell.iter().all(|byte| *byte == 0));
        }
        any_null
    }

    /// Whether the key of a record would hold a null (a nullable reference without a target counts).
    pub fn has_null(&self, image: &[u8], fields: &[FieldDef]) -> bool {
        self.columns.iter().any(|column| match column.null_bit {
            Some(bit) => null_bit(&image[column.group_offset..], bit),
            None => {
                is_ref(&fields[column.field]) && image[column.offset..][..column.size].iter().all(|byte| *byte == 0)
            }
        })
    }

    /// Writes the key of a record that arrives, of an index without texts, over zeros.
    #[inline]
    pub fn write_key(&self, image: &[u8], key: &mut [u8]) {
        write_columns(&self.columns, image, key);
    }

    /// Writes the keys of records that arrive, of an index without texts, over zeros: one column of all of them after another.
    pub fn write_keys(&self, records: Chunk<'_>, keys: &mut [u8]) {
        let (width, mut at) = (self.key_bytes(), 0);
        for column in &self.columns {
            let Strided { bytes: rows, stride, .. } = records.cells(column.offset);
            column.within_group().write_all(rows, stride, (&mut *keys, width), at);
            at += column.key_bytes();
        }
    }

    /// The group in which all columns lie, and the columns as they lie in its rows; `None` if they lie in several, or one is
    /// a text.
    pub fn columns_of_group(&self, table: &TableDef) -> Option<(usize, Vec<Column>)> {
        let group = table.fields[self.columns.first()?.field].at.group;
        let within = |column: &Column| (table.fields[column.field].at.group == group).then(|| column.within_group());
        let columns: Option<Vec<Column>> = self.columns.iter().map(within).collect();
        columns.filter(|_| self.texts.is_empty()).map(|columns| (group, columns))
    }

    /// The first column of its keys that equals `field` of another table's record.
    pub fn key_of_value(&self, cells: Cells<'_>, field: &FieldDef) -> Key {
        let mut key = Key::new();
        if self.columns[0].null_bit.is_some() {
            key.not_null();
        }
        Column { offset: field.at.image_offset, ..self.columns[0] }.push_value(cells, &mut key);
        key
    }
}

/// Writes the columns of a key, none of which is a text, from an image.
#[inline]
fn write_columns(columns: &[Column], image: &[u8], key: &mut [u8]) {
    let mut rest = key;
    for column in columns {
        let (part, behind) = rest.split_at_mut(column.key_bytes());
        column.write(image, part);
        rest = behind;
    }
}

/// Writes the columns of the keys of many records, none of which is a text, from their images or rows, over the zeros that
/// begin as many items: one column of all of them after another. Both come with the bytes of one.
pub fn write_columns_of_all(
    columns: &[Column],
    (images, image_bytes): (&[u8], usize),
    (items, width): (&mut [u8], usize),
) {
    let mut at = 0;
    for column in columns {
        column.write_all(images, image_bytes, (&mut *items, width), at);
        at += column.key_bytes();
    }
}

/// Whether the field holds a record id.
pub fn is_ref(field: &FieldDef) -> bool {
    matches!(field.plan, CellPlan::Ref)
}

impl TableDef {
    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// Whether every field of the column group may be written without a check, so that it can be given out as a slice.
    pub fn group_is_free(&self, group: usize) -> bool {
        self.layout.groups.get(group).is_some_and(|group| group.fields.iter().all(|field| self.fields[field.at()].free))
    }

    /// Whether the field of a record image is null.
    pub fn is_null(&self, image: &[u8], field: usize) -> bool {
        let at = self.fields[field].at;
        match at.null_bit {
            Some(bit) => null_bit(&image[self.layout.groups[at.group].image_offset..], bit),
            None => is_ref(&self.fields[field]) && self.cell(image, field).iter().all(|byte| *byte == 0),
        }
    }

    /// Whether null is a bit beside the field.
    pub fn has_null_bit(&self, field: usize) -> bool {
        self.fields[field].at.null_bit.is_some()
    }

    /// The cell of a field in a record image.
    pub fn cell<'i>(&self, image: &'i [u8], field: usize) -> &'i [u8] {
        let at = self.fields[field].at;
        &image[at.image_offset..at.image_offset + at.size]
    }

    /// Puts a cell into a record image; `None` makes the field null, as far as it can be.
    pub fn put_cell(&self, image: &mut [u8], field: usize, cell: Option<&[u8]>) {
        let at = self.fields[field].at;
        let target = &mut image[at.image_offset..at.image_offset + at.size];
        match cell {
            Some(cell) => target.copy_from_slice(cell),
            None => target.fill(0),
        }
        if let Some(bit) = at.null_bit {
            let group = self.layout.groups[at.group].image_offset;
            set_null_bit(&mut image[group..], bit, cell.is_none());
        }
    }
}
