//! The server: REST and JSON-RPC 2.0 over the dynamic face, for tools, dashboards and other languages.
//!
//! It runs on threads of its own and knows the database only through what any other caller has: reads are answered from
//! [`Db::read`](crate::db::Db::read) and never wait; writes go through the loop's queue
//! ([`Db::enqueue`](crate::db::Db::enqueue)), so a [tick loop](crate::tick::TickLoop) must run on the database.
//!
//! # The life of a request
//!
//! 1. `accept` takes the connection, hyper reads the head within its time limit; `encoding` unpacks and packs bodies.
//! 2. `serve::serve` gives the request an id, asks `guard` whether it may come in, reads the body, and calls the router.
//! 3. A handler takes typed parts through `extract`, and either reads a view or calls `Server::write`.
//! 4. It answers with a `Reply` or a `Problem`; `serve` writes the problem down and adds
//!    the headers that every answer has.
//!
//! One file per noun; each holds what it takes, what it does and what it answers, for HTTP and JSON-RPC alike.
//!
//! # What it does not do
//!
//! It has no TLS and speaks HTTP/1.1 only: both are a proxy's work.
//!
//! Every answer of this code has a body that says what is wrong. What is no request at all never reaches it: hyper answers a head
//! that cannot be read with 400, one that is too long with 431, and a path that is too long for it with 414, by the status alone,
//! and then closes the connection; it has no place where such an answer could be given a body. Nothing was done then.

mod accept;
mod alter;
mod batch;
mod config;
mod draft;
mod encoding;
mod extract;
mod guard;
mod health;
mod index;
mod json;
mod once;
mod openapi;
mod params;
mod precondition;
mod problem;
mod record;
mod records;
mod relation;
mod reply;
mod role;
mod router;
mod row;
mod rpc;
mod schema;
mod serve;
mod snapshot;
mod state;
mod stats;
mod table;
mod timing;
mod token;

pub use accept::ServerHandle;
pub use config::ServerConfig;
pub use role::{Grant, Role};
pub use token::TokenHash;

use crate::db::Database;
use crate::error::Error;

/// Starts a server for the database, on threads of its own.
///
/// # Errors
/// [`Error::TokenRequired`] for an address that other machines reach, without a token; [`Error::Io`] if the address cannot
/// be had.
pub fn start(db: Database, config: ServerConfig) -> Result<ServerHandle, Error> {
    accept::start(db, config)
}
