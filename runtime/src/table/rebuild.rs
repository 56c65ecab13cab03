//! A table in another shape: what an edit of the schema makes of its records.
//!
//! Ids, versions and slots are taken over as they are, so every id stays good. Fields are carried over by name where
//! their cells have the same type; new ones take their default. Indexes are built anew.

use super::buffer::Journal;
use super::def::TableDef;
use super::meta;
use super::rows::Rows;
use super::version::{HEAP, IDS, META, SLOTS, TableVersion, TableView, VERSIONS};
use crate::error::{Error, Result, Rule, Violation};
use crate::record::image::RecordImage;
use crate::record::key::Key;
use crate::table::lookup;
use crate::table::values::put_value;
use dbgen_schema::Value;

/// Makes a version of `def` with the records of `from`.
///
/// # Errors
/// [`Error::Invalid`] if the records break a new unique rule; [`Error::Full`] if the defaults do not fit.
pub fn rebuild(def: &TableDef, from: Option<TableView<'_>>) -> Result<TableVersion> {
    let mut version = TableVersion::new(def);
    let Some(from) = from else { return Ok(version) };
    for at in [IDS, VERSIONS, SLOTS, HEAP] {
        version.buffers[at] = from.version.buffers[at].copy();
    }
    let old: Vec<Option<usize>> = def.fields.iter().map(|field| from.def.field(&field.name)).collect();
    let mut rebuild = Rebuild { def, from, old, journal: Journal::default(), version: &mut version };
    rebuild.numbers();
    for row in 0..from.version.len() {
        rebuild.row(row)?;
    }
    Ok(version)
}

struct Rebuild<'a> {
    def: &'a TableDef,
    from: TableView<'a>,
    /// For every field, its number in the old table.
    old: Vec<Option<usize>>,
    /// Notes nobody asks for: the version is not published yet.
    journal: Journal,
    version: &'a mut TableVersion,
}

impl Rebuild<'_> {
    fn rows(&mut self) -> Rows<'_> {
        Rows { def: self.def, buffers: &mut self.version.buffers, journal: &mut self.journal }
    }

    /// Takes over the counts; a counter goes with its field.
    fn numbers(&mut self) {
        let from = self.from;
        let number = |at: usize| meta::get(&from.version.buffers[META], at);
        let mut meta = Vec::new();
        (0..meta::COUNTERS).for_each(|at| meta.push(number(at)));
        let rows = from.version.len() as u64;
        for (field, old) in self.def.fields.iter().zip(&self.old).filter(|(field, _)| field.counter.is_some()) {
            let kept = old.and_then(|old| from.def.fields[old].counter).map(|counter| number(meta::COUNTERS + counter));
            debug_assert!(field.counter.is_some());
            // A new counter begins behind the numbers that the records at hand are given.
            meta.push(kept.unwrap_or(rows));
        }
        for (at, value) in meta.into_iter().enumerate() {
            self.rows().set_number(at, value);
        }
    }

    fn row(&mut self, row: usize) -> Result<()> {
        let mut stored = Vec::new();
        self.from.gather(row, &mut stored);
        let mut image = RecordImage::new();
        image.fixed.resize(self.def.layout.image_bytes, 0);
        for at in 0..self.def.fields.len() {
            match self.old[at] {
                Some(old) if self.from.def.is_null(&stored, old) => self.def.put_cell(&mut image.fixed, at, None),
                Some(old) if self.same_cell(old, at) => {
                    self.def.put_cell(&mut image.fixed, at, Some(self.from.def.cell(&stored, old)));
                }
                Some(old) => put_value(self.def, &mut image, at, &self.from.value(row, old)),
                None => self.default(&mut image, row, at),
            }
        }
        self.store(row, image, &stored)
    }

    fn same_cell(&self, old: usize, new: usize) -> bool {
        self.from.def.fields[old].plan.same_bytes(&self.def.fields[new].plan)
    }

    fn default(&self, image: &mut RecordImage, row: usize, at: usize) {
        let field = &self.def.fields[at];
        match (&field.default, field.counter) {
            (_, Some(_)) => put_value(self.def, image, at, &Value::from(row as u64 + 1)),
            (Some(value), None) => put_value(self.def, image, at, value),
            (None, None) => put_value(self.def, image, at, &Value::Null),
        }
    }

    fn store(&mut self, row: usize, mut image: RecordImage, stored: &[u8]) -> Result<()> {
        let (def, from) = (self.def, self.from);
        let Some(id) = from.version.id_at(row) else { unreachable!("row {row} has no record") };
        let violation = |field: &str, rule: Rule, value: Value| {
            Error::violation(Violation { table: def.name.clone(), field: field.to_owned(), id: Some(id), rule, value })
        };
        if let Some(misfit) = image.misfits.pop() {
            return Err(violation(&def.fields[misfit.field].name, misfit.rule, misfit.value));
        }
        let mut key = Key::new();
        for (at, index) in def.indexes.iter().enumerate().filter(|(_, index)| index.unique) {
            let view = TableView { def, version: self.version };
            if index.key(image.cells(view.version.heap()), &def.fields, &mut key) {
                continue;
            }
            if let Some(existing) = lookup::first(view, at, &key) {
                let name = &def.fields[index.columns[0].field].name;
                let rule = Rule::Unique { index: index.name.clone(), existing };
                return Err(violation(name, rule, Value::Null));
            }
        }
        let gone: Vec<usize> = (0..from.def.fields.len())
            .filter(|at| from.def.fields[*at].has_heap && !self.old.contains(&Some(*at)))
            .collect();
        let mut rows = self.rows();
        for at in 0..def.fields.len() {
            if def.fields[at].has_heap {
                rows.store_pending(at, &mut image)?;
            }
        }
        for at in gone {
            rows.free_cells(&from.def.fields[at], stored, None);
        }
        rows.append_groups(row, &image.fixed);
        for at in 0..def.indexes.len() {
            rows.index_insert(at, &image.fixed, id);
        }
        Ok(())
    }
}
