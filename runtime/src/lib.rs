//! The runtime of dbgen: a game database in memory, with readers that never wait.
//!
//! One engine, two faces: generated code is a typed lens ([`typed`]) over the engine, [`Database`] the dynamic one
//! ([`dynamic`]). Both build [record images](record::image), hand [`Op`](op::Op)s to the one [`apply`], and read the same
//! buffers.
//!
//! # The life of a write
//!
//! 1. [`Db::transact`] takes the writing side ([`engine::Engine`]) and lends it to a closure as a [`Transaction`].
//! 2. A handle encodes the record: generated `encode`, or [`record::codec::write`] for values, into a
//!    [`RecordImage`](record::image::RecordImage).
//! 3. [`Engine::apply`](engine::Engine::apply) checks every rule ([`apply`]), finds the rows of the back version
//!    (`TableWriter::rows`), and changes them through [`table::rows::Rows`].
//! 4. Every change passes [`table::buffer::BufferMut`], which notes it in the table's journal.
//! 5. `Engine::commit` ends the transaction (`Engine::rollback` puts the before-images back), and
//!    [`Engine::publish`](engine::Engine::publish) swaps the new root in.
//!
//! # The life of a read
//!
//! 1. [`Db::read`] loads the root: one atomic operation ([`table::publish::Published`]).
//! 2. `view.player()` pairs the table's version with its definition ([`table::version::TableView`]).
//! 3. `get(id)` goes through the slots to a row; `by_name(..)` through an index ([`table::lookup`]) to an id, then the same.
//! 4. A getter casts the bytes of the row and reads its cell. Nothing is copied.

#[doc(hidden)]
pub mod __private;
pub mod apply;
pub mod catalog;
mod caught;
pub mod cell;
pub mod checksum;
pub mod client;
pub mod clock;
pub mod db;
pub mod derived;
pub mod durable;
pub mod dynamic;
pub mod edit;
pub mod editing;
pub mod engine;
pub mod error;
pub mod handler;
pub mod id;
pub mod join;
pub mod limits;
pub mod log;
pub mod op;
pub mod procedure;
pub mod record;
pub mod recording;
pub mod recover;
pub mod redo;
#[cfg(feature = "server")]
pub mod server;
pub mod snapshot;
pub mod storage;
pub mod sync;
pub mod table;
mod threads;
pub mod tick;
pub mod txn;
pub mod typed;
pub mod verify;
pub mod view;

pub use apply::{Change, On};
pub use cell::value::{Duration, Timestamp, Uuid};
pub use client::{Client, Committed, Done, Pending, TransactionBuilder};
pub use db::{Builder, Database, Db, Dynamic, Reader};
pub use dbgen_schema::{self as schema, Value};
pub use derived::{Blob, Bytes, Str, Text};
pub use durable::DurabilityStatus;
pub use dynamic::{DynField, DynRecord, DynTable, TableNo};
pub use edit::SchemaEdit;
pub use editing::PreparedEdit;
pub use engine::EngineStats;
pub use error::{Error, Result, Rule, Violation};
pub use id::{Id, RecordId};
pub use join::{Join, JoinMut, Owner, With, Without};
pub use log::SyncLevel;
pub use procedure::ProcedureInfo;
pub use recording::Input;
pub use table::writer::{ChangeKind, PublicationStats};
pub use tick::{CommitMode, Figures, LoopStats, Stepper, StopHandle, Tick, TickLoop};
pub use txn::{Savepoint, Transaction};
pub use typed::{Component, ParRows, SweepRows, Table};
pub use view::View;

/// Brings in the code that `dbgen::compile` generated in the build script: `pub mod arena { … }` for the schema `arena`.
///
/// ```ignore
/// dbgen_runtime::include_schema!("arena");
/// use arena::{Arena, Player};
/// ```
#[macro_export]
macro_rules! include_schema {
    ($name:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $name, ".rs"));
    };
}
