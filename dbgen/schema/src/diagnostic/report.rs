//! Gathering findings while the checks run.

use crate::limits::{DIAGNOSTICS_MAX, SUGGESTIONS_MAX};
use crate::source::{Format, Lines, Source, Span};
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

    /// Whether there are so many findings that nobody reads to the end: then what takes time to find out is left out.
    pub(crate) fn is_long(&self) -> bool {
        self.findings.len() >= SUGGESTIONS_MAX
    }

    /// The [nearest] name, while the report is not [long](Report::is_long): comparing one with thousands takes its time.
    pub(crate) fn nearest<'a>(&self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        if self.is_long() { None } else { nearest(name, candidates) }
    }

    /// The same as a sentence: "did you mean `hp`?"
    pub(crate) fn did_you_mean<'a>(&self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
        self.nearest(name, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
    }

    /// The same for what is listed if nothing is near: "it has hp, mana, name".
    pub(crate) fn did_you_mean_or_list<'a>(
        &self,
        name: &str,
        candidates: impl Iterator<Item = &'a str> + Clone,
    ) -> Option<String> {
        const LISTED_MAX: usize = 8;
        self.did_you_mean(name, candidates.clone()).or_else(|| {
            let listed: Vec<&str> =
                candidates.clone().take(LISTED_MAX).map(|name| name.get(..64).unwrap_or(name)).collect();
            let more = if candidates.clone().nth(LISTED_MAX).is_some() { ", ..." } else { "" };
            (!listed.is_empty()).then(|| format!("there is {}{more}", listed.join(", ")))
        })
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
        help: finding.help.map(|help| in_language_of(source, help)),
        related: related.collect(),
        span: finding.span,
    }
}

/// Helps show pieces of JSON; in a TOML file those read `key = value`.
fn in_language_of(source: &Source, help: String) -> String {
    if source.format == Format::Json {
        return help;
    }
    let mut text = String::with_capacity(help.len());
    let mut rest = help.as_str();
    while let Some((before, after)) = rest.split_once("\": ") {
        let (outside, key) = before.rsplit_once('"').unwrap_or((before, ""));
        text.push_str(outside);
        text.push_str(key);
        text.push_str(" = ");
        rest = after;
    }
    text + rest
}
