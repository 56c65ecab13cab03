//! Tests of the compiler from outside, one binary.

mod golden;
mod properties;
mod random;
