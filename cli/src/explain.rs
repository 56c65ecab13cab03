//! `dbgen explain`: what a diagnostic means, at length.

use dbgen_schema::diagnostic;

use crate::failure::{Failure, Misuse};
use crate::output;

/// Explain a diagnostic by its code, or list all codes
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The code, as in `error[dbgen::unknown_type]` or just `unknown_type`; none lists all
    code: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Some(code) = &arguments.code else {
        let lines: String = diagnostic::codes().map(|code| format!("{code}\n")).collect();
        return output::print(&lines);
    };
    match diagnostic::explain(code) {
        Some(text) => output::print(&format!("{text}\n")),
        None => Err(Failure::Usage(Misuse::UnknownCode {
            code: code.clone(),
            nearest: diagnostic::nearest(code, diagnostic::codes()).map(str::to_owned),
        })),
    }
}
