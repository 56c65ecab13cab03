//! The runtime of dbgen.

pub mod cell;
pub mod table;
