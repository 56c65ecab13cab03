//! Tests of the compiler from outside, one binary.

mod corpus;
mod golden;
mod properties;
mod random;
