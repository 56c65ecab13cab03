//! Errors, by what the caller can do about them. The offending values are fields; the sentence is in `Display`.

mod edit;
mod recording;
mod rule;

pub use edit::SchemaEditError;
pub use recording::{RecordingFailure, RecordingFault};
#[cfg(feature = "server")]
pub(crate) use rule::Shown;
pub use rule::{Rule, Violation};

use crate::id::RecordId;
use rule::Sentences;

/// The result of most calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. The database is as it was before the call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The record does not exist: never did, or was deleted.
    #[error("table `{table}` has no record {id}{}", if *.stale { ": it was deleted" } else { "" })]
    NotFound {
        /// The table asked.
        table: String,
        /// The id asked for.
        id: u64,
        /// The id was good once.
        stale: bool,
    },
    /// No table has this name.
    #[error("there is no table `{name}`{}", hint(.suggestion))]
    UnknownTable {
        /// The name asked for.
        name: String,
        /// The nearest name there is.
        suggestion: Option<String>,
    },
    /// A number of a table that has another one now, or is gone: the schema was edited since it was asked for.
    #[error(
        "table number {at} was asked for before the schema was edited: what it named has another number now, or is gone"
    )]
    StaleTable {
        /// The number.
        at: usize,
    },
    /// The table has no field of this name.
    #[error("table `{table}` has no field `{name}`{}", hint(.suggestion))]
    UnknownField {
        /// The table asked.
        table: String,
        /// The name asked for.
        name: String,
        /// The nearest name there is.
        suggestion: Option<String>,
    },
    /// The record breaks rules of its table: all of them, not only the first.
    #[error("{}", Sentences(.0))]
    Invalid(Vec<Violation>),
    /// The record cannot be deleted, since others refer to it.
    #[error("record {id} of `{table}` cannot be deleted: {}", blocking_sentence(.blocking))]
    Restricted {
        /// The table of the record.
        table: String,
        /// The record.
        id: RecordId,
        /// Who refers to it.
        blocking: Vec<Blocking>,
    },
    /// The record is not at the version that the caller expected.
    #[error("record {id} of `{table}` is at version {current}, not {expected}")]
    VersionMismatch {
        /// The table of the record.
        table: String,
        /// The record.
        id: RecordId,
        /// What the caller expected.
        expected: u64,
        /// What it is.
        current: u64,
    },
    /// The schema, or an edit of it, breaks rules of the language.
    #[error("{0}")]
    Schema(#[from] Box<dbgen_schema::Diagnostics>),
    /// A change to the schema that is not allowed while the database runs.
    #[error("{0}")]
    SchemaEdit(#[from] SchemaEditError),
    /// The schema uses something that this build of the engine cannot do.
    #[error("{what} of table `{table}` is not supported by this version of the engine")]
    Unsupported {
        /// The feature.
        what: String,
        /// The table that uses it.
        table: String,
    },
    /// A limit of the engine is reached.
    #[error("table `{table}` is full: {what} is limited to {limit}")]
    Full {
        /// The table.
        table: String,
        /// What is limited.
        what: &'static str,
        /// To how much.
        limit: usize,
    },
    /// Records of the one table have no components in the other.
    #[error("`{table}` is no component table of `{owner}`")]
    UnknownComponent {
        /// The table that was asked for components.
        owner: String,
        /// The other one.
        table: String,
    },
    /// The caller's own code ended the transaction.
    #[error("{0}")]
    Aborted(Box<dyn std::error::Error + Send + Sync>),
    /// The caller's own code panicked; the transaction was rolled back.
    #[error("panicked: {0}")]
    Panicked(String),
    /// No procedure has this name.
    #[error("there is no procedure `{name}`{}", hint(.suggestion))]
    UnknownProcedure {
        /// The name asked for.
        name: String,
        /// The nearest name there is.
        suggestion: Option<String>,
    },
    /// A procedure cannot have this name: JSON-RPC has a method of the same name, which callers would reach instead.
    #[error("a procedure cannot be called `{name}`: JSON-RPC has a method of this name, or keeps it for itself")]
    MethodName {
        /// The name that was asked for.
        name: String,
    },
    /// The arguments are not what the procedure takes.
    #[error("the arguments of `{procedure}` are wrong: {what}")]
    Arguments {
        /// The procedure.
        procedure: String,
        /// What is wrong, and where.
        what: String,
    },
    /// Handlers call one another without end, by what they write.
    #[error("handlers of `{table}` call one another more than {limit} deep")]
    HandlersNested {
        /// The table at which it was stopped.
        table: String,
        /// How deep they may.
        limit: usize,
    },
    /// A transaction was begun inside another one of the same thread.
    #[error("a transaction is running on this thread already: use the one at hand, or `nested`")]
    Reentrant,
    /// A recording goes on with another tick than the loop.
    #[error("the recording goes on with tick {recorded}, the loop with tick {next}")]
    WrongTick {
        /// The loop's next tick.
        next: u64,
        /// The recording's.
        recorded: u64,
    },
    /// A recording is damaged, or of another database.
    #[error("the recording cannot be played: input {input}{}: {fault}", offset.map(|at| format!(", at byte {at}")).unwrap_or_default())]
    Recording {
        /// Which input, from 1.
        input: u64,
        /// Bytes before it, if it came from a file.
        offset: Option<u64>,
        /// What is wrong with it.
        fault: Box<RecordingFault>,
    },
    /// The tick rate is outside of what a game loop is.
    #[error("a tick rate of {0} Hz is outside of 15-120 Hz")]
    TickRate(f64),
    /// A setting with which the database is to be opened is outside of what it can be.
    #[error("`{setting}` of {value} is outside of {min}-{max}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What was asked for.
        value: usize,
        /// The least it can be.
        min: usize,
        /// The most it can be.
        max: usize,
    },
    /// The queue of the loop is full; try again later.
    #[error("the queue of requests is full ({limit} waiting)")]
    QueueFull {
        /// Its length.
        limit: usize,
    },
    /// No answer within the time allowed. The request may still be executed.
    #[error("no answer within {0:?}")]
    TimedOut(std::time::Duration),
    /// The loop has ended; nothing more is executed.
    #[error("the database has stopped")]
    Stopped,
    /// The address can be reached from other machines, and no token is asked of them.
    #[error("refusing to listen on {address}, which other machines can reach, without a token")]
    TokenRequired {
        /// The address.
        address: String,
    },
    /// The database was opened without a data folder: there is nothing to write to.
    #[error("the database lives in memory alone: it was opened without a data folder")]
    NoDataDir,
    /// A folder that is to be filled holds something.
    #[error("{path}: the folder is not empty")]
    NotEmpty {
        /// The folder.
        path: String,
    },
    /// Another process has the data folder open.
    #[error("{path}: another process has this data folder open")]
    InUse {
        /// The lock file.
        path: String,
    },
    /// A data folder cannot be opened as it is. Nothing in it was changed.
    #[error("{0}")]
    Damaged(#[from] Box<Damage>),
    /// Commits can no longer be made durable: the database answers reads, and refuses writes until it is opened anew.
    #[error(
        "the database is read-only, since its log could not be written: {why}; once that is mended, start it again: nothing that was acknowledged is lost"
    )]
    ReadOnly {
        /// What failed first.
        why: String,
    },
    /// The schema that the data is stored under cannot become the one asked for by itself. Nothing was changed.
    #[error("the data cannot be migrated to this schema by itself:\n{plan}")]
    Migration {
        /// Every change, with what it means.
        plan: Box<dbgen_schema::evolve::Plan>,
    },
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or address.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// Ends a transaction from the caller's own code: everything it did is rolled back.
    ///
    /// ```
    /// # use dbgen_runtime::Error;
    /// let error = Error::abort("not enough gold");
    /// assert_eq!(error.to_string(), "not enough gold");
    /// ```
    pub fn abort(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Aborted(why.into())
    }

    /// A fault of a recording's input.
    pub(crate) fn recording(input: u64, offset: Option<u64>, fault: RecordingFault) -> Error {
        Error::Recording { input, offset, fault: Box::new(fault) }
    }

    /// A one-rule violation.
    pub(crate) fn violation(violation: Violation) -> Error {
        Error::Invalid(vec![violation])
    }
}

