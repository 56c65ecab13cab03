//! `dbgen explain`: what the code of a diagnostic, or of a rule of evolution, means.

use dbgen_schema::diagnostic;
use dbgen_schema::evolve::rules::RULES;

use crate::failure::{Failure, Misuse};
use crate::output;

/// Explain a code that `check` or `diff` has shown, or list all codes
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The code, as in `error[dbgen::unknown_type]` or just `unknown_type`; none lists all
    code: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Some(code) = &arguments.code else {
        return output::print(&codes().map(|code| format!("{code}\n")).collect::<String>());
    };
    match diagnostic::explain(code).map(str::to_owned).or_else(|| explain_rule(code)) {
        Some(text) => output::print(&format!("{text}\n")),
        None => Err(Failure::Usage(Misuse::UnknownCode {
            code: code.clone(),
            nearest: diagnostic::nearest(code, codes()).map(str::to_owned),
        })),
    }
}

fn codes() -> impl Iterator<Item = &'static str> {
    diagnostic::codes().chain(RULES.iter().map(|rule| rule.code))
}

fn explain_rule(code: &str) -> Option<String> {
    let rule = RULES.iter().find(|rule| rule.code == code)?;
    let asks = if rule.buf.is_empty() { String::new() } else { format!("\nIn buf: {}.", rule.buf.join(", ")) };
    Some(format!("A change of a schema: {}.\n{}{asks}", rule.class.as_str(), rule.what))
}
