//! Every bound of the schema language in one place.
//!
//! They keep a hostile or mistaken file from costing unbounded time or memory, and they are what the layers above may
//! rely on: a table index fits 12 bits, a record its 64 KiB. How they hang together is asserted at the end.

/// Bytes of a schema file.
pub const SOURCE_BYTES_MAX: usize = 16 << 20;
/// How deep objects and lists of a schema file may nest.
pub const TREE_DEPTH_MAX: usize = 64;
/// Dots of a TOML key.
pub const KEY_DOTS_MAX: usize = 8;
/// How deep types may nest: `list<list<u8>>` is 3 deep. Composites count with what they hold.
pub const TYPE_DEPTH_MAX: usize = 32;
/// Bytes of a name.
pub const NAME_BYTES_MAX: usize = 63;
/// Bytes of the schema's version.
pub const VERSION_BYTES_MAX: usize = 64;

/// Tables of a schema.
pub const TABLES_MAX: usize = 4096;
/// Composites of a schema.
pub const COMPOSITES_MAX: usize = 4096;
/// Enums of a schema.
pub const ENUMS_MAX: usize = 4096;
/// Variants of an enum.
pub const VARIANTS_MAX: usize = 4096;
/// Fields of a table or of a composite.
pub const FIELDS_MAX: usize = 1024;
/// Column groups of a table.
pub const GROUPS_MAX: usize = 64;
/// Indexes of a table.
pub const INDEXES_MAX: usize = 64;
/// Fields of an index.
pub const INDEX_FIELDS_MAX: usize = 8;

/// Bytes of a record: all of its groups together. A composite or an enum with its payload obeys it too.
pub const RECORD_BYTES_MAX: usize = 64 << 10;
/// Bytes that a table's `capacity` may ask for.
pub const CAPACITY_BYTES_MAX: u64 = 1 << 40;
/// Values that defaults may add to one JSON document that leaves them out, so that a short document stays a small one.
pub const DEFAULT_VALUES_MAX: usize = 1 << 16;

/// The largest record id: 53 bits, the integers that JSON readers of every language keep.
pub const RECORD_ID_MAX: u64 = (1 << 53) - 1;

/// Diagnostics that are kept of one file; more are only counted.
pub const DIAGNOSTICS_MAX: usize = 1000;
/// Diagnostics that look for the name that was meant.
pub const SUGGESTIONS_MAX: usize = 100;
/// Diagnostics that are shown at once.
pub const DIAGNOSTICS_SHOWN: usize = 20;

const _: () = {
    assert!(DIAGNOSTICS_SHOWN <= DIAGNOSTICS_MAX);
    assert!(RECORD_BYTES_MAX <= u16::MAX as usize + 1, "the length of a str<N> is a u16");
    assert!(VARIANTS_MAX <= u16::MAX as usize, "a variant's number is a u16");
    assert!(TYPE_DEPTH_MAX < TREE_DEPTH_MAX, "a default value of the deepest type can be written");
};
