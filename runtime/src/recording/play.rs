//! Doing recorded operations again, and refusing what cannot have been done.
//!
//! The engine believes the bytes that it is given, since encoders made them. Those of a recording nobody vouches for: they
//! are looked at here first, as those of a snapshot are.

use super::{Noted, NotedImage, RecordedOp, RecordingFault};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::id::RecordId;
use crate::op::Op;
use crate::record::check::{Heaps, check_value};
use crate::record::codec::null_bit;
use crate::record::heap_ref::{HeapCell, HeapRef};
use crate::record::image::PENDING;
use crate::record::plan::CellPlan;
use crate::table::def::TableDef;

type Fault = RecordingFault;

impl RecordedOp {
    /// Does it again, inside the running transaction.
    pub(crate) fn apply(&self, engine: &mut Engine) -> Result<()> {
        self.check(engine).map_err(Error::abort)?;
        match &self.0 {
            Noted::Insert { table, owner, image } => {
                let (owner, mut image) = (owner.and_then(RecordId::from_u64), image.image());
                engine.apply(Op::Insert { table: *table, owner, image: &mut image }).map(drop)
            }
            Noted::Update { table, id, image } => {
                let mut image = image.image();
                let id = record(*id).map_err(Error::abort)?;
                engine.apply(Op::Update { table: *table, id, image: &mut image }).map(drop)
            }
            Noted::Write { table, id, field, cell } => {
                let cell = (!cell.is_empty()).then_some(cell.as_slice());
                let id = record(*id).map_err(Error::abort)?;
                engine.apply(Op::Write { table: *table, id, field: *field, cell }).map(drop)
            }
            Noted::Delete { table, id } => {
                let id = record(*id).map_err(Error::abort)?;
                engine.apply(Op::Delete { table: *table, id }).map(drop)
            }
            Noted::Group { table, group, bytes } => {
                engine.group_mut(*table, *group).copy_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// That it can be an operation of this database.
    fn check(&self, engine: &Engine) -> Result<(), Fault> {
        let tables = engine.catalog.tables();
        let def = |table: usize| tables.get(table).ok_or(Fault::NoTable(table));
        match &self.0 {
            Noted::Insert { table, owner, image } => {
                owner.map(record).transpose()?;
                image.check(def(*table)?, HeapRef(&[]), |_| &[])
            }
            Noted::Update { table, id, image } => {
                let def = def(*table)?;
                let view = engine.view(*table);
                // A record that is not there is the engine's to refuse.
                let Ok(row) = view.row_of(record(*id)?) else { return Ok(()) };
                let stored = |field: usize| view.cell(row, field).unwrap_or_default();
                image.check(def, view.version.heap(), stored)
            }
            Noted::Write { table, id, field, cell } => {
                record(*id)?;
                check_write(def(*table)?, *field, cell)
            }
            Noted::Delete { table, id } => {
                def(*table)?;
                record(*id).map(drop)
            }
            Noted::Group { table, group, bytes } => {
                let def = def(*table)?;
                check_group(def, *group, bytes, engine.view(*table).version.len())
            }
        }
    }
}

impl NotedImage {
    /// That it holds a value in every field. Values in the table's heap can only be those that the record has already.
    fn check<'s>(&self, def: &TableDef, heap: HeapRef<'_>, stored: impl Fn(usize) -> &'s [u8]) -> Result<(), Fault> {
        let takes = def.layout.image_bytes;
        let wrong_length = || Fault::Length { of: def.name.clone(), given: self.fixed.len(), takes };
        // Who was compiled with fewer fields gives fewer bytes; the engine adds the rest.
        let ends_between =
            |end: usize| def.fields.iter().all(|f| f.at.image_offset + f.at.size <= end || f.at.image_offset >= end);
        if self.fixed.len() > takes || !ends_between(self.fixed.len()) {
            return Err(wrong_length());
        }
        let mut whole = self.fixed.clone();
        whole.resize(takes, 0);
        let given = def.fields.iter().enumerate().filter(|(_, f)| f.at.image_offset + f.at.size <= self.fixed.len());
        for (at, field) in given {
            let cell = def.cell(&whole, at);
            let wrong = |what: String| Fault::Value { table: def.name.clone(), field: field.name.clone(), what };
            if def.is_null(&whole, at) {
                let is_empty = cell.iter().all(|byte| *byte == 0);
                if is_empty { continue } else { return Err(wrong("null, with a value behind it".to_owned())) }
            }
            check_value(&field.plan, cell, Heaps { stored: heap, pending: HeapRef(&self.heap) }).map_err(wrong)?;
            if field.has_heap {
                check_stored(&field.plan, cell, stored(at)).map_err(wrong)?;
            }
        }
        Ok(())
    }
}

/// That the value's heap cells are new, empty, or the record's own. Two cells of one block would free it twice.
fn check_stored(plan: &CellPlan, cell: &[u8], stored: &[u8]) -> Result<(), String> {
    let (mut given, mut own) = (Vec::new(), Vec::new());
    heap_cells(plan, cell, &mut given);
    if !stored.is_empty() {
        heap_cells(plan, stored, &mut own);
    }
    for cell in given.into_iter().filter(|cell| cell.len & PENDING == 0 && *cell != HeapCell::EMPTY) {
        let at = own.iter().position(|own| *own == cell).ok_or_else(|| format!("{cell:?} is not the record's own"))?;
        own.swap_remove(at);
    }
    Ok(())
}

/// The heap cells of a value, those inside of lists aside: a list is a block of its own.
fn heap_cells(plan: &CellPlan, cell: &[u8], cells: &mut Vec<HeapCell>) {
    match plan {
        CellPlan::Text | CellPlan::Bytes | CellPlan::List { .. } => cells.push(HeapCell::from_bytes(cell)),
        CellPlan::Array { element, .. } => {
            cell.chunks_exact(element.size().max(1)).for_each(|cell| heap_cells(element, cell, cells));
        }
        CellPlan::Enum(plan) => {
            if let Some(payload) = plan.payload(cell) {
                heap_cells(payload, &cell[plan.tag_bytes..plan.tag_bytes + payload.size()], cells);
            }
        }
        CellPlan::Composite(plan) => {
            for member in &plan.fields {
                if !member.null_bit.is_some_and(|bit| null_bit(cell, bit)) {
                    heap_cells(&member.plan, &cell[member.offset..member.offset + member.plan.size()], cells);
                }
            }
        }
        CellPlan::Scalar(_) | CellPlan::Str(_) | CellPlan::FixedBytes(_) | CellPlan::Ref => {}
    }
}

fn check_write(def: &TableDef, field: usize, cell: &[u8]) -> Result<(), Fault> {
    let found = def.fields.get(field).filter(|found| !found.has_heap);
    let found = found.ok_or_else(|| Fault::NoField { table: def.name.clone(), field })?;
    if cell.is_empty() {
        return Ok(());
    }
    if found.at.size != cell.len() {
        let of = format!("{}.{}", def.name, found.name);
        return Err(Fault::Length { of, given: cell.len(), takes: found.at.size });
    }
    let wrong = |what| Fault::Value { table: def.name.clone(), field: found.name.clone(), what };
    check_value(&found.plan, cell, Heaps::stored(HeapRef(&[]))).map_err(wrong)
}

fn check_group(def: &TableDef, group: usize, bytes: &[u8], rows: usize) -> Result<(), Fault> {
    let layout = def.layout.groups.get(group).filter(|_| def.group_is_free(group));
    let layout = layout.ok_or_else(|| Fault::NoGroup { table: def.name.clone(), group })?;
    if bytes.len() != layout.stride * rows {
        return Err(Fault::Length { of: def.name.clone(), given: bytes.len(), takes: layout.stride * rows });
    }
    for row in bytes.chunks_exact(layout.stride.max(1)) {
        for field in layout.fields.iter().map(|field| &def.fields[field.at()]) {
            let cell = &row[field.at.offset..field.at.offset + field.at.size];
            let wrong = |what| Fault::Value { table: def.name.clone(), field: field.name.clone(), what };
            check_value(&field.plan, cell, Heaps::stored(HeapRef(&[]))).map_err(wrong)?;
        }
    }
    Ok(())
}

fn record(id: u64) -> Result<RecordId, Fault> {
    RecordId::from_u64(id).ok_or(Fault::NoId(id))
}
