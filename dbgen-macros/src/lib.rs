//! The macros of dbgen: a database from Rust structs, or from a schema file in one line.
//!
//! # Structs
//!
//! A record is a struct with `#[derive(Table)]`, a value of several parts one with `#[derive(Composite)]`, a choice an enum
//! with `#[derive(Enumeration)]`. `database!` makes a database of them: a module with everything that a schema file
//! would have given.
//!
//! ```
//! use dbgen_macros::{Composite, Enumeration, Table, database};
//! use dbgen_runtime::{Id, Str, Text};
//!
//! /// What a player fights as
//! #[derive(Enumeration, Debug, Clone, Copy, PartialEq)]
//! pub enum Class {
//!     Warrior,
//!     Mage,
//! }
//!
//! #[derive(Composite, Debug, Clone, PartialEq)]
//! pub struct Point {
//!     pub x: f32,
//!     pub y: f32,
//! }
//!
//! #[derive(Table, Debug, Clone)]
//! #[table(capacity = 1000)]
//! pub struct Guild {
//!     #[field(unique)]
//!     pub name: Str<24>,
//!     pub motto: Option<Text>,
//! }
//!
//! /// A person in the arena
//! #[derive(Table, Debug, Clone)]
//! #[table(index(class, hp))]
//! pub struct Player {
//!     #[field(unique)]
//!     pub name: Str<16>,
//!     pub class: Class,
//!     #[field(default = 100, min = 0, max = 9999)]
//!     pub hp: i32,
//!     pub pos: Point,
//!     #[field(indexed, on_delete = "set_null")]
//!     pub guild: Option<Id<Guild>>,
//! }
//!
//! database! {
//!     name: Arena,
//!     version: "1.0.0",
//!     tables: [Guild, Player],
//!     types: [Class, Point],
//! }
//! use arena::Arena;
//!
//! # fn main() -> dbgen_runtime::Result<()> {
//! let db = Arena::builder().open()?;
//! db.transact(|tx| {
//!     let guild = tx.guild_mut().insert(Guild::new("Night Watch"))?;
//!     tx.player_mut().insert(Player { class: Class::Mage, guild: Some(guild), ..Player::new("Ayla") })
//! })?;
//! let view = db.read();
//! assert_eq!(view.player().by_name("Ayla").map(|player| player.hp()), Some(100));
//!
//! // A moment of a transaction can be gone back to.
//! db.transact(|tx| {
//!     let before = tx.savepoint();
//!     tx.player_mut().insert(Player::new("Bo"))?;
//!     tx.rollback_to(&before);
//!     Ok(())
//! })?;
//! assert_eq!(db.read().player().len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! The struct stays what it is, its author's: `Str<16>` is a `String` that the database keeps at 16 bytes or less, `Id<Guild>` a
//! reference, `Option` what may be missing, `Vec<T>` and `[T; N]` lists. `Str`, `Text`, `Bytes<N>` and `Blob` are in
//! `dbgen_runtime::derived`. Doc comments become the schema's descriptions. Types are read as they are written, so an alias or
//! a constant as a length means nothing here; all of them stand in one crate, each at the level of a module.
//!
//! # A schema file
//!
//! [`schema!`] reads one when the crate is compiled and expands to what a build script would have generated: the same model,
//! the same emitter. A project that lives longer is better off with a build script in a crate of its own, which is compiled
//! again only when the schema changes.
//!
//! # The life of a derived database
//!
//! 1. A derive reads its item (`ast`, `attr`, `types`), reports what is wrong with it alone, and leaves a macro that hands it
//!    on (`relay`).
//! 2. `database!` calls those macros one after the other; the last call has all items.
//! 3. `write` writes them as a schema, in text that remembers where its words come from (`text`).
//! 4. The one reader and checker of schemas reads it; its mistakes go back to the user's tokens (`expand`).
//! 5. The emitter of build scripts makes the module, with imports where it would declare records.
//!
//! Where any of this fails, `fallback` leaves enough that one mistake gives one error.

mod ast;
mod attr;
mod database;
mod expand;
mod fallback;
#[cfg(test)]
mod four_ways;
mod relay;
mod schema_file;
mod text;
mod types;
mod value;
mod warning;
mod write;
mod zero;

use ast::Kind;
use proc_macro::TokenStream as Tokens;
use std::path::PathBuf;
use syn::LitStr;

