//! Reading a schema: the steps in order.

use std::path::Path;

use crate::check::check;
use crate::diagnostic::{Diagnostics, Finding, Report, code};
use crate::model::Schema;
use crate::raw::RawSchema;
use crate::source::{Format, Lines, ReadError, Source};
use crate::tree::Node;

/// What came of reading a schema: the schema, unless there are errors, and everything there is to say about it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Parsed {
    /// The checked schema; `None` if any diagnostic is an error.
    pub schema: Option<Schema>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

impl Parsed {
    /// Reads and checks a source.
    pub fn of(source: &Source) -> Parsed {
        let mut report = Report::default();
        let tree = Node::read(source, &mut report);
        let schema = tree.as_ref().map(|tree| {
            let raw = RawSchema::read(tree, &mut report);
            check(raw, &Lines::of(&source.text), &mut report)
        });
        let schema = schema.filter(|_| report.errors() == 0);
        Parsed { schema, diagnostics: report.finish(source, tree.as_ref()) }
    }

    /// Reads and checks a schema file, JSON or TOML by its extension. That it cannot be read is a diagnostic, too.
    pub fn from_file(path: impl AsRef<Path>) -> Parsed {
        let path = path.as_ref();
        match Source::read(path) {
            Ok(source) => Parsed::of(&source),
            Err(error) => Parsed { schema: None, diagnostics: unreadable(path, error) },
        }
    }
}

impl Schema {
    /// Reads a schema file, JSON or TOML by its extension.
    ///
    /// # Errors
    ///
    /// All of the file's mistakes; also that it cannot be read. Warnings are dropped: [`Parsed::from_file`] keeps them.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Schema, Diagnostics> {
        let parsed = Parsed::from_file(path);
        parsed.schema.ok_or(parsed.diagnostics)
    }

    /// Reads a schema from memory.
    ///
    /// # Errors
    ///
    /// All mistakes of the source.
    pub fn parse(source: &Source) -> Result<Schema, Diagnostics> {
        let parsed = Parsed::of(source);
        parsed.schema.ok_or(parsed.diagnostics)
    }
}

pub(crate) fn unreadable(path: &Path, error: ReadError) -> Diagnostics {
    let mut report = Report::default();
    let mut text = String::new();
    let finding = match error {
        ReadError::UnknownFormat => {
            let message = format!("`{}` is neither JSON nor TOML", path.display());
            Finding::error(code::UNKNOWN_FORMAT, &(0..0), message).help("a schema's name ends in `.json` or `.toml`")
        }
        ReadError::Io(error) => {
            Finding::error(code::FILE_UNREADABLE, &(0..0), format!("cannot read `{}`: {error}", path.display()))
        }
        ReadError::NotUtf8 { lossy, at } => {
            text = lossy;
            let span = at..at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            Finding::error(code::NOT_UTF8, &span, "the file is not UTF-8").label("these bytes are not")
        }
    };
    report.push(finding);
    let source = Source { name: path.display().to_string(), text, format: Format::Json };
    report.finish(&source, None)
}
