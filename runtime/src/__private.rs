//! What generated code may call. Not for people: it changes with the generator, and [`check_codegen_abi`] keeps the two
//! together.

pub use crate::cell;
pub use crate::cell::value::{Duration, Timestamp, Uuid};
pub use crate::cell::{Enumeration, Lanes, UnknownVariant};
pub use crate::db::Db;
pub use crate::error::{Error, Result};
pub use crate::id::{Id, RecordId};
pub use crate::join::{
    Group, GroupMut, Join, JoinMut, Member, Members, MembersMut, NeedOf, RawId, Tables, record_in, table_view,
};
pub use crate::record::heap_ref::{HeapCell, HeapRef};
pub use crate::record::image::RecordImage;
pub use crate::record::key::Key;
pub use crate::table::version::TableView;
pub use crate::table::writer::Change;
pub use crate::tick::Tick;
pub use crate::txn::{Savepoint, Transaction};
pub use crate::typed::form;
pub use crate::typed::held::{Cloned, NotCloned, NotShown, Shown, copied, is_held};
pub use crate::typed::{
    Component, Facade, FieldDesc, Found, IndexDesc, RecordMut, RecordRef, Records, Table, TableDesc, TableMut,
    TableRef, TableSlices,
};
pub use crate::verify::Fault;
pub use crate::view::View;
pub use crate::{
    __component as component, __groups as groups, __layout as layout, __lenses as lenses, __patch as patch,
    __patched as patched, __serde_cell as serde_cell, __serde_enum as serde_enum, __serde_fields as serde_fields,
    __serde_payload as serde_payload, __shown as shown, __vector as vector,
};
pub use bytemuck::{self, Pod, Zeroable};
pub use rayon;

/// Stands for a struct whose derive failed: the type is an error that was reported already, so that what is made of it does
/// not report it once more.
pub trait Broken {
    /// The error.
    type Why;
}

/// The version of the contract between generated code and this runtime.
pub const CODEGEN_ABI: u32 = 5;

/// Refuses to compile code that another version of the generator made.
pub const fn check_codegen_abi(generated_for: u32) {
    assert!(
        generated_for == CODEGEN_ABI,
        "this code was generated for another version of `dbgen-runtime`: use the same version of `dbgen` and `dbgen-runtime`"
    );
}

/// Runs `body` as a part of the transaction that can fail by itself: on `Err` what it did is undone.
///
/// # Errors
/// What `body` returns.
pub fn nested<T: AsMut<Transaction>, R>(tx: &mut T, body: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
    crate::txn::nested(tx, body)
}

/// The bytes of every buffer of every table as the writer sees them, for tests that compare all of them.
///
/// # Errors
/// [`Error::Reentrant`] inside a transaction of the same thread.
pub fn buffers<S: Facade>(db: &Db<S>) -> Result<Vec<Vec<Vec<u8>>>> {
    let mut writer = db.shared.lock()?;
    let engine = writer.engine();
    let tables = 0..engine.tables.len();
    Ok(tables
        .map(|at| engine.view(at).version.buffers.iter().map(|buffer| buffer.bytes().to_vec()).collect())
        .collect())
}

/// A field's name without what makes it a raw identifier.
pub fn field_name(name: &'static str) -> &'static str {
    name.strip_prefix("r#").unwrap_or(name)
}

/// Records of table `at` that changed after `commit`, oldest first, for tests that compare them; `None` if that is too
/// long ago.
///
/// # Errors
/// [`Error::Reentrant`] inside a transaction of the same thread.
pub fn changes_since<S: Facade>(db: &Db<S>, at: usize, commit: u64) -> Result<Option<Vec<Change>>> {
    Ok(db.shared.lock()?.engine().changes_since(at, commit))
}
