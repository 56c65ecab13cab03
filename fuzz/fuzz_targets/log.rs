//! Bytes as the last records of a log: it is opened and whole, or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    dbgen_tests::folder::log(bytes);
});
