//! Doc comments: what a schema's author wrote, made harmless.
//!
//! A description is text of people, not Markdown for rustdoc: indented lines would become doctests, `[x]` a broken link,
//! `<T>` a broken tag. Lines are trimmed and those letters escaped, so that a schema compiles and documents without a
//! warning whatever its descriptions say.

use proc_macro2::TokenStream;
use quote::quote;

/// Doc comments of several lines; an empty line separates paragraphs.
pub(super) fn docs<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> TokenStream {
    let lines = lines.into_iter().map(|line| match line.as_ref() {
        "" => String::new(),
        line => format!(" {line}"),
    });
    quote!(#(#[doc = #lines])*)
}

/// A description of the schema, or `otherwise`, and then more lines.
pub(super) fn described(description: Option<&str>, otherwise: &str, more: &[String]) -> TokenStream {
    let mut lines: Vec<String> = description.map(lines_of).unwrap_or_default();
    if lines.is_empty() {
        lines.push(otherwise.to_owned());
    }
    if !more.is_empty() {
        lines.push(String::new());
        lines.extend_from_slice(more);
    }
    docs(lines)
}

/// The lines of a description, escaped, without empty ones around.
fn lines_of(description: &str) -> Vec<String> {
    let lines: Vec<String> = description.trim().lines().map(|line| escaped(line.trim())).collect();
    if lines.len() == 1 && lines[0].is_empty() { Vec::new() } else { lines }
}

/// One line, so that rustdoc shows it as it is. Code in single backticks stays code.
fn escaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let has_code = !line.contains("``") && line.matches('`').count().is_multiple_of(2);
    let mut in_code = false;
    for (at, c) in line.char_indices() {
        match c {
            '`' if has_code => in_code = !in_code,
            '[' | ']' | '<' | '>' | '`' | '\\' | '*' | '_' | '|' if !in_code => out.push('\\'),
            '#' | '~' | '-' | '+' | '=' if at == 0 => out.push('\\'),
            ':' if !in_code && line[at..].starts_with("://") => out.push('\\'),
            '.' | ')' if at > 0 && line[..at].bytes().all(|byte| byte.is_ascii_digit()) => out.push('\\'),
            _ => {}
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_shown_as_it_was_written() {
        assert_eq!(escaped("see [Player], Vec<T> and `Vec<T>`"), "see \\[Player\\], Vec\\<T\\> and `Vec<T>`");
        assert_eq!(escaped("```rust"), "\\`\\`\\`rust");
        assert_eq!(escaped("# not a title"), "\\# not a title");
        assert_eq!(escaped("1. not a list"), "1\\. not a list");
        assert_eq!(escaped("a lone ` tick"), "a lone \\` tick");
        assert_eq!(escaped("https://example.com"), "https\\://example.com");
    }

    #[test]
    fn indented_lines_do_not_become_doctests() {
        assert_eq!(lines_of("\n    fn main() {}\n\n  more "), ["fn main() {}", "", "more"]);
        assert!(lines_of("  ").is_empty());
    }
}
