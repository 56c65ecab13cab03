//! Components: what their owner's table knows of them.

use crate::engine::Engine;
use crate::id::RecordId;

impl Engine {
    /// Notes with the owner of a component that it has the component, or has it no more. Other tables own nothing.
    pub(super) fn mark_component(&mut self, table: usize, id: RecordId, there: bool) {
        let def = &self.catalog.tables()[table];
        let Some(owner) = def.owner else { return };
        let bit = def.component_bit;
        let (def, writer) = self.table_mut(owner);
        writer.rows(def).set_component(id.slot(), bit, there);
    }
}
