//! The snapshot that a recovery begins with.

use super::{Folder, Given};
use crate::catalog::Catalog;
use crate::engine::Engine;
use crate::error::{DamageKind, Error, Result};
use crate::snapshot::{Manifest, read, snapshot_dir};
use crate::storage::Disk;
use crate::table::def::TableDef;
use crate::table::journal::Journal;
use crate::table::rows::Rows;
use crate::table::version::{TableVersion, TableView};
use crate::table::writer::TableWriter;
use crate::verify::{check_content, index_sum};
use dbgen_schema::Durability;
use std::path::Path;

/// What a snapshot gave.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) engine: Box<Engine>,
    pub(super) manifest: Manifest,
    pub(super) database: [u8; 16],
    /// The largest commit that any manifest says the log held durably.
    pub(super) durable: u64,
    /// Stored indexes that were built anew.
    pub(super) rebuilt_indexes: u64,
    /// Newer snapshots that did not prove whole, with what is wrong with them.
    pub(super) bad: Vec<String>,
}

/// Reads the newest snapshot that proves whole.
pub(super) fn base(disk: &Disk, data_dir: &Path, folder: &Folder, given: &Given) -> Result<Base> {
    let (mut bad, mut durable, mut first_error) = (Vec::new(), 0, None);
    for commit in folder.snapshots.iter().rev() {
        let dir = snapshot_dir(data_dir, *commit);
        let manifest = Manifest::read(disk, &dir).inspect(|manifest| durable = durable.max(manifest.durable));
        match manifest.and_then(|manifest| load(disk, &dir, manifest, given)) {
            Ok(Loaded { engine, manifest, rebuilt_indexes }) => {
                let database = manifest.database_bytes().unwrap_or_default();
                return Ok(Base { engine, manifest, database, durable, rebuilt_indexes, bad });
            }
            Err(error) if may_fall_back(&error) => {
                tracing::warn!(%error, "a snapshot does not prove whole: an older one is tried");
                bad.push(error.to_string());
                first_error.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    Err(first_error.unwrap_or_else(|| super::without_snapshot(data_dir).into()))
}

/// Whether an older snapshot may serve instead: this one is damaged, and it is not that a later program wrote it.
fn may_fall_back(error: &Error) -> bool {
    matches!(error, Error::Damaged(damage) if !matches!(damage.what, DamageKind::Newer { .. }))
}

/// Has owners forget components whose tables survive no restart.
fn forget_components(catalog: &Catalog, tables: &mut [TableVersion]) {
    let mut journal = Journal::default();
    for component in catalog.tables().iter().filter(|def| def.durability == Durability::None) {
        let Some(owner) = component.owner else { continue };
        let (def, version) = (&catalog.tables()[owner], &mut tables[owner]);
        for row in 0..version.len() {
            let Some(id) = version.id_at(row) else { continue };
            let TableVersion { buffers, settled, .. } = &mut *version;
            let mut rows = Rows { def, buffers, journal: &mut journal, settled };
            rows.set_component(id.slot(), component.component_bit, false);
        }
        journal.publish(&mut Vec::new());
    }
}

/// A snapshot that was read.
pub(super) struct Loaded {
    pub(super) engine: Box<Engine>,
    pub(super) manifest: Manifest,
    /// Stored indexes that were built anew.
    pub(super) rebuilt_indexes: u64,
}

/// Reads a snapshot into an engine. Every table is checked by itself before anything is done to it: what the log says is
/// done by functions that rely on slots, heap and indexes being sound.
pub(super) fn load(disk: &Disk, dir: &Path, manifest: Manifest, given: &Given) -> Result<Loaded> {
    let nonsense = |what: String| {
        let path = dir.join(crate::snapshot::manifest::MANIFEST).display().to_string();
        Error::from(Box::new(crate::error::Damage { path, offset: 0, what: DamageKind::Nonsense(what), advice: None }))
    };
    if snapshot_dir(dir.parent().unwrap_or(dir), manifest.commit) != *dir {
        return Err(nonsense(format!("the folder holds the snapshot of commit {}", manifest.commit)));
    }
    let schema = manifest.schema.catalog(given.compiled.clone());
    let catalog = schema.map_err(|error| nonsense(format!("the schema cannot be read: {error}")))?;
    let mut tables = read::tables(disk, dir, &manifest, &catalog)?;
    let mut rebuilt_indexes = 0;
    for (def, version) in catalog.tables().iter().zip(&mut tables) {
        // What they say of one another is asked when all are there.
        let content = check_content(TableView { def, version }, None);
        let checked = content.expected.and_then(|expected| mend_indexes(def, version, &expected, &content.indexes));
        rebuilt_indexes += checked.map_err(|what| nonsense(format!("table `{}`: {what}", def.name)))?;
    }
    forget_components(&catalog, &mut tables);
    let tables = tables.into_iter().map(TableWriter::new).collect();
    let engine = Box::new(Engine::with_tables(catalog, tables, manifest.commit, manifest.tick));
    let kept = read::kept(disk, dir, &manifest)?;
    engine.kept.restore(&kept, manifest.commit).map_err(|what| nonsense(what.to_owned()))?;
    Ok(Loaded { engine, manifest, rebuilt_indexes })
}

/// Builds the indexes anew that do not hold together, or not what the rows say: whose sums were not `found` as `expected`.
/// Says how many.
fn mend_indexes(
    def: &TableDef,
    version: &mut TableVersion,
    expected: &[u64],
    found: &[Result<u64, String>],
) -> Result<u64, String> {
    let mut rebuilt = 0;
    for (at, found) in found.iter().enumerate().filter(|(at, found)| **found != Ok(expected[*at])) {
        rebuilt += 1;
        tracing::warn!(table = %def.name, index = %def.indexes[at].name, ?found, "a stored index is damaged: it is built anew");
        read::rebuild_index(def, version, at);
        if index_sum(TableView { def, version }, at)? != expected[at] {
            return Err(format!("index `{}` cannot be built from the rows", def.indexes[at].name));
        }
    }
    Ok(rebuilt)
}
