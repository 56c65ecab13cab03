//! Tests of the compiler from outside, one binary.

mod golden;
