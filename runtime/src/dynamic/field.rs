//! A field of a table, looked up once and read of many records.

use super::{DynRecord, DynTable};
use crate::record::codec;
use crate::record::heap_ref::HeapRef;
use crate::record::plan::CellPlan;
use crate::table::version::GROUPS;
use dbgen_schema::layout::FieldLayout;
use dbgen_schema::{Scalar, Value};

/// A field of a table at one commit: where its cells lie is known, so reading one costs little more than it does with
/// generated code.
#[derive(Debug, Clone, Copy)]
pub struct DynField<'v> {
    plan: &'v CellPlan,
    /// How its number is read, if it is one that is never null.
    window: Window,
    /// The rows of its column group, if that is how it is read; none otherwise, so that one comparison tells both.
    windows: &'v [u8],
    /// The rows of its column group.
    rows: &'v [u8],
    stride: usize,
    at: FieldLayout,
    heap: HeapRef<'v>,
}

impl<'v> DynTable<'v> {
    /// Field number `field`, to be read of many records of this table; `None` if there is none.
    ///
    /// ```
    /// # use dbgen_runtime::{Database, Value};
    /// # let db = Database::builder().schema_json(r#"{"name":"a","version":"1","tables":{"t":{"fields":[{"name":"n","type":"i32"}]}}}"#).open()?;
    /// # let t = db.read().open_table("t")?.number();
    /// # db.transact(|tx| { tx.insert_values(t, &[(0, Value::from(2))])?; tx.insert_values(t, &[(0, Value::from(3))]) })?;
    /// let view = db.read();
    /// let table = view.open_table("t")?;
    /// let n = table.reader(table.field("n")?).expect("it was just looked up");
    /// assert_eq!(table.iter().map(|record| n.of(record)).collect::<Vec<_>>(), [Value::from(2), Value::from(3)]);
    /// # Ok::<(), dbgen_runtime::Error>(())
    /// ```
    pub fn reader(self, field: usize) -> Option<DynField<'v>> {
        let def = self.view.def.fields.get(field)?;
        let stride = self.view.def.layout.groups[def.at.group].stride;
        let rows = self.view.version.buffers[GROUPS + def.at.group].bytes();
        let window = def.at.null_bit.is_none().then(|| Window::of(&def.plan, def.at, stride)).flatten();
        let windows = if window.is_some() { rows } else { &[] };
        let (window, heap) = (window.unwrap_or_default(), self.view.version.heap());
        Some(DynField { plan: &def.plan, window, windows, rows, stride, at: def.at, heap })
    }
}

impl DynField<'_> {
    /// The field's value in a record of its table, of the same view; null for a record that lies beyond the table.
    #[inline]
    pub fn of(&self, record: DynRecord<'_>) -> Value {
        match self.windowed(record.row) {
            Some(number) => Value::Int(number),
            None => self.any(record.row),
        }
    }

    /// The same as a number, of which no [`Value`] is made: `None` where it is null, no integer, or the record lies beyond the
    /// table. Times are microseconds, as they are stored.
    #[inline]
    pub fn int(&self, record: DynRecord<'_>) -> Option<i128> {
        self.windowed(record.row).or_else(|| self.any_int(record.row))
    }

    /// The number in a row, if it is one that is never null.
    #[inline]
    fn windowed(&self, row: usize) -> Option<i128> {
        let start = row * self.stride + self.window.at;
        let bytes = self.windows.get(start..start.wrapping_add(8)).and_then(<[u8]>::first_chunk)?;
        Some(self.window.read(*bytes))
    }

    #[inline(never)]
    fn any_int(&self, row: usize) -> Option<i128> {
        match self.any(row) {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }

    #[inline(never)]
    fn any(&self, row: usize) -> Value {
        let start = row * self.stride;
        let Some(row) = self.rows.get(start..start + self.stride) else { return Value::Null };
        if self.at.null_bit.is_some_and(|bit| codec::null_bit(row, bit)) {
            return Value::Null;
        }
        match row.get(self.at.offset..self.at.offset + self.at.size) {
            Some(cell) => codec::read(self.plan, cell, self.heap),
            None => Value::Null,
        }
    }
}

/// How an integer is read without asking for its width: as eight bytes of its row, of which the others are shifted away.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    /// Where in the row the eight bytes begin.
    at: usize,
    /// How far to shift so that the number's bits are on top, and how far back.
    up: u32,
    down: u32,
    /// What is left of the sign: all of it, or nothing.
    mask: i128,
}

