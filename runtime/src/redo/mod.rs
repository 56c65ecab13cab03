//! What the engine did, in bytes, so that it can do it again: the payload of the log.
//!
//! [`apply`](crate::apply) decides what an operation comes to (numbers taken, references checked, cascades followed) and
//! changes rows. What it did to the rows is noted here as *effects*, in order; `replay` has the
//! same functions do the same to the same rows, so ids, slots and heap blocks come out as they were. Only tables with
//! `durability: log` are noted.
//!
//! ```text
//! payload: | effect | effect | ... |           v = unsigned LEB128, cell = bytes of the field as its layout says
//!
//! insert   | 1 + 8·counters  | table v | (counter v | value v)… | fixed image | heap values | slot v | generation v |
//! component| 2 + 8·counters  | the same; the id is that of the record it belongs to
//! update   | 3 + 8·fields    | table v | slot v | generation v | (field·2 + null v | cell unless null | heap values)… |
//! delete   | 4               | table v | slot v | generation v |
//! group    | 5               | table v | group v | runs v | (rows skipped v | rows v | bytes)… |
//! next     | 6               | commits v |     the effects behind belong to so many commits later
//! ```
//!
//! A count of 31 and more is written as 31, and behind it the rest as v. A heap value's length stands in its cell; the
//! cells whose values follow have [`PENDING`] set, the others stay as they are. So an update of an `i32` takes 10 to 12
//! bytes, whatever the size of its record.
//!
//! An edit of the schema is a group by itself, [`Group::schema`]: its payload is the whole new schema.
//!
//! Requests that came under a key lead the payload of their group ([`Group::has_kept`]): `| bytes v | kept | kept | … |`, as
//! `kept` draws them.

mod kept;
mod read;
pub(crate) mod schema_json;
pub(crate) mod stored;

pub(crate) use kept::KeptRequests;
#[cfg(feature = "server")]
pub(crate) use kept::{Hash, Kept};
pub(crate) use read::{Effect, Effects, Field, Fields};

use crate::catalog::Catalog;
use crate::id::RecordId;
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::record::heap_ref::{Cells, HeapCell, HeapRef};
use crate::record::image::{PENDING, RecordImage};
use crate::sync::Arc;
use crate::table::def::TableDef;
use crate::table::version::{GROUPS, TableVersion};
use crate::table::writer::TableWriter;
use dbgen_schema::Durability;

pub(super) const INSERT: u8 = 1;
pub(super) const COMPONENT: u8 = 2;
pub(super) const UPDATE: u8 = 3;
pub(super) const DELETE: u8 = 4;
pub(super) const GROUP: u8 = 5;
pub(super) const NEXT: u8 = 6;
/// A count that does not fit beside the kind.
pub(super) const COUNT_MAX: usize = 31;

/// What was committed together, on its way to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The last commit in it.
    pub commit: u64,
    /// The tick that it belongs to.
    pub tick: u64,
    /// Whether the payload is a whole schema instead of effects.
    pub schema: bool,
    /// The schema that the payload is to be read by; for a schema, its own number.
    pub schema_version: u64,
    /// Whether requests that came under a key lead the payload.
    pub has_kept: bool,
    /// Effects, or a schema.
    pub payload: Vec<u8>,
}

/// Who takes what is committed: the log.
pub trait CommitSink: Send + std::fmt::Debug {
    /// Takes a group. May wait for room, and for a disk only where [`wants`](CommitSink::wants) has to hold.
    fn append(&mut self, group: Group);
    /// Hears that `commit` is about to be seen; says whether it wants a group that ends with it, though nothing was noted.
    fn wants(&self, commit: u64) -> bool;
    /// Why nothing can be committed any more, if so.
    fn refusal(&self) -> Option<crate::error::Error>;
}

/// Which tables of a catalog the log knows. What belongs to a record that it does not know, it does not know either.
pub fn logged_tables(catalog: &Catalog) -> Vec<bool> {
    let tables = catalog.tables();
    let is_logged = |mut at: usize| loop {
        match (tables[at].durability, tables[at].owner) {
            (Durability::Log, Some(owner)) => at = owner,
            (durability, _) => return durability == Durability::Log,
        }
    };
    (0..tables.len()).map(is_logged).collect()
}

/// A column group that was lent as a slice: what became of it is noted when it has been given back.
#[derive(Debug)]
struct Lent {
    table: usize,
    group: usize,
    before: Before,
    /// The commit that wrote a group of the table as a whole last.
    watermark: u64,
}

/// What a column group was.
#[derive(Debug)]
enum Before {
    /// As published.
    Published(Arc<TableVersion>),
    /// Something else.
    Copied(Vec<u8>),
}

