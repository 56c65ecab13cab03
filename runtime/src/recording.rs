//! Recording what reaches the world from outside, so that it can be played again.
//!
//! What a world becomes follows from where it began, from its systems, timers and handlers, which are code, and from what
//! comes from outside: calls of procedures, other transactions, edits of the schema, and what the clock shows when a tick
//! begins. Only the last are recorded, in their order:
//!
//! ```text
//! {"input":"tick","number":1,"wall_us":0}
//! {"input":"procedure","name":"heal","arguments":{"id":4294967296,"amount":5}}
//! {"input":"transaction","ops":[…]}
//! {"input":"tick","number":2,"wall_us":16666}
//! ```
//!
//! A transaction is its operations with the bytes that they wrote, whoever asked for them; what handlers and cascades make
//! of them is not recorded, since they will do so again. A transaction that was rolled back has left nothing and is left
//! out. [`Stepper::replay`](crate::Stepper::replay) plays the recording on a database that stands where the recorded one
//! stood, with the same systems and procedures, and ends with the same bytes in every buffer. Only after an edit of a large
//! table, which catches up with what was written beside it, pages of indexes and blocks of the heap may lie in another order.
//!
//! **What a system sees.** [`Tick::view`](crate::Tick::view) shows what is published, and under the lock that a tick has that
//! is all that stands before it in the recording, with one exception: while readers pin as many versions of a table as there
//! may be ([`Builder::versions_max`](crate::Builder::versions_max)), what was committed last is not published until one of
//! them is let go of (`publications_skipped` of [`EngineStats`](crate::engine::EngineStats) counts it). A system that reads
//! such a view sees less than it will in a replay, which has no such readers. Systems that read through their transaction do
//! not depend on readers.
//!
//! **A sink that fails.** A sink returns a result. With its first error, or its panic, the recording ends, as it lacks an
//! input from there on; nothing else does. It is told (`tracing`), and [`Db::recording_failure`](crate::Db::recording_failure)
//! says what happened; what was recorded before can be played.
//!
//! A recording comes from elsewhere, so nothing in it is believed: every table, length and value is checked before it is
//! played (`play`), and a file of it carries a checksum in every line (`text`). What is wrong is
//! [`Error::Recording`](crate::Error::Recording), which says where.
//!
//! ```
//! use dbgen_runtime::{Database, Error, Input, Value};
//! use std::sync::mpsc;
//!
//! # const SCHEMA: &str = r#"{"name":"a","version":"1","tables":{"t":{"fields":[{"name":"n","type":"i32"}]}}}"#;
//! # fn open() -> Result<Database, Error> { Database::builder().schema_json(SCHEMA).open() }
//! let (sink, recorded) = mpsc::channel();
//! let db = open()?;
//! let mut world = db.tick_loop(60.0).record(move |input| sink.send(input)).stepped()?;
//! db.transact(|tx| tx.insert_named("t", &[("n", Value::from(7))]))?;
//! world.step()?;
//!
//! let again = open()?;
//! again.tick_loop(60.0).stepped()?.replay(recorded.try_iter())?;
//! assert_eq!(again.read().open_table("t")?.iter().next().map(|record| record.value(0)), Some(Value::from(7)));
//! # Ok::<(), Error>(())
//! ```

mod play;
mod text;

pub use text::{RecordingWriter, read_recording};

use crate::caught::caught;
use crate::edit::SchemaEdit;
pub use crate::error::{RecordingFailure, RecordingFault};
use crate::id::RecordId;
use crate::op::Op;
use crate::record::image::RecordImage;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::sync::Arc;

/// Something that reached the world from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Input {
    /// A tick began. What stands before it happened before.
    Tick {
        /// Its number.
        number: u64,
        /// What the clock on the wall showed, in microseconds since 1970.
        wall_us: i64,
    },
    /// A procedure was called, and succeeded.
    Procedure {
        /// Its name.
        name: String,
        /// Its arguments.
        arguments: Json,
    },
    /// A transaction was committed.
    Transaction {
        /// What it did.
        ops: Vec<RecordedOp>,
    },
    /// The schema was edited.
    Edit {
        /// How: one edit, or several as one step.
        edits: Vec<SchemaEdit>,
    },
}

