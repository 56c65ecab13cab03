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
#[derive(Debug)]
pub(crate) enum Effect<'p> {
    /// A new record.
    Insert { table: usize, is_component: bool, counters: Vec<(usize, u64)>, image: RecordImage, id: RecordId },
    /// New content of these fields.
    Update { table: usize, id: RecordId, fields: Fields<'p> },
    /// A record's end.
    Delete { table: usize, id: RecordId },
    /// New content of runs of rows of a column group: first row and bytes.
    Group { table: usize, group: usize, runs: Vec<(usize, &'p [u8])> },
}

/// What is wrong with a payload.
pub(crate) type Wrong = &'static str;

/// The effects of a payload, with the commit that each belongs to.
#[derive(Debug)]
pub(crate) struct Effects<'p> {
    catalog: &'p Catalog,
    payload: Payload<'p>,
    commit: u64,
    last_commit: u64,
}

impl<'p> Effects<'p> {
    /// The effects of commits `first..=last`.
    pub(crate) fn new(catalog: &'p Catalog, payload: &'p [u8], first: u64, last: u64) -> Effects<'p> {
        Effects { catalog, payload: Payload(payload), commit: first, last_commit: last }
    }

    /// The next effect with its commit, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Effect<'p>)>, Wrong> {
        loop {
            let Some((kind, rest)) = self.payload.0.split_first() else { return Ok(None) };
            self.payload.0 = rest;
            if *kind == NEXT {
                self.commit = self.commit.checked_add(self.payload.v()?).ok_or("a commit number beyond all")?;
                continue;
            }
            if self.commit > self.last_commit {
                return Err("an effect belongs to a commit behind the record's");
            }
            let count = match usize::from(kind >> 3) {
                COUNT_MAX => COUNT_MAX.saturating_add(self.payload.size()?),
                count => count,
            };
            return Ok(Some((self.commit, self.effect(kind & 7, count)?)));
        }
    }

    fn effect(&mut self, kind: u8, count: usize) -> Result<Effect<'p>, Wrong> {
        let payload = &mut self.payload;
        let table = payload.size()?;
        let def = self.catalog.tables().get(table).ok_or("there is no table of this number")?;
        match kind {
            INSERT | COMPONENT => payload.insert(def, kind == COMPONENT, count),
            UPDATE => payload.update(def, count),
            DELETE => Ok(Effect::Delete { table, id: payload.id()? }),
            GROUP => payload.group(def),
            _ => Err("an effect of no known kind"),
        }
    }
}

/// The fields that an update wrote, where they lie in the payload: it has been seen that they are there, nothing is copied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'p> {
    def: &'p TableDef,
    count: usize,
    payload: Payload<'p>,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'p> {
    /// Its place in the table.
    pub(crate) at: usize,
    /// What it became; `None` is null.
    pub(crate) cell: Option<&'p [u8]>,
}

impl<'p> Fields<'p> {
    /// Each of them.
    #[inline]
    pub(crate) fn iter(self) -> impl Iterator<Item = Field<'p>> {
        let Fields { def, count, mut payload } = self;
        (0..count).map_while(move |_| payload.field(def).ok())
    }

    /// Them as an image that holds nothing else, heap values included, and their places.
    pub(crate) fn image(self) -> Result<(RecordImage, Vec<usize>), Wrong> {
        let Fields { def, count, mut payload } = self;
        let (mut image, mut fields) = (RecordImage::new(), Vec::with_capacity(count));
        image.fixed.resize(def.layout.image_bytes, 0);
        for _ in 0..count {
            let (field, values) = payload.field_and_values(def)?;
            let at = def.fields[field.at].at;
            match (field.cell, at.null_bit) {
                (Some(cell), _) => {
                    image.fixed[at.image_offset..at.image_offset + at.size].copy_from_slice(cell);
                    Payload(values).heap_values(def, field.at, &mut image)?;
                }
                (None, Some(bit)) => {
                    set_null_bit(&mut image.fixed[def.layout.groups[at.group].image_offset..], bit, true);
                }
                (None, None) => return Err("a field is null that cannot be"),
            }
            fields.push(field.at);
        }
        Ok((image, fields))
    }
}

/// What is left of a payload.
#[derive(Debug, Clone, Copy)]
struct Payload<'p>(&'p [u8]);

impl<'p> Payload<'p> {
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
        for at in &def.heap_fields {
            self.heap_values(def, *at, &mut image)?;
        }
        Ok(Effect::Insert { table: def.at, is_component, counters, image, id: self.id()? })
    }

    fn update(&mut self, def: &'p TableDef, count: usize) -> Result<Effect<'p>, Wrong> {
        if count > def.fields.len() {
            return Err("more fields than the table has");
        }
        let id = self.id()?;
        let fields = Fields { def, count, payload: *self };
        for _ in 0..count {
            self.field(def)?;
        }
        Ok(Effect::Update { table: def.at, id, fields })
    }

    /// A field of an update.
    #[inline]
    fn field(&mut self, def: &TableDef) -> Result<Field<'p>, Wrong> {
        Ok(self.field_and_values(def)?.0)
    }

    /// The same, with the heap values behind it.
    #[inline]
    fn field_and_values(&mut self, def: &TableDef) -> Result<(Field<'p>, &'p [u8]), Wrong> {
        let tag = self.size()?;
        let (at, is_null) = (tag >> 1, tag & 1 == 1);
        let field = def.fields.get(at).ok_or("there is no field of this number")?;
        if is_null {
            let can_be = field.at.null_bit.is_some();
            return if can_be { Ok((Field { at, cell: None }, &[])) } else { Err("a field is null that cannot be") };
        }
        let cell = self.take(field.at.size)?;
        let mut value_bytes = 0_usize;
        if field.has_heap {
            field.plan.heap_cells(cell, 0, &mut |offset| {
                let len = HeapCell::from_bytes(&cell[offset..]).len;
                value_bytes =
                    value_bytes.saturating_add(if len & PENDING == 0 { 0 } else { (len & !PENDING) as usize });
            });
        }
        Ok((Field { at, cell: Some(cell) }, self.take(value_bytes)?))
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
            if bytes.is_empty() {
                return Err("a run without a row");
            }
            runs.push((row, bytes));
            row = row.checked_add(rows).ok_or("a row beyond all")?;
        }
        Ok(Effect::Group { table: def.at, group, runs })
    }

    #[inline]
    fn id(&mut self) -> Result<RecordId, Wrong> {
        let (slot, generation) = (self.v()?, self.v()?);
        let number = generation.checked_mul(1 << 32).and_then(|high| high.checked_add(slot));
        let id = number.filter(|_| slot <= u64::from(u32::MAX)).and_then(RecordId::from_u64);
        id.ok_or("an id that no record can have")
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'p [u8], Wrong> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or("the payload ends inside of an effect")?;
        self.0 = rest;
        Ok(taken)
    }

    #[inline]
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

    #[inline]
    fn size(&mut self) -> Result<usize, Wrong> {
        usize::try_from(self.v()?).map_err(|_| "a number beyond this machine's")
    }
}
