//! Every limit of the engine, in one place, with the relations between them asserted.

use std::time::Duration;

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
/// Versions of one table in circulation before publications are put off instead of making another, if the database does not
/// say otherwise.
pub const TABLE_VERSIONS_MAX: usize = 16;
/// The fewest that a database may allow: one that a reader holds for long, and those that turn beside it: the published one,
/// the one before it, at which readers may still be looking, and the one that is written.
pub const TABLE_VERSIONS_MAX_LOWEST: usize = 4;
/// The most that a database may allow.
pub const TABLE_VERSIONS_MAX_HIGHEST: usize = 1024;
/// Publications whose changes are remembered for catch-up and "what changed".
pub const HISTORY_COMMITS_MAX: usize = 256;
/// Bytes that are remembered over all those publications: 24 of a note, of which an update makes one or two and a batch that goes
/// on where the last one ended a few, and 8 of each record that was changed.
pub const HISTORY_BYTES_MAX: usize = 32 << 20;
/// Publications that are remembered while an edit of the schema is made beside the loop, which catches up with them in the end.
pub const HISTORY_KEPT_COMMITS_MAX: usize = 1 << 16;
/// Bytes that are remembered meanwhile.
pub const HISTORY_KEPT_BYTES_MAX: usize = 64 << 20;
/// Records of a table from which on an edit of the schema is made beside the loop.
pub const EDIT_BESIDE_RECORDS_MIN: usize = 50_000;
/// Edits of the schema that wait for one that is made beside the loop, before a further one is refused.
pub const EDITS_WAITING_MAX: usize = 16;
/// Commits that may be given out behind the last one that is durable. After a crash the numbers go on that far ahead, so that
/// none comes back.
pub const COMMITS_AHEAD_MAX: u64 = 1 << 24;
/// Bytes of the payload of a record in the log: what is committed together is one.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 30;
/// Violations of one record that are collected before the rest is only counted.
pub const VIOLATIONS_MAX: usize = 64;
/// Record ids named as examples in an error.
pub const SAMPLE_IDS_MAX: usize = 5;
/// Handlers that run one inside another, each called by what the one before it wrote.
pub const HANDLER_DEPTH_MAX: usize = 16;
/// Slowest rate of a tick loop.
pub const TICK_RATE_HZ_MIN: f64 = 15.0;
/// Fastest rate of a tick loop.
pub const TICK_RATE_HZ_MAX: f64 = 120.0;
/// Requests waiting for the loop before a further one is refused.
pub const QUEUE_REQUESTS_MAX: usize = 4096;

