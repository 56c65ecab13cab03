//! Tables: their buffers, and what turns bytes into records.

pub mod buffer;
pub mod index;
