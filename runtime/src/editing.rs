//! Edits of the schema, from the call to the answer.
//!
//! Where an edit has to carry over, or look through, a table of [`EDIT_BESIDE_RECORDS_MIN`] records or more, that is done
//! beside the loop, on the thread that asks or on one of its own, while transactions and ticks go on; only its end is done
//! with the writing side. Every other edit is done at once.
//!
//! ```text
//! prepare: look (a moment) ─► plan ─► finish (a moment) ─► done
//!                              ▲          │ much was written meanwhile: look again and catch up, beside
//!                              └──────────┘ the schema was edited, or what was written is not known any more: from the start
//! ```
//!
//! After [`ROUNDS_MAX`] rounds, or when one does not leave less than the one before, what is left is done at the end, however
//! much it is: every edit ends. They are made one after another, in the order in which they came; a small one that comes
//! meanwhile does not wait, and then a large one goes on from the schema that it left.

use crate::client::{Committed, promise};
use crate::db::{Db, Shared};
use crate::durable::make_third;
use crate::edit::{FOLLOWED_ROWS_MAX, Finished, Later, Plan, SchemaEdit, heavy_tables};
use crate::engine::Engine;
use crate::error::{Error, Result, SchemaEditError};
use crate::limits::{EDIT_BESIDE_RECORDS_MIN, EDITS_WAITING_MAX};
use crate::typed::Facade;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// How often an edit goes back beside the loop before what is left is done at its end.
pub const ROUNDS_MAX: usize = 8;

/// An edit on its way.
pub(crate) struct Editing {
    shared: Arc<Shared>,
    state: State,
    rounds: usize,
    /// Rows that the last round left.
    left: usize,
    /// The version of the schema that it is meant for, if it is meant for one.
    meant: Option<u64>,
    turn: Option<Turn>,
}

/// What is to be done next.
enum State {
    /// All of it, with the engine.
    Now(Vec<SchemaEdit>),
    /// The plan, beside.
    Plan(Vec<SchemaEdit>),
    /// Catching up, beside.
    Follow(Box<Plan>, Later),
    /// The end, with the engine.
    Finish(Box<Plan>),
}

/// What came of the end of an edit.
pub(crate) enum Step {
    /// It is made; the schema's new version.
    Done(u64),
    /// There is more to do beside.
    Again(Box<Editing>),
}

impl Editing {
    /// Edits that are made beside the loop if they are much work.
    pub(crate) fn new(shared: &Arc<Shared>, edits: Vec<SchemaEdit>) -> Editing {
        let is_heavy = shared.is_heavy(&edits);
        Editing::begin(shared, if is_heavy { State::Plan(edits) } else { State::Now(edits) })
    }

    /// Edits that are made beside the loop however little work they are.
    fn beside(shared: &Arc<Shared>, edits: Vec<SchemaEdit>) -> Editing {
        Editing::begin(shared, if edits.is_empty() { State::Now(edits) } else { State::Plan(edits) })
    }

    fn begin(shared: &Arc<Shared>, state: State) -> Editing {
        Editing { shared: shared.clone(), state, rounds: 0, left: usize::MAX, meant: None, turn: None }
    }

    /// Means the edits for this version of the schema, and no other.
    #[cfg(feature = "server")]
    pub(crate) fn meant_for(self, version: u64) -> Editing {
        Editing { meant: Some(version), ..self }
    }

    /// Whether there is something to prepare.
    #[cfg(feature = "server")]
    pub(crate) fn is_beside(&self) -> bool {
        matches!(self.state, State::Plan(_) | State::Follow(..))
    }

    /// Does what can be done beside the loop. Waits for its turn. Must not run inside a transaction.
    ///
    /// # Errors
    /// As [`Db::edit_schema`].
    pub(crate) fn prepare(mut self: Box<Self>) -> Result<Box<Editing>> {
        loop {
            let (edits, made) = match self.state {
                State::Now(_) | State::Finish(_) => return Ok(self),
                State::Follow(mut plan, later) => match plan.follow(later) {
                    Ok(()) => (Vec::new(), Ok(*plan)),
                    Err(error) => (plan.into_edits(), Err(error)),
                },
                State::Plan(edits) => {
                    if self.turn.is_none() {
                        self.turn = Some(Turn::wait(&self.shared)?);
                    }
                    let seen = self.shared.prepared(&edits)?;
                    let Some(seen) = seen else {
                        // Readers pin every version: what is committed cannot be looked at from outside.
                        self.state = State::Now(edits);
                        return Ok(self);
                    };
                    let commit = seen.commit();
                    let made = Plan::new(seen, edits.clone());
                    if made.is_err() && self.shared.published.load().commit == commit {
                        self.rounds = ROUNDS_MAX;
                    }
                    (edits, made)
                }
            };
            self.rounds += 1;
            self.state = match made {
                Ok(plan) => State::Finish(Box::new(plan)),
                // What was in the way may be mended by now.
                Err(Error::SchemaEdit(SchemaEditError::RecordsInTheWay { .. })) if self.rounds < ROUNDS_MAX => {
                    State::Plan(edits)
                }
                Err(error) => return Err(error),
            };
        }
    }

