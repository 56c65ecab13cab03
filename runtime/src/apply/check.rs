//! The rules of a record, checked before a byte is changed. All violations of a record are reported together.

use crate::engine::Engine;
use crate::error::{Error, Result, Rule, Violation};
use crate::id::RecordId;
use crate::limits::VIOLATIONS_MAX;
use crate::record::codec::{self, le_u64};
use crate::record::heap_ref::{Cells, HeapRef};
use crate::record::image::RecordImage;
use crate::record::key::Key;
use crate::record::plan::CellPlan;
use crate::table::def::{IndexDef, RelationDef};
use crate::table::lookup;
use crate::table::meta;
use crate::table::version::{META, TableView};
use dbgen_schema::Value;
use dbgen_schema::field_type::ScalarKind;

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
            self.found.push(Violation { table, field: field.to_owned(), id: self.id, rule, value });
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
    pub(crate) fn misfits(&mut self, image: &RecordImage) {
        let def = self.view.def;
        for misfit in &image.misfits {
            self.add(&def.fields[misfit.field].name, misfit.rule.clone(), misfit.value.clone());
        }
    }

    /// The rules of one field by itself.
    pub(crate) fn field(&mut self, at: usize, image: &[u8]) {
        let def = self.view.def;
        let field = &def.fields[at];
        if def.is_null(image, at) {
            if !field.nullable {
                self.add(&field.name, Rule::NotNull, Value::Null);
            }
            return;
        }
        if field.min.is_none() && field.max.is_none() {
            return;
        }
        let value = codec::read(&field.plan, def.cell(image, at), HeapRef(&[]));
        let too_small = field.min.as_ref().is_some_and(|min| value < *min);
        let too_large = field.max.as_ref().is_some_and(|max| value > *max);
        if too_small || too_large {
            let (low, high) = type_bounds(&field.plan);
            let rule =
                Rule::OutOfRange { min: field.min.clone().unwrap_or(low), max: field.max.clone().unwrap_or(high) };
            self.add(&field.name, rule, value);
        }
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
    pub(super) fn unique(&mut self, at: usize, cells: Cells<'_>) {
        let def = self.view.def;
        let index = &def.indexes[at];
        let mut key = Key::new();
        if !index.unique || index.key(cells, &def.fields, &mut key) {
            return;
        }
        if let Some(existing) = lookup::first(self.view, at, &key) {
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
        let (def, image) = (self.view.def, cells.fixed);
        let at = relation.from_field;
        if def.is_null(image, at) {
            return;
        }
        let exists = match relation.to_value {
            None => RecordId::from_u64(le_u64(def.cell(image, at))).is_some_and(|id| to.version.row_of(id).is_some()),
            Some((to_index, _)) => {
                let key = to.def.indexes[to_index].key_of_value(cells, &def.fields[at]);
                lookup::first(to, to_index, &key).is_some()
            }
        };
        if !exists {
            let value = self.view.value_in(cells, at);
            self.add(&def.fields[at].name, Rule::Reference { to_table: to.def.name.clone() }, value);
        }
    }
}

/// The values of an index's columns: one by itself, several as a list.
fn key_value(view: TableView<'_>, index: &IndexDef, cells: Cells<'_>) -> Value {
    let mut values: Vec<Value> = index.columns.iter().map(|column| view.value_in(cells, column.field)).collect();
    if values.len() == 1 { values.remove(0) } else { Value::List(values) }
}

/// The smallest and the largest number of a type.
fn type_bounds(plan: &CellPlan) -> (Value, Value) {
    let CellPlan::Scalar(scalar) = plan else { return (Value::Null, Value::Null) };
    match scalar.desc().kind {
        ScalarKind::Int { min, max } => (Value::Int(min), Value::Int(max)),
        ScalarKind::Float { bits: 32 } => (Value::from(f32::MIN), Value::from(f32::MAX)),
        ScalarKind::Float { .. } => (Value::Float(f64::MIN), Value::Float(f64::MAX)),
        _ => (Value::Int(i64::MIN.into()), Value::Int(i64::MAX.into())),
    }
}

impl Engine {
    /// Checks a record that is to be inserted.
    pub(super) fn check_insert(&self, table: usize, owner: Option<RecordId>, image: &RecordImage) -> Result<()> {
        let view = self.view(table);
        let cells = image.cells(view.version.heap());
        let mut findings = Findings::new(view, None);
        findings.owner(owner, view.def.owner.map(|owner| self.view(owner)));
        findings.misfits(image);
        for at in 0..view.def.fields.len() {
            findings.field(at, &image.fixed);
        }
        for relation in &view.def.outgoing {
            findings.reference(relation, self.view(relation.to_table), cells);
        }
        for at in 0..view.def.indexes.len() {
            findings.unique(at, cells);
        }
        findings.finish()
    }

    /// Fills auto-increment fields that are zero with the next number, and gives the counters as they are to be stored.
    pub(super) fn take_numbers(&self, table: usize, image: &mut RecordImage) -> Result<Vec<(usize, u64)>> {
        let view = self.view(table);
        let mut counters = Vec::new();
        for field in view.def.fields.iter().filter(|field| field.counter.is_some()) {
            let (Some(counter), CellPlan::Scalar(scalar)) = (field.counter, &field.plan) else { continue };
            let ScalarKind::Int { max, .. } = scalar.desc().kind else { continue };
            let last = meta::get(&view.version.buffers[META], meta::COUNTERS + counter);
            let cell = &mut image.fixed[field.at.image_offset..field.at.image_offset + field.at.size];
            if cell.iter().all(|byte| *byte == 0) {
                // A number that was given may be the last that there is.
                let next = i128::from(last) + 1;
                let Some(next) = u64::try_from(next).ok().filter(|_| next <= max) else {
                    let rule = Rule::OutOfRange { min: Value::Int(1), max: Value::Int(max) };
                    let (table, field, value) = (view.def.name.clone(), field.name.clone(), Value::Int(next));
                    return Err(Error::violation(Violation { table, field, id: None, rule, value }));
                };
                cell.copy_from_slice(&next.to_le_bytes()[..field.at.size]);
                counters.push((counter, next));
            } else if let Value::Int(given) = codec::read(&field.plan, cell, HeapRef(&[]))
                && given > i128::from(last)
            {
                counters.push((counter, given as u64));
            }
        }
        Ok(counters)
    }
}
