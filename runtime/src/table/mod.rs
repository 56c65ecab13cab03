//! Tables: their buffers, what turns bytes into records, and how versions reach readers.

pub mod buffer;
pub mod catch_up;
pub mod def;
pub mod heap;
mod history;
pub(crate) mod id_runs;
pub mod index;
pub mod journal;
pub mod lookup;
pub mod mask;
pub mod meta;
pub(crate) mod missed;
pub mod publish;
pub(crate) mod reaper;
mod room;
pub mod rows;
pub mod settled;
pub mod slices;
mod spares;
pub(crate) mod third;
pub mod values;
pub mod version;
pub mod writer;
