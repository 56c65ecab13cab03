//! The game's own code inside a mutation: told before a record changes, when it may refuse, and after.
//!
//! This is the one place from which handlers are called, so they run on every path that leads to
//! [`Engine::apply`]: typed and dynamic, HTTP and RPC, timers, and what a deletion does to other records.
//!
//! An operation checks its rules, tells *before* handlers of each record that it is going to change, changes them all, and
//! then tells *after* handlers of each, in the order of the changes. An error of any of them undoes the operation whole.
//!
//! What a handler itself writes is told in turn, [`HANDLER_DEPTH_MAX`] deep. Whole column groups that are lent as slices
//! tell nobody: what is written there is not seen as records.

use crate::catalog::Catalog;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::id::RecordId;
use crate::limits::{HANDLER_DEPTH_MAX, HEAP_UNIT_BYTES};
use crate::record::codec;
use crate::record::heap_ref::{HeapCell, HeapRef};
use crate::record::image::RecordImage;
use crate::table::def::FieldDef;
use crate::table::version::TableView;
use dbgen_schema::Value;
use std::sync::Arc;

/// Which operation a handler is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum On {
    /// A record is new.
    Insert,
    /// Fields of a record are written.
    Update,
    /// A record goes, by itself or along with another.
    Delete,
}

/// The change of one record, as its handlers see it.
#[derive(Debug, Clone)]
pub struct Change {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) table: usize,
    pub(super) on: On,
    pub(crate) id: Option<RecordId>,
    pub(crate) old: Option<Vec<Value>>,
    pub(crate) new: Option<Vec<Value>>,
}

impl Change {
    /// The table's name.
    pub fn table(&self) -> &str {
        &self.catalog.tables()[self.table].name
    }

    /// The operation.
    pub fn on(&self) -> On {
        self.on
    }

    /// The record's id; `None` before it is inserted.
    pub fn id(&self) -> Option<RecordId> {
        self.id
    }

    /// The values of all fields as they were, in the schema's order; `None` of a new record.
    pub fn old_values(&self) -> Option<&[Value]> {
        self.old.as_deref()
    }

    /// The values of all fields as they are going to be, or are; `None` of a record that goes.
    pub fn new_values(&self) -> Option<&[Value]> {
        self.new.as_deref()
    }

    /// What a field held; `None` of a new record, and if there is no such field.
    pub fn old_value(&self, field: &str) -> Option<&Value> {
        self.old.as_ref()?.get(self.field(field)?)
    }

    /// What a field is going to hold, or holds; `None` of a record that goes, and if there is no such field.
    pub fn new_value(&self, field: &str) -> Option<&Value> {
        self.new.as_ref()?.get(self.field(field)?)
    }

    /// Whether the operation changes this field.
    pub fn changes(&self, field: &str) -> bool {
        self.old_value(field) != self.new_value(field)
    }

    fn field(&self, name: &str) -> Option<usize> {
        self.catalog.tables()[self.table].field(name)
    }
}

/// A handler, its types forgotten.
pub(crate) type Hook = Arc<dyn Fn(&mut Engine, &Change) -> Result<()> + Send + Sync>;

/// When a handler is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
}

/// The handlers of a database, and the changes that its running operation has made.
#[derive(Default)]
pub(crate) struct Hooks {
    by_table: Vec<TableHooks>,
    /// Where in `by_table` those of each table of the catalog are; most have none.
    places: Vec<Option<usize>>,
    /// Changes that *after* handlers are yet to be told of.
    made: Vec<Change>,
    /// Handlers that are running, each called by what the one before it wrote.
    depth: usize,
}

/// Where handlers were when a part of a transaction began.
pub(crate) struct Before {
    made: Vec<Change>,
    depth: usize,
}

/// The handlers of one table. They belong to its name: a table that is dropped and made again keeps them.
struct TableHooks {
    table: String,
    hooks: Vec<(When, On, Hook)>,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.by_table.iter().map(|table| (&table.table, table.hooks.len()))).finish()
    }
}

impl Hooks {
    /// Adds a handler of a table; it is called after those added before.
    pub(crate) fn add(&mut self, catalog: &Catalog, table: &str, when: When, on: On, hook: Hook) -> Result<()> {
        let table = catalog.table(table)?.name.clone();
        match self.by_table.iter_mut().find(|known| known.table == table) {
            Some(known) => known.hooks.push((when, on, hook)),
            None => self.by_table.push(TableHooks { table, hooks: vec![(when, on, hook)] }),
        }
        self.bind(catalog);
        Ok(())
    }

    /// Finds out where the tables of a new catalog are.
    pub(crate) fn bind(&mut self, catalog: &Catalog) {
        let place = |name: &String| self.by_table.iter().position(|hooks| hooks.table == *name);
        self.places = catalog.tables().iter().map(|table| place(&table.name)).collect();
    }

    /// Begins a part of a transaction that may fail by itself; gives what there is to tell of the operation around it.
    pub(crate) fn begin(&mut self) -> Before {
        Before { made: std::mem::take(&mut self.made), depth: self.depth }
    }

    /// Ends a part that was done: what it made is told after what was made before.
    pub(crate) fn keep(&mut self, before: Before) {
        let made = std::mem::replace(&mut self.made, before.made);
        self.made.extend(made);
    }

    /// Ends a part that was undone: nobody is told of it.
    pub(crate) fn undo(&mut self, before: Before) {
        (self.made, self.depth) = (before.made, before.depth);
    }

    /// Forgets what an operation that panicked has left.
    #[inline]
    pub(crate) fn reset(&mut self) {
        self.depth = 0;
        if !self.made.is_empty() {
            self.forget_made();
        }
    }