/// The effects of the commits that are not in the log yet.
#[derive(Debug, Default)]
pub struct Redo {
    /// Which tables are noted; none are if there is no log.
    logged: Vec<bool>,
    bytes: Vec<u8>,
    /// Where the running transaction begins in `bytes`.
    began: usize,
    /// The commit to which a reader takes an effect to belong that is appended now.
    reached: u64,
    /// The last commit of which an effect was noted.
    noted: u64,
    lent: Vec<Lent>,
    /// Requests that came under a key, for the group that comes next.
    kept: Vec<u8>,
}

impl Redo {
    /// Notes what happens to these tables from now on. The log's last group is that of `commit`.
    pub fn begin(&mut self, logged: Vec<bool>, commit: u64) {
        *self = Redo { logged, reached: commit + 1, noted: commit, ..Redo::default() };
    }

    /// The same for the tables of another schema, which was logged as `commit`.
    pub fn relabel(&mut self, logged: Vec<bool>, commit: u64) {
        self.begin(logged, commit);
    }

    /// Whether what happens to the table is noted.
    #[inline]
    pub fn notes(&self, table: usize) -> bool {
        self.logged.get(table).copied().unwrap_or(false)
    }

    /// A position that can be gone back to.
    pub fn mark(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets what was noted since `mark`.
    pub fn forget_since(&mut self, mark: usize) {
        self.bytes.truncate(mark.max(self.began));
    }

    /// Ends a transaction that is undone.
    pub fn rollback(&mut self) {
        self.bytes.truncate(self.began);
        self.lent.clear();
    }

    /// Ends a transaction that stays, as `commit`.
    #[inline]
    pub fn commit(&mut self, commit: u64) {
        debug_assert!(self.lent.is_empty(), "what was lent is noted first");
        if self.bytes.len() > self.began {
            self.began = self.bytes.len();
            (self.reached, self.noted) = (commit, commit);
        }
    }

    /// The last commit of which the log has an effect, or will have.
    pub fn noted(&self) -> u64 {
        self.noted
    }

    /// Whether no table is noted.
    #[inline]
    pub fn is_off(&self) -> bool {
        self.logged.is_empty()
    }

    /// Whether what waits for the log still fits into one record.
    pub fn fits(&self) -> bool {
        self.bytes.len() + self.kept.len() <= PAYLOAD_BYTES_MAX
    }

    /// Whether something waits for the log.
    pub fn is_waiting(&self) -> bool {
        !self.bytes.is_empty() || !self.kept.is_empty()
    }

    /// Notes a request that came under a key, which `commit` and those before it are the end of.
    #[cfg(feature = "server")]
    pub(crate) fn keep(&mut self, kept: &Kept, commit: u64) {
        kept.encode(commit, &mut self.kept);
    }

    /// Gives what was noted since the last time as the payload of the group that ends with `commit`, and whether requests with
    /// keys lead it.
    pub fn take(&mut self, commit: u64) -> (Vec<u8>, bool) {
        self.began = 0;
        self.reached = commit + 1;
        let effects = std::mem::take(&mut self.bytes);
        if self.kept.is_empty() {
            return (effects, false);
        }
        let mut payload = Vec::with_capacity(self.kept.len() + effects.len() + 10);
        put_v(&mut payload, self.kept.len() as u64);
        payload.append(&mut self.kept);
        payload.extend_from_slice(&effects);
        (payload, true)
    }

    /// Begins an effect of the transaction that will be number `commit`.
    fn effect(&mut self, kind: u8, count: usize, table: usize, commit: u64) {
        if self.bytes.len() == self.began && commit > self.reached {
            self.bytes.push(NEXT);
            put_v(&mut self.bytes, commit - self.reached);
        }
        self.bytes.push(kind | (count.min(COUNT_MAX) as u8) << 3);
        if count >= COUNT_MAX {
            put_v(&mut self.bytes, (count - COUNT_MAX) as u64);
        }
        put_v(&mut self.bytes, table as u64);
    }

    fn id(&mut self, id: RecordId) {
        put_v(&mut self.bytes, id.slot().into());
        put_v(&mut self.bytes, id.generation().into());
    }

    /// Notes a new record, before its heap values are moved into the heap. [`Redo::inserted`] completes the effect.
    pub fn insert(
        &mut self,
        def: &TableDef,
        is_component: bool,
        counters: &[(usize, u64)],
        cells: Cells<'_>,
        commit: u64,
    ) {
        let kind = if is_component { COMPONENT } else { INSERT };
        self.effect(kind, counters.len(), def.at, commit);
        for (counter, value) in counters {
            put_v(&mut self.bytes, *counter as u64);
            put_v(&mut self.bytes, *value);
        }
        self.bytes.extend_from_slice(cells.fixed);
        for at in &def.heap_fields {
            self.heap_values(def, *at, cells);
        }
    }

    /// Completes [`Redo::insert`] with the id that the record was given.
    pub fn inserted(&mut self, id: RecordId) {
        self.id(id);
    }

    /// Notes new content of some fields, before heap values are moved into the heap.
    pub fn update(&mut self, def: &TableDef, id: RecordId, image: &RecordImage, fields: &[usize], commit: u64) {
        self.effect(UPDATE, fields.len(), def.at, commit);
        self.id(id);
        for at in fields {
            let is_null = def.fields[*at].at.null_bit.is_some() && def.is_null(&image.fixed, *at);
            put_v(&mut self.bytes, (*at as u64) << 1 | u64::from(is_null));
            if !is_null {
                self.bytes.extend_from_slice(def.cell(&image.fixed, *at));
                self.heap_values(def, *at, image.cells(HeapRef(&[])));
            }
        }
    }

    /// Notes new content of one field without heap values; `None` is null.
    pub fn write(&mut self, def: &TableDef, id: RecordId, field: usize, cell: Option<&[u8]>, commit: u64) {
        self.effect(UPDATE, 1, def.at, commit);
        self.id(id);
        put_v(&mut self.bytes, (field as u64) << 1 | u64::from(cell.is_none()));
        self.bytes.extend_from_slice(cell.unwrap_or_default());
    }

    /// Notes a record's end.
    pub fn delete(&mut self, def: &TableDef, id: RecordId, commit: u64) {
        self.effect(DELETE, 0, def.at, commit);
        self.id(id);
    }

    /// Appends the values of a field's pending heap cells.
    fn heap_values(&mut self, def: &TableDef, field: usize, cells: Cells<'_>) {
        let field = &def.fields[field];
        if !field.has_heap {
            return;
        }
        let bytes = &mut self.bytes;
        field.plan.heap_cells(cells.fixed, field.at.image_offset, &mut |offset| {
            if HeapCell::from_bytes(&cells.fixed[offset..]).len & PENDING != 0 {
                bytes.extend_from_slice(cells.block(offset));
            }
        });
    }

    /// Remembers what a column group is before it is lent as a slice: what was published, or a copy if it was touched since.
    pub fn lend(&mut self, def: &TableDef, group: usize, table: &TableWriter) {
        if self.lent.iter().any(|lent| lent.table == def.at && lent.group == group) {
            return;
        }
        let before = match table.has_touched_group(group) {
            false => Before::Published(table.current().clone()),
            true => Before::Copied(table.view(def).group_bytes(group).to_vec()),
        };
        let watermark = table.view(def).version.watermark();
        self.lent.push(Lent { table: def.at, group, before, watermark });
    }

    /// Whether something was lent.
    #[inline]
    pub fn has_lent(&self) -> bool {
        !self.lent.is_empty()
    }

    /// Notes what became of what was lent: the rows that are not what they were. Where none is, the table's records keep the
    /// versions that they had: the log is not told, so a restart would take new ones back.
    pub fn settle(&mut self, catalog: &Catalog, tables: &mut [TableWriter], commit: u64) {
        let lent = std::mem::take(&mut self.lent);
        let mut differ = Vec::new();
        for Lent { table, group, before, .. } in &lent {
            let writer = &tables[*table];
            if matches!(before, Before::Published(_)) && !writer.has_touched_group(*group) {
                continue;
            }
            let now = writer.view(&catalog.tables()[*table]);
            let after = now.group_bytes(*group);
            let before = match before {
                Before::Published(version) => version.buffers[GROUPS + *group].bytes(),
                Before::Copied(bytes) => bytes,
            };
            if self.group(now.def, *group, before, after, commit) {
                differ.push(*table);
            }
        }
        // The first of a table was lent before the others.
        for Lent { table, watermark, .. } in lent.into_iter().rev().filter(|lent| !differ.contains(&lent.table)) {
            let def = &catalog.tables()[table];
            if tables[table].view(def).version.watermark() != watermark {
                tables[table].rows(def).set_watermark(watermark);
            }
        }
    }

    /// Notes the rows of a column group that differ; says whether any does.
    pub fn group(&mut self, def: &TableDef, group: usize, before: &[u8], after: &[u8], commit: u64) -> bool {
        let stride = def.layout.groups[group].stride;
        let runs = differing_runs(before, after, stride);
        if runs.is_empty() {
            return false;
        }
        self.effect(GROUP, 0, def.at, commit);
        put_v(&mut self.bytes, group as u64);
        put_v(&mut self.bytes, runs.len() as u64);
        let mut end = 0;
        for (start, rows) in runs {
            put_v(&mut self.bytes, (start - end) as u64);
            put_v(&mut self.bytes, rows as u64);
            self.bytes.extend_from_slice(&after[start * stride..(start + rows) * stride]);
            end = start + rows;
        }
        true
    }
}

/// Runs of rows that are not the same, as first row and count.
fn differing_runs(before: &[u8], after: &[u8], stride: usize) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    if stride == 0 {
        return runs;
    }
    for (row, new) in after.chunks_exact(stride).enumerate() {
        if before.get(row * stride..(row + 1) * stride) == Some(new) {
            continue;
        }
        match runs.last_mut() {
            Some((start, rows)) if *start + *rows == row => *rows += 1,
            _ => runs.push((row, 1)),
        }
    }
    runs
}

fn put_v(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
