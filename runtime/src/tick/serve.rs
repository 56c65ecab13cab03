//! A loop that serves its world over HTTP while it runs.

use super::queue::{GROUP_MAX, Requests};
use super::{Stepper, TickLoop};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::server::{self, ServerConfig, ServerHandle};
use crate::typed::Facade;
use std::net::SocketAddr;
use std::time::Duration;

/// How a loop is to be served.
#[derive(Default)]
pub(super) struct Serving {
    config: Option<ServerConfig>,
    on_listen: Option<Box<dyn FnOnce(SocketAddr) + Send>>,
}

impl<S: Facade> TickLoop<S> {
    /// Serves the world over HTTP while the loop runs: REST, JSON-RPC and the schema. Takes an address such as
    /// `127.0.0.1:7700` (port 0 takes a free one) or a [`ServerConfig`].
    #[must_use]
    pub fn serve(mut self, listen: impl Into<ServerConfig>) -> Self {
        self.serving.config = Some(listen.into());
        self
    }

    /// Calls `listening` with the address once the server listens.
    #[must_use]
    pub fn on_listen(mut self, listening: impl FnOnce(SocketAddr) + Send + 'static) -> Self {
        self.serving.on_listen = Some(Box::new(listening));
        self
    }
}

impl Serving {
    /// Starts the server, if there is to be one.
    pub(super) fn start<S: Facade>(self, db: &Db<S>) -> Result<Option<ServerHandle>> {
        let Some(config) = self.config else { return Ok(None) };
        let server = server::start(db.as_dynamic(), config)?;
        if let Some(listening) = self.on_listen {
            listening(server.local_addr());
        }
        Ok(Some(server))
    }
}

impl<S: Facade> Stepper<S> {
    /// Stops the server: it takes no more connections, and requests that wait for the loop are still executed.
    pub(super) fn drain(&self, server: Option<ServerHandle>) -> Result<()> {
        const POLL: Duration = Duration::from_millis(2);
        let Some(mut server) = server else { return Ok(()) };
        // Where the system has no thread left the server is dropped, and its connections with it.
        let stopping = std::thread::Builder::new().name("dbgen-stopping".to_owned()).spawn(move || server.stop());
        let stopping =
            stopping.map_err(|source| Error::Io { path: "the thread that stops the server".to_owned(), source })?;
        let requests: &Requests = &self.requests;
        while !stopping.is_finished() {
            if let Some(job) = requests.wait(POLL) {
                requests.execute(&self.db.shared, Some(job), GROUP_MAX)?;
            }
        }
        Ok(())
    }
}
