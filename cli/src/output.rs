//! Where a command's result goes: a file, or standard output.

use std::convert::Infallible;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::str::FromStr;

use crate::failure::Failure;

/// A file, or `-` for standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// Standard output.
    Stdout,
    /// A file; its folder must exist.
    File(PathBuf),
}

impl FromStr for Output {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Output, Infallible> {
        Ok(if text == "-" { Output::Stdout } else { Output::File(text.into()) })
    }
}

impl Output {
    /// Writes the whole result. A file that holds it already is left as it is, so that build tools see no change.
    pub(crate) fn write(&self, text: &str) -> Result<(), Failure> {
        match self {
            Output::Stdout => print(text),
            Output::File(path) if std::fs::read_to_string(path).is_ok_and(|before| before == text) => Ok(()),
            Output::File(path) => std::fs::write(path, text).map_err(Failure::io(path)),
        }
    }
}

/// Prints to standard output. A reader that went away (`dbgen doc | head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::io("standard output")(error)),
        _ => Ok(()),
    }
}
