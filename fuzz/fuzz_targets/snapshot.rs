//! Bytes as changes to a snapshot behind its checksums: it is opened and whole, or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    dbgen_tests::folder::snapshot(bytes);
});
