//! How a server is to run.

use super::role::{Grant, Role};
use super::token::TokenHash;
use crate::limits::{BODY_WAIT_MAX, BULK_HELD_BYTES_MAX, DRAIN_WAIT_MAX, HEADER_WAIT_MAX, WRITE_WAIT_MAX};
use std::net::SocketAddr;
use std::time::Duration;

/// How a server is to run. The default is safe: loopback, and only from this machine's own programs.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Where to listen: `127.0.0.1:7700`. Port 0 takes a free one.
    pub listen: String,
    /// The tokens of which clients must send one as `Authorization: Bearer …`, each with what its holder may do. Without
    /// any, everybody may do everything.
    pub tokens: Vec<(TokenHash, Grant)>,
    /// Lets it listen on an address that other machines reach, without a token.
    pub insecure: bool,
    /// Names by which clients may reach it on loopback, besides `localhost` and loopback addresses.
    pub allowed_hosts: Vec<String>,
    /// Origins whose pages may call it, besides its own: `https://tools.example`.
    pub allowed_origins: Vec<String>,
    /// Threads that answer requests.
    pub threads: usize,
    /// How long a client may take to send the head of a request; also how long a connection may idle.
    pub header_wait_max: Duration,
    /// How long a write may wait for the loop.
    pub write_wait_max: Duration,
    /// How long a request's body may take to arrive.
    pub body_wait_max: Duration,
    /// How long running requests may take to end when the server stops.
    pub drain_wait_max: Duration,
    /// Bytes of memory that the records of a bulk insert that is all or nothing may take until its last has come.
    pub bulk_held_bytes_max: usize,
}

impl ServerConfig {
    /// The defaults, on this address.
    pub fn new(listen: impl Into<String>) -> ServerConfig {
        ServerConfig {
            listen: listen.into(),
            tokens: Vec::new(),
            insecure: false,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            threads: std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(1, 8)),
            header_wait_max: HEADER_WAIT_MAX,
            write_wait_max: WRITE_WAIT_MAX,
            body_wait_max: BODY_WAIT_MAX,
            drain_wait_max: DRAIN_WAIT_MAX,
            bulk_held_bytes_max: BULK_HELD_BYTES_MAX,
        }
    }

    /// Clients that send this token may do what the role says, for all tables or [some](Grant::for_tables).
    #[must_use]
    pub fn allow(self, token: impl AsRef<str>, grant: impl Into<Grant>) -> Self {
        self.allow_hash(TokenHash::of(token.as_ref()), grant)
    }

    /// Clients that send the token with this hash may do what the role says, for all tables or [some](Grant::for_tables).
    #[must_use]
    pub fn allow_hash(mut self, token: TokenHash, grant: impl Into<Grant>) -> Self {
        self.tokens.push((token, grant.into()));
        self
    }

    /// Whether a token is asked for at all.
    pub(crate) fn has_token(&self) -> bool {
        !self.tokens.is_empty()
    }

    /// Clients that send this token may do everything; those that send none, nothing.
    #[must_use]
    pub fn token(self, token: impl AsRef<str>) -> Self {
        self.allow(token, Role::Admin)
    }
}

impl std::fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = if self.has_token() { "with a token" } else { "without a token" };
        write!(f, "ServerConfig({}, {token})", self.listen)
    }
}

/// An address to listen on, with the defaults.
impl From<&str> for ServerConfig {
    fn from(listen: &str) -> ServerConfig {
        ServerConfig::new(listen)
    }
}

/// An address to listen on, with the defaults.
impl From<String> for ServerConfig {
    fn from(listen: String) -> ServerConfig {
        ServerConfig::new(listen)
    }
}

/// An address to listen on, with the defaults.
impl From<SocketAddr> for ServerConfig {
    fn from(listen: SocketAddr) -> ServerConfig {
        ServerConfig::new(listen.to_string())
    }
}
