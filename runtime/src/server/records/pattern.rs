//! Patterns of texts: `*` stands for any run of characters, also none; everything else for itself.

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// What stands between the stars.
    parts: Vec<String>,
    /// Upper and lower case are one.
    ignores_case: bool,
}

impl Pattern {
    /// The pattern of a text with stars.
    pub(super) fn new(text: &str, ignores_case: bool) -> Pattern {
        let text = if ignores_case { text.to_lowercase() } else { text.to_owned() };
        Pattern { parts: text.split('*').map(str::to_owned).collect(), ignores_case }
    }

    /// Texts that begin with this one, in which a star is a star.
    pub(super) fn starts(text: &str) -> Pattern {
        Pattern { parts: vec![text.to_owned(), String::new()], ignores_case: false }
    }

    /// Whether a text matches: each part in its turn as early as it comes, the first at the begin and the last at the end.
    pub(super) fn matches(&self, text: &str) -> bool {
        let lowered;
        let text = match self.ignores_case {
            true => {
                lowered = text.to_lowercase();
                &lowered
            }
            false => text,
        };
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|whole| whole == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
        for part in middle {
            match rest.find(part.as_str()) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run() {
        let like = |pattern: &str, text: &str| Pattern::new(pattern, false).matches(text);
        for (pattern, text) in
            [("a*", "a"), ("a*", "abc"), ("*c", "abc"), ("a*c", "ac"), ("*b*", "abc"), ("**", ""), ("a*b*a", "abba")]
        {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*a", "a"), ("*b", "bc"), ("", "a"), ("a*b*b", "ab"), ("A*", "abc")] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
        assert!(Pattern::new("ÄB*", true).matches("äbc"));
        assert!(Pattern::starts("a*").matches("a*b") && !Pattern::starts("a*").matches("ab"));
    }
}
