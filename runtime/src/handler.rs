//! Handlers: the game's own code that is called for every change of a table's records, whoever makes it.
//!
//! A handler belongs to a table and an operation. One that is called *before* sees what is going to happen, with the
//! table as it is, and may refuse with any error; one that is called *after* sees what was and what is, and may write in
//! its turn, in the same transaction. They are called in the order in which they were added, from inside the engine, so
//! they run whether the change comes from generated code, by name, over HTTP, in a procedure, a timer, or a cascade.
//!
//! ```
//! use dbgen_runtime::{Database, Error, On, Value};
//!
//! # let db = Database::builder().schema_json(r#"{"name":"a","version":"1","tables":{
//! #   "account":{"fields":[{"name":"gold","type":"i32"}]}, "audit":{"fields":[{"name":"gold","type":"i32"}]} }}"#).open()?;
//! db.before("account", On::Update, |_, change| match change.new_value("gold") {
//!     Some(Value::Int(gold)) if *gold < 0 => Err(Error::abort("nobody owes the bank")),
//!     _ => Ok(()),
//! })?;
//! db.after("account", On::Update, |tx, change| {
//!     let (audit, gold) = (tx.open_table("audit")?, change.old_value("gold").cloned().unwrap_or(Value::Null));
//!     tx.insert_values(audit, &[(0, gold)]).map(drop)
//! })?;
//! let id = db.transact(|tx| tx.insert_named("account", &[("gold", Value::from(5))]))?;
//! db.transact(|tx| tx.update_named("account", id, &[("gold", Value::from(3))]))?;
//! let refused = db.transact(|tx| tx.update_named("account", id, &[("gold", Value::from(-3))]));
//! assert_eq!(refused.unwrap_err().to_string(), "nobody owes the bank");
//! assert_eq!(db.read().open_table("audit")?.len(), 1);
//! # Ok::<(), Error>(())
//! ```
//!
//! With generated code, [`Change::new_as`] and [`Change::old_as`] give the record as its struct.
//!
//! A field setter of generated code that cannot fail by itself (`p.set_hp(7)`) has no result that could carry a refusal: it
//! ends the transaction instead, which then fails with the handler's error. A column group that is lent as a slice calls no
//! handlers: what is written there is not seen as records.

use crate::apply::{Change, Hook, On, When};
use crate::db::Db;
use crate::error::Result;
use crate::id::Id;
use crate::record::image::RecordImage;
use crate::table::values::put_values;
use crate::table::version::TableVersion;
use crate::table::writer::TableWriter;
use crate::tick::TickLoop;
use crate::txn::Transaction;
use crate::typed::{Facade, Table, TableRef};
use dbgen_schema::Value;
use std::sync::Arc;

impl<S: Facade> Db<S> {
    /// Calls `handler` before every operation `on` a record of `table`; an error refuses the operation.
    ///
    /// # Errors
    /// [`Error::UnknownTable`](crate::Error::UnknownTable); [`Error::Reentrant`](crate::Error::Reentrant) inside a
    /// transaction of the same thread.
    pub fn before(
        &self,
        table: &str,
        on: On,
        handler: impl Fn(&S::Tx, &Change) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        let hook: Hook =
            Arc::new(move |engine, change| Transaction::lend(engine, |tx: &mut S::Tx| handler(tx, change)));
        self.hook(table, When::Before, on, hook)
    }

    /// Calls `handler` after every operation `on` a record of `table`, in the same transaction; an error undoes the
    /// operation.
    ///
    /// # Errors
    /// As [`before`](Db::before).
    pub fn after(
        &self,
        table: &str,
        on: On,
        handler: impl Fn(&mut S::Tx, &Change) -> Result<()> + Send + Sync + 'static,
    ) -> Result<()> {
        let hook: Hook =
            Arc::new(move |engine, change| Transaction::lend(engine, |tx: &mut S::Tx| handler(tx, change)));
        self.hook(table, When::After, on, hook)
    }

    fn hook(&self, table: &str, when: When, on: On, hook: Hook) -> Result<()> {
        let mut writer = self.shared.lock()?;
        let engine = writer.engine();
        let catalog = engine.catalog.clone();
        engine.hooks.add(&catalog, table, when, on, hook)
    }
}

impl<S: Facade> TickLoop<S> {
    /// Calls `handler` before every operation `on` a record of `table`; an error refuses the operation. A table that does
    /// not exist is told when the loop starts.
    #[must_use]
    pub fn before(
        self,
        table: &str,
        on: On,
        handler: impl Fn(&S::Tx, &Change) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let added = self.db().before(table, on, handler);
        self.or_fail(added)
    }

    /// Calls `handler` after every operation `on` a record of `table`, in the same transaction; an error undoes the
    /// operation. A table that does not exist is told when the loop starts.
    #[must_use]
    pub fn after(
        self,
        table: &str,
        on: On,
        handler: impl Fn(&mut S::Tx, &Change) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let added = self.db().after(table, on, handler);
        self.or_fail(added)
    }
}

impl Change {
    /// The record as it was, as the struct of its table; `None` of a new record, and if it is of another table.
    pub fn old_as<T: Table>(&self) -> Option<T> {
        self.record(self.old_values()?)
    }

    /// The record as it is going to be, or is; `None` of a record that goes, and if it is of another table.
    pub fn new_as<T: Table>(&self) -> Option<T> {
        self.record(self.new_values()?)
    }

    /// Values as a record: they are put into a table of their own, from which generated code reads as from any other.
    fn record<T: Table>(&self, values: &[Value]) -> Option<T> {
        if self.table != T::INDEX {
            return None;
        }
        let mut def = self.catalog.tables()[self.table].clone();
        def.capacity = 0;
        let mut alone = TableWriter::new(TableVersion::new(&def));
        let values: Vec<(usize, Value)> = values.iter().cloned().enumerate().collect();
        let mut image = RecordImage::new();
        image.fixed.resize(def.layout.image_bytes, 0);
        put_values(&def, &mut image, &values);
        alone.touch();
        let id = alone.rows(&def).insert(&mut image, 0, None).ok()?;
        Some(T::decode(TableRef::<T>::new(alone.view(&def)).get(Id::new(id)).ok()?))
    }
}