/// Makes a struct the record of a table. `database!` says of which database.
///
/// `#[table(…)]` on the struct:
///
/// | setting | meaning |
/// |---|---|
/// | `name = "person"` | its name in the schema; the struct's in snake case if left out |
/// | `capacity = 1000` | records to make room for when the database opens |
/// | `durability = "snapshot"` | `log` (default), `snapshot` or `none` |
/// | `parent = Entity` | a component of that table's records: at most one each, deleted with it |
/// | `index(class, hp)` | an index; also `unique`, `name = "…"`, `kind = "hash"`; may stand several times, with `index[class, name]` where a field stands in more than one: clippy takes parentheses for the same attribute twice |
/// | `schedule(at = fires_at, every = period, procedure = "despawn")` | a timer table |
/// | `renamed_from = "hero"` | its name before, so that its data is kept |
///
/// `#[field(…)]` on a field: `unique`, `primary_key`, `indexed`, `auto_increment`, `default = 100` (`default` alone is zero), `min = 0`, `max = 9999`,
/// `allow_nan`, `group = "motion"`, `foreign_key = Guild::name`, `on_delete = "cascade"`, `relation = "member_of"`,
/// `name = "…"`, `renamed_from = "…"`.
///
/// A table whose records need nothing to be made has a `Default`.
#[proc_macro_derive(Table, attributes(table, field))]
pub fn table(input: Tokens) -> Tokens {
    relay::derive(Kind::Table, input.into()).into()
}

/// Makes a struct a type of named fields, to be used in records, lists and payloads. It must be `Debug` and `Clone`, and
/// should be `PartialEq`; `Default` comes with it.
///
/// On a field: `#[field(default = 1, min = 0, max = 9, allow_nan, name = "…")]`; on the struct: `#[composite(name = "…")]`.
///
/// In rows lies its cell, `PointCell`. If all of its fields are one number type, the cell computes like a vector, and a group
/// of such fields is a slice: `motion.pos += motion.vel * dt`.
///
/// With `#[composite(cells)]` rows hold the struct itself. Its fields are cells then, and it derives bytemuck's `Pod` and
/// `Zeroable`:
///
/// ```
/// use dbgen_macros::Composite;
/// use dbgen_runtime::cell::{self, Pod, Zeroable};
///
/// #[derive(Composite, Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
/// #[bytemuck(crate = "dbgen_runtime::cell::bytemuck")]
/// #[composite(cells)]
/// #[repr(C)]
/// pub struct Vec3 {
///     pub x: cell::F32,
///     pub y: cell::F32,
///     pub z: cell::F32,
/// }
/// ```
#[proc_macro_derive(Composite, attributes(composite, field))]
pub fn composite(input: Tokens) -> Tokens {
    relay::derive(Kind::Composite, input.into()).into()
}

/// Makes an enum a type of the schema. Its variants carry nothing or one value: `Say(Text)`. It must be `Debug` and `Clone`,
/// `Copy` too if no variant carries anything, and should be `PartialEq`; `Default`, the first variant, comes with it.
///
/// `#[enumeration(name = "…")]` on the enum; `#[variant(name = "…", number = 5)]` on a variant. A discriminant (`Mage = 5`)
/// is the number that is stored.
#[proc_macro_derive(Enumeration, attributes(enumeration, variant))]
pub fn enumeration(input: Tokens) -> Tokens {
    relay::derive(Kind::Enumeration, input.into()).into()
}

/// Makes a database of structs: `database! { name: Arena, tables: [Player, Guild], types: [Vec3, Class] }` expands to
/// `pub mod arena { … }`, with `arena::Arena` as the database.
///
/// Paths lead to structs and enums of this crate, at the level of a module. The module is no more visible than they are.
/// `version: "1.0.0"` and a doc comment in front are optional; `runtime: ::path` and `macros: ::path` say where the crates
/// are found under other names.
#[proc_macro]
pub fn database(input: Tokens) -> Tokens {
    relay::database(input.into()).into()
}

/// The end of what `database!` begins; not for people.
#[doc(hidden)]
#[proc_macro]
pub fn __database(input: Tokens) -> Tokens {
    expand::database(input.into()).into()
}

/// The end of one chain of several; not for people.
#[doc(hidden)]
#[proc_macro]
pub fn __part(input: Tokens) -> Tokens {
    relay::part(input.into()).into()
}

/// Expands to the module that the schema file describes: `schema!("schemas/arena.json")` to `pub mod arena { … }`. The path
/// counts from the crate's own folder. The crate is compiled again when the file changes.
///
/// ```
/// dbgen_macros::schema!("../schemas/arena.json");
/// use arena::{Arena, Player};
/// # fn main() {}
/// ```
///
/// Every mistake in the file is an error at the macro, with the file's own line and column.
#[proc_macro]
pub fn schema(input: Tokens) -> Tokens {
    let path = match syn::parse::<LitStr>(input) {
        Ok(path) => path,
        Err(error) => {
            let help =
                syn::Error::new(error.span(), "expected the path of a schema file: schema!(\"schemas/arena.json\")");
            return help.into_compile_error().into();
        }
    };
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    schema_file::expand(&root, &path).into()
}
