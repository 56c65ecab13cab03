//! Tests of the schema language from outside, one binary.

mod evolve;
mod examples;
mod files;
mod goldens;
mod json;
mod json_schema;
mod lock;
mod model;
mod properties;
mod support;
