//! Mending what a restart tears apart: tables that are not logged come back as their last snapshot had them, or empty,
//! while others are up to date. What refers to a record that is not there becomes null if it may, and goes if it may not;
//! so does a component without its record. It is a commit like any other.

use crate::engine::Engine;
use crate::error::Result;
use crate::id::RecordId;
use crate::op::Op;
use crate::record::codec::le_u64;
use crate::record::heap_ref::Cells;
use crate::record::image::RecordImage;
use crate::table::lookup;
use crate::table::version::TableView;
use dbgen_schema::Durability;

/// What has to happen to a record.
enum Mend {
    Null { table: usize, id: RecordId, field: usize },
    Delete { table: usize, id: RecordId },
}

/// Mends until nothing is torn.
pub(super) fn reconcile(engine: &mut Engine) -> Result<()> {
    if engine.catalog.tables().iter().all(|def| def.durability == Durability::Log) {
        return Ok(());
    }
    loop {
        let torn = torn(engine);
        if torn.is_empty() {
            return Ok(());
        }
        tracing::info!(records = torn.len(), "references to records that did not survive the restart are mended");
        engine.begin();
        for mend in torn {
            if let Err(error) = carry_out(engine, mend) {
                engine.rollback();
                return Err(error);
            }
        }
        engine.commit();
    }
}

fn carry_out(engine: &mut Engine, mend: Mend) -> Result<()> {
    match mend {
        // A deletion before may have taken it along.
        Mend::Null { table, id, .. } | Mend::Delete { table, id } if engine.view(table).row_of(id).is_err() => Ok(()),
        Mend::Delete { table, id } => engine.apply(Op::Delete { table, id }).map(drop),
        Mend::Null { table, id, field } => {
            let view = engine.view(table);
            let mut image = RecordImage::new();
            view.gather(view.row_of(id)?, &mut image.fixed);
            view.def.put_cell(&mut image.fixed, field, None);
            engine.apply(Op::Update { table, id, image: &mut image }).map(drop)
        }
    }
}

/// What is torn in all tables.
fn torn(engine: &Engine) -> Vec<Mend> {
    let mut torn = Vec::new();
    for table in 0..engine.catalog.tables().len() {
        let view = engine.view(table);
        let owners = view.def.owner.map(|owner| engine.view(owner));
        let mut image = Vec::new();
        for row in 0..view.version.len() {
            let Some(id) = view.version.id_at(row) else { continue };
            if owners.is_some_and(|owners| owners.version.row_of(id).is_none()) {
                torn.push(Mend::Delete { table, id });
                continue;
            }
            image.clear();
            view.gather(row, &mut image);
            for relation in &view.def.outgoing {
                let field = relation.from_field;
                if view.def.is_null(&image, field) || refers(view, engine.view(relation.to_table), relation, &image) {
                    continue;
                }
                torn.push(match view.def.fields[field].nullable {
                    true => Mend::Null { table, id, field },
                    false => Mend::Delete { table, id },
                });
            }
        }
    }
    torn
}

/// Whether what a record refers to is there.
fn refers(from: TableView<'_>, to: TableView<'_>, relation: &crate::table::def::RelationDef, image: &[u8]) -> bool {
    let field = relation.from_field;
    match relation.to_value {
        None => {
            let id = RecordId::from_u64(le_u64(from.def.cell(image, field)));
            id.is_some_and(|id| to.version.row_of(id).is_some())
        }
        Some((index, _)) => {
            let cells = Cells::stored(image, from.version.heap());
            let key = to.def.indexes[index].key_of_value(cells, &from.def.fields[field]);
            lookup::first(to, index, &key).is_some()
        }
    }
}
