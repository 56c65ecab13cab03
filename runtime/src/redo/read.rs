//! Reading effects back. The bytes have proved whole by then; what they say is checked all the same, so that a log that
//! was made by hand is an error and never a panic.

use super::{COMPONENT, COUNT_MAX, DELETE, GROUP, INSERT, NEXT, UPDATE};
use crate::catalog::Catalog;
use crate::id::RecordId;
use crate::record::codec::set_null_bit;
use crate::record::heap_ref::HeapCell;
use crate::record::image::{PENDING, RecordImage};
use crate::table::def::TableDef;

/// One thing that the engine did.
#[derive(Debug, PartialEq)]
pub(crate) enum Effect<'p> {
    /// A new record.
    Insert { table: usize, is_component: bool, counters: Vec<(usize, u64)>, image: RecordImage, id: RecordId },
    /// New content of these fields; the image holds nothing else.
    Update { table: usize, id: RecordId, fields: Vec<usize>, image: RecordImage },
    /// A record's end.
    Delete { table: usize, id: RecordId },
    /// New content of runs of rows of a column group: first row and bytes.
    Group { table: usize, group: usize, runs: Vec<(usize, &'p [u8])> },
}

/// The effects of a payload, with the commit that each belongs to.
#[derive(Debug)]
pub(crate) struct Effects<'p> {
    catalog: &'p Catalog,
    rest: &'p [u8],
    commit: u64,
    last_commit: u64,
}

/// What is wrong with a payload.
pub(crate) type Wrong = &'static str;

impl<'p> Effects<'p> {
    /// The effects of commits `first..=last`.
    pub(crate) fn new(catalog: &'p Catalog, payload: &'p [u8], first: u64, last: u64) -> Effects<'p> {
        Effects { catalog, rest: payload, commit: first, last_commit: last }
    }

    /// The next effect with its commit, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Effect<'p>)>, Wrong> {
        loop {
            let Some((kind, rest)) = self.rest.split_first() else { return Ok(None) };
            self.rest = rest;
            if *kind == NEXT {
                self.commit = self.commit.checked_add(self.v()?).ok_or("a commit number beyond all")?;
                continue;
            }
            if self.commit > self.last_commit {
                return Err("an effect belongs to a commit behind the record's");
            }
            let count = match usize::from(kind >> 3) {
                COUNT_MAX => COUNT_MAX + self.size()?,
                count => count,
            };
            return Ok(Some((self.commit, self.effect(kind & 7, count)?)));
        }
    }

    fn effect(&mut self, kind: u8, count: usize) -> Result<Effect<'p>, Wrong> {
        let table = self.size()?;
        let def = self.catalog.tables().get(table).ok_or("there is no table of this number")?;
        match kind {
            INSERT | COMPONENT => self.insert(def, kind == COMPONENT, count),
            UPDATE => self.update(def, count),
            DELETE => Ok(Effect::Delete { table, id: self.id()? }),
            GROUP => self.group(def),
            _ => Err("an effect of no known kind"),
        }
    }

    fn insert(&mut self, def: &'p TableDef, is_component: bool, count: usize) -> Result<Effect<'p>, Wrong> {
        if count > def.counters {
            return Err("more counters than the table has");
        }
        let mut counters = Vec::with_capacity(count);
        for _ in 0..count {
            let counter = self.size()?;
            if counter >= def.counters {
                return Err("there is no counter of this number");
            }
            counters.push((counter, self.v()?));
        }
        let mut image = RecordImage::new();
        image.fixed.extend_from_slice(self.take(def.layout.image_bytes)?);
        for at in 0..def.fields.len() {
            self.heap_values(def, at, &mut image)?;
        }
        Ok(Effect::Insert { table: def.at, is_component, counters, image, id: self.id()? })
    }

    fn update(&mut self, def: &'p TableDef, count: usize) -> Result<Effect<'p>, Wrong> {
        if count > def.fields.len() {
            return Err("more fields than the table has");
        }
        let id = self.id()?;
        let mut image = RecordImage::new();
        image.fixed.resize(def.layout.image_bytes, 0);
        let mut fields = Vec::with_capacity(count);
        for _ in 0..count {
            let tag = self.size()?;
            let (field, is_null) = (tag >> 1, tag & 1 == 1);
            let at = def.fields.get(field).ok_or("there is no field of this number")?.at;
            match (is_null, at.null_bit) {
                (true, None) => return Err("a field is null that cannot be"),
                (true, Some(bit)) => {
                    set_null_bit(&mut image.fixed[def.layout.groups[at.group].image_offset..], bit, true);
                }
                (false, _) => {
                    image.fixed[at.image_offset..at.image_offset + at.size].copy_from_slice(self.take(at.size)?);
                    self.heap_values(def, field, &mut image)?;
                }
            }
            fields.push(field);
        }
        Ok(Effect::Update { table: def.at, id, fields, image })
    }

    /// Moves the values behind a field's pending cells into the image's heap.
    fn heap_values(&mut self, def: &TableDef, field: usize, image: &mut RecordImage) -> Result<(), Wrong> {
        let def = &def.fields[field];
        if !def.has_heap {
            return Ok(());
        }
        let mut offsets = Vec::new();
        def.plan.heap_cells(&image.fixed, def.at.image_offset, &mut |offset| offsets.push(offset));
        for offset in offsets {
            let len = HeapCell::from_bytes(&image.fixed[offset..]).len;
            if len & PENDING != 0 {
                let value = self.take((len & !PENDING) as usize)?;
                let cell = image.heap_value(field, value);
                image.fixed[offset..offset + HeapCell::BYTES].copy_from_slice(&cell.to_bytes());
            }
        }
        if image.misfits.is_empty() { Ok(()) } else { Err("heap values beyond the limit") }
    }

    fn group(&mut self, def: &'p TableDef) -> Result<Effect<'p>, Wrong> {
        let (group, count) = (self.size()?, self.size()?);
        let stride = def.layout.groups.get(group).ok_or("there is no column group of this number")?.stride;
        let (mut runs, mut row) = (Vec::new(), 0_usize);
        for _ in 0..count {
            let (skipped, rows) = (self.size()?, self.size()?);
            row = row.checked_add(skipped).ok_or("a row beyond all")?;
            let bytes = self.take(rows.checked_mul(stride).ok_or("rows beyond all")?)?;
            runs.push((row, bytes));
            row = row.checked_add(rows).ok_or("a row beyond all")?;
        }
        Ok(Effect::Group { table: def.at, group, runs })
    }

    fn id(&mut self) -> Result<RecordId, Wrong> {
        let (slot, generation) = (self.v()?, self.v()?);
        let number = generation.checked_mul(1 << 32).and_then(|high| high.checked_add(slot));
        let id = number.filter(|_| slot <= u64::from(u32::MAX)).and_then(RecordId::from_u64);
        id.ok_or("an id that no record can have")
    }

    fn take(&mut self, len: usize) -> Result<&'p [u8], Wrong> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or("the payload ends inside of an effect")?;
        self.rest = rest;
        Ok(taken)
    }

    fn v(&mut self) -> Result<u64, Wrong> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number of more than 64 bits")
    }

    fn size(&mut self) -> Result<usize, Wrong> {
        usize::try_from(self.v()?).map_err(|_| "a number beyond this machine's")
    }
}
