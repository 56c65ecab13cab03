//! Gathering findings while the checks run.

use crate::limits::{DIAGNOSTICS_MAX, SUGGESTIONS_MAX};
use crate::source::{Lines, Source, Span};
use crate::tree::Node;

use super::{Code, Diagnostic, Diagnostics, Related, Severity, nearest};

/// One mistake, as a check describes it.
#[derive(Debug, Clone)]
#[must_use = "a finding counts once it is pushed into the report"]
pub(crate) struct Finding {
    code: Code,
    severity: Severity,
    span: Span,
    message: String,
    label: String,
    help: Option<String>,
    related: Vec<(Span, String)>,
}

impl Finding {
    pub(crate) fn error(code: Code, span: &Span, message: impl Into<String>) -> Finding {
        Finding {
            code,
            severity: Severity::Error,
            span: span.clone(),
            message: message.into(),
            label: String::new(),
            help: None,
            related: Vec::new(),
        }
    }

    pub(crate) fn warning(code: Code, span: &Span, message: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(code, span, message) }
    }

    /// What stands beside the caret.
    pub(crate) fn label(self, label: impl Into<String>) -> Finding {
        Finding { label: label.into(), ..self }
    }

    /// What to do about it. A second help is told after the first.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Finding {
        let help = help.into();
        self.help = Some(match self.help.take() {
            Some(before) => format!("{before}; {help}"),
            None => help,
        });
        self
    }

    pub(crate) fn help_if(self, help: Option<impl Into<String>>) -> Finding {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// Another place that has to do with it.
    pub(crate) fn related(mut self, span: &Span, label: impl Into<String>) -> Finding {
        self.related.push((span.clone(), label.into()));
        self
    }
}

/// All findings of one file.
#[derive(Debug, Default)]
pub(crate) struct Report {
    findings: Vec<Finding>,
    omitted: usize,
    errors: usize,
}

impl Report {
    pub(crate) fn push(&mut self, finding: Finding) {
        self.errors += usize::from(finding.severity == Severity::Error);
        if self.findings.len() < DIAGNOSTICS_MAX {
            self.findings.push(finding);
        } else {
            self.omitted += 1;
        }
    }

    /// "did you mean `hp`?", for the first hundred mistakes: comparing a name with thousands takes its time.
    pub(crate) fn did_you_mean<'a>(&self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
        if self.findings.len() >= SUGGESTIONS_MAX {
            return None;
        }
        nearest(name, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
    }

    /// How many errors there are so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Sorts by place and adds what people and tools want to know of a place.
    pub(crate) fn finish(mut self, source: &Source, tree: Option<&Node>) -> Diagnostics {
        self.findings.sort_by_key(|finding| (finding.span.start, finding.severity));
        let lines = Lines::of(&source.text);
        let list = self.findings.into_iter().map(|finding| diagnostic(finding, source, &lines, tree)).collect();
        Diagnostics::new(source.clone(), list, self.omitted)
    }
}

fn diagnostic(finding: Finding, source: &Source, lines: &Lines, tree: Option<&Node>) -> Diagnostic {
    let (line, column) = lines.position(&source.text, finding.span.start);
    let related = finding.related.into_iter().map(|(span, label)| {
        let (line, column) = lines.position(&source.text, span.start);
        Related { label, span, line, column }
    });
    Diagnostic {
        code: finding.code.0,
        severity: finding.severity,
        message: finding.message,
        label: finding.label,
        file: source.name.clone(),
        pointer: tree.map_or_else(String::new, |tree| tree.pointer_to(&finding.span)),
        line,
        column,
        help: finding.help,
        related: related.collect(),
        span: finding.span,
    }
}
