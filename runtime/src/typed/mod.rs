//! The typed face: thin lenses over the engine that generated code gives names to.
//!
//! A generated `Players<'v>` is a [`TableRef`] with methods for the table's own indexes and groups, `PlayerRef<'v>` a
//! [`RecordRef`] with getters, and so on. Everything that is the same for all tables lives here, once.

mod desc;
mod encode;
pub mod form;
mod found;
pub mod held;
mod lens;
mod many;
pub(crate) mod parallel;
mod read;
mod slices;
mod sweep;
mod write;

pub use desc::{FieldDesc, IndexDesc, TableDesc};
pub use found::{Found, FoundMany};
pub use parallel::ParRows;
pub use read::{RecordRef, Records, TableRef};
pub use slices::{AllSlices, GroupSlices, TableSlices};
pub use sweep::SweepRows;
pub use write::{RecordMut, TableMut};

use crate::record::image::RecordImage;
use crate::txn::Transaction;
use crate::view::View;

/// What generated code says of a schema: the key to its database.
pub trait Facade: 'static {
    /// The schema, in its canonical JSON form.
    const SCHEMA_JSON: &'static str;
    /// The fingerprint that the layouts in the generated code were made for.
    const FINGERPRINT: u64;
    /// All tables at one commit.
    type View: From<View> + AsRef<View> + Clone + Send + Sync + 'static;
    /// A transaction.
    type Tx: From<Transaction> + Into<Transaction> + AsRef<Transaction> + AsMut<Transaction> + 'static;
}

/// What generated code says of a component table: whose records its records belong to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a component table",
    note = "a component table has a `parent_table` in the schema"
)]
pub trait Component: Table {
    /// The table whose records own its records.
    type Parent: Table;
}

/// What generated code says of a table. The implementing type is the table's record as a plain struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a table of this schema",
    note = "tables are structs that dbgen generated, or that derive `dbgen_macros::Table`"
)]
pub trait Table: Sized + Send + Sync + 'static {
    /// What the table is: fields, groups, indexes.
    const DESC: &'static TableDesc;
    /// Position in the schema.
    const INDEX: usize = Self::DESC.index;
    /// Name in the schema.
    const NAME: &'static str = Self::DESC.name;
    /// A record read in place.
    type Ref<'v>: From<RecordRef<'v>> + Copy;
    /// A record written in place.
    type Mut<'t>: From<RecordMut<'t>>;
    /// Some of a record's fields.
    type Patch;
    /// Writes the record as bytes. What does not fit is noted in the image.
    fn encode(&self, image: &mut RecordImage);
    /// Reads a whole record.
    fn decode(record: Self::Ref<'_>) -> Self;
    /// Takes over the fields that the patch gives.
    fn apply(patch: Self::Patch, record: &mut Self);
}
