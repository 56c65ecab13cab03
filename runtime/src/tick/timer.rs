//! Timers: records that fall due.
//!
//! A timer table has a `schedule`: a timestamp field, perhaps a duration field, and a procedure. At the start of a tick every
//! record whose time has come is handed to the procedure as its arguments, earliest first, all timer tables together. In
//! the same transaction the record goes, or, with a duration, moves to its next time that lies ahead: after a pause or a
//! restart it fires once, not once for every time that was missed.
//!
//! A procedure that fails is rolled back and reported; the record goes or moves all the same, so that one bad timer does
//! not fire for ever. Timers whose procedure nobody has registered wait; that is reported once for each table.
//!
//! A record that can neither go nor move (others refer to it, a handler refuses, its next time is more than the field
//! takes) is *stuck*: what its procedure did is undone, that is reported, and the others of its table go on. It is tried
//! again after [`RETRY_TICKS_MIN`] ticks, then after twice as many, up to [`RETRY_TICKS_MAX`]; at once when its time was
//! changed, after an edit of the schema, and after a restart. That is counted in ticks, and kept from one loop to the next,
//! so that what happens follows from what a recording holds; when a recording begins, all are tried again.
//!
//! What is due is found through the index on the timestamp, so timers that are not due cost nothing. Those that are stuck are
//! passed over once a tick.

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
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Timers that fire in one tick at most; the rest are next tick's.
const FIRED_PER_TICK_MAX: usize = 10_000;
/// Ticks after which a timer that is stuck is tried again for the first time: a second, at 64 Hz.
const RETRY_TICKS_MIN: u64 = 64;
/// Ticks after which it is tried again at the latest: a minute.
const RETRY_TICKS_MAX: u64 = 4096;

/// When a tick happens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// Its number.
    pub(super) tick: u64,
    /// What the clock on the wall shows.
    pub(super) wall_us: i64,
}

/// A timer that failed.
pub(super) struct Failure {
    /// The timer table.
    pub(super) timer: String,
    /// What went wrong.
    pub(super) error: Error,
    /// The tick at which it is tried again, if it is stuck.
    pub(super) again_at_tick: Option<u64>,
}

/// A timer whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at_us: i64,
    table: usize,
    id: RecordId,
}

/// Timers that could not be settled, and wait to be tried again.
#[derive(Debug, Default)]
pub(crate) struct StuckTimers {
    /// By the table's number and the record's id.
    waiting: BTreeMap<(usize, RecordId), Retry>,
    /// Tables of which it was reported that nobody has registered their procedure.
    reported: BTreeSet<usize>,
    /// The version of the schema that the tables' numbers are of.
    schema_version: u64,
}

/// When a timer that is stuck is tried again.
#[derive(Debug)]
struct Retry {
    /// The time at which it was due: with another one it is another timer.
    at_us: i64,
    /// After how many ticks, the last time.
    after: u64,
    tick: u64,
}

impl StuckTimers {
    /// A tick begins.
    fn begin(&mut self, schema_version: u64) {
        if self.schema_version != schema_version {
            // Tables may have other numbers now, and what was in the way may be gone.
            *self = StuckTimers { schema_version, ..StuckTimers::default() };
        }
    }

    /// Whether a timer waits for a later tick.
    fn waits(&self, due: Due, tick: u64) -> bool {
        let retry = self.waiting.get(&(due.table, due.id));
        retry.is_some_and(|retry| retry.at_us == due.at_us && retry.tick > tick)
    }

    /// A timer is stuck; gives the tick at which it is tried again.
    fn add(&mut self, due: Due, tick: u64) -> u64 {
        let before = self.waiting.get(&(due.table, due.id)).filter(|retry| retry.at_us == due.at_us);
        let after = before.map_or(RETRY_TICKS_MIN, |retry| (2 * retry.after).min(RETRY_TICKS_MAX));
        let again = tick.saturating_add(after);
        self.waiting.insert((due.table, due.id), Retry { at_us: due.at_us, after, tick: again });
        again
    }

    /// All that was due has been tried: what has not got stuck again is settled, or gone.
    fn end(&mut self, tick: u64) {
        self.waiting.retain(|_, retry| retry.tick > tick);
    }
}

/// How a timer came off.
enum Fired {
    /// The record went or moved; the error of its procedure, if that failed.
    Settled(Option<Error>),
    /// The record stays, for this reason; before it the error of its procedure, if that failed.
    Stuck(Option<Error>, Error),
    /// Nobody has registered its procedure, as this says.
    Unregistered(Error),
}