impl Window {
    /// `None` for what is no integer, and for rows of less than eight bytes.
    fn of(plan: &CellPlan, cell: FieldLayout, stride: usize) -> Option<Window> {
        let is_signed = match plan {
            CellPlan::Scalar(Scalar::U8 | Scalar::U16 | Scalar::U32 | Scalar::U64) => false,
            CellPlan::Scalar(Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64) => true,
            CellPlan::Scalar(Scalar::Timestamp | Scalar::Duration) => true,
            _ => return None,
        };
        let at = cell.offset.min(stride.checked_sub(8)?);
        let (before, bits) = (8 * (cell.offset - at) as u32, 8 * cell.size as u32);
        let mask = if is_signed { -1 } else { (1 << bits) - 1 };
        Some(Window { at, up: 64 - bits - before, down: 64 - bits, mask })
    }

    #[inline]
    fn read(self, bytes: [u8; 8]) -> i128 {
        // Neither shift is by 64 or more; said so, none is looked for.
        i128::from((i64::from_le_bytes(bytes) << (self.up & 63)) >> (self.down & 63)) & self.mask
    }
}

#[cfg(test)]
mod tests {
    use crate::{Database, Value};

    /// A number at the end of its row is read with bytes of the fields before it.
    #[test]
    fn a_reader_reads_what_the_record_says() {
        let fields = |types: &[&str]| -> String {
            let field = |(at, ty): (usize, &&str)| format!(r#"{{"name":"f{at}","type":"{ty}"}}"#);
            types.iter().enumerate().map(field).collect::<Vec<_>>().join(",")
        };
        let all = ["u8", "i64", "i16", "u32", "timestamp", "i8", "u64", "bool", "f32", "str<3>", "u16", "i32"];
        for types in [&all[..], &["i8"], &["u16", "i8"], &["i32", "i32"], &["u8", "i32", "u16", "i8"]] {
            let schema = format!(r#"{{"name":"w","version":"1","tables":{{"t":{{"fields":[{}]}}}}}}"#, fields(types));
            let db = Database::builder().schema_json(&schema).open().expect("it opens");
            let t = db.read().open_table("t").expect("it is there").number();
            let least = |ty: &str| match ty {
                "i8" => Value::Int(i8::MIN.into()),
                "i16" => Value::Int(i16::MIN.into()),
                "i32" => Value::Int(i32::MIN.into()),
                "i64" | "timestamp" => Value::Int(i64::MIN.into()),
                "u8" => Value::Int(u8::MAX.into()),
                "u16" => Value::Int(u16::MAX.into()),
                "u32" => Value::Int(u32::MAX.into()),
                "u64" => Value::Int(u64::MAX.into()),
                "bool" => Value::Bool(true),
                "f32" => Value::from(1.5_f32),
                _ => Value::from("abc"),
            };
            let least: Vec<_> = types.iter().map(|ty| least(ty)).enumerate().collect();
            let middle = |ty: &str| match ty {
                "bool" => Value::Bool(false),
                "str<3>" => Value::from(""),
                _ => Value::Int(7),
            };
            let middle: Vec<_> = types.iter().map(|ty| middle(ty)).enumerate().collect();
            db.transact(|tx| tx.insert_values(t, &least).and_then(|_| tx.insert_values(t, &middle))).expect("rows");
            let view = db.read();
            let table = view.open_table("t").expect("it is there");
            for record in table.iter() {
                for at in 0..types.len() {
                    let reader = table.reader(at).expect("a field");
                    let value = record.value(at);
                    assert_eq!(reader.of(record), value, "{} of {types:?}", types[at]);
                    let int = if let Value::Int(number) = value { Some(number) } else { None };
                    assert_eq!(reader.int(record), int, "{} of {types:?}", types[at]);
                }
            }
        }
    }

    #[test]
    fn a_number_that_may_be_null_is_read_as_one_or_as_none() {
        let schema =
            r#"{"name":"w","version":"1","tables":{"t":{"fields":[{"name":"n","type":"i32","nullable":true}]}}}"#;
        let db = Database::builder().schema_json(schema).open().expect("it opens");
        let t = db.read().open_table("t").expect("it is there").number();
        let insert = |value| db.transact(|tx| tx.insert_values(t, &[(0, value)])).expect("a row");
        insert(Value::from(-3));
        insert(Value::Null);
        let view = db.read();
        let table = view.open_table("t").expect("it is there");
        let reader = table.reader(0).expect("a field");
        let read: Vec<_> = table.iter().map(|record| (reader.int(record), reader.of(record))).collect();
        assert_eq!(read, [(Some(-3), Value::from(-3)), (None, Value::Null)]);
    }
}
