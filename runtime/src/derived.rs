//! Types for the fields of structs that derive `Table`, `Composite` or `Enumeration`.
//!
//! A derive reads a struct as it is written, and `String` does not say how long it may become. These say it, and are the
//! plain types that generated records have: a field `name: Str<16>` is a `String`, and the database refuses what is longer
//! than 16 bytes.

/// UTF-8 of at most `N` bytes, in the row itself: `str<N>` of a schema, a `String` in a record.
pub type Str<const N: usize> = String;

/// UTF-8 of any length, in the table's heap: `text` of a schema, a `String` in a record.
pub type Text = String;

/// Exactly `N` bytes: `bytes<N>` of a schema, an array in a record. In JSON they are one string; `[u8; N]` is a list of
/// numbers.
pub type Bytes<const N: usize> = [u8; N];

/// Bytes of any length, in the table's heap: `bytes` of a schema, a `Vec<u8>` in a record. `Vec<u8>` itself is `list<u8>`: in
/// JSON a list of numbers.
pub type Blob = Vec<u8>;
