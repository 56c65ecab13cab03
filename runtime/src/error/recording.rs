//! What can go wrong with a recording: while it is made, and when it is to be played again.

/// What is wrong with an input of a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingFault {
    /// The file could not be read.
    #[error("it cannot be read: {0}")]
    Io(std::io::Error),
    /// The file ends within a line.
    #[error("it is cut off")]
    Cut,
    /// The line is not what was written.
    #[error("its checksum is not that of what it says")]
    Checksum,
    /// The line is no input.
    #[error("it is no input: {0}")]
    NotAnInput(serde_json::Error),
    /// There is no table with this number.
    #[error("there is no table {0}")]
    NoTable(usize),
    /// The table has no field with this number that can be written by itself.
    #[error("`{table}` has no field {field} that is written by itself")]
    NoField {
        /// The table.
        table: String,
        /// The number.
        field: usize,
    },
    /// The table has no column group with this number that is lent as a slice.
    #[error("`{table}` has no column group {group} that is lent as a slice")]
    NoGroup {
        /// The table.
        table: String,
        /// The number.
        group: usize,
    },
    /// A number that is nobody's record id.
    #[error("{0} is no record id")]
    NoId(u64),
    /// Bytes that are more or fewer than what they are for takes.
    #[error("{given} bytes for `{of}`, which takes {takes}")]
    Length {
        /// A table, or a field of one.
        of: String,
        /// Bytes that are there.
        given: usize,
        /// Bytes that it takes.
        takes: usize,
    },
    /// Bytes that are no value of the field's type.
    #[error("`{table}.{field}`: {what}")]
    Value {
        /// The table.
        table: String,
        /// The field.
        field: String,
        /// What they are instead.
        what: String,
    },
}

/// What ended a recording before its time.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingFailure {
    /// The sink returned an error.
    #[error("the recording ended at input {input}: {source}")]
    Failed {
        /// The first input that it lacks, from 1.
        input: u64,
        /// What the sink said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The sink panicked.
    #[error("the recording ended at input {input}: its sink panicked: {said}")]
    Panicked {
        /// The first input that it lacks, from 1.
        input: u64,
        /// What the panic said.
        said: String,
    },
}
