//! Indexes: ordered sets and hashes of fixed-width keys, each in one buffer of small pages.
//!
//! Both keep *all* their state in the buffer. The journal undoes them and versions catch up with them without knowing
//! what they are. Entries name record ids, so moving a row touches no index.

pub mod btree;
mod fault;
pub mod hash;
mod pages;
#[cfg(test)]
mod testing;

pub use fault::{Fault, Wrong};
