//! All tables as an edit finds them.

use crate::catalog::Catalog;
use crate::engine::{Engine, Version};
use crate::table::version::{TableVersion, TableView};

/// All tables as an edit finds them: those of the engine, or of a version that was published.
pub(super) struct Tables<'a> {
    pub(super) catalog: &'a Catalog,
    versions: Vec<&'a TableVersion>,
}

impl<'a> Tables<'a> {
    /// As the engine has them.
    pub(super) fn of(engine: &'a Engine) -> Tables<'a> {
        let versions = (0..engine.tables.len()).map(|at| engine.view(at).version).collect();
        Tables { catalog: &engine.catalog, versions }
    }

    /// As they were published.
    pub(super) fn published(version: &'a Version) -> Tables<'a> {
        Tables { catalog: &version.catalog, versions: version.tables.iter().map(|table| &**table).collect() }
    }

    /// Table number `at`.
    pub(super) fn view(&self, at: usize) -> TableView<'a> {
        TableView { def: &self.catalog.tables()[at], version: self.versions[at] }
    }
}
