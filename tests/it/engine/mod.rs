//! The engine, through both of its faces.

mod beside;
mod client;
mod component;
mod depth;
mod determinism;
mod dynamic;
mod edits;
mod face;
mod halves;
mod index;
mod join;
mod machine;
mod many;
mod model;
mod numbering;
mod panics;
mod parallel;
mod publication;
mod script;
mod stories;
mod timer;
mod types;
mod undo;
mod wide;
