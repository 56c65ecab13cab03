//! The rules of a record, checked before a byte is changed. All violations of a record are reported together.

use crate::engine::Engine;
use crate::error::{Error, Result, Rule, Violation};
use crate::id::RecordId;
use crate::limits::VIOLATIONS_MAX;
use crate::record::codec::{self, le_u64};
use crate::record::heap_ref::{Cells, HeapRef};
use crate::record::image::{Misfit, RecordImage};
use crate::record::key::Key;
use crate::record::plan::CellPlan;
use crate::record::rules::outside;
use crate::table::def::{FieldDef, IndexDef, RelationDef, TableDef};
use crate::table::lookup;
use crate::table::meta;
use crate::table::version::{META, TableView};
use dbgen_schema::Value;
use dbgen_schema::field_type::ScalarKind;

/// A record on its way in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arriving<'a> {
    /// The fixed part of its image.
    fixed: &'a [u8],
    image: &'a RecordImage,
    /// Whether it is the last of its image.
    is_last: bool,
}

impl<'a> Arriving<'a> {
    /// The only record of an image.
    pub(super) fn only(image: &'a RecordImage) -> Arriving<'a> {
        Arriving { fixed: &image.fixed, image, is_last: true }
    }

    /// One of the records of an image, whose rows are put together in `room`. What does not fit is always in the last.
    pub(super) fn of(image: &'a RecordImage, def: &TableDef, at: usize, room: &'a mut Vec<u8>) -> Arriving<'a> {
        if image.is_one() {
            return Arriving::only(image);
        }
        room.clear();
        image.chunk(&def.layout.groups, 0..image.records()).gather(at, room);
        Arriving { fixed: room, image, is_last: at + 1 == image.records() }
    }

    /// Its cells, of which those that are not pending point into `stored`.
    #[inline]
    pub(super) fn cells(self, stored: HeapRef<'a>) -> Cells<'a> {
        Cells { fixed: self.fixed, ..self.image.cells(stored) }
    }

    /// Its cells, none of which points into the table's heap.
    pub(super) fn pending(self) -> Cells<'a> {
        self.cells(HeapRef(&[]))
    }

    /// What of it could not be encoded.
    fn misfits(self) -> &'a [Misfit] {
        if self.is_last { &self.image.misfits } else { &[] }
    }
}

/// Violations of one record, being collected.
pub(crate) struct Findings<'a> {
    view: TableView<'a>,
    id: Option<RecordId>,
    found: Vec<Violation>,
}

