//! The compiler of dbgen: a schema in, Rust out.
//!
//! For a build script, [`compile`] is all there is to it:
//!
//! ```no_run
//! fn main() -> Result<(), dbgen::Error> {
//!     dbgen::compile("schemas/arena.json")
//! }
//! ```
//!
//! and the crate says `dbgen_runtime::include_schema!("arena");`. [`configure`] is for everything else.
//!
//! # The life of a schema
//!
//! 1. [`Schema::from_file`](dbgen_schema::Schema::from_file) reads and checks it; all mistakes are reported at once. [`lock`]
//!    gives it the ids of the lock file beside it.
//! 2. `Plan::new` (`plan`) decides every name and type of the generated code, so that whatever passed the
//!    checks becomes Rust that compiles.
//! 3. `emit::module` writes the plan as tokens, one emitter per construct.
//! 4. `format::file` makes a file of them, with a header that says what generated it.
//! 5. `script` puts the file into `OUT_DIR`, if it differs from what is there, and tells cargo when to come back.
//!
//! The macros of `dbgen-macros` enter at step 2 with a schema of their own making, and leave after step 3.

mod emit;
mod error;
mod format;
mod locked;
pub mod names;
mod options;
mod plan;
mod script;
mod written;

pub use dbgen_schema as schema;
pub use error::Error;
pub use locked::{Behind, lock};
pub use options::Options;
pub use script::{Configuration, compile, configure};
pub use written::{Reach, Written, WrittenType};

use dbgen_schema::Schema;
use proc_macro2::TokenStream;

/// The version of the contract between generated code and the runtime; the runtime refuses another one.
pub const CODEGEN_ABI: u32 = 5;

/// The generated file for a schema: what build scripts and `dbgen generate` write.
///
/// # Errors
/// [`Error::Configuration`] if the options hold something that is no Rust.
pub fn generate(schema: &Schema, options: &Options) -> Result<String, Error> {
    options.check()?;
    format::file(schema, options)
}

/// The generated module for a schema, as tokens: what the macros expand to.
///
/// # Errors
/// As [`generate`].
pub fn expand(schema: &Schema, options: &Options) -> Result<TokenStream, Error> {
    module(options, plan::Plan::new(schema, options, None))
}

/// The generated module for a schema whose structs and enums are written in Rust: what `database!` expands to.
///
/// # Errors
/// As [`generate`].
pub fn expand_written(schema: &Schema, options: &Options, written: &Written) -> Result<TokenStream, Error> {
    module(options, plan::Plan::new(schema, options, Some(written)))
}

fn module(options: &Options, plan: plan::Plan<'_>) -> Result<TokenStream, Error> {
    options.check()?;
    let json: TokenStream = emit::facade::schema_json(&plan).parse().map_err(|_| Error::bug("the schema's JSON"))?;
    let (head, runtime) = (emit::head(&plan), options.runtime()?);
    let items = emit::items(&plan, &runtime);
    let Some(written) = plan.written else { return Ok(quote::quote!(#head { #(#items)* #json })) };
    let head = written.reach_of_module().narrowed(head, 0);
    let items = items.zip(written.reach_of_pieces()).map(|(piece, reach)| reach.narrowed(piece, 1));
    Ok(quote::quote!(#head { #(#items)* #json }))
}
