//! What can go wrong when a schema is compiled.

use dbgen_schema::Diagnostics;
use dbgen_schema::lock::Drift;
use std::fmt;
use std::path::PathBuf;

/// Why a schema was not compiled. `Debug` is the same text as `Display`, since that is what a build script's `main` prints
/// of the error that it returns.
#[non_exhaustive]
pub enum Error {
    /// Schemas have mistakes: per file all of them, with their places.
    Schema(Vec<Diagnostics>),
    /// A file could not be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The schema contradicts its lock file: stored data would be read as something else than it is.
    Locked {
        /// The lock file.
        lock: PathBuf,
        /// Every contradiction.
        conflicts: Vec<Drift>,
    },
    /// The configuration asks for something that is no Rust.
    Configuration {
        /// The setting.
        setting: &'static str,
        /// What it says.
        given: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Not in a build script: cargo sets this variable there.
    NotInBuildScript {
        /// The variable.
        variable: &'static str,
    },
    /// The generator made something that is no Rust: its own mistake, never the schema's.
    Bug {
        /// What it was making.
        making: &'static str,
        /// Why it is no Rust.
        why: String,
    },
}

impl Error {
    pub(crate) fn bug(making: &'static str) -> Error {
        Error::Bug { making, why: "it is no Rust".to_owned() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Schema(files) => {
                let mistakes: usize = files.iter().map(Diagnostics::len).sum();
                write!(f, "the schema has {mistakes} mistake{}", if mistakes == 1 { "" } else { "s" })?;
                files.iter().try_for_each(|diagnostics| write!(f, "\n\n{diagnostics}"))
            }
            Error::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Error::Locked { lock, conflicts } => {
                write!(f, "the schema contradicts {}", lock.display())?;
                conflicts.iter().try_for_each(|conflict| write!(f, "\n  {conflict}"))
            }
            Error::Configuration { setting, given, expected } => {
                write!(f, "`{setting}` is `{given}`, expected {expected}")
            }
            Error::NotInBuildScript { variable } => {
                write!(f, "`{variable}` is not set: call this from a build script, or say `out_dir(..)`")
            }
            Error::Bug { making, why } => write!(f, "a bug of dbgen, please report it: making {making}: {why}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Diagnostics> for Error {
    fn from(diagnostics: Diagnostics) -> Error {
        Error::Schema(vec![diagnostics])
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
