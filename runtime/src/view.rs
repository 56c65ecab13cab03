//! A view: all tables at one commit, held without any lock.

use crate::engine::Version;
use crate::sync::Arc;
use crate::typed::{Table, TableRef};
use dbgen_schema::Schema;

/// All tables at one commit. Never changes; may be kept as long as you like and sent anywhere. Keeping it costs memory (the
/// writer works on other versions meanwhile), never time.
#[derive(Debug, Clone)]
pub struct View {
    pub(crate) version: Arc<Version>,
}

impl View {
    pub(crate) fn new(version: Arc<Version>) -> View {
        View { version }
    }

    /// Whether it shows this version.
    #[inline]
    pub(crate) fn shows(&self, version: &Arc<Version>) -> bool {
        Arc::ptr_eq(&self.version, version)
    }

    /// The commit that it shows.
    pub fn commit(&self) -> u64 {
        self.version.commit
    }

    /// The schema at that commit.
    pub fn schema(&self) -> &Schema {
        self.version.catalog.schema()
    }

    /// Counts the edits of the schema.
    pub fn schema_version(&self) -> u64 {
        self.version.catalog.version()
    }

    /// A table.
    #[inline]
    pub fn table<T: Table>(&self) -> TableRef<'_, T> {
        TableRef::new(self.version.table(T::INDEX))
    }
}

impl AsRef<View> for View {
    fn as_ref(&self) -> &View {
        self
    }
}
