//! One mistake that shows at many places: a name that was changed where it is declared is unknown wherever it is used.
//!
//! Machines are told every place as a diagnostic of its own. People are shown the first with its line, and where the others
//! are, so that the twenty that are shown are twenty mistakes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Diagnostic;

/// Places of a repeated mistake that are listed.
const PLACES_MAX: usize = 10;

/// A mistake, where it shows first and where else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake<'a> {
    /// Where it shows first.
    pub first: &'a Diagnostic,
    /// Where else.
    pub others: Vec<&'a Diagnostic>,
}

impl<'a> Mistake<'a> {
    /// Groups diagnostics, in the order of the first of each.
    pub(super) fn all(list: &'a [Diagnostic]) -> Vec<Mistake<'a>> {
        let mut mistakes: Vec<Mistake<'a>> = Vec::with_capacity(list.len());
        let mut known: HashMap<(&str, &str), usize> = HashMap::new();
        for diagnostic in list {
            if is_repeatable(diagnostic) {
                match known.entry((diagnostic.code, diagnostic.message.as_str())) {
                    Entry::Occupied(at) => {
                        if let Some(mistake) = mistakes.get_mut(*at.get()) {
                            mistake.others.push(diagnostic);
                        }
                        continue;
                    }
                    Entry::Vacant(free) => free.insert(mistakes.len()),
                };
            }
            mistakes.push(Mistake { first: diagnostic, others: Vec::new() });
        }
        mistakes
    }

    /// How many diagnostics it stands for.
    pub fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// Where else it shows, as a sentence, if it does.
    pub fn elsewhere(&self) -> Option<String> {
        let places: Vec<String> =
            self.others.iter().take(PLACES_MAX).map(|it| format!("{}:{}", it.line, it.column)).collect();
        let more = self.others.len() - places.len();
        let more = if more > 0 { format!(" and {more} more places") } else { String::new() };
        (!places.is_empty()).then(|| format!("the same at {}{more}", places.join(", ")))
    }

    /// `file:line:column: message` of the first, and where the others are, on one line, as build tools and editors read it.
    pub fn one_line(&self) -> String {
        match self.elsewhere() {
            Some(elsewhere) => format!("{} ({elsewhere})", self.first.one_line()),
            None => self.first.one_line(),
        }
    }
}

/// Whether the same words at two places are one mistake: a name that is nowhere.
fn is_repeatable(diagnostic: &Diagnostic) -> bool {
    diagnostic.code.starts_with("unknown_")
}