/// An operation of a recorded transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedOp(Noted);

/// An operation with copies of the bytes that it was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(crate) enum Noted {
    Insert {
        table: usize,
        owner: Option<u64>,
        image: NotedImage,
    },
    Update {
        table: usize,
        id: u64,
        image: NotedImage,
    },
    Write {
        table: usize,
        id: u64,
        field: usize,
        #[serde(with = "hex")]
        cell: Vec<u8>,
    },
    Delete {
        table: usize,
        id: u64,
    },
    Group {
        table: usize,
        group: usize,
        #[serde(with = "hex")]
        bytes: Vec<u8>,
    },
}

/// A record image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NotedImage {
    #[serde(with = "hex")]
    fixed: Vec<u8>,
    #[serde(with = "hex", default, skip_serializing_if = "Vec::is_empty")]
    heap: Vec<u8>,
}

impl NotedImage {
    fn of(image: &RecordImage) -> NotedImage {
        NotedImage { fixed: image.fixed.clone(), heap: image.heap.clone() }
    }

    fn image(&self) -> RecordImage {
        let mut image = RecordImage::new();
        image.fixed.clone_from(&self.fixed);
        image.heap.clone_from(&self.heap);
        image
    }
}

impl Noted {
    /// Copies an operation; `None` for one that consists of others, which are noted themselves.
    pub(crate) fn of(op: &Op<'_>) -> Option<Noted> {
        Some(match op {
            Op::InsertMany { .. } => return None,
            Op::Insert { table, owner, image } => {
                Noted::Insert { table: *table, owner: owner.map(RecordId::get), image: NotedImage::of(image) }
            }
            Op::Update { table, id, image } => {
                Noted::Update { table: *table, id: id.get(), image: NotedImage::of(image) }
            }
            Op::Write { table, id, field, cell } => {
                Noted::Write { table: *table, id: id.get(), field: *field, cell: cell.unwrap_or_default().to_vec() }
            }
            Op::Delete { table, id } => Noted::Delete { table: *table, id: id.get() },
        })
    }
}

/// What a sink fails with: any error.
pub(crate) type SinkError = Box<dyn std::error::Error + Send + Sync>;
/// Where inputs go.
pub(crate) type Sink = Box<dyn FnMut(Input) -> Result<(), SinkError> + Send>;

/// The recording, while there is one.
#[derive(Default)]
pub(crate) struct Tape {
    sink: Option<Sink>,
    /// Inputs that it was given.
    given: u64,
    /// Why the last one ended, if it was not told to.
    failure: Option<Arc<RecordingFailure>>,
    /// A tick is running: what happens in it follows from what is recorded.
    in_tick: bool,
    /// Operations of the running transaction.
    noted: Vec<Noted>,
    /// The procedure that runs it.
    call: Option<(String, Json)>,
    /// A column group that the transaction has lent as a slice, and not looked at since.
    lent: Option<(usize, usize)>,
}

impl std::fmt::Debug for Tape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tape({}, {} noted)", if self.sink.is_some() { "on" } else { "off" }, self.noted.len())
    }
}

impl Tape {
    /// Begins a recording; one that runs ends.
    pub(crate) fn record(&mut self, sink: Sink) {
        (self.sink, self.given, self.failure) = (Some(sink), 0, None);
    }

    /// What ended the last recording before its time.
    pub(crate) fn failure(&self) -> Option<Arc<RecordingFailure>> {
        self.failure.clone()
    }

    /// Whether operations of the running transaction are to be noted.
    #[inline]
    pub(crate) fn is_noting(&self) -> bool {
        self.sink.is_some() && !self.in_tick && self.call.is_none()
    }