    /// Never inlined: every transaction begins with the question whether there is anything.
    #[cold]
    #[inline(never)]
    fn forget_made(&mut self) {
        self.made = Vec::new();
    }

    /// Whether a handler is running.
    #[inline]
    pub(crate) fn is_running(&self) -> bool {
        self.depth > 0
    }

    /// Whether there is any handler at all.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.by_table.is_empty()
    }

    /// Whether a table has handlers.
    #[inline]
    pub(super) fn concern(&self, table: usize) -> bool {
        self.places.get(table).is_some_and(Option::is_some)
    }

    fn of(&self, table: usize, when: When, on: On) -> Vec<Hook> {
        let hooks = self.places.get(table).copied().flatten().map_or(&[][..], |at| &self.by_table[at].hooks);
        let called = hooks.iter().filter(|(is_when, is_on, _)| (*is_when, *is_on) == (when, on));
        called.map(|(_, _, hook)| hook.clone()).collect()
    }

    fn has(&self, table: usize, on: On) -> bool {
        let hooks = self.places.get(table).copied().flatten().map_or(&[][..], |at| &self.by_table[at].hooks);
        hooks.iter().any(|(_, is_on, _)| *is_on == on)
    }
}

/// What a record is going to be.
#[derive(Clone, Copy)]
pub(super) enum Coming<'a> {
    /// Nothing.
    Gone,
    /// This image.
    Image(&'a RecordImage),
    /// What it is, but for one cell.
    Cell(usize, Option<&'a [u8]>),
}

impl Engine {
    /// Runs an operation with its handlers: all of it happens, or nothing.
    #[cold]
    pub(super) fn told<R>(&mut self, operation: impl FnOnce(&mut Engine) -> Result<R>) -> Result<R> {
        self.whole(|engine| operation(engine).and_then(|done| engine.tell_made().map(|()| done)))
    }

    /// Tells *before* handlers that a record is going to change; gives the change, if anybody is to be told of it after.
    #[inline]
    pub(super) fn tell_before(
        &mut self,
        table: usize,
        on: On,
        id: Option<RecordId>,
        coming: Coming<'_>,
    ) -> Result<Option<Change>> {
        if !self.hooks.concern(table) || !self.hooks.has(table, on) {
            return Ok(None);
        }
        let change = self.change(table, on, id, coming)?;
        self.call(When::Before, &change)?;
        Ok(Some(change))
    }

    /// Notes a change that has been made; its *after* handlers are told when the operation has done all of it.
    #[inline]
    pub(super) fn made(&mut self, change: Option<Change>) {
        self.hooks.made.extend(change);
    }

    #[cold]
    fn change(&self, table: usize, on: On, id: Option<RecordId>, coming: Coming<'_>) -> Result<Change> {
        let view = self.view(table);
        let old = match (on, id) {
            (On::Update | On::Delete, Some(id)) => {
                let row = view.row_of(id)?;
                Some((0..view.def.fields.len()).map(|field| view.value(row, field)).collect::<Vec<Value>>())
            }
            _ => None,
        };
        let new = match (coming, &old) {
            (Coming::Gone, _) => None,
            (Coming::Image(image), _) => Some(image_values(view, image)),
            (Coming::Cell(field, cell), old) => {
                let mut values = old.clone().unwrap_or_default();
                if let Some(value) = values.get_mut(field) {
                    let read = |cell| codec::read(&view.def.fields[field].plan, cell, HeapRef(&[]));
                    *value = cell.map_or(Value::Null, read);
                }
                Some(values)
            }
        };
        Ok(Change { catalog: self.catalog.clone(), table, on, id, old, new })
    }

    fn tell_made(&mut self) -> Result<()> {
        for change in std::mem::take(&mut self.hooks.made) {
            self.call(When::After, &change)?;
        }
        Ok(())
    }

    fn call(&mut self, when: When, change: &Change) -> Result<()> {
        let hooks = self.hooks.of(change.table, when, change.on);
        if hooks.is_empty() {
            return Ok(());
        }
        if self.hooks.depth == HANDLER_DEPTH_MAX {
            return Err(Error::HandlersNested { table: change.table().to_owned(), limit: HANDLER_DEPTH_MAX });
        }
        self.hooks.depth += 1;
        let called = hooks.iter().try_for_each(|hook| hook(self, change));
        self.hooks.depth -= 1;
        called
    }
}

/// The values of an image whose heap cells point partly into its own heap, partly into that of the table.
fn image_values(view: TableView<'_>, image: &RecordImage) -> Vec<Value> {
    let cells = image.cells(view.version.heap());
    let value = |(at, field): (usize, &FieldDef)| {
        if !field.has_heap || view.def.is_null(cells.fixed, at) {
            return view.value_in(cells, at);
        }
        // All blocks that the cell names are put into one heap.
        let (mut cell, mut heap) = (view.def.cell(cells.fixed, at).to_vec(), vec![0; HEAP_UNIT_BYTES]);
        let mut places = Vec::new();
        field.plan.heap_cells(&cell, 0, &mut |place| places.push(place));
        for place in places {
            let block = cells.block(field.at.image_offset + place);
            let copy = HeapCell { offset: (heap.len() / HEAP_UNIT_BYTES) as u32, len: block.len() as u32 };
            heap.extend_from_slice(block);
            heap.resize(heap.len().next_multiple_of(HEAP_UNIT_BYTES), 0);
            cell[place..place + HeapCell::BYTES].copy_from_slice(&copy.to_bytes());
        }
        codec::read(&field.plan, &cell, HeapRef(&heap))
    };
    view.def.fields.iter().enumerate().map(value).collect()
}
