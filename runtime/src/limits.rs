//! Every limit of the engine, in one place, with the relations between them asserted.

/// Tables of one database, compiled and made at run time together.
pub const TABLES_MAX: usize = 4096;
/// Bytes of a key in an index: the widest page still holds enough of them to be a tree.
pub const KEY_BYTES_MAX: usize = 1016;
/// Bytes of one `text`, `bytes` or `list` value.
pub const HEAP_VALUE_BYTES_MAX: usize = 64 << 20;
/// Bytes of a table's heap: offsets are u32 in units of 8 bytes.
pub const HEAP_BYTES_MAX: usize = (u32::MAX as usize) * HEAP_UNIT_BYTES;
/// Granularity of the heap.
pub const HEAP_UNIT_BYTES: usize = 8;
/// Records of one table: slots are u32, the last one is kept as "none".
pub const RECORDS_MAX: usize = u32::MAX as usize - 1;
/// Versions of one table in circulation before publications are skipped instead of making another.
pub const TABLE_VERSIONS_MAX: usize = 16;
/// Publications whose changes are remembered for catch-up and "what changed".
pub const HISTORY_COMMITS_MAX: usize = 256;
/// Notes of changes that are remembered, over all those publications; a note is 32 bytes.
pub const HISTORY_ENTRIES_MAX: usize = 1 << 20;
/// Violations of one record that are collected before the rest is only counted.
pub const VIOLATIONS_MAX: usize = 64;
/// Record ids named as examples in an error.
pub const SAMPLE_IDS_MAX: usize = 5;
/// Slowest rate of a tick loop.
pub const TICK_RATE_HZ_MIN: f64 = 15.0;
/// Fastest rate of a tick loop.
pub const TICK_RATE_HZ_MAX: f64 = 120.0;
/// Requests waiting for the loop before a further one is refused.
pub const QUEUE_REQUESTS_MAX: usize = 4096;

const _: () = {
    assert!(HEAP_VALUE_BYTES_MAX < 1 << 31, "the top bit of a heap cell's length marks a value of the record image");
    assert!(TABLE_VERSIONS_MAX >= 3, "one published, one pinned, one being written");
};