    /// Does what has to be done with the engine.
    ///
    /// # Errors
    /// As [`Db::edit_schema`]. Nothing is changed then.
    pub(crate) fn finish(mut self: Box<Self>, engine: &mut Engine) -> Result<Step> {
        let now = engine.catalog.version();
        if let Some(meant) = self.meant.filter(|meant| *meant != now) {
            return Err(SchemaEditError::SchemaChanged { meant, now }.into());
        }
        let is_last = self.rounds >= ROUNDS_MAX;
        self.state = match self.state {
            State::Now(edits) => return engine.edit_schema(&edits).map(Step::Done),
            State::Finish(plan) => {
                match engine.finish_edit(*plan, if is_last { usize::MAX } else { FOLLOWED_ROWS_MAX })? {
                    Finished::Done(version) => return Ok(Step::Done(version)),
                    Finished::Behind(plan, later) => {
                        if later.rows > self.left / 2 {
                            self.rounds = ROUNDS_MAX;
                        }
                        self.left = later.rows;
                        State::Follow(plan, later)
                    }
                    Finished::Stale(edits) if is_last => return engine.edit_schema(&edits).map(Step::Done),
                    Finished::Stale(edits) => State::Plan(edits),
                }
            }
            unprepared => unprepared,
        };
        Ok(Step::Again(self))
    }
}

impl Shared {
    /// Whether edits are so much work that they are made beside the loop.
    fn is_heavy(&self, edits: &[SchemaEdit]) -> bool {
        !heavy_tables(&self.published.load(), edits, EDIT_BESIDE_RECORDS_MIN).is_empty()
    }

    /// Looks at what is published for edits that are going to hold it for long: of large tables, a third version is made
    /// first, so that the writer need not copy them.
    fn prepared(&self, edits: &[SchemaEdit]) -> Result<Option<crate::edit::Seen>> {
        let version = self.published.load();
        let tables = heavy_tables(&version, edits, EDIT_BESIDE_RECORDS_MIN);
        drop(version);
        for table in tables {
            // Where it cannot be, the writer copies the table when it has to.
            let _ = make_third(&self.writing, || true, table, 0);
        }
        Ok(self.lock()?.engine().look())
    }
}

/// An edit of the schema that has been prepared beside the loop: what is left of it to do takes a moment.
///
/// ```
/// use dbgen_runtime::{Database, Error, SchemaEdit, Value};
/// use serde_json::json;
///
/// # let schema = r#"{"name":"a","version":"1","tables":{"t":{"fields":[{"name":"n","type":"i32"}]}}}"#;
/// # let db = Database::builder().schema_json(schema).open()?;
/// db.transact(|tx| tx.insert_named("t", &[("n", Value::from(1))]))?;
/// let widen = SchemaEdit::alter_field("t", "n", json!({ "type": "i64" }));
/// let prepared = db.prepare_edit(widen)?;
/// // The world goes on, under the old schema.
/// db.transact(|tx| tx.insert_named("t", &[("n", Value::from(2))]))?;
/// prepared.apply()?;
/// assert_eq!(db.read().open_table("t")?.len(), 2);
/// # Ok::<(), Error>(())
/// ```
#[must_use = "nothing is changed before it is applied"]
pub struct PreparedEdit {
    editing: Box<Editing>,
}

impl std::fmt::Debug for PreparedEdit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PreparedEdit")
    }
}

impl PreparedEdit {
    /// Makes the edit; gives the schema's new version. Catches up with what was written since it was prepared; if the schema
    /// was edited meanwhile, it is prepared again from the new one.
    ///
    /// # Errors
    /// As [`Db::edit_schema`].
    pub fn apply(self) -> Result<u64> {
        let shared = self.editing.shared.clone();
        let mut editing = self.editing;
        let edited = loop {
            let step = editing.finish(shared.lock()?.engine());
            match step {
                Ok(Step::Done(version)) => break Ok(version),
                Ok(Step::Again(again)) => editing = again.prepare()?,
                Err(error) => break Err(error),
            }
        };
        shared.settle(edited).map(|(version, _)| version)
    }
}

