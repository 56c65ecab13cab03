//! The compiler, fed with whatever there is.

#![no_main]

#[path = "../compiles.rs"]
mod compiles;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| compiles::or_is_reported(bytes));
