//! Diagnostics as text without a drawing of the lines that they are about: for programs that only log them.

use std::fmt;

use crate::limits::DIAGNOSTICS_SHOWN;

use super::Mistake;

/// Writes the first of them, a line each and one for its help; `total` counts all diagnostics, also those that are not in the
/// list.
pub(super) fn write(f: &mut fmt::Formatter<'_>, mistakes: &[Mistake<'_>], total: usize) -> fmt::Result {
    let mut told = 0;
    for mistake in mistakes.iter().take(DIAGNOSTICS_SHOWN) {
        let diagnostic = mistake.first;
        told += mistake.count();
        let label = if diagnostic.label.is_empty() { String::new() } else { format!(" ({})", diagnostic.label) };
        let severity = diagnostic.severity.as_str();
        writeln!(f, "{severity}[dbgen::{}]: {}{label}", diagnostic.code, mistake.one_line())?;
        if let Some(help) = &diagnostic.help {
            writeln!(f, "  help: {help}")?;
        }
    }
    if total > told {
        writeln!(f, "... and {} more", total - told)?;
    }
    Ok(())
}
