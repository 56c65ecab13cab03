//! Diagnostics as text without a drawing of the lines that they are about: for programs that only log them.

use std::fmt;

use crate::limits::DIAGNOSTICS_SHOWN;

use super::Diagnostic;

/// Writes the first of them, a line each and one for its help; `total` counts all, also those that are not in the list.
pub(super) fn write(f: &mut fmt::Formatter<'_>, list: &[Diagnostic], total: usize) -> fmt::Result {
    for diagnostic in list.iter().take(DIAGNOSTICS_SHOWN) {
        let label = if diagnostic.label.is_empty() { String::new() } else { format!(" ({})", diagnostic.label) };
        let severity = diagnostic.severity.as_str();
        writeln!(f, "{severity}[dbgen::{}]: {}{label}", diagnostic.code, diagnostic.one_line())?;
        if let Some(help) = &diagnostic.help {
            writeln!(f, "  help: {help}")?;
        }
    }
    if total > DIAGNOSTICS_SHOWN {
        writeln!(f, "... and {} more", total - DIAGNOSTICS_SHOWN)?;
    }
    Ok(())
}
