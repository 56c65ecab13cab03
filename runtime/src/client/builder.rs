//! A transaction put together step by step, before it runs.

use super::handle::named;
use super::pending::Pending;
use crate::client::Committed;
use crate::db::Db;
use crate::error::Result;
use crate::id::{Id, RecordId};
use crate::txn::Transaction;
use crate::typed::{Facade, Table};
use dbgen_schema::Value;

/// One step.
type Step = Box<dyn FnOnce(&mut Transaction) -> Result<Done> + Send>;

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Done {
    /// The record is there, under this id.
    Inserted(RecordId),
    /// The record was changed, or was like that already.
    Updated,
    /// So many records are gone, with those that go along.
    Deleted(usize),
    /// The record is as it was expected to be.
    Checked,
}

/// A transaction put together step by step: all of it happens or nothing, in this order.
///
/// ```
/// use dbgen_runtime::{Database, Error};
/// # let db = Database::builder().schema_json(r#"{"name":"a","version":"1","tables":{"item":{"fields":[{"name":"n","type":"i32","unique":true}]}}}"#).open()?;
/// let done = db.transaction().insert_values("item", [("n", 1)]).insert_values("item", [("n", 2)]).run()?;
/// assert_eq!(done.value.len(), 2);
/// let twice = db.transaction().insert_values("item", [("n", 3)]).insert_values("item", [("n", 1)]).run();
/// assert!(matches!(twice, Err(Error::Invalid(_))));
/// assert_eq!(db.read().open_table("item")?.len(), 2, "3 was not inserted either");
/// # Ok::<(), Error>(())
/// ```
#[must_use = "nothing happens until it is run, or enqueued"]
pub struct TransactionBuilder<S: Facade> {
    db: Db<S>,
    steps: Vec<Step>,
}

impl<S: Facade> std::fmt::Debug for TransactionBuilder<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TransactionBuilder({} steps)", self.steps.len())
    }
}

impl<S: Facade> Db<S> {
    /// A transaction, to be put together step by step.
    pub fn transaction(&self) -> TransactionBuilder<S> {
        TransactionBuilder { db: self.clone(), steps: Vec::new() }
    }
}

impl<S: Facade> TransactionBuilder<S> {
    /// Adds a step of the caller's own.
    pub fn step(mut self, step: impl FnOnce(&mut Transaction) -> Result<Done> + Send + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }

    /// Adds a record.
    pub fn insert<T: Table>(self, record: T) -> Self {
        self.step(move |tx| Ok(Done::Inserted(tx.table_mut::<T>().insert(record)?.record_id())))
    }

    /// Changes a record.
    pub fn update<T: Table>(self, id: Id<T>, change: impl FnOnce(&mut T) + Send + 'static) -> Self {
        self.step(move |tx| tx.table_mut::<T>().update(id, change).map(|()| Done::Updated))
    }

    /// Deletes a record, with what its relations demand of others.
    pub fn delete<T: Table>(self, id: Id<T>) -> Self {
        self.step(move |tx| tx.table_mut::<T>().delete(id).map(Done::Deleted))
    }

    /// Adds a record by names.
    pub fn insert_values<N, V>(self, table: &str, values: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<Value>,
    {
        let (table, values) = named(table, values);
        self.step(move |tx| tx.insert_named(&table, &values).map(Done::Inserted))
    }

    /// Writes some fields of a record by names.
    pub fn update_values<N, V>(self, table: &str, id: RecordId, values: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<String>,
        V: Into<Value>,
    {
        let (table, values) = named(table, values);
        self.step(move |tx| tx.update_named(&table, id, &values).map(|()| Done::Updated))
    }

    /// Deletes a record of the table of this name.
    pub fn delete_record(self, table: &str, id: RecordId) -> Self {
        let table = table.to_owned();
        self.step(move |tx| tx.delete_record(tx.open_table(&table)?, id).map(Done::Deleted))
    }

    /// That the record was last written by this commit; otherwise nothing of the transaction happens.
    pub fn expect_version(self, table: &str, id: RecordId, version: u64) -> Self {
        let table = table.to_owned();
        self.step(move |tx| tx.expect_version(tx.open_table(&table)?, id, version).map(|()| Done::Checked))
    }

    /// Runs it on this thread; says what each step did.
    ///
    /// # Errors
    /// That of the first step that fails; nothing has happened then.
    pub fn run(self) -> Result<Committed<Vec<Done>>> {
        let steps = self.steps;
        self.db.transact_committed(move |tx| run(tx.as_mut(), steps))
    }

    /// Puts it into the loop's queue; what each step did is to be awaited.
    pub fn enqueue(self) -> Pending<Vec<Done>> {
        let steps = self.steps;
        self.db.client().transact(move |tx| run(tx.as_mut(), steps))
    }
}

fn run(tx: &mut Transaction, steps: Vec<Step>) -> Result<Vec<Done>> {
    steps.into_iter().map(|step| step(tx)).collect()
}