/// Fires every timer that is due; gives those that failed.
pub(super) fn fire(
    writer: &mut Writer<'_>,
    procedures: &Procedures,
    stuck: &mut StuckTimers,
    now: Now,
) -> Vec<Failure> {
    let mut failures = Vec::new();
    stuck.begin(writer.engine().catalog.version());
    let mut tables = timer_tables(writer.engine());
    for _ in 0..FIRED_PER_TICK_MAX {
        let engine = writer.engine();
        let due = tables.iter_mut().filter_map(|table| table.earliest(engine, stuck, now)).min();
        let Some(due) = due else { break };
        let timer = engine.catalog.tables()[due.table].name.clone();
        let mut fail = |error: Error, again_at_tick: Option<u64>| {
            failures.push(Failure { timer: timer.clone(), error, again_at_tick });
        };
        match fire_one(writer, procedures, due, now.wall_us) {
            Fired::Settled(failed) => failed.into_iter().for_each(|error| fail(error, None)),
            Fired::Unregistered(unknown) => {
                if stuck.reported.insert(due.table) {
                    fail(unknown, None);
                }
                tables.retain(|table| table.at != due.table);
            }
            Fired::Stuck(_, error @ Error::ReadOnly { .. }) => {
                // No timer's fault, and no timer can do anything.
                fail(error, None);
                break;
            }
            Fired::Stuck(failed, error) => {
                failed.into_iter().for_each(|error| fail(error, None));
                fail(error, Some(stuck.add(due, now.tick)));
            }
        }
    }
    stuck.end(now.tick);
    failures
}

/// A timer table, and how far a tick is in it.
struct TimerTable {
    at: usize,
    /// All up to this one are stuck.
    passed: Option<Due>,
}

fn timer_tables(engine: &Engine) -> Vec<TimerTable> {
    let tables = engine.catalog.tables().iter().filter(|table| table.timer.is_some());
    tables.map(|table| TimerTable { at: table.at, passed: None }).collect()
}

impl TimerTable {
    /// Its first timer that is due and not stuck.
    fn earliest(&mut self, engine: &Engine, stuck: &StuckTimers, now: Now) -> Option<Due> {
        let view = engine.view(self.at);
        let timer = view.def.timer.as_ref()?;
        let nullable = view.def.indexes[timer.index].columns[0].null_bit.is_some();
        // A timer without a time never fires.
        let mut first = Key::new();
        if nullable {
            first.some();
        }
        let mut last = first.clone();
        last.scalar(now.wall_us);
        let passed = self.passed.map(|due| {
            let mut key = first.clone();
            key.scalar(due.at_us).scalar(due.id.get());
            key
        });
        let low = passed.as_ref().map_or(Bound::Included(&first), Bound::Excluded);
        for id in lookup::range(view, timer.index, low, Bound::Included(&last)) {
            let row = view.version.row_of(id)?;
            let due = Due { at_us: micros(&view.value(row, timer.at))?, table: self.at, id };
            if !stuck.waits(due, now.tick) {
                return Some(due);
            }
            self.passed = Some(due);
        }
        None
    }
}

/// Calls the procedure and settles the record.
fn fire_one(writer: &mut Writer<'_>, procedures: &Procedures, due: Due, now_us: i64) -> Fired {
    let engine = writer.engine();
    let Some(timer) = engine.catalog.tables()[due.table].timer.clone() else { return Fired::Settled(None) };
    if let Err(unknown) = procedures.check(&timer.procedure) {
        return Fired::Unregistered(unknown);
    }
    let arguments = match arguments(engine, due) {
        Ok(arguments) => arguments,
        Err(error) => return Fired::Stuck(None, error),
    };
    let mut has_run = false;
    let mut settled = |tx: &mut Transaction| {
        has_run = true;
        settle(tx, &timer, due, now_us)
    };
    let Err(error) = procedures.run(writer, &timer.procedure, &arguments, &mut settled) else {
        return Fired::Settled(None);
    };
    match writer.run(|tx| tx, |tx: &mut Transaction| settle(tx, &timer, due, now_us)).into_result() {
        Ok(()) => Fired::Settled(Some(error)),
        Err(in_the_way) => Fired::Stuck((!has_run).then_some(error), in_the_way),
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
    let table = TableNo::of(&tx.catalog().tables()[due.table]);
    let Ok(record) = tx.read_table(table)?.get(due.id) else {
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
