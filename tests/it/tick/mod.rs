//! The loop: its rate, what runs in it, and that it can be played again.

mod handlers;
mod procedures;
mod rate;
mod recording;
mod together;
