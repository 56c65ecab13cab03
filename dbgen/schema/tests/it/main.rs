//! Tests of the schema language from outside, one binary.

mod examples;
mod goldens;
mod json;
mod properties;
mod support;
