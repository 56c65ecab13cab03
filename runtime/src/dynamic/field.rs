//! A field of a table, looked up once and read of many records.

use super::{DynRecord, DynTable};
use crate::record::codec;
use crate::record::heap_ref::HeapRef;
use crate::record::plan::CellPlan;
use crate::table::version::GROUPS;
use dbgen_schema::Value;
use dbgen_schema::layout::FieldLayout;

/// A field of a table at one commit: where its cells lie is known, so reading one costs little more than it does with
/// generated code.
#[derive(Debug, Clone, Copy)]
pub struct DynField<'v> {
    plan: &'v CellPlan,
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
        Some(DynField { plan: &def.plan, rows, stride, at: def.at, heap: self.view.version.heap() })
    }
}

impl DynField<'_> {
    /// The field's value in a record of its table, of the same view; null for a record that lies beyond the table.
    #[inline]
    pub fn of(self, record: DynRecord<'_>) -> Value {
        let start = record.row * self.stride;
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
