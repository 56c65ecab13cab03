//! Why a command did not do what it was asked, and the exit code that says so.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use dbgen_runtime::Error;
use dbgen_runtime::recover::tools;
use dbgen_runtime::storage::Disk;
use dbgen_schema::Diagnostics;
use dbgen_schema::lock::Drift;

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
    /// The database could not be opened, or the server not be started.
    #[error("error: {error}{}", way_out(error))]
    Runtime {
        /// What the database or the server said.
        error: Box<dbgen_runtime::Error>,
    },
    /// The system does not let us hear of Ctrl-C.
    #[error("error: {0}")]
    Signals(ctrlc::Error),
    /// Git does not have it.
    #[error("error: {name}: {said}")]
    Git {
        /// The file and its revision.
        name: String,
        /// What git said.
        said: String,
    },
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
    /// A schema that has no lock file.
    #[error("{}: not there; `dbgen lock` writes it", lock.display())]
    NotLocked {
        /// Where it would be.
        lock: PathBuf,
    },
    /// A schema and its lock file differ.
    #[error("{}", drifted(.lock, .drifts))]
    Drifted {
        /// The lock file.
        lock: PathBuf,
        /// Where they differ.
        drifts: Vec<Drift>,
    },
    /// Changes of a schema that stored data may not survive, which have been shown.
    #[error("{}", breaking(.codes))]
    Breaking {
        /// The rules that they are of.
        codes: Vec<&'static str>,
    },
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
    /// Neither a diagnostic nor a rule has this code.
    #[error("there is no code `{code}`{}", did_you_mean(.nearest))]
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
    /// `dbgen new` under a name that cargo or the templates cannot take.
    #[error(
        "`{name}` is no name for a project: letters, digits, `-` and `_`, a letter first, no word of Rust and no crate of its own"
    )]
    ProjectName {
        /// The name.
        name: String,
    },
    /// `dbgen new` in a folder with something in it.
    #[error("{} is not empty", folder.display())]
    FolderFull {
        /// The folder.
        folder: PathBuf,
    },
    /// A data folder that is not there.
    #[error("{}: no data folder", folder.display())]
    NoFolder {
        /// Where it would be.
        folder: PathBuf,
    },
    /// A folder without a database.
    #[error("{}: there is no database in this folder; `dbgen serve --data {}` makes one", folder.display(), folder.display())]
    NoDatabase {
        /// The folder.
        folder: PathBuf,
    },
    /// A snapshot that is not there.
    #[error("{}: there is no snapshot of commit {commit}; there {}", folder.display(), those(.there))]
    NoSnapshot {
        /// The data folder.
        folder: PathBuf,
        /// The commit that was asked for.
        commit: u64,
        /// Those that there are, newest first.
        there: Vec<u64>,
    },
    /// A token file without a token.
    #[error("{}: no token in it", file.display())]
    EmptyToken {
        /// The file.
        file: PathBuf,
    },
    /// A line of a token file with a role and no token: as a token, everybody could guess it.
    #[error("{}: line {line}: the role `{word}` has no token; a line is TOKEN, ROLE TOKEN or ROLE:TABLE,TABLE TOKEN", file.display())]
    NoToken {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
        /// The word.
        word: String,
    },
    /// A line of a token file that begins with a word that is no role.
    #[error("{}: line {line}: `{word}` is no role; a line is TOKEN, ROLE TOKEN or ROLE:TABLE,TABLE TOKEN, and roles are reader, writer, schema, admin", file.display())]
    NoRole {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
        /// The word.
        word: String,
    },
    /// A line of a token file whose `sha256:` is not followed by a hash.
    #[error("{}: line {line}: behind `sha256:` stand 64 hexadecimal digits, as `printf %s TOKEN | sha256sum` prints them", file.display())]
    NoTokenHash {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
    },
}

/// What to do about it, where the command line has an answer.
fn way_out(error: &dbgen_runtime::Error) -> &'static str {
    use std::io::ErrorKind;
    match error {
        dbgen_runtime::Error::TokenRequired { .. } => {
            "\nhelp: give a token with --token-file FILE, or listen on 127.0.0.1; --insecure lets everybody in"
        }
        dbgen_runtime::Error::InUse { .. } => {
            "\nhelp: end the server that has it first; `dbgen backup` copies the folder while it runs"
        }
        dbgen_runtime::Error::Io { source, .. } => match source.kind() {
            ErrorKind::InvalidInput => "\nhelp: --listen takes an address and a port, as 127.0.0.1:7700",
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                "\nhelp: make room on this disk; nothing that was acknowledged is lost"
            }
            ErrorKind::AddrInUse => "\nhelp: something listens there already; port 0 takes a free one",
            _ => "",
        },
        _ => "",
    }
}

/// The snapshots that there are.
fn those(commits: &[u64]) -> String {
    match commits {
        [] => "is none".to_owned(),
        [only] => format!("is that of {only}"),
        several => format!("are those of {}", several.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

fn unformatted(files: &[PathBuf]) -> String {
    files.iter().map(|file| format!("{}: not formatted\n", file.display())).collect()
}

fn drifted(lock: &Path, drifts: &[Drift]) -> String {
    drifts.iter().map(|drift| format!("{}: {drift}\n", lock.display())).collect()
}

fn breaking(codes: &[&str]) -> String {
    format!("error: stored data may not survive: {}; `--allow` accepts what is not refused", codes.join(", "))
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

impl Failure {
    /// An I/O error with the path it is about.
    pub(crate) fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Failure {
        move |source| Failure::Io { path: path.as_ref().to_path_buf(), source }
    }

    /// An error of the runtime.
    pub(crate) fn runtime(error: dbgen_runtime::Error) -> Failure {
        Failure::Runtime { error: Box::new(error) }
    }

    /// A data folder must be there, with a database in it: nothing is made where a name was mistyped.
    pub(crate) fn unless_database(folder: &Path) -> Result<(), Failure> {
        if !folder.is_dir() {
            return Err(Failure::Usage(Misuse::NoFolder { folder: folder.to_path_buf() }));
        }
        match tools::is_database(&Disk::real(), folder).map_err(Failure::runtime)? {
            true => Ok(()),
            false => Err(Failure::Usage(Misuse::NoDatabase { folder: folder.to_path_buf() })),
        }
    }

    /// Says on standard error what went wrong and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        let text = self.to_string();
        if !text.is_empty() {
            // Where nobody reads it, the exit code still says it.
            let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
        }
        match self {
            Failure::Schema(diagnostics) if input::is_unreadable(diagnostics) => ExitCode::from(2),
            Failure::Refused(Refusal::Unreadable) => ExitCode::from(2),
            Failure::Schema(_) | Failure::Refused(_) => ExitCode::from(1),
            // Is it whole, can it be migrated: the answer is no.
            Failure::Runtime { error } if matches!(**error, Error::Damaged(_) | Error::Migration { .. }) => {
                ExitCode::from(1)
            }
            _ => ExitCode::from(2),
        }
    }
}
