//! Procedures: named transactions with typed arguments, which systems, RPC and clients call.
//!
//! A procedure is registered on a loop, with [`TickLoop::procedure`](crate::TickLoop::procedure). Its arguments are
//! deserialized and so validated by `serde`; their JSON Schema comes from `schemars` and is listed. It runs as one
//! transaction: committed on `Ok`, rolled back on `Err` and on panic. It cannot have the name of a method that JSON-RPC has
//! anyway ([`Error::MethodName`], when the loop starts).
//!
//! ```
//! use dbgen_runtime::{Database, Error, Value};
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Deposit { amount: u32 }
//!
//! # let db = Database::builder().schema_json(r#"{"name":"a","version":"1","tables":{"account":{"fields":[{"name":"gold","type":"u32"}]}}}"#).open()?;
//! let mut world = db.tick_loop(60.0).procedure("deposit", |tx, args: Deposit| {
//!     let account = tx.open_table("account")?;
//!     tx.insert_values(account, &[(0, Value::from(args.amount))]).map(|id| id.get())
//! }).stepped()?;
//! let answer = db.call_procedure("deposit", &serde_json::json!({ "amount": 5 }))?;
//! assert_eq!(db.read().open_table("account")?.len(), 1);
//! let wrong = db.call_procedure("deposit", &serde_json::json!({ "amount": -5 }));
//! assert!(matches!(wrong, Err(Error::Arguments { .. })));
//! # Ok::<(), Error>(())
//! ```

use crate::client::{Committed, Pending, promise};
use crate::db::{Db, Writer};
use crate::error::{Error, Result, nearest};
use crate::txn::Transaction;
use crate::typed::Facade;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The methods that JSON-RPC has beside procedures, with the feature `server`. No procedure may have their names, whatever the
/// features: a program that is right without the server is right with it.
pub(crate) const METHOD_NAMES: &[&str] = &[
    "field.add",
    "field.alter",
    "field.drop",
    "index.add",
    "index.drop",
    "record.delete",
    "record.get",
    "record.insert",
    "record.list",
    "record.patch",
    "record.replace",
    "records.insert_many",
    "relation.create",
    "relation.drop",
    "relation.list",
    "rpc.discover",
    "schema.apply",
    "schema.get",
    "snapshot.create",
    "stats.get",
    "table.alter",
    "table.create",
    "table.drop",
    "table.get",
    "table.list",
    "tx.run",
];
/// JSON-RPC 2.0 keeps all names that begin so for itself.
const PROTOCOL_NAMES: &str = "rpc.";

/// What is known of a procedure.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcedureInfo {
    /// Its name.
    pub name: String,
    /// The JSON Schema of its arguments.
    pub arguments: Json,
}

/// What is done in the transaction of a procedure after its body.
pub(crate) type After<'a> = &'a mut dyn FnMut(&mut Transaction) -> Result<()>;
/// Runs a procedure as one transaction; nothing is published.
type Run = Arc<dyn Fn(&mut Writer<'_>, &Json, After<'_>) -> Result<Json> + Send + Sync>;
/// Runs a procedure as a part of the running transaction; the caller undoes what it did if it fails.
type RunWithin = Arc<dyn Fn(&mut Transaction, &Json) -> Result<Json> + Send + Sync>;

/// A procedure, its types forgotten.
#[derive(Clone)]
struct Procedure {
    arguments: Json,
    run: Run,
    run_within: RunWithin,
}

impl Procedure {
    /// Calls it for somebody outside: the call is recorded.
    fn call(&self, writer: &mut Writer<'_>, name: &str, arguments: &Json) -> Result<Json> {
        writer.engine().tape.call(name, arguments);
        let result = (self.run)(writer, arguments, &mut |_| Ok(()));
        writer.engine().tape.end_call();
        result
    }
}

/// The procedures of a database.
#[derive(Default)]
pub(crate) struct Procedures {
    by_name: RwLock<BTreeMap<String, Procedure>>,
}

