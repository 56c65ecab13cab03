//! "Did you mean ...?"

use crate::limits::NAME_BYTES_MAX;

/// The candidate that a misspelt name most likely meant, if one is near enough: other case, a few letters off, or the
/// letters swapped. Without the feature `suggest` other case alone is near enough.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A name this long is not a slip of the pen, and comparing it with thousands of others would take long.
    if name.is_empty() || name.len() > 2 * NAME_BYTES_MAX {
        return None;
    }
    let lower = name.to_lowercase();
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters were mistyped.
#[cfg(feature = "suggest")]
fn distance(name: &str, candidate: &str) -> usize {
    strsim::damerau_levenshtein(name, candidate)
}

#[cfg(not(feature = "suggest"))]
fn distance(name: &str, candidate: &str) -> usize {
    if name == candidate { 0 } else { usize::MAX }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    #[cfg(feature = "suggest")]
    fn near_names_are_found() {
        assert_eq!(nearest("i23", ["i16", "i32", "u32"]), Some("i32"));
        assert_eq!(nearest("Playr", ["player", "guild"]), Some("player"));
    }

    #[test]
    fn names_in_other_case_are_found() {
        assert_eq!(nearest("NULLABLE", ["unique", "nullable"]), Some("nullable"));
    }

    #[test]
    fn far_names_are_not() {
        assert_eq!(nearest("inventory", ["player", "guild"]), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("", ["a"]), None);
        assert_eq!(nearest(&"a".repeat(1 << 20), ["a"]), None);
    }
}
