//! Names: which are allowed, and what Rust calls them.
//!
//! A name is a letter followed by letters, digits and underscores. Everything else that a generated file needs follows
//! from it by [`snake`] and [`pascal`]; both the checks and the emitter use these two, so what the checks accept cannot
//! collide later.

use crate::limits::NAME_BYTES_MAX;

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// Nothing in it.
    Empty,
    /// More than [`NAME_BYTES_MAX`] bytes.
    TooLong,
    /// A leading underscore: those names are the system's.
    Reserved,
    /// A leading digit.
    LeadingDigit,
    /// A character that is no letter of `A-Z a-z`, digit or underscore.
    Character(char),
}

/// Whether a text may name a table, a field, a type or anything else of a schema.
///
/// # Errors
///
/// The first reason why not.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let Some(first) = name.chars().next() else { return Err(NameError::Empty) };
    if let Some(strange) = name.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '_') {
        return Err(NameError::Character(strange));
    }
    match first {
        '_' => Err(NameError::Reserved),
        '0'..='9' => Err(NameError::LeadingDigit),
        _ if name.len() > NAME_BYTES_MAX => Err(NameError::TooLong),
        _ => Ok(()),
    }
}

/// `ItemStack`, `itemStack` and `item_stack` as `item_stack`.
pub fn snake(name: &str) -> String {
    let words: Vec<String> = words(name).into_iter().map(str::to_ascii_lowercase).collect();
    words.join("_")
}

/// `item_stack`, `itemStack` and `ItemStack` as `ItemStack`. Like [`snake`] it takes any text: what is no name is reported
/// elsewhere.
pub fn pascal(name: &str) -> String {
    words(name).into_iter().map(capitalised).collect()
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars.map(|c| c.to_ascii_lowercase())).collect()
}

/// The words of a name: they end at underscores, before a capital that follows a small letter or digit, and before the
/// last capital of several when a small letter follows: `HTTPServer2_port` is `HTTP Server2 port`.
fn words(name: &str) -> Vec<&str> {
    let bytes = name.as_bytes();
    let mut words = Vec::new();
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        let after = bytes.get(at + 1);
        let begins = byte.is_ascii_uppercase()
            && before.is_some_and(|before| {
                !before.is_ascii_uppercase() || after.is_some_and(|after| after.is_ascii_lowercase())
            });
        if begins || *byte == b'_' {
            words.extend(name.get(start..at));
            start = at + usize::from(*byte == b'_');
        }
    }
    words.extend(name.get(start..));
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "hp", "Vec3", "item_stack", "type", "self", "x".repeat(63).as_str()] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        assert_eq!(check_name(""), Err(NameError::Empty));
        assert_eq!(check_name("_id"), Err(NameError::Reserved));
        assert_eq!(check_name("3d"), Err(NameError::LeadingDigit));
        assert_eq!(check_name("hit points"), Err(NameError::Character(' ')));
        assert_eq!(check_name("größe"), Err(NameError::Character('ö')));
        assert_eq!(check_name(&"x".repeat(64)), Err(NameError::TooLong));
    }

    #[test]
    fn conversions() {
        for (name, snake_case, pascal_case) in [
            ("player", "player", "Player"),
            ("item_stack", "item_stack", "ItemStack"),
            ("itemStack", "item_stack", "ItemStack"),
            ("ItemStack", "item_stack", "ItemStack"),
            ("HTTPServer2_port", "http_server2_port", "HttpServer2Port"),
            ("Vec3", "vec3", "Vec3"),
            ("NPC", "npc", "Npc"),
            ("a__b_", "a_b", "AB"),
            ("ü_Über", "ü_Über", "üÜber"),
            ("", "", ""),
        ] {
            assert_eq!((snake(name).as_str(), pascal(name).as_str()), (snake_case, pascal_case), "{name}");
        }
    }
}
