//! What is wrong with a schema, where, and what to do about it.
//!
//! A check describes what it found as a `Finding`: bytes of the text and sentences. When all checks have run, the
//! `Report` becomes [`Diagnostics`]: sorted by place, with lines, columns and the pointer into the document, able to be
//! [rendered](Diagnostics::render) for people and written as [JSON](Diagnostics::to_json) for machines.

mod codes;
#[cfg(not(feature = "render"))]
mod lines;
mod mistake;
#[cfg(feature = "render")]
mod render;
mod report;
mod suggest;

use std::fmt;

use serde_json::{Value, json};

pub use codes::{codes, explain};
pub use mistake::Mistake;
pub use suggest::nearest;

pub(crate) use codes::{Code, code};
pub(crate) use report::{Finding, Report};

use crate::source::{Source, Span};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The schema cannot be used.
    Error,
    /// The schema works, but hardly as its author meant it.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One thing that is wrong with a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// What kind of mistake: `unknown_type`. [`explain`] says more about it.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The mistake in one sentence.
    pub message: String,
    /// What stands beside the caret; may be empty.
    pub label: String,
    /// The schema file.
    pub file: String,
    /// Bytes of the file's text.
    pub span: Span,
    /// 1-based line where the span begins.
    pub line: u32,
    /// 1-based column, in characters, where the span begins.
    pub column: u32,
    /// JSON pointer to the value in the document: `/tables/player/fields/2/type`. TOML has the same tree.
    pub pointer: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that have to do with it.
    pub related: Vec<Related>,
}

/// Another place that has to do with a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Related {
    /// What is there.
    pub label: String,
    /// Bytes of the file's text.
    pub span: Span,
    /// 1-based line where the span begins.
    pub line: u32,
    /// 1-based column, in characters, where the span begins.
    pub column: u32,
}

impl Diagnostic {
    /// `file:line:column: message`, on one line, as build tools and editors read it.
    pub fn one_line(&self) -> String {
        format!("{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }

    fn to_json(&self) -> Value {
        let related: Vec<Value> = self
            .related
            .iter()
            .map(|related| {
                json!({
                    "label": related.label, "line": related.line, "column": related.column,
                    "span": [related.span.start, related.span.end],
                })
            })
            .collect();
        json!({
            "code": self.code, "severity": self.severity.as_str(), "message": self.message, "label": self.label,
            "file": self.file, "line": self.line, "column": self.column, "span": [self.span.start, self.span.end],
            "pointer": self.pointer, "help": self.help, "related": related,
        })
    }
}

/// Everything that is wrong with one schema file, in the order of the file. [`Display`](fmt::Display) is the plain text
/// for people.
#[derive(Clone, PartialEq, Eq)]
pub struct Diagnostics {
    source: Source,
    list: Vec<Diagnostic>,
    omitted: usize,
}

impl Diagnostics {
    pub(crate) fn new(source: Source, list: Vec<Diagnostic>, omitted: usize) -> Diagnostics {
        Diagnostics { source, list, omitted }
    }

    /// The diagnostics, in the order of the file; of a hopeless file the first [thousand](crate::limits::DIAGNOSTICS_MAX).
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// The same, but what is one mistake at several places is one of them: how people are told.
    pub fn mistakes(&self) -> Vec<Mistake<'_>> {
        Mistake::all(&self.list)
    }

    /// How many there are, those that were not kept included.
    pub fn len(&self) -> usize {
        self.list.len() + self.omitted
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.omitted > 0 || self.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Text for people: each mistake with its line and a caret, at most [twenty](crate::limits::DIAGNOSTICS_SHOWN), then how
    /// many more there are.
    #[cfg(feature = "render")]
    pub fn render(&self, color: Color) -> String {
        render::render(&self.source, &self.mistakes(), self.len(), color)
    }

    /// The same for machines: `{"file", "errors", "warnings", "omitted", "diagnostics": [...]}`.
    pub fn to_json(&self) -> Value {
        let warnings = self.list.iter().filter(|diagnostic| diagnostic.severity == Severity::Warning).count();
        json!({
            "file": self.source.name,
            "errors": self.len() - warnings,
            "warnings": warnings,
            "omitted": self.omitted,
            "diagnostics": self.list.iter().map(Diagnostic::to_json).collect::<Vec<Value>>(),
        })
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Whether rendered text carries terminal colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Color {
    /// Plain text.
    #[default]
    Never,
    /// ANSI escapes.
    Always,
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "render")]
        return f.write_str(&self.render(Color::Never));
        #[cfg(not(feature = "render"))]
        lines::write(f, &self.mistakes(), self.len())
    }
}

// The text itself, so that an `unwrap` on a schema shows what is wrong with it.
impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Diagnostics\n{self}")
    }
}

impl std::error::Error for Diagnostics {}
