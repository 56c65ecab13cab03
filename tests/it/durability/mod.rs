//! Nothing that was acknowledged is ever lost: proved by a disk that loses power at every operation, by faults at every
//! operation, by every bit flipped, and by folders that somebody broke. (`cli/tests` kills the real server.)

mod bad_input;
mod bits;
mod campaign;
mod forged;
mod golden;
mod groups;
mod logging;
mod memory;
mod migration;
mod numbers;
mod rich;
mod simulate;
mod snapshots;
mod world;
