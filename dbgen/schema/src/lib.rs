//! The schema model of dbgen. It stands at the ground: it knows no other crate of the project.
//!
//! The life of a schema, in the order of the calls:
//!
//! 1. [`Schema::from_file`] reads a [`Source`], JSON or TOML;
//! 2. `tree` makes one tree of it, every value with its place;
//! 3. `raw` finds the keys of the language (`language`) and reports what it does not know;
//! 4. `check` resolves names and proves the rules that [`model`] promises;
//! 5. the result is a [`Schema`], or [`Diagnostics`] with every mistake of the file.
//!
//! What stands on it: [`layout`] says where the bytes of a record lie, [`json`] maps values to JSON and back, [`mod@write`]
//! writes a schema in its own language, [`lock`] keeps the ids of its tables and fields through time,
//! [`evolve`] says what lies between two versions.

mod check;
pub mod diagnostic;
pub mod evolve;
pub mod field_type;
pub mod ident;
pub mod json;
mod json_schema;
mod language;
pub mod layout;
pub mod limits;
pub mod lock;
pub mod model;
mod object;
mod parse;
mod raw;
mod source;
mod tree;
mod type_expr;
pub mod value;
pub mod write;

pub use diagnostic::{Color, Diagnostic, Diagnostics, Severity, explain};
pub use field_type::{Scalar, Type};
pub use json_schema::json_schema;
pub use lock::Lock;
pub use model::*;
pub use parse::Parsed;
pub use source::{Format, Source, Span};
pub use value::Value;
