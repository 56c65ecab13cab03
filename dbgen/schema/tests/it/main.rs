//! Tests of the schema language from outside, one binary.

mod examples;
mod support;
