//! The runtime of dbgen.

pub mod table;
