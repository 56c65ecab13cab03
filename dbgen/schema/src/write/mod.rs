//! A schema in its own language: canonical JSON, TOML, and the fingerprint of either.
//!
//! Writing says the least that reads back as the same schema: what has its default is left out, and indexes and relations
//! that follow from fields are not repeated. One schema has one canonical text, on every platform and whatever the source
//! looked like.

mod doc;
mod schema;
mod toml;

pub(crate) use doc::Doc;
pub use schema::type_text;

use crate::model::Schema;

use schema::{Detail, document};

/// The schema as canonical JSON, laid out for people, with a newline at the end.
pub fn to_json_pretty(schema: &Schema) -> String {
    document(schema, Detail::All).to_json_pretty()
}

/// The schema as TOML, laid out for people, with a newline at the end.
pub fn to_toml(schema: &Schema) -> String {
    toml::write(&document(schema, Detail::All))
}

/// A number that is the same for schemas that mean the same to stored data and generated code: descriptions, the author's
/// version and `renamed_from` do not count, the order of tables and fields does.
///
/// It is the 64-bit FNV-1a hash of the canonical JSON without white space.
pub fn fingerprint(schema: &Schema) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let text = document(schema, Detail::Meaning).to_json_compact();
    text.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}