/// Bytes of a request's body.
pub const BODY_BYTES_MAX: usize = 8 << 20;
/// Bytes of a body that are understood on the thread that answers it, in a millisecond at most; a longer one is beside.
pub const READ_HERE_BYTES_MAX: usize = 64 << 10;
/// Bytes of the body of a bulk insert that is written while it comes.
pub const BULK_BODY_BYTES_MAX: usize = 1 << 30;
/// Bytes of one that is all or nothing, and so is kept until its last record has come.
pub const BULK_ATOMIC_BYTES_MAX: usize = 256 << 20;
/// Bytes of memory that the records of one that is all or nothing take until its last has come, decoded: a few bytes of a
/// body are a whole record where its fields have defaults.
pub const BULK_HELD_BYTES_MAX: usize = 1 << 30;
/// Bytes of one that must be read whole before anything is done: it has an `Idempotency-Key`, or nobody waits for it.
pub const BULK_WHOLE_BYTES_MAX: usize = 64 << 20;
/// Bytes of a body that are read, and thrown away, before its sender is told that it is too large.
pub const BODY_DRAIN_BYTES_MAX: usize = 64 << 20;
/// Bytes of a URL's path and query.
pub const URI_BYTES_MAX: usize = 8 << 10;
/// How deep a JSON body may nest.
pub const JSON_DEPTH_MAX: usize = 64;
/// How long a client may take to send the head of a request.
pub const HEADER_WAIT_MAX: Duration = Duration::from_secs(10);
/// How long a client may take to send the body of a request.
pub const BODY_WAIT_MAX: Duration = Duration::from_secs(30);
/// How long a request waits for the loop to execute it.
pub const WRITE_WAIT_MAX: Duration = Duration::from_secs(30);
/// How long running requests may take to end when the server stops.
pub const DRAIN_WAIT_MAX: Duration = Duration::from_secs(5);
/// Connections to the server at the same time.
pub const CONNECTIONS_MAX: usize = 1024;
/// Requests that the server executes at the same time.
pub const REQUESTS_MAX: usize = 256;
/// Bodies that the server reads at the same time, before it executes their requests.
pub const BODIES_MAX: usize = 128;
/// Bodies of bulk inserts that it reads, and executes as they come, at the same time.
pub const BULK_BODIES_MAX: usize = 64;
/// How slowly the body of a bulk insert may come, in bytes a second, once [`BODY_WAIT_MAX`] was spent waiting for it.
pub const BULK_BODY_BYTES_PER_SECOND_MIN: usize = 1 << 10;
/// Records of a page of a list.
pub const PAGE_RECORDS_MAX: usize = 1000;
/// Records of a page if the client does not say.
pub const PAGE_RECORDS_DEFAULT: usize = 100;
/// Conditions of a list.
pub const FILTER_TERMS_MAX: usize = 64;
/// How deep conditions of a list may nest.
pub const FILTER_DEPTH_MAX: usize = 8;
/// Values of a condition that takes a list.
pub const FILTER_VALUES_MAX: usize = 1000;
/// How long the records of a list, or of a change of a set, may be looked for.
pub const SCAN_TIME_MAX: Duration = Duration::from_secs(5);
/// How long those of an export may be: it has no limit.
pub const EXPORT_SCAN_TIME_MAX: Duration = Duration::from_secs(30);
/// How long the loop, which does nothing else meanwhile, may look for the records of a change of a set.
pub const LOOP_SCAN_TIME_MAX: Duration = Duration::from_secs(1);
/// Records among which the loop looks for those of a change of a set without having had them found beside it first.
pub const LOOP_SCAN_RECORDS_MAX: usize = 1000;
/// Fields that a list is ordered by.
pub const ORDER_KEYS_MAX: usize = 8;
/// Records of a bulk insert that are one transaction, where it is not all of them.
pub const BULK_CHUNK_RECORDS: usize = 1000;
/// Wrong records of a bulk insert that are told one by one.
pub const BULK_ERRORS_MAX: usize = 100;
/// Answers that are kept for requests that come again under the same key.
pub const IDEMPOTENCY_KEYS_MAX: usize = 100_000;
/// Bytes of those answers, all together.
pub const IDEMPOTENCY_BYTES_MAX: usize = 64 << 20;
/// How long they are kept.
pub const IDEMPOTENCY_KEPT: Duration = Duration::from_secs(24 * 3600);
/// How long a request waits for the version that it wants to see.
pub const MIN_VERSION_WAIT_MAX: Duration = Duration::from_secs(1);
/// Operations of a batch, which is one transaction.
pub const BATCH_OPERATIONS_MAX: usize = 10_000;
/// Requests of a batch of JSON-RPC, which is not.
pub const RPC_BATCH_MAX: usize = 1000;

const _: () = {
    assert!(BODY_BYTES_MAX <= HEAP_VALUE_BYTES_MAX, "what the server takes in, a heap can hold");
    assert!(BODY_BYTES_MAX <= BULK_WHOLE_BYTES_MAX && BULK_WHOLE_BYTES_MAX <= BODY_DRAIN_BYTES_MAX);
    assert!(BULK_WHOLE_BYTES_MAX <= BULK_ATOMIC_BYTES_MAX && BULK_ATOMIC_BYTES_MAX <= BULK_BODY_BYTES_MAX);
    assert!(PAGE_RECORDS_DEFAULT <= PAGE_RECORDS_MAX);
    assert!(REQUESTS_MAX < QUEUE_REQUESTS_MAX, "one server alone cannot fill the queue");
    assert!(HEAP_VALUE_BYTES_MAX < 1 << 31, "the top bit of a heap cell's length marks a value of the record image");
    assert!(HISTORY_KEPT_COMMITS_MAX >= HISTORY_COMMITS_MAX && HISTORY_KEPT_BYTES_MAX >= HISTORY_BYTES_MAX);
    assert!(TABLE_VERSIONS_MAX_LOWEST >= 4, "with fewer a single reader would keep everything from being published");
    assert!(TABLE_VERSIONS_MAX >= TABLE_VERSIONS_MAX_LOWEST && TABLE_VERSIONS_MAX <= TABLE_VERSIONS_MAX_HIGHEST);
};
