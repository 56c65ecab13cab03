//! Lengths that lie: what a folder says of itself takes no memory before it has proved it. Measured, by counting what the
//! opening of a folder has allocated at the same time.

use super::world::Dice;
use dbgen_runtime::checksum::xxh3_128;
use dbgen_runtime::log::format::{Kind, Record, RecordHeader, SEGMENT_HEADER_BYTES, SegmentHeader};
use dbgen_runtime::{Database, Error};
use dbgen_tests::folder::{Came, disk, fixture, log, snapshot};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Blocks are read one at a time by each thread: what is stored, and what it holds, of at most 1 MiB each; and the
/// decompressor.
const PIECES_BYTES: u64 = 4 << 20;

/// The most that is allocated at once while `run` runs, on one thread.
fn peak(run: impl FnOnce() + Send) -> u64 {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    one.install(|| {
        let mut run = Some(run);
        allocation_counter::measure(|| run.take().into_iter().for_each(|run| run())).bytes_max
    })
}

fn open(files: &Files) -> Result<Database, Error> {
    let builder = Database::builder().data_dir("data").storage(disk(files), true);
    builder.log_segment_bytes(4096).snapshot_every(Duration::MAX).open()
}

fn honest() -> Files {
    fixture("tests/fixtures/format-1")
}

/// What an honest folder takes, and the pieces in which a lie is found out.
fn allowed() -> u64 {
    let files = honest();
    peak(|| drop(open(&files).expect("it is whole"))) + PIECES_BYTES
}

/// Changes every manifest and computes its checksum anew.
fn lie_in_manifests(lie: impl Fn(&mut Json)) -> Files {
    let mut files = honest();
    for (_, bytes) in files.iter_mut().filter(|(path, _)| path.ends_with("MANIFEST")) {
        let end = bytes.iter().position(|byte| *byte == b'\n').expect("two parts");
        let mut says: Json = serde_json::from_slice(&bytes[end + 1..]).expect("it is JSON");
        lie(&mut says);
        let text = says.to_string();
        *bytes = format!("DBGMANIFEST 1 1 {} {:032x}\n{text}", text.len(), xxh3_128(text.as_bytes())).into_bytes();
    }
    files
}

/// Calls `each` for every buffer of a manifest.
fn each_buffer(says: &mut Json, each: impl Fn(&mut Json)) {
    let tables = says["tables"].as_array_mut().into_iter().flatten();
    tables.flat_map(|table| table["buffers"].as_array_mut().into_iter().flatten()).for_each(each);
}

/// That the folder is refused, and takes no more memory for it than an honest one.
#[track_caller]
fn refused_within(what: &str, files: &Files, allowed: u64) {
    let bytes: u64 = files.values().map(|bytes| bytes.len() as u64).sum();
    let took = peak(|| {
        let error = open(files).err().unwrap_or_else(|| panic!("{what}: it was opened"));
        assert!(matches!(error, Error::Damaged(_)), "{what}: {error:?}");
    });
    // The disk is memory as well; the text of a manifest is a tree of values for a moment.
    assert!(took <= allowed + 8 * bytes, "{what}: {took} bytes at once, of a folder of {bytes}");
}

#[test]
fn forged_lengths_of_a_snapshot_take_no_memory() {
    let allowed = allowed();
    let huge: [u64; 4] = [1 << 20, 1 << 30, 1 << 44, u64::MAX];
    for bytes in huge {
        let files = lie_in_manifests(|says| each_buffer(says, |buffer| buffer["raw_bytes"] = bytes.into()));
        refused_within(&format!("a buffer of {bytes} bytes"), &files, allowed);
        let longer = |buffer: &mut Json| {
            let blocks = buffer["blocks"].as_array_mut().into_iter().flatten();
            blocks.for_each(|block| block[0] = bytes.into());
        };
        refused_within(
            &format!("blocks of {bytes} bytes"),
            &lie_in_manifests(|says| each_buffer(says, longer)),
            allowed,
        );
    }
    // Blocks that hold nothing fit into every file, and each promises 1 MiB.
    let nothing = format!("{:032x}", xxh3_128(b""));
    for count in [1_u64, 64, 20_000] {
        let files = lie_in_manifests(|says| {
            each_buffer(says, |buffer| {
                let blocks = buffer["blocks"].as_array_mut().expect("a list");
                blocks.extend((0..count).map(|_| json!([0, nothing, nothing])));
                buffer["raw_bytes"] = ((blocks.len() as u64) << 20).into();
            });
        });
        refused_within(&format!("{count} blocks of nothing"), &files, allowed);
    }
}

#[test]
fn forged_lengths_of_a_log_take_no_memory() {
    let allowed = allowed();
    let path = honest().keys().rfind(|path| path.extension().is_some_and(|it| it == "log")).expect("a log").clone();
    // A header whose own checksum is right and whose length is not: behind the last record, it is torn; what lies before is
    // there.
    for payload_bytes in [1 << 10, 1 << 20, 1 << 28, u32::MAX] {
        let mut files = honest();
        let segment = files.get_mut(&path).expect("it is there");
        let header = SegmentHeader::decode(&path, segment).expect("it is whole");
        let (mut at, mut last) = (SEGMENT_HEADER_BYTES, None);
        while let Some(record) = Record::decode(&segment[at..], header.salt) {
            at += record.bytes;
            last = Some((record.header, record.check));
        }
        let (last, previous) = last.expect("a record");
        segment.truncate(at);
        let lie = RecordHeader { commit: last.commit + 1, kind: Kind::Effects, payload_bytes, previous, ..last };
        lie.append(b"short", header.salt, segment);
        let took = peak(|| drop(open(&files).expect("what is torn is cut off")));
        assert!(took <= allowed, "a record of {payload_bytes} bytes: {took} at once");
    }
}

/// Whatever lies behind right checksums: numbers of rows, slots, pages, runs, counters, lengths of values.
#[test]
fn what_forged_bytes_say_takes_no_memory() {
    // The forger's own work is in it: it decompresses and compresses the snapshot.
    let allowed = allowed() + peak(|| assert_eq!(snapshot(&[]), Came::Opened)) + PIECES_BYTES;
    for seed in 0..120 {
        let mut dice = Dice(seed ^ 0xa110c);
        dice.next();
        let byte = |dice: &mut Dice| if dice.below(3) == 0 { 0xff } else { dice.next() as u8 };
        let bytes: Vec<u8> = (0..dice.below(60)).map(|_| byte(&mut dice)).collect();
        for (what, play) in [("log", log as fn(&[u8]) -> Came), ("snapshot", snapshot)] {
            let took = peak(|| assert!(matches!(play(&bytes), Came::Opened | Came::Refused)));
            assert!(took <= allowed, "seed {seed} as a {what}: {took} bytes at once");
        }
    }
}
