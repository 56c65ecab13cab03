//! Names: from a schema's to Rust's.
//!
//! A schema may call a thing whatever its author likes. Here the name becomes an identifier of the right case (the rules of
//! case are [`dbgen_schema::ident`]'s, which checks collisions by them), a keyword becomes a raw identifier, and a [`Scope`]
//! sees to it that no two things of one scope are called alike.

pub use dbgen_schema::ident::{pascal, snake};

use proc_macro2::{Ident, Span};
use std::collections::HashSet;

/// The name of many of these: `Players`, `Entities`. A word that looks plural already stays as it is.
pub fn plural(name: &str) -> String {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    let before_y = name.chars().rev().nth(1).unwrap_or('a');
    if ends(&["ss", "us", "is", "x", "z", "ch", "sh"]) {
        format!("{name}es")
    } else if ends(&["s"]) {
        name.to_owned()
    } else if ends(&["y"]) && !matches!(before_y, 'a' | 'e' | 'i' | 'o' | 'u') {
        format!("{}ies", &name[..name.len() - 1])
    } else {
        format!("{name}s")
    }
}

/// The identifier with this name: raw if it is a keyword (`r#type`), with an underscore if it cannot even be raw
/// (`self_`).
///
/// Names are made of ASCII letters, digits and underscores (`dbgen_schema::ident::check_name`); what begins with a digit
/// after all gets an underscore in front.
pub fn ident(name: &str) -> Ident {
    let span = Span::call_site();
    if is_plain(name) {
        return Ident::new(name, span);
    }
    let raw = format!("r#{name}");
    // A keyword since edition 2024, which the parser does not know.
    let plain = if name == "gen" { raw.as_str() } else { name };
    syn::parse_str(plain)
        .or_else(|_| syn::parse_str(&raw))
        .or_else(|_| syn::parse_str(&format!("{name}_")))
        .unwrap_or_else(|_| Ident::new(&format!("_{}", name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")), span))
}

/// Whether a name is an identifier as it is. The parser says so of every other one; nearly all names need not ask it.
fn is_plain(name: &str) -> bool {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    starts_well && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_') && !KEYWORDS.contains(&name)
}

/// What Rust keeps for itself, in any edition.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "Self", "static", "struct", "super", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The name without `r#`.
pub fn unraw(name: &Ident) -> String {
    let name = name.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

/// The names of one scope, each given once.
#[derive(Debug, Default)]
pub struct Scope {
    /// What means something already.
    taken: &'static [&'static str],
    given: HashSet<String>,
}

impl Scope {
    /// A scope in which these names mean something already.
    pub fn with_taken(taken: &'static [&'static str]) -> Scope {
        Scope { taken, given: HashSet::new() }
    }

    fn take(&mut self, name: &str) -> bool {
        !self.taken.contains(&name) && self.given.insert(name.to_owned())
    }

    /// Takes the first of these names that is free; if none is, the last one with underscores behind it.
    pub fn claim(&mut self, wishes: &[&str]) -> Ident {
        for wish in wishes {
            if self.take(wish) {
                return ident(wish);
            }
        }
        let mut name = wishes.last().map_or_else(String::new, |wish| (*wish).to_owned());
        while !self.take(&name) {
            name.push('_');
        }
        ident(&name)
    }

    /// Takes a name that is given already, as it is: what comes after makes way for it.
    pub fn claim_own(&mut self, name: &Ident) -> Ident {
        self.given.insert(unraw(name));
        name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_for_a_plain_name_is_one_to_the_parser() {
        for name in KEYWORDS.iter().filter(|name| **name != "gen") {
            assert!(syn::parse_str::<Ident>(name).is_err(), "{name}");
        }
        for name in ["union", "auto", "raw", "safe", "default", "dyn_", "macro_rules", "str", "a1", "Id"] {
            assert!(is_plain(name) && syn::parse_str::<Ident>(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn keywords_become_identifiers() {
        assert_eq!(ident("type").to_string(), "r#type");
        assert_eq!(ident("async").to_string(), "r#async");
        assert_eq!(ident("gen").to_string(), "r#gen");
        for name in ["self", "Self", "super", "crate"] {
            assert_eq!(ident(name).to_string(), format!("{name}_"));
        }
        assert_eq!(ident("3d").to_string(), "_3d");
        assert_eq!(ident("hp").to_string(), "hp");
        assert_eq!(ident("a²-").to_string(), "_a__", "no checked name, and no panic");
    }

    #[test]
    fn many_of_a_thing() {
        let words = ["Player", "Entity", "Boss", "Box", "Key", "Status", "Players", "Match"];
        let expected = ["Players", "Entities", "Bosses", "Boxes", "Keys", "Statuses", "Players", "Matches"];
        assert_eq!(words.map(plural), expected);
    }

    #[test]
    fn a_name_is_given_once() {
        let mut scope = Scope::with_taken(&["Option"]);
        assert_eq!(scope.claim(&["Option", "OptionRecord"]).to_string(), "OptionRecord");
        assert_eq!(scope.claim(&["View"]).to_string(), "View");
        assert_eq!(scope.claim(&["View"]).to_string(), "View_");
        assert_eq!(scope.claim(&["View"]).to_string(), "View__");
    }
}
