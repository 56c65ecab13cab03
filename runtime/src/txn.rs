//! A transaction: the writer's side of the database, lent to one closure.

use crate::caught::panic_message;
pub use crate::engine::Savepoint;
use crate::engine::{Engine, whole};
use crate::error::{Error, Result};
use crate::id::{Id, RecordId};
use crate::limits::VIOLATIONS_MAX;
use crate::op::{Applied, Op};
use crate::record::image::RecordImage;
use crate::table::writer::ChangeKind;
use crate::typed::{Table, TableMut, TableRef};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// A running transaction. It owns the writing side of the database until it ends, so it borrows nothing.
#[derive(Debug)]
pub struct Transaction {
    pub(crate) engine: Box<Engine>,
}

/// Runs `body` as a part of a transaction that can fail by itself, in whatever guise the transaction comes. What it did is
/// undone where it panics, too: somebody may catch that and go on.
pub(crate) fn nested<T: AsMut<Transaction>, R>(tx: &mut T, body: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
    whole(tx, |tx| &mut tx.as_mut().engine, body)
}

/// How a closure ended.
pub(crate) enum Outcome<R> {
    /// It returned; on `Err` everything was rolled back.
    Returned(Result<R>),
    /// It panicked; everything was rolled back.
    Panicked(Box<dyn std::any::Any + Send>),
}

impl Transaction {
    /// Runs `body` as one transaction of the engine that `tx` has: committed on `Ok`, rolled back on `Err` and on panic.
    #[inline]
    pub(crate) fn attempt<T: AsMut<Transaction>, R>(tx: &mut T, body: impl FnOnce(&mut T) -> Result<R>) -> Outcome<R> {
        tx.as_mut().engine.begin();
        let outcome = catch_unwind(AssertUnwindSafe(|| body(tx)));
        let engine = &mut tx.as_mut().engine;
        let returned = match outcome {
            Ok(Ok(value)) => match engine.refusal() {
                None => {
                    engine.commit();
                    return Outcome::Returned(Ok(value));
                }
                Some(refusal) => Err(refusal),
            },
            // What a handler refused comes before what became of it.
            Ok(Err(error)) => Err(engine.refused.take().unwrap_or(error)),
            Err(payload) => {
                engine.rollback();
                return Outcome::Panicked(payload);
            }
        };
        engine.rollback();
        Outcome::Returned(returned)
    }

    /// Lends the engine, from inside of one of its operations, to `body` as the running transaction.
    pub(crate) fn lend<T: From<Transaction> + Into<Transaction>, R>(
        engine: &mut Engine,
        body: impl FnOnce(&mut T) -> R,
    ) -> R {
        let hollow = engine.hollow();
        let mut tx = T::from(Transaction { engine: Box::new(std::mem::replace(engine, hollow)) });
        // Whatever happens, the engine goes back to where the transaction will look for it.
        let outcome = catch_unwind(AssertUnwindSafe(|| body(&mut tx)));
        *engine = *tx.into().engine;
        outcome.unwrap_or_else(|payload| resume_unwind(payload))
    }

    /// A table, read: its own writes are seen.
    pub fn table<T: Table>(&self) -> TableRef<'_, T> {
        TableRef::new(self.engine.view(T::INDEX))
    }

    /// A table, written.
    pub fn table_mut<T: Table>(&mut self) -> TableMut<'_, T> {
        TableMut::new(self)
    }

    /// The number that this transaction's commit will have.
    pub fn commit_number(&self) -> u64 {
        self.engine.next_commit()
    }

    /// What happened to records of a table after `commit`, as far as it is published, oldest first: a walk over a list, not a
    /// scan. A record that changed several times comes several times. `None` if that is longer ago than is remembered.
    pub fn changes_since<T: Table>(&self, commit: u64) -> Option<impl Iterator<Item = (Id<T>, ChangeKind)> + '_> {
        let changes = self.engine.tables[T::INDEX].changes_since(commit)?;
        Some(changes.map(|change| (Id::new(change.id), change.kind)))
    }

    /// A moment of the transaction, to be gone back to. Where what may fail is one closure, [`nested`](Transaction::nested)
    /// says it shorter.
    ///
    /// ```
    /// # use dbgen_runtime::{Database, Error, Value};
    /// # let schema = r#"{"name":"a","version":"1","tables":{"t":{"fields":[{"name":"n","type":"i32"}]}}}"#;
    /// # let db = Database::builder().schema_json(schema).open()?;
    /// db.transact(|tx| {
    ///     tx.insert_named("t", &[("n", Value::from(1))])?;
    ///     let before = tx.savepoint();
    ///     tx.insert_named("t", &[("n", Value::from(2))])?;
    ///     tx.rollback_to(&before);
    ///     Ok(())
    /// })?;
    /// assert_eq!(db.read().open_table("t")?.len(), 1);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn savepoint(&mut self) -> Savepoint {
        self.engine.savepoint()
    }

    /// Undoes what came after the savepoint, which can be gone back to again.
    ///
    /// # Panics
    /// If the savepoint is none of this transaction's, or was itself undone.
    pub fn rollback_to(&mut self, savepoint: &Savepoint) {
        self.engine.rollback_to(savepoint);
    }

    /// Runs `body` as a part of the transaction that can fail by itself: on `Err` what it did is undone, and the
    /// transaction goes on.
    ///
    /// # Errors
    /// What `body` returns.
    pub fn nested<R>(&mut self, body: impl FnOnce(&mut Transaction) -> Result<R>) -> Result<R> {
        nested(self, body)
    }

    /// Has `write` write each of these records, all of them or none, and sums up what it says. One that breaks a rule does
    /// not hide what is wrong with the others.
    pub(crate) fn write_all(
        &mut self,
        ids: Vec<RecordId>,
        mut write: impl FnMut(&mut Transaction, RecordId) -> Result<usize>,
    ) -> Result<usize> {
        nested(self, |tx| {
            let (mut written, mut found) = (0, Vec::new());
            for id in ids {
                match write(tx, id) {
                    Ok(count) => written += count,
                    Err(Error::Invalid(violations)) => found.extend(violations),
                    Err(other) => return Err(other),
                }
                found.truncate(VIOLATIONS_MAX);
            }
            if found.is_empty() { Ok(written) } else { Err(Error::Invalid(found)) }
        })
    }

    /// Deletes these records, but for those that a cascade has taken along before their turn.
    pub(crate) fn delete_all(&mut self, table: usize, ids: Vec<RecordId>) -> Result<usize> {
        self.write_all(ids, |tx, id| {
            if tx.engine.view(table).version.row_of(id).is_none() {
                return Ok(0);
            }
            Applied::count(tx.engine.apply(Op::Delete { table, id }))
        })
    }

    /// Calls `body` with the engine and an empty image.
    pub(crate) fn with_image<R>(&mut self, body: impl FnOnce(&mut Engine, &mut RecordImage) -> Result<R>) -> Result<R> {
        let mut image = self.engine.take_image();
        image.clear();
        let result = body(&mut self.engine, &mut image);
        self.engine.give_image(image);
        result
    }
}

impl AsRef<Transaction> for Transaction {
    fn as_ref(&self) -> &Transaction {
        self
    }
}

impl AsMut<Transaction> for Transaction {
    fn as_mut(&mut self) -> &mut Transaction {
        self
    }
}

impl<R> Outcome<R> {
    /// A panic as an error.
    pub(crate) fn into_result(self) -> Result<R> {
        match self {
            Outcome::Returned(result) => result,
            Outcome::Panicked(payload) => Err(Error::Panicked(panic_message(payload.as_ref()))),
        }
    }
}
