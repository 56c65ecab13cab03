//! The document of a schema as TOML: a header per table and type, a line per field.

use super::doc::{Doc, Style, quoted};

const INLINE: Style = Style { comma: ", ", colon: " = ", pad: " ", quoted_keys: false };

/// Writes a schema's document; its keys are names, which TOML takes without quotes.
pub(super) fn write(document: &Doc) -> String {
    let Doc::Object(members) = document else { return String::new() };
    let (sections, plain): (Vec<_>, Vec<_>) = members.iter().partition(|(_, value)| !matches!(value, Doc::Text(_)));
    let mut text = String::from("[database]\n");
    plain.into_iter().for_each(|(key, value)| entry(&mut text, key, value));
    for (section, value) in sections {
        match value {
            Doc::Object(named) => {
                named.iter().for_each(|(name, body)| header(&mut text, &format!("[{section}.{name}]"), body))
            }
            Doc::List(bodies) => bodies.iter().for_each(|body| header(&mut text, &format!("[[{section}]]"), body)),
            Doc::Plain(_) | Doc::Text(_) => entry(&mut text, section, value),
        }
    }
    text
}

fn header(text: &mut String, header: &str, body: &Doc) {
    text.push('\n');
    text.push_str(header);
    text.push('\n');
    if let Doc::Object(members) = body {
        members.iter().for_each(|(key, value)| entry(text, key, value));
    }
}

fn entry(text: &mut String, key: &str, value: &Doc) {
    text.push_str(key);
    text.push_str(" = ");
    match value {
        Doc::List(items) if items.iter().any(|item| matches!(item, Doc::Object(_))) => {
            text.push_str("[\n");
            for item in items {
                text.push_str("  ");
                text.push_str(&item.to_line(&INLINE));
                text.push_str(",\n");
            }
            text.push(']');
        }
        Doc::Text(content) => text.push_str(&quoted(content)),
        other => text.push_str(&other.to_line(&INLINE)),
    }
    text.push('\n');
}
