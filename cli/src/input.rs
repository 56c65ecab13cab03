//! Reading schema files, and showing what is wrong with them.

use std::io::IsTerminal;
use std::path::Path;

use dbgen_schema::lock::Lock;
use dbgen_schema::{Color, Diagnostics, Parsed, Schema};

use crate::failure::Failure;

/// The codes of diagnostics that say that a file was not there to be judged.
const UNREADABLE: [&str; 2] = ["file_unreadable", "unknown_format"];

/// Reads and checks a schema; its warnings go to standard error.
///
/// # Errors
/// [`Failure::Schema`] if it has errors or cannot be read.
pub(crate) fn load(path: &Path) -> Result<Schema, Failure> {
    let Parsed { schema, diagnostics, .. } = Parsed::from_file(path);
    let Some(schema) = schema else { return Err(Failure::Schema(Box::new(diagnostics))) };
    if !diagnostics.is_empty() {
        eprint!("{}", render(&diagnostics));
    }
    Ok(schema)
}

/// The lock file of a schema file, if it has one.
pub(crate) fn lock(file: &Path) -> Result<Option<Lock>, Failure> {
    let path = Lock::path_of(file);
    if !path.try_exists().map_err(Failure::io(&path))? {
        return Ok(None);
    }
    Lock::from_file(path).map(Some).map_err(|wrong| Failure::Schema(Box::new(wrong)))
}

/// The text of a file.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(Failure::io(path))
}

/// Whether these diagnostics say that there was nothing to judge.
pub(crate) fn is_unreadable(diagnostics: &Diagnostics) -> bool {
    diagnostics.iter().any(|diagnostic| UNREADABLE.contains(&diagnostic.code))
}

/// Diagnostics as people read them; in colour if they look at a terminal and did not ask for none.
pub(crate) fn render(diagnostics: &Diagnostics) -> String {
    let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    diagnostics.render(if coloured { Color::Always } else { Color::Never })
}
