//! The accept loop: our own, since it must bound how long a client may take to send the head of a request, and how many
//! connections there are.

use super::config::ServerConfig;
use super::encoding::serve_packed;
use super::serve::App;
use crate::db::Database;
use crate::error::Error;
use crate::limits::CONNECTIONS_MAX;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// A running server. Dropping it stops it.
pub struct ServerHandle {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    /// Hears when the accept loop and its connections have ended. Locked only so that a handle can be shared.
    ended: Mutex<mpsc::Receiver<()>>,
    drain_wait_max: Duration,
    /// `None` once it has stopped.
    runtime: Option<Runtime>,
}

impl ServerHandle {
    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets running requests end, and returns when they have, or after
    /// [`drain_wait_max`](ServerConfig::drain_wait_max). Writes that wait for the loop end when the loop does: stop the loop
    /// first, or let it run until this returns.
    pub fn stop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        // The accept loop may have ended by itself: nobody is left to be told.
        self.stop.send_replace(true);
        if tokio::runtime::Handle::try_current().is_ok() {
            // Within some async runtime nothing may block.
            runtime.shutdown_background();
            return;
        }
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        let drained = ended.recv_timeout(self.drain_wait_max + Duration::from_millis(100));
        tracing::debug!(clean = drained != Err(mpsc::RecvTimeoutError::Timeout), "the server has stopped");
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

impl std::fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServerHandle({})", self.address)
    }
}

pub(super) fn start(db: Database, config: ServerConfig) -> Result<ServerHandle, Error> {
    let io = |source| Error::Io { path: config.listen.clone(), source };
    let listener = bind(&config)?;
    let address = listener.local_addr().map_err(io)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.threads.max(1))
        .thread_name("dbgen-server")
        .enable_io()
        .enable_time()
        .build()
        .map_err(io)?;
    let listener = {
        let _in_runtime = runtime.enter();
        TcpListener::from_std(listener).map_err(io)?
    };
    let (stop, stopped) = watch::channel(false);
    let (has_ended, ended) = mpsc::channel();
    let drain_wait_max = config.drain_wait_max;
    let app = App::new(db, config, address);
    runtime.spawn(async move {
        accept_until(stopped, listener, app, drain_wait_max).await;
        // The handle may be gone: then nobody waits for it.
        has_ended.send(()).ok();
    });
    tracing::info!(%address, "the server listens");
    Ok(ServerHandle { address, stop, ended: Mutex::new(ended), drain_wait_max, runtime: Some(runtime) })
}

/// Binds the address, if it is safe to.
fn bind(config: &ServerConfig) -> Result<std::net::TcpListener, Error> {
    let io = |source| Error::Io { path: config.listen.clone(), source };
    let addresses: Vec<SocketAddr> = config.listen.to_socket_addrs().map_err(io)?.collect();
    let reachable = addresses.iter().any(|address| !address.ip().is_loopback());
    if reachable && !config.has_token() && !config.insecure {
        return Err(Error::TokenRequired { address: config.listen.clone() });
    }
    let listener = std::net::TcpListener::bind(addresses.as_slice()).map_err(io)?;
    listener.set_nonblocking(true).map_err(io)?;
    Ok(listener)
}

async fn accept_until(mut stopped: watch::Receiver<bool>, listener: TcpListener, app: App, drain_wait_max: Duration) {
    let (graceful, room) = (GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    loop {
        // Connections beyond the limit wait in the system's backlog.
        let (stream, permit) = tokio::select! {
            _ = stopped.changed() => break,
            accepted = accept(&listener, &room) => accepted,
        };
        serve_connection(&app, &graceful, stream, permit);
    }
    drop(listener);
    if tokio::time::timeout(drain_wait_max, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were cut: their requests did not end in time");
    }
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there always is a permit.
    let permit = room.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                // Out of file handles, most likely: they come back when connections end.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn serve_connection(app: &App, graceful: &GracefulShutdown, stream: TcpStream, permit: Option<OwnedSemaphorePermit>) {
    // Answers are written in one piece: waiting for more to send would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection could not be set to send at once");
    }
    let (app, header_wait_max) = (app.clone(), app.header_wait_max());
    let service = service_fn(move |request| {
        let app = app.clone();
        async move { Ok::<_, std::convert::Infallible>(serve_packed(&app, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_wait_max)
        // Who has sent all that it has to say still waits for the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended badly");
        }
        drop(permit);
    });
}