impl<'a> Findings<'a> {
    pub(crate) fn new(view: TableView<'a>, id: Option<RecordId>) -> Findings<'a> {
        Findings { view, id, found: Vec::new() }
    }

    #[cold]
    pub(super) fn add(&mut self, field: &str, rule: Rule, value: Value) {
        if self.found.len() < VIOLATIONS_MAX {
            let table = self.view.def.name.clone();
            self.found.push(Violation { table, field: field.to_owned(), id: self.id, row: None, rule, value });
        }
    }

    /// What was found.
    pub(crate) fn into_violations(self) -> Vec<Violation> {
        self.found
    }

    pub(super) fn finish(self) -> Result<()> {
        if self.found.is_empty() { Ok(()) } else { Err(Error::Invalid(self.found)) }
    }

    /// What the encoder could not encode.
    pub(crate) fn misfits(&mut self, misfits: &[Misfit]) {
        let def = self.view.def;
        for misfit in misfits {
            let number = misfit.field.to_string();
            let name = def.fields.get(misfit.field).map_or(&number, |field| &field.name);
            self.add(name, misfit.rule.clone(), misfit.value.clone());
        }
    }

    /// The rules of one field by itself.
    pub(crate) fn field(&mut self, at: usize, cells: Cells<'_>) {
        let def = self.view.def;
        let place = (!def.is_null(cells.fixed, at)).then_some(def.fields[at].at.image_offset);
        self.value(at, cells, place);
    }

    /// The same for a value that lies somewhere else; `None` = null.
    pub(super) fn value(&mut self, at: usize, cells: Cells<'_>, place: Option<usize>) {
        let field = &self.view.def.fields[at];
        let Some(place) = place else {
            if !field.nullable {
                self.add(&field.name, Rule::NotNull, Value::Null);
            }
            return;
        };
        if let Some((rule, value)) = self.broken_rule(field, cells, place) {
            self.add(&field.name, rule, value);
        }
    }

    fn broken_rule(&self, field: &FieldDef, cells: Cells<'_>, at: usize) -> Option<(Rule, Value)> {
        let inside = || field.plan.broken_rule(cells, at, field.allow_nan);
        if let Some(broken) = field.is_ruled.then(inside).flatten() {
            return Some(broken);
        }
        if field.min.is_none() && field.max.is_none() {
            return None;
        }
        let value = codec::read(&field.plan, &cells.fixed[at..at + field.at.size], HeapRef(&[]));
        outside(&field.plan, &field.min, &field.max, &value).map(|rule| (rule, value))
    }

    /// That a component belongs to a record that exists and has none yet, and that other records belong to nobody.
    fn owner(&mut self, given: Option<RecordId>, owners: Option<TableView<'_>>) {
        const ID: &str = "_id";
        match (given, owners) {
            (None, None) => {}
            (None, Some(_)) => self.add(ID, Rule::NotNull, Value::Null),
            (Some(id), None) => {
                self.add(ID, Rule::Type { expected: "given by the table".to_owned() }, Value::Ref(id.get()))
            }
            (Some(id), Some(owners)) if owners.version.row_of(id).is_none() => {
                self.add(ID, Rule::Reference { to_table: owners.def.name.clone() }, Value::Ref(id.get()));
            }
            (Some(id), Some(_)) if self.view.version.row_of(id).is_some() => {
                self.add(ID, Rule::Unique { index: ID.to_owned(), existing: id }, Value::Ref(id.get()));
            }
            (Some(_), Some(_)) => {}
        }
    }

    /// That no other record has the key. Keys that hold a null do not collide.
    pub(crate) fn unique(&mut self, at: usize, cells: Cells<'_>) {
        let def = self.view.def;
        let index = &def.indexes[at];
        let mut key = Key::new();
        if !index.unique || index.key(cells, &def.fields, &mut key) {
            return;
        }
        // Other bytes may be the same key: the record itself has it when +0 becomes -0.
        if let Some(existing) = lookup::first(self.view, at, &key).filter(|existing| Some(*existing) != self.id) {
            self.taken(at, cells, existing);
        }
    }

    /// That `existing` has the key already.
    #[cold]
    pub(crate) fn taken(&mut self, at: usize, cells: Cells<'_>, existing: RecordId) {
        let def = self.view.def;
        let index = &def.indexes[at];
        let names: Vec<&str> = index.columns.iter().map(|column| def.fields[column.field].name.as_str()).collect();
        let value = key_value(self.view, index, cells);
        self.add(&names.join(","), Rule::Unique { index: index.name.clone(), existing }, value);
    }

    /// That the record referred to exists.
    pub(crate) fn reference(&mut self, relation: &RelationDef, to: TableView<'_>, cells: Cells<'_>) {
        let (def, at) = (self.view.def, relation.from_field);
        if refers_to_nothing(def, relation, to, cells) {
            let value = self.view.value_in(cells, at);
            self.add(&def.fields[at].name, Rule::Reference { to_table: to.def.name.clone() }, value);
        }
    }
}

/// Whether a record of table `def` refers to a record that is not there.
#[inline]
pub(super) fn refers_to_nothing(def: &TableDef, relation: &RelationDef, to: TableView<'_>, cells: Cells<'_>) -> bool {
    let at = relation.from_field;
    if def.is_null(cells.fixed, at) {
        return false;
    }
    match relation.to_value {
        None => RecordId::from_u64(le_u64(def.cell(cells.fixed, at))).is_none_or(|id| to.version.row_of(id).is_none()),
        Some((to_index, _)) => {
            let key = to.def.indexes[to_index].key_of_value(cells, &def.fields[at]);
            lookup::first(to, to_index, &key).is_none()
        }
    }
}

/// The values of an index's columns: one by itself, several as a list.
fn key_value(view: TableView<'_>, index: &IndexDef, cells: Cells<'_>) -> Value {
    let mut values: Vec<Value> = index.columns.iter().map(|column| view.value_in(cells, column.field)).collect();
    if values.len() == 1 { values.remove(0) } else { Value::List(values) }
}

impl Engine {
    /// Checks a record that is to be inserted.
    pub(super) fn check_insert(&self, table: usize, owner: Option<RecordId>, record: Arriving<'_>) -> Result<()> {
        let view = self.view(table);
        let (cells, misfits) = (record.cells(view.version.heap()), record.misfits());
        let mut findings = Findings::new(view, None);
        findings.owner(owner, view.def.owner.map(|owner| self.view(owner)));
        findings.misfits(misfits);
        // Where a value did not fit, the image holds none: nothing more can be said of it.
        let fits = |at: usize| misfits.iter().all(|misfit| misfit.field != at);
        let is_guarded = view.def.guards.iter().all(|guard| guard.holds(cells.fixed));
        let to_check = if is_guarded { &view.def.unguarded } else { &view.def.ruled };
        for at in to_check.iter().filter(|at| fits(**at)) {
            findings.field(*at, cells);
        }
        for relation in view.def.outgoing.iter().filter(|relation| fits(relation.from_field)) {
            findings.reference(relation, self.view(relation.to_table), cells);
        }
        for (at, index) in view.def.indexes.iter().enumerate() {
            if index.columns.iter().all(|column| fits(column.field)) {
                findings.unique(at, cells);
            }
        }
        findings.finish()
    }

    /// Fills auto-increment fields that are zero with the next number, and gives the counters as they are to be stored. A
    /// field whose numbers have run out is noted in the image as what does not fit.
    pub(super) fn take_numbers(&self, table: usize, image: &mut RecordImage) -> Vec<(usize, u64)> {
        let view = self.view(table);
        let mut counters = Vec::new();
        for (at, field) in view.def.counted.iter().map(|at| (*at, &view.def.fields[*at])) {
            if image.is_misfit(at) {
                continue;
            }
            let (Some(counter), CellPlan::Scalar(scalar)) = (field.counter, &field.plan) else { continue };
            let ScalarKind::Int { max, .. } = scalar.desc().kind else { continue };
            let last = meta::get(&view.version.buffers[META], meta::COUNTERS + counter);
            let cell = &mut image.fixed[field.at.image_offset..field.at.image_offset + field.at.size];
            if cell.iter().all(|byte| *byte == 0) {
                // A number that was given may be the last that there is.
                let next = i128::from(last) + 1;
                if next > max {
                    let rule = Rule::OutOfRange { min: Value::Int(1), max: Value::Int(max) };
                    image.misfit(at, rule, Value::Int(next));
                    continue;
                }
                cell.copy_from_slice(&next.to_le_bytes()[..field.at.size]);
                counters.push((counter, next as u64));
            } else if let Value::Int(given) = codec::read(&field.plan, cell, HeapRef(&[]))
                && given > i128::from(last)
            {
                counters.push((counter, given as u64));
            }
        }
        counters
    }
}
