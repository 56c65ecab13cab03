//! The engine, through both of its faces.

mod component;
mod determinism;
mod edits;
mod face;
mod index;
mod join;
mod machine;
mod many;
mod model;
mod numbering;
mod publication;
mod script;
mod stories;
mod timer;
mod undo;