impl Procedures {
    /// Adds a procedure; one of the same name is replaced.
    ///
    /// # Errors
    /// [`Error::MethodName`].
    pub(crate) fn register<S, A, R>(
        &self,
        name: String,
        body: impl Fn(&mut S::Tx, A) -> Result<R> + Send + Sync + 'static,
    ) -> Result<()>
    where
        S: Facade,
        A: DeserializeOwned + JsonSchema,
        R: Serialize,
    {
        if METHOD_NAMES.contains(&name.as_str()) || name.starts_with(PROTOCOL_NAMES) {
            return Err(Error::MethodName { name });
        }
        let arguments: Schema = schemars::schema_for!(A);
        let called = name.clone();
        let understand = move |given: &Json| {
            let wrong =
                |error: serde_json::Error| Error::Arguments { procedure: called.clone(), what: error.to_string() };
            A::deserialize(given).map_err(wrong)
        };
        // A result that cannot be told is a failure like any other: nothing was done.
        let body = Arc::new(move |tx: &mut S::Tx, given: &Json| {
            let result = body(tx, understand(given)?)?;
            serde_json::to_value(result).map_err(Error::abort)
        });
        let within = body.clone();
        let run: Run = Arc::new(move |writer, given, after| {
            let whole = |tx: &mut S::Tx| {
                let result = body(tx, given)?;
                after(tx.as_mut())?;
                Ok(result)
            };
            writer.run(S::Tx::from, whole).into_result()
        });
        let run_within: RunWithin =
            Arc::new(move |tx, given| Transaction::lend(&mut tx.engine, |tx: &mut S::Tx| within(tx, given)));
        let procedure = Procedure { arguments: arguments.to_value(), run, run_within };
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).insert(name, procedure);
        Ok(())
    }

    /// Runs a procedure as one transaction, with something to be done in it after its body; nothing is published.
    pub(crate) fn run(&self, writer: &mut Writer<'_>, name: &str, given: &Json, after: After<'_>) -> Result<Json> {
        (self.find(name)?.run)(writer, given, after)
    }

    /// Runs a procedure as a part of the running transaction; the caller undoes what it did if it fails.
    pub(crate) fn run_within(&self, tx: &mut Transaction, name: &str, given: &Json) -> Result<Json> {
        (self.find(name)?.run_within)(tx, given)
    }

    /// That there is a procedure of this name.
    ///
    /// # Errors
    /// [`Error::UnknownProcedure`].
    pub(crate) fn check(&self, name: &str) -> Result<()> {
        match self.by_name.read().unwrap_or_else(PoisonError::into_inner).contains_key(name) {
            true => Ok(()),
            false => self.find(name).map(drop),
        }
    }

    fn find(&self, name: &str) -> Result<Procedure> {
        let procedures = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        procedures.get(name).cloned().ok_or_else(|| Error::UnknownProcedure {
            name: name.to_owned(),
            suggestion: nearest(name, procedures.keys().map(String::as_str)),
        })
    }
}

impl<S: Facade> Db<S> {
    /// The procedures that can be called, by name.
    pub fn procedures(&self) -> Vec<ProcedureInfo> {
        let procedures = self.shared.procedures.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let info = |(name, procedure): (&String, &Procedure)| ProcedureInfo {
            name: name.clone(),
            arguments: procedure.arguments.clone(),
        };
        procedures.iter().map(info).collect()
    }

    /// Calls a procedure on this thread, as one transaction, and publishes what it did.
    ///
    /// # Errors
    /// [`Error::UnknownProcedure`]; [`Error::Arguments`] if the arguments are not what it takes; what it returns;
    /// [`Error::Panicked`].
    pub fn call_procedure(&self, name: &str, arguments: &Json) -> Result<Json> {
        let procedure = self.shared.procedures.find(name)?;
        let mut writer = self.shared.lock()?;
        let result = procedure.call(&mut writer, name, arguments);
        writer.engine().publish();
        drop(writer);
        self.shared.settle(result).map(|(answer, _)| answer)
    }

    /// Puts a call of a procedure into the loop's queue and gives what can be awaited: its result, once it is visible to
    /// readers. Any executor will do.
    ///
    /// # Errors
    /// As [`enqueue_procedure`](Db::enqueue_procedure); the call itself fails as [`call_procedure`](Db::call_procedure)
    /// does, and with [`Error::Stopped`] if the loop ends first.
    pub fn call_procedure_async(&self, name: &str, arguments: Json) -> Result<Pending<Json>> {
        let (promise, pending) = promise();
        self.enqueue_procedure(name, arguments, move |result| promise.keep(result))?;
        Ok(pending)
    }

    /// Puts a call of a procedure into the loop's queue; `answer` gets its result, where and when [`enqueue`](Db::enqueue)
    /// says.
    ///
    /// # Errors
    /// [`Error::UnknownProcedure`]; as [`enqueue`](Db::enqueue).
    pub fn enqueue_procedure(
        &self,
        name: &str,
        arguments: Json,
        answer: impl FnOnce(Result<Committed<Json>>) + Send + 'static,
    ) -> Result<()> {
        self.enqueue_job(self.procedure_call(name, arguments)?, answer)
    }

    /// A call of a procedure, to be done with the writing side.
    pub(crate) fn procedure_call(
        &self,
        name: &str,
        arguments: Json,
    ) -> Result<impl FnOnce(&mut Writer<'_>) -> Result<Json> + Send + 'static> {
        let procedure = self.shared.procedures.find(name)?;
        let name = name.to_owned();
        Ok(move |writer: &mut Writer<'_>| procedure.call(writer, &name, &arguments))
    }
}
