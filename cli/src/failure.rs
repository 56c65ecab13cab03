//! Why a command did not do what it was asked, and the exit code that says so.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use dbgen_schema::Diagnostics;

use crate::input;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The schema has errors.
    #[error("{}", input::render(.0))]
    Schema(Box<Diagnostics>),
    /// The answer is no.
    #[error("{0}")]
    Refused(Refusal),
    /// The arguments ask for something that does not exist.
    #[error("error: {0}")]
    Usage(Misuse),
    /// The generator failed over a schema without errors: its own mistake.
    #[error("error: {0}")]
    Generator(dbgen::Error),
    /// A file or a stream could not be read or written.
    #[error("error: {}: {source}", path.display())]
    Io {
        /// The file, or the name of the stream.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Why the answer is no.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// Files that `dbgen fmt` would change.
    #[error("{}", unformatted(.0))]
    Unformatted(Vec<PathBuf>),
    /// Schemas with errors, which have been shown in the form that was asked for.
    #[error("")]
    Invalid,
    /// Files that could not be read, likewise.
    #[error("")]
    Unreadable,
}

/// Arguments that ask for something that does not exist.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Misuse {
    /// No diagnostic has this code.
    #[error("no diagnostic has the code `{code}`{}", did_you_mean(.nearest))]
    UnknownCode {
        /// What was asked for.
        code: String,
        /// The code that was perhaps meant.
        nearest: Option<String>,
    },
    /// `dbgen fmt` of a TOML file.
    #[error("{}: only JSON is formatted; TOML keeps the comments and the layout that its author gave it", file.display())]
    FormatsJsonOnly {
        /// The file.
        file: PathBuf,
    },
}

fn unformatted(files: &[PathBuf]) -> String {
    files.iter().map(|file| format!("{}: not formatted\n", file.display())).collect()
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

impl Failure {
    /// An I/O error with the path it is about.
    pub(crate) fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Failure {
        move |source| Failure::Io { path: path.as_ref().to_path_buf(), source }
    }

    /// Says on standard error what went wrong and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let text = self.to_string();
        if !text.is_empty() {
            eprintln!("{}", text.trim_end());
        }
        match self {
            Failure::Schema(diagnostics) if input::is_unreadable(diagnostics) => ExitCode::from(2),
            Failure::Schema(_) | Failure::Refused(Refusal::Unformatted(_) | Refusal::Invalid) => ExitCode::from(1),
            _ => ExitCode::from(2),
        }
    }
}