/// What is wrong with a data folder, where, and what can be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}, byte {offset}: {what}{}", .advice.as_ref().map(|advice| format!("; {advice}")).unwrap_or_default())]
#[non_exhaustive]
pub struct Damage {
    /// The file.
    pub path: String,
    /// Where in the file.
    pub offset: u64,
    /// What is wrong.
    pub what: DamageKind,
    /// What can be done.
    pub advice: Option<String>,
}

/// The ways in which a data folder can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DamageKind {
    /// It is none of ours.
    #[error("this is not a file of dbgen's")]
    Foreign,
    /// A later version wrote it.
    #[error("format {found} is newer than this program, which reads up to {known}")]
    Newer {
        /// Its format.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
    /// It belongs to another database.
    #[error("the file belongs to another database")]
    AnotherDatabase,
    /// Bytes are not what their checksum says.
    #[error("{what} is damaged")]
    Checksum {
        /// What the bytes are.
        what: &'static str,
    },
    /// The file ends too early, or too late.
    #[error("the file has {found} bytes, {expected} were written")]
    Length {
        /// Bytes there are.
        found: u64,
        /// Bytes there should be.
        expected: u64,
    },
    /// Something says what cannot be.
    #[error("{0}")]
    Nonsense(String),
    /// Commits that were durable cannot be read.
    #[error("commits {first} to {last} were durable once and cannot be read any more")]
    Lost {
        /// The first commit that cannot be read.
        first: u64,
        /// The last that was durable, as far as can be proved.
        last: u64,
    },
    /// A file is not there.
    #[error("the file is missing")]
    Missing,
}

/// Records that keep another from being deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocking {
    /// The relation through which they refer.
    pub relation: String,
    /// Their table.
    pub table: String,
    /// How many.
    pub count: usize,
    /// Some of them.
    pub sample_ids: Vec<RecordId>,
}

fn hint(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

fn blocking_sentence(blocking: &[Blocking]) -> String {
    let one = |b: &Blocking| format!("{} of `{}` refer to it through `{}`", b.count, b.table, b.relation);
    blocking.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The nearest of the names there are, to be suggested.
pub(crate) fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    dbgen_schema::diagnostic::nearest(name, names).map(str::to_owned)
}