impl<S: Facade> Db<S> {
    /// Edits the schema while the database runs: one edit or several, all or none. Gives its new version. Readers see all
    /// that was edited or nothing of it.
    ///
    /// What takes long, carrying the records of a large table over, is done on this thread beside the loop and beside other
    /// transactions; what they write meanwhile is caught up with. So the edit's place among the commits is its end. A record
    /// that comes to break a new rule meanwhile is in the way; one that is mended meanwhile is not, unless others are found
    /// each time, which are then told as they were a moment before.
    ///
    /// # Errors
    /// [`Error::SchemaEdit`], of which [`RecordsInTheWay`](crate::error::SchemaEditError::RecordsInTheWay) names the
    /// records that break a new rule; [`Error::Schema`] with all that is wrong with the result; [`Error::Reentrant`] inside a
    /// transaction of the same thread; [`Error::QueueFull`] if too many large edits wait already. Nothing is changed then.
    pub fn edit_schema(&self, edits: impl AsRef<[SchemaEdit]>) -> Result<u64> {
        drop(self.shared.lock()?);
        let editing = Box::new(Editing::new(&self.shared, edits.as_ref().to_vec()));
        PreparedEdit { editing: editing.prepare()? }.apply()
    }

    /// Does the long part of an edit of the schema on this thread, beside the loop and other transactions, and leaves its end,
    /// which takes a moment, to [`apply`](PreparedEdit::apply). Nothing is changed before.
    ///
    /// # Errors
    /// As [`edit_schema`](Db::edit_schema).
    pub fn prepare_edit(&self, edits: impl AsRef<[SchemaEdit]>) -> Result<PreparedEdit> {
        // Inside a transaction it would wait for an edit that waits for the transaction.
        drop(self.shared.lock()?);
        let editing = Box::new(Editing::beside(&self.shared, edits.as_ref().to_vec()));
        let mut editing = editing.prepare()?;
        // Who keeps it for long keeps nobody else waiting.
        editing.turn = None;
        Ok(PreparedEdit { editing })
    }

    /// Has edits of the schema, one or several as one step, be made by the loop; `answer` gets the schema's new version, where
    /// and when [`enqueue`](Db::enqueue) says. Edits that take long are prepared on a thread of their own first, which answers.
    ///
    /// # Errors
    /// As [`enqueue`](Db::enqueue).
    pub fn enqueue_edit(
        &self,
        edits: impl Into<Vec<SchemaEdit>>,
        answer: impl FnOnce(Result<Committed<u64>>) + Send + 'static,
    ) -> Result<()> {
        let edits = edits.into();
        if !self.shared.is_heavy(&edits) {
            return self.enqueue_job(move |writer| writer.engine().edit_schema(&edits), answer);
        }
        self.shared.turns.check()?;
        let (db, editing) = (Db::<S>::clone(self), Box::new(Editing::beside(&self.shared, edits)));
        // Not one that gives way to others: it takes the writing side for moments, in which ticks would wait for it.
        let run = move || answer(db.edit_in_loop(editing));
        let thread = std::thread::Builder::new().name("dbgen-edit".to_owned()).spawn(run);
        thread.map(drop).map_err(|source| Error::Io { path: "the thread of an edit".to_owned(), source })
    }

    /// Prepares edits on this thread and has the loop end them.
    fn edit_in_loop(&self, mut editing: Box<Editing>) -> Result<Committed<u64>> {
        loop {
            editing = editing.prepare()?;
            let (kept, pending) = promise();
            self.enqueue_job(move |writer| editing.finish(writer.engine()), move |done| kept.keep(done))?;
            let Committed { value, commit, durable } = pending.wait()?;
            match value {
                Step::Done(value) => return Ok(Committed { value, commit, durable }),
                Step::Again(again) => editing = again,
            }
        }
    }
}

/// Whose turn it is to make an edit beside the loop.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// Edits that have come and not ended; whether one has the turn.
    state: Mutex<(usize, bool)>,
    ended: Condvar,
}

/// The turn, for as long as it is there.
struct Turn(Arc<Shared>);

impl Turns {
    fn state(&self) -> MutexGuard<'_, (usize, bool)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// That there is room for one more to wait.
    fn check(&self) -> Result<()> {
        match self.state().0 > EDITS_WAITING_MAX {
            true => Err(Error::QueueFull { limit: EDITS_WAITING_MAX }),
            false => Ok(()),
        }
    }
}

impl Turn {
    fn wait(shared: &Arc<Shared>) -> Result<Turn> {
        let turns = &shared.turns;
        turns.check()?;
        let mut state = turns.state();
        state.0 += 1;
        while state.1 {
            state = turns.ended.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.1 = true;
        drop(state);
        Ok(Turn(shared.clone()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.0.turns.state();
        *state = (state.0 - 1, false);
        self.0.turns.ended.notify_one();
    }
}
