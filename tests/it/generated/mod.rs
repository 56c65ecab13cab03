//! Generated code compiles as strictly as anybody may ask for, and does what it says.

mod arena;
mod batch;
mod catalog;
mod derive;
mod find_many;
mod many;
mod one_line;
mod serialize;
mod zoo;

/// The goldens of `tests/expected`, as a user's crate would have them under its own strictest lints.
#[forbid(unsafe_code)]
#[deny(warnings, missing_docs, clippy::all, rust_2018_idioms)]
pub(super) mod golden {
    include!("../../expected/arena.rs");
    include!("../../expected/zoo.rs");
}
