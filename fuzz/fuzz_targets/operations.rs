//! Bytes as choices of the state machine: whatever they choose, the engine must do what plain maps do.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| dbgen_tests::machine::replay(bytes));
