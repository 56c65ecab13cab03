//! The one test binary of the workspace. A module per subject; tests of the backlog begin with their id (`mi_1_…`).

mod documents;
mod durability;
mod engine;
mod generated;
mod plans;
mod server;
mod tick;
mod tidy;
mod workspace;