    /// A transaction begins, or has come to nothing.
    #[inline]
    pub(crate) fn begin(&mut self) {
        if !self.noted.is_empty() {
            self.forget_since(0);
        }
        self.lent = None;
    }

    /// How many operations have been noted.
    pub(crate) fn noted(&self) -> usize {
        self.noted.len()
    }

    /// The operations noted since have been undone.
    pub(crate) fn forget_since(&mut self, noted: usize) {
        self.noted.truncate(noted);
        self.lent = None;
    }

    /// Notes an operation that has succeeded.
    pub(crate) fn push(&mut self, op: Noted) {
        self.noted.push(op);
    }

    /// A column group is lent: what it becomes is noted when it is given back.
    pub(crate) fn lend(&mut self, table: usize, group: usize) {
        self.lent = Some((table, group));
    }

    /// Whether a group was lent that has not been looked at since.
    #[inline]
    pub(crate) fn has_lent(&self) -> bool {
        self.lent.is_some()
    }

    /// The group that was lent, and has been given back since.
    pub(crate) fn take_lent(&mut self) -> Option<(usize, usize)> {
        self.lent.take()
    }

    /// The next transaction is that of a procedure.
    pub(crate) fn call(&mut self, name: &str, arguments: &Json) {
        if self.is_noting() {
            self.call = Some((name.to_owned(), arguments.clone()));
        }
    }

    /// No procedure is being called any more.
    pub(crate) fn end_call(&mut self) {
        self.call = None;
    }

    /// Whether a transaction that is committed now is none for the recording.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.in_tick || self.sink.is_none()
    }

    /// The transaction is committed.
    #[inline]
    pub(crate) fn commit(&mut self) {
        if !self.is_idle() {
            self.record_transaction();
        }
    }

    #[cold]
    fn record_transaction(&mut self) {
        let input = match self.call.take() {
            Some((name, arguments)) => Input::Procedure { name, arguments },
            None => Input::Transaction { ops: self.noted.drain(..).map(RecordedOp).collect() },
        };
        self.give(input);
    }

    /// The schema has been edited.
    pub(crate) fn edit(&mut self, edits: &[SchemaEdit]) {
        if self.sink.is_some() {
            self.give(Input::Edit { edits: edits.to_vec() });
        }
    }

    /// A tick begins.
    pub(crate) fn begin_tick(&mut self, number: u64, wall_us: i64) {
        self.give(Input::Tick { number, wall_us });
        self.in_tick = true;
    }

    /// The tick has ended.
    pub(crate) fn end_tick(&mut self) {
        self.in_tick = false;
    }

    /// Gives an input to the sink. That is the game's code, called in the middle of a commit: whatever becomes of it, the
    /// commit is whole. What a sink lacks an input of is no recording any more, so its first failure is its last.
    fn give(&mut self, input: Input) {
        let Some(mut sink) = self.sink.take() else { return };
        let at = self.given + 1;
        let failure = match caught("the sink of the recording", || sink(input)) {
            Ok(Ok(())) => {
                (self.sink, self.given) = (Some(sink), at);
                return;
            }
            Ok(Err(source)) => RecordingFailure::Failed { input: at, source },
            Err(said) => RecordingFailure::Panicked { input: at, said },
        };
        tracing::error!(%failure, "the recording has failed; the world goes on without it");
        self.failure = Some(Arc::new(failure));
        // One that panicked half done may do so again when it is dropped.
        let _ = caught("the sink of the recording", || drop(sink));
    }
}

/// Bytes as hexadecimal digits: a recording is text.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        serializer.serialize_str(&digits.map(char::from).collect::<String>())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |digit: &u8| char::from(*digit).to_digit(16).map(|digit| digit as u8);
        let pairs = text.as_bytes().chunks(2);
        let bytes = pairs.map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        });
        bytes.collect::<Option<Vec<u8>>>().ok_or_else(|| D::Error::custom("these are not hexadecimal digits in pairs"))
    }
}
