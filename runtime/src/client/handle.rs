//! The client: what another thread or task asks of the loop, to be awaited.

use super::Committed;
use super::pending::{Pending, promise};
use crate::db::Db;
use crate::edit::SchemaEdit;
use crate::error::{Error, Result};
use crate::id::{Id, RecordId};
use crate::txn::Transaction;
use crate::typed::{Facade, Table};
use dbgen_schema::Value;
use serde::Serialize;
use serde_json::Value as Json;
use std::time::Duration;

/// Asks a database that ticks, from anywhere, without waiting for a lock: each call goes into the loop's queue at once and
/// gives a [`Pending`], which any executor can await, or a thread can [`wait`](Pending::wait) for.
///
/// ```
/// use dbgen_runtime::{Database, Error, Value};
/// # let db = Database::builder().schema_json(r#"{"name":"a","version":"1","tables":{"item":{"fields":[{"name":"n","type":"i32"}]}}}"#).open()?;
/// let client = db.client();
/// let nobody_ticks = client.insert_values("item", [("n", 5)]).wait();
/// assert!(matches!(nobody_ticks, Err(Error::Stopped)));
///
/// let mut world = db.tick_loop(60.0).stepped()?;
/// let pending = client.insert_values("item", [("n", 5)]);
/// world.step()?;
/// let inserted = pending.wait()?;
/// let view = db.read();
/// assert!(view.commit() >= inserted.commit);
/// assert_eq!(view.open_table("item")?.get(inserted.value)?.get("n")?, Value::from(5));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// Whatever is awaited gives [`Error::QueueFull`] if too many requests wait already (try again later: nothing was done),
/// [`Error::Stopped`] if no loop runs or it ended first, [`Error::TimedOut`] if there was no answer
/// [in time](Client::at_most) (the request may still be executed), and what the request itself comes to.
pub struct Client<S: Facade> {
    db: Db<S>,
    at_most: Option<Duration>,
}

impl<S: Facade> Clone for Client<S> {
    fn clone(&self) -> Self {
        Client { db: self.db.clone(), at_most: self.at_most }
    }
}

impl<S: Facade> std::fmt::Debug for Client<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("db", &self.db).field("at_most", &self.at_most).finish()
    }
}

impl<S: Facade> Db<S> {
    /// A client of the loop that runs, or will run, on this database.
    pub fn client(&self) -> Client<S> {
        Client { db: self.clone(), at_most: None }
    }
}

impl<S: Facade> Client<S> {
    /// The same with a time-out for every request.
    pub fn at_most(self, time: Duration) -> Client<S> {
        Client { at_most: Some(time), ..self }
    }

    /// Runs `body` as one transaction.
    pub fn transact<R: Send + 'static>(
        &self,
        body: impl FnOnce(&mut S::Tx) -> Result<R> + Send + 'static,
    ) -> Pending<R> {
        self.request(|answer| self.db.enqueue(body, answer))
    }

    /// Adds a record.
    pub fn insert<T: Table>(&self, record: T) -> Pending<Id<T>> {
        self.transact(move |tx| tx.as_mut().table_mut::<T>().insert(record))
    }

    /// Changes a record.
    pub fn update<T: Table, R: Send + 'static>(
        &self,
        id: Id<T>,
        change: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> Pending<R> {
        self.transact(move |tx| tx.as_mut().table_mut::<T>().update(id, change))
    }

    /// Deletes a record, with what its relations demand of others; gives how many went.
    pub fn delete<T: Table>(&self, id: Id<T>) -> Pending<usize> {
        self.transact(move |tx| tx.as_mut().table_mut::<T>().delete(id))
    }

    /// Adds a record by names.
    pub fn insert_values<N, V>(&self, table: &str, values: impl IntoIterator<Item = (N, V)>) -> Pending<RecordId>
    where
        N: Into<String>,
        V: Into<Value>,
    {
        let (table, values) = named(table, values);
        self.dynamic(move |tx| tx.insert_named(&table, &values))
    }

    /// Writes some fields of a record by names.
    pub fn update_values<N, V>(
        &self,
        table: &str,
        id: RecordId,
        values: impl IntoIterator<Item = (N, V)>,
    ) -> Pending<()>
    where
        N: Into<String>,
        V: Into<Value>,
    {
        let (table, values) = named(table, values);
        self.dynamic(move |tx| tx.update_named(&table, id, &values))
    }

    /// Deletes a record of the table of this name; gives how many went.
    pub fn delete_record(&self, table: &str, id: RecordId) -> Pending<usize> {
        let table = table.to_owned();
        self.dynamic(move |tx| tx.delete_record(tx.open_table(&table)?, id))
    }

    /// Calls a procedure.
    pub fn call(&self, procedure: &str, arguments: impl Serialize) -> Pending<Json> {
        self.request(|answer| {
            let arguments = serde_json::to_value(arguments).map_err(Error::abort)?;
            self.db.enqueue_procedure(procedure, arguments, answer)
        })
    }

    /// Edits the schema, one edit or several as one step; gives its new version.
    pub fn edit_schema(&self, edits: impl Into<Vec<SchemaEdit>>) -> Pending<u64> {
        self.request(|answer| self.db.enqueue_edit(edits, answer))
    }

    fn dynamic<R: Send + 'static>(
        &self,
        body: impl FnOnce(&mut Transaction) -> Result<R> + Send + 'static,
    ) -> Pending<R> {
        self.transact(move |tx| body(tx.as_mut()))
    }

    /// Puts a request into the queue and keeps its result.
    pub(super) fn request<R: Send + 'static>(
        &self,
        enqueue: impl FnOnce(Box<dyn FnOnce(Result<Committed<R>>) + Send>) -> Result<()>,
    ) -> Pending<R> {
        let (promise, pending) = promise();
        // What is refused drops the promise, which then says no more than that: the reason is known here.
        if let Err(error) = enqueue(Box::new(move |result| promise.keep(result))) {
            return Pending::settled(Err(error));
        }
        match self.at_most {
            Some(time) => pending.at_most(time),
            None => pending,
        }
    }
}

/// Names and values, to be sent elsewhere.
pub(super) fn named<N: Into<String>, V: Into<Value>>(
    table: &str,
    values: impl IntoIterator<Item = (N, V)>,
) -> (String, Vec<(String, Value)>) {
    (table.to_owned(), values.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
}
