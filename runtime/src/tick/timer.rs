//! Timers: records that fall due.
//!
//! A timer table has a `schedule`: a timestamp field, perhaps a duration field, and a procedure. At the start of a tick every
//! record whose time has come is handed to the procedure as its arguments, earliest first, all timer tables together. In
//! the same transaction the record goes, or, with a duration, moves to its next time that lies ahead: after a pause or a
//! restart it fires once, not once for every time that was missed.
//!
//! A procedure that fails is rolled back and reported; the record goes or moves all the same, so that one bad timer does
//! not fire for ever. Timers whose procedure nobody has registered wait.
//!
//! What is due is found through the index on the timestamp, so timers that are not due cost nothing.

use crate::db::Writer;
use crate::dynamic::TableNo;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::id::RecordId;
use crate::procedure::Procedures;
use crate::record::key::Key;
use crate::table::def::TimerDef;
use crate::table::lookup;
use crate::txn::Transaction;
use dbgen_schema::Value;
use dbgen_schema::json::{Int64, encode_record};
use serde_json::{Value as Json, json};
use std::ops::Bound;

/// Timers that fire in one tick at most; the rest are next tick's.
const FIRED_PER_TICK_MAX: usize = 10_000;

/// A timer that failed.
pub(super) struct Failure {
    /// The timer table.
    pub(super) timer: String,
    /// What went wrong.
    pub(super) error: Error,
}

/// A timer whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at_us: i64,
    table: usize,
    id: RecordId,
}

/// Fires every timer that is due at `now_us`; gives those that failed.
pub(super) fn fire(writer: &mut Writer<'_>, procedures: &Procedures, now_us: i64) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut waiting: Vec<usize> = timer_tables(writer.engine());
    for _ in 0..FIRED_PER_TICK_MAX {
        let engine = writer.engine();
        let Some(due) = waiting.iter().filter_map(|table| earliest(engine, *table, now_us)).min() else { break };
        let timer = engine.catalog.tables()[due.table].name.clone();
        match fire_one(writer, procedures, due, now_us) {
            Ok(None) => {}
            Ok(Some(error)) => failures.push(Failure { timer, error }),
            // It can be neither called nor settled: its table waits for another tick.
            Err(error) => {
                waiting.retain(|table| *table != due.table);
                if !matches!(error, Error::UnknownProcedure { .. }) {
                    failures.push(Failure { timer, error });
                }
            }
        }
    }
    failures
}

fn timer_tables(engine: &Engine) -> Vec<usize> {
    let tables = engine.catalog.tables().iter();
    tables.filter(|table| table.timer.is_some()).map(|table| table.at).collect()
}

/// The first timer of a table that is due.
fn earliest(engine: &Engine, table: usize, now_us: i64) -> Option<Due> {
    let view = engine.view(table);
    let timer = view.def.timer.as_ref()?;
    let index = &view.def.indexes[timer.index];
    let nullable = index.columns[0].null_bit.is_some();
    // A timer without a time never fires.
    let key = |value: Option<i64>| match (nullable, value) {
        (true, Some(value)) => Key::new().some().scalar(value),
        (true, None) => Key::new().some(),
        (false, Some(value)) => Key::new().scalar(value),
        (false, None) => Key::new(),
    };
    let (low, high) = (key(None), key(Some(now_us)));
    let id = lookup::range(view, timer.index, Bound::Included(&low), Bound::Included(&high)).next()?;
    let row = view.version.row_of(id)?;
    Some(Due { at_us: micros(&view.value(row, timer.at))?, table, id })
}

/// Calls the procedure and settles the record; gives the error of the procedure, if it failed.
fn fire_one(writer: &mut Writer<'_>, procedures: &Procedures, due: Due, now_us: i64) -> Result<Option<Error>> {
    let engine = writer.engine();
    let def = engine.catalog.tables()[due.table].timer.clone();
    let Some(timer) = def else { return Ok(None) };
    let arguments = arguments(engine, due)?;
    let mut settled = |tx: &mut Transaction| settle(tx, &timer, due, now_us);
    match procedures.run(writer, &timer.procedure, &arguments, &mut settled) {
        Ok(_) => Ok(None),
        Err(unknown @ Error::UnknownProcedure { .. }) => Err(unknown),
        Err(error) => {
            writer.run(|tx| tx, |tx: &mut Transaction| settle(tx, &timer, due, now_us)).into_result()?;
            Ok(Some(error))
        }
    }
}

/// The record as the procedure gets it: a JSON object, with `_id`.
fn arguments(engine: &Engine, due: Due) -> Result<Json> {
    let (view, schema) = (engine.view(due.table), engine.catalog.schema());
    let row = view.row_of(due.id)?;
    let values: Vec<Value> = (0..view.def.fields.len()).map(|field| view.value(row, field)).collect();
    let mut object = encode_record(schema, &schema.tables[due.table], &values, Int64::Number);
    object.insert("_id".to_owned(), json!(due.id.get()));
    Ok(Json::Object(object))
}

/// Removes the record, or moves it to its next time.
fn settle(tx: &mut Transaction, timer: &TimerDef, due: Due, now_us: i64) -> Result<()> {
    let table = TableNo(due.table);
    let Ok(record) = tx.read_table(table).get(due.id) else {
        // The procedure has deleted it.
        return Ok(());
    };
    if micros(&record.value(timer.at)) != Some(due.at_us) {
        // The procedure has given it another time.
        return Ok(());
    }
    match timer.every.and_then(|every| micros(&record.value(every))).filter(|every| *every > 0) {
        Some(every_us) => {
            let missed = now_us.saturating_sub(due.at_us) / every_us;
            let next_us = due.at_us.saturating_add(every_us.saturating_mul(missed.saturating_add(1)));
            tx.update_values(table, due.id, &[(timer.at, Value::from(next_us))])
        }
        None => tx.delete_record(table, due.id).map(drop),
    }
}

fn micros(value: &Value) -> Option<i64> {
    match value {
        Value::Int(micros) => i64::try_from(*micros).ok(),
        _ => None,
    }
}
